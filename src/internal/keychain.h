/* Ferrule: the body of fer_generation (floor 3's own; shared so that record can take keys). */
#ifndef FERRULE_INTERNAL_KEYCHAIN_H
#define FERRULE_INTERNAL_KEYCHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/schedule.h"
#include "ferrule/keychain.h"
#include "internal/handle.h"

/* Body behind fer_generation's opaque cells. */
struct fer_generation_body {
    fer_tag tag;
    uint32_t generation;
    uint8_t kind;    /* fer_kind of its records */
    uint8_t present; /* bit 1 << fer_branch: the key is still here */
    uint8_t route_length;
    uint8_t reserved;
    uint8_t route[FER_ROUTE_MAX];
    fer_claim_key claim;
    fer_record_key keys[3]; /* by fer_branch */
};

_Static_assert(sizeof(struct fer_generation_body) <= sizeof(fer_generation),
               "fer_generation is too small for its body");

/* The body, or null where the tag is not that of this address. */
struct fer_generation_body *fer_generation_get_body(fer_generation *generation);

/* Copies what the caller says of an identity; false if a length or pointer cannot be. Which lengths
 * of routes exist, and that an identity is not empty, is for fer_credential_lengths_are_valid. */
FER_MUST_USE bool fer_identity_gather(const fer_identity *identity, fer_credential_info *info);

/* Fills a body, but for its claim key, with the keys that follow from a chain, which is wiped. */
void fer_generation_build(struct fer_generation_body *body, uint8_t mode,
                          const fer_credential_info *info, fer_chain *chain);

/* Moves one key out: false if it was taken before (NONCE). */
FER_MUST_USE bool fer_generation_take_key(struct fer_generation_body *body, fer_branch branch,
                                          fer_record_key *key);

#endif
