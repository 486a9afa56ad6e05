/* Ferrule: what sealer, opener and gateway share (floor 3): handles, names, and how a device keeps
 * a generation's keys through deep sleep. */
#ifndef FERRULE_INTERNAL_RECORD_H
#define FERRULE_INTERNAL_RECORD_H

#include <stdint.h>

#include "crypto/schedule.h"
#include "ferrule/record.h"
#include "internal/handle.h"
#include "internal/header.h"
#include "internal/keychain.h"

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
    uint8_t patience; /* two-way live lane: records of which one is full; else 0 */
    uint8_t left;     /* records until the next full one; 0: all are full */
    uint8_t counter;  /* bytes of the full form's counter */
    /* Down: draws the salt, into header and nonce. Up: null, so that a device does not link it. */
    bool (*salt)(const struct fer_sealer *sealer, uint8_t *salt, uint8_t nonce[FER_NONCE_BYTES]);
    fer_record_key key;
    union {
        fer_claim_key claim; /* up */
        fer_entropy entropy; /* down */
    } of;
};

/* Makes a sealer one that seals down, with salts from there. */
void fer_sealer_turn_down(struct fer_sealer *sealer, fer_entropy entropy);

/* Cells of an opener's ticket. The first is its own tag, so that no other takes it; zero: spent. Of
 * lane and sequence the opener reads the lower halves alone: the upper ones are whose who holds it.
 */
enum { FER_TICKET_TAG, FER_TICKET_GENERATION, FER_TICKET_LANE, FER_TICKET_SEQUENCE };

/* Builds the name of a context; `flags` are FER_FIRST_…, `route_length` is 0, 2, 4 or 8. */
void fer_record_name_build(fer_record_name *name, unsigned kind, unsigned flags,
                           const uint8_t *route, unsigned route_length);

/* Carves a handle of `size` bytes and fills in its end, all but the tag: all or nothing. `branches`
 * has a bit 1 << fer_branch for each key the caller then takes; FER_ERR_ORDER where one is gone. */
FER_MUST_USE fer_status fer_record_create(fer_arena *arena, fer_generation *generation, size_t size,
                                          unsigned branches, unsigned flags, fer_record_end **end);

/* Zeroes what the plaintext of a dropped record would have filled (FIRST): of a `header` of so many
 * bytes; 0 where it is not known: what the longest plaintext in n bytes would have. */
void fer_record_reject(unsigned header, size_t n, uint8_t *out, size_t capacity);

/* Moves a handle into another arena: what it sealed and accepted goes with it, and the place it had
 * is wiped, so that there never are two (NONCE, ONCE). Tickets do not follow. False, and nothing
 * happens, where it is not open or there is no room. */
FER_MUST_USE bool fer_sealer_move(fer_sealer **sealer, fer_arena *arena);
FER_MUST_USE bool fer_opener_move(fer_opener **opener, fer_arena *arena);

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
