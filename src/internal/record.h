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

/* What sealer and opener begin with. */
typedef struct fer_record_end {
    fer_tag tag;
    uint32_t generation;
    fer_record_name name;
} fer_record_end;

struct fer_sealer {
    fer_record_end end; /* the name's first byte has the lane too */
    uint32_t next;      /* only ever goes up (NONCE) */
    uint8_t one_way;
    uint8_t patience;    /* two-way live lane: records of which one is full; else 0 */
    uint8_t left;        /* records until the next full one; 0: all are full */
    fer_entropy entropy; /* down: salts */
    fer_record_key key;
    fer_claim_key claim; /* up */
};

/* A header as parsed. Nothing vouches for it. */
typedef struct fer_header {
    uint32_t generation; /* short form: the low 8 bits, until they are made exact */
    uint32_t sequence;   /* short form: the low 16 bits, until they are made exact */
    uint8_t first;
    uint8_t length; /* bytes before the ciphertext; 0: no record begins like this */
} fer_header;

/* Parses the header of a record of n bytes; FER_DROP_MALFORMED as fer_record_inspect. All of the
 * header, and of the tag, then lies within the n bytes (TOTAL). */
FER_MUST_USE fer_status fer_record_parse(const uint8_t *record, size_t n, fer_header *header);

/* Bytes of the route that a first byte announces. */
static inline unsigned fer_header_route(unsigned first)
{
    return 1u << (first >> FER_FIRST_ROUTE_SHIFT & 3u) & ~1u;
}

static inline bool fer_header_is_full(const fer_header *header)
{
    return (header->first & FER_FIRST_FULL) != 0;
}

static inline fer_lane fer_header_lane(const fer_header *header)
{
    return (header->first & FER_FIRST_BACKLOG) != 0 ? FER_LANE_BACKLOG : FER_LANE_LIVE;
}

/* Bytes of plaintext in a record of n bytes. */
static inline size_t fer_header_plaintext(const fer_header *header, size_t n)
{
    return n - header->length - FER_TAG_BYTES;
}

/* Builds the name of a context; `flags` are FER_FIRST_…, `route_length` is 0, 2, 4 or 8. */
void fer_record_name_build(fer_record_name *name, unsigned kind, unsigned flags,
                           const uint8_t *route, unsigned route_length);

/* Carves a handle of `size` bytes and fills in its end, all but the tag: all or nothing. `branches`
 * has a bit 1 << fer_branch for each key the caller then takes; FER_ERR_ORDER where one is gone. */
FER_MUST_USE fer_status fer_record_create(fer_arena *arena, fer_generation *generation, size_t size,
                                          unsigned branches, unsigned flags, fer_record_end **end);

/* The number congruent to `low` modulo 2^16 that is nearest to the next expected one. */
uint32_t fer_record_nearest(uint32_t next, uint32_t low);

/* The nonce of an up record (no salt) or of a down record (8 bytes of salt). */
void fer_record_nonce(uint8_t nonce[FER_NONCE_BYTES], const uint8_t *salt, uint32_t generation,
                      uint32_t sequence);

/* One AEAD attempt at a parsed record whose header's generation and sequence have been made exact.
 * Fills *opened, all but context and ticket, on success; on failure out is zeroed (FIRST). */
FER_MUST_USE fer_status fer_record_attempt(const fer_record_key *key, const uint8_t *record,
                                           size_t n, const fer_header *header, uint8_t *out,
                                           fer_opened *opened);

/* Zeroes what the plaintext of a dropped record would have filled (FIRST); where even the header
 * is not known (its length is 0), what the longest plaintext in n bytes would have. */
void fer_record_reject(const fer_header *header, size_t n, uint8_t *out, size_t capacity);

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
