/* Ferrule: the fields of a credential (floor 2). Offsets of the one 128-byte encoding:
 *
 *     0  "Fr"           8  epoch32          16 route, 8 bytes, zero filled      88  chain
 *     2  version8 = 1  12  route length8    24 identity, 32 bytes, zero filled  120 check: first 8
 *     3  flags8 = 0    13  identity length8 56 claim key                            bytes of
 * SHA-256 4  generation32  14  zero16                                                  of bytes
 * 0..119 */
#ifndef FERRULE_INTERNAL_CREDENTIAL_H
#define FERRULE_INTERNAL_CREDENTIAL_H

#include <stdbool.h>

#include "crypto/schedule.h"
#include "ferrule/credential.h"

/* Whether identities and routes of these lengths, in bytes, exist. */
bool fer_credential_lengths_are_valid(unsigned identity, unsigned route);

/* Builds an encoding. Info's lengths must be in range, else FER_ERR_ARGUMENT. */
FER_MUST_USE fer_status fer_credential_build(const fer_credential_info *info,
                                             const fer_claim_key *claim, const fer_chain *chain,
                                             fer_credential *credential);

/* Info and keys of a valid credential; each out pointer may be null. */
FER_MUST_USE fer_status fer_credential_read(const fer_credential *credential,
                                            fer_credential_info *info, fer_claim_key *claim,
                                            fer_chain *chain);

/* The chain key where it lies in a valid credential. */
fer_chain *fer_credential_get_chain(fer_credential *credential);

/* Turns the credential of generation g into that of g + 1, in place (ratchet and new check).
 * FER_RENEW_EXHAUSTED, unchanged, where g + 1 would be 2^32-1. */
FER_MUST_USE fer_status fer_credential_advance(fer_credential *credential);

#endif
