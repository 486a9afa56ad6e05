/* Ferrule: what sealer, opener and gateway share (floor 3): the header, the nonce, one attempt to
 * open, and how a device keeps a generation's keys through deep sleep. */
#ifndef FERRULE_INTERNAL_RECORD_H
#define FERRULE_INTERNAL_RECORD_H

#include <stdint.h>

#include "crypto/schedule.h"
#include "ferrule/record.h"
#include "internal/handle.h"
#include "internal/keychain.h"

/* Bits of a record's first byte; kind stands in bits 7-6, the route's code in bits 2-1. */
enum {
    FER_FIRST_DOWN = 1u << 5,
    FER_FIRST_FULL = 1u << 4,
    FER_FIRST_BACKLOG = 1u << 3,
    FER_FIRST_ROUTE_SHIFT = 1,
    FER_FIRST_KIND_SHIFT = 6
};

/* How records of one context and direction begin: the first byte without form and lane, and the
 * route. */
typedef struct fer_record_name {
    uint8_t length; /* of bytes: 1 + route length */
    uint8_t bytes[1 + FER_ROUTE_MAX];
} fer_record_name;

struct fer_sealer {
    fer_tag tag;
    fer_entropy entropy; /* down: salts */
    fer_record_key key;
    fer_claim_key claim; /* up */
    uint32_t generation;
    uint32_t next;        /* only ever goes up (NONCE) */
    fer_record_name name; /* lane included */
    uint8_t one_way;
    uint8_t patience; /* two-way live lane: records of which one is full; else 0 */
    uint8_t left;     /* records until the next full one; 0: all are full */
};

/* Builds the name of a context. `route_length` is 0, 2, 4 or 8. */
void fer_record_name_build(fer_record_name *name, uint8_t kind, fer_direction direction,
                           const uint8_t *route, uint8_t route_length);

/* True where a parsed record begins with this name. */
FER_MUST_USE bool fer_record_is_named(const fer_record_name *name, const uint8_t *record);

/* The number congruent to `low` modulo 2^16 that is nearest to the next expected one. */
uint32_t fer_record_nearest(uint32_t next, uint32_t low);

/* The nonce of an up record (no salt) or of a down record (8 bytes of salt). */
void fer_record_nonce(uint8_t nonce[FER_NONCE_BYTES], const uint8_t *salt, uint32_t generation,
                      uint32_t sequence);

/* Bytes of plaintext in a record of n bytes that has this header. */
static inline size_t fer_record_plaintext(size_t n, const fer_unverified *header)
{
    return n - header->header_length - FER_TAG_BYTES;
}

/* One AEAD attempt at a parsed record whose header's generation and sequence have been made exact.
 * Fills *opened, all but context and ticket, on success; on failure out is zeroed (FIRST). */
FER_MUST_USE fer_status fer_record_attempt(const fer_record_key *key, const uint8_t *record,
                                           size_t n, const fer_unverified *header, uint8_t *out,
                                           fer_opened *opened);

/* Zeroes what the plaintext of a dropped record would have filled (FIRST); where even the header
 * is not known (its length is 0), what the longest plaintext in n bytes would have. */
void fer_record_reject(const fer_unverified *header, size_t n, uint8_t *out, size_t capacity);

/* ---- deep sleep ------------------------------------------------------------------------- */

/* Moves key and next number out of a handle and closes it, so that the image is the only place
 * that can seal (NONCE). Of an opener: the live lane's. False, and nothing happens, where the
 * handle is not open. */
FER_MUST_USE bool fer_sealer_suspend(fer_sealer **sealer, fer_record_key *key, uint32_t *next);
FER_MUST_USE bool fer_opener_suspend(fer_opener **opener, fer_record_key *key, uint32_t *next);

/* Rebuilds the keys of generation `number` from an image; identity and claim key come from a
 * credential of the same identity, whatever its generation. Wipes `keys` (WIPE). */
FER_MUST_USE fer_status fer_generation_rebuild(fer_generation *generation,
                                               const fer_credential *credential, uint32_t number,
                                               fer_record_key keys[3]);

/* Moves the next number forward; FER_ERR_ARGUMENT, unchanged, where that would be back (NONCE,
 * ONCE). An opener moves its live lane and
 * takes none of the numbers below. */
FER_MUST_USE fer_status fer_sealer_advance(fer_sealer *sealer, uint32_t next);
FER_MUST_USE fer_status fer_opener_advance(fer_opener *opener, uint32_t next);

#endif
