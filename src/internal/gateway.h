/* Ferrule: the state of a gateway (floor 5's own), shared by gateway*.c and snapshot.c.
 *
 * A context knows the chain key of its floor, so every key of a generation from the floor on, and
 * of nothing before it (WIPE). All that receiving changes changes at commit (FIRST); what opening
 * may change are counters and derived keys, which follow from the rest. */
#ifndef FERRULE_INTERNAL_GATEWAY_H
#define FERRULE_INTERNAL_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/schedule.h"
#include "ferrule/gateway.h"
#include "internal/handle.h"

enum { FER_FINGERPRINT_BYTES = 8, FER_REACH_MAX = 247, FER_NEAR = 8 };

/* Flags of a context. */
enum {
    FER_CONTEXT_USED = 1u << 0,
    FER_CONTEXT_HEARD = 1u << 1,   /* something of generation `cur` was authenticated */
    FER_CONTEXT_HAS_LIVE = 1u << 2 /* `live` holds the key of `cur`'s live lane */
};

struct fer_context {
    fer_chain chain; /* of generation `floor` */
    fer_claim_key claim;
    fer_record_key live;
    uint32_t floor;
    uint32_t cur; /* newest generation authenticated; at first the credential's */
    uint32_t down_next;
    uint32_t revision; /* changes with every change that a snapshot holds */
    uint8_t fingerprint[FER_FINGERPRINT_BYTES]; /* of the id_salt: binds epoch and identity */
    uint8_t route[FER_ROUTE_MAX];
    uint8_t route_length;
    uint8_t flags;
    uint16_t earlier; /* slots in use */
};

/* A derived key. Zeroed memory is an empty entry. */
struct fer_cached {
    uint32_t owner; /* 1 + number of the context */
    uint32_t generation;
    uint32_t branch; /* fer_branch, or FER_CACHED_CHAIN */
    uint32_t used;   /* tick of the last use */
    fer_secret secret;
};

enum { FER_CACHED_CHAIN = 3 };

/* Windows are cells: the next number, then the window's words; live lane first. A slot of an
 * earlier generation is its generation, then its two windows; slots are sorted, oldest first. */
struct fer_gateway {
    fer_tag tag;
    fer_gateway_config config;
    struct fer_context *contexts;
    uint32_t *cells; /* of each context: the windows of `cur`, then the slots */
    uint32_t *order; /* numbers of contexts: `used` sorted by route, then the free ones */
    struct fer_cached *cache;
    uint32_t used;
    uint32_t tick;
    fer_gateway_counts counts;
};

/* ---- gateway.c -------------------------------------------------------------------------- */

bool fer_gateway_is_open(const fer_gateway *gateway);

/* The context of this number, or null. */
struct fer_context *fer_gateway_get_context(const fer_gateway *gateway, uint32_t number);

/* Looks a route up: true and its context's number, or false. `place` is where it stands, or would
 * stand, in the order. */
bool fer_gateway_find_route(const fer_gateway *gateway, const uint8_t *route, uint8_t length,
                            uint32_t *number, uint32_t *place);

/* Takes a free context for a route that has none; false where all are in use. */
bool fer_gateway_take_context(fer_gateway *gateway, const uint8_t *route, uint8_t length,
                              uint32_t *number);

/* One more, saturating. */
void fer_gateway_count(uint32_t *counter);

/* ---- gateway_windows.c ------------------------------------------------------------------ */

/* Cells of one window, of both windows of `cur`, and of one slot. */
static inline uint32_t fer_gateway_lane_cells(const fer_gateway *gateway)
{
    return 1u + gateway->config.window_bits / 32u;
}

static inline uint32_t fer_gateway_slot_cells(const fer_gateway *gateway)
{
    return 1u + 2u * fer_gateway_lane_cells(gateway);
}

/* Cells of all windows of a context. */
static inline size_t fer_gateway_context_cells(const fer_gateway *gateway)
{
    return 2u * fer_gateway_lane_cells(gateway) +
           (size_t)gateway->config.earlier * fer_gateway_slot_cells(gateway);
}

uint32_t *fer_gateway_get_windows(const fer_gateway *gateway, uint32_t number);
uint32_t *fer_gateway_get_slot(const fer_gateway *gateway, uint32_t number, uint32_t slot);

/* Both windows of a generation, or null where nothing of it was accepted yet. */
uint32_t *fer_gateway_find_windows(const fer_gateway *gateway, uint32_t number,
                                   uint32_t generation);

/* Whether a generation between floor and cur could be given windows now (see claim_slot). */
bool fer_gateway_has_room(const fer_gateway *gateway, uint32_t number, uint32_t generation);

/* Gives a generation between floor and cur fresh windows. Where slots are full the oldest goes,
 * and the floor rises past it, so that nothing of it is ever accepted again (ONCE). */
uint32_t *fer_gateway_claim_slot(fer_gateway *gateway, uint32_t number, uint32_t generation);

/* Makes `generation` the current one; the former keeps its windows while there is a slot. */
void fer_gateway_advance(fer_gateway *gateway, uint32_t number, uint32_t generation);

/* The device was shown to hold the chain of this generation, though by no record of it: it counts
 * as heard, where it is the current one, or ahead and within reach. */
void fer_gateway_prove(fer_gateway *gateway, uint32_t number, uint32_t generation);

/* Raises the floor: older slots and keys are wiped (WIPE). */
void fer_gateway_raise_floor(fer_gateway *gateway, uint32_t number, uint32_t floor);

/* ---- gateway_keys.c --------------------------------------------------------------------- */

/* The chain key of a generation from the floor on, from the nearest one known. */
void fer_gateway_get_chain(fer_gateway *gateway, uint32_t number, uint32_t generation,
                           fer_chain *chain);

/* The key of a branch of a generation from the floor on: one that is kept, or one derived into
 * *scratch. */
const fer_record_key *fer_gateway_get_key(fer_gateway *gateway, uint32_t number,
                                          uint32_t generation, fer_branch branch,
                                          fer_record_key *scratch);

/* Keeps a key that has proved itself, and a chain whose claim has. */
void fer_gateway_keep_key(fer_gateway *gateway, uint32_t number, uint32_t generation,
                          fer_branch branch, const fer_record_key *key);
void fer_gateway_keep_chain(fer_gateway *gateway, uint32_t number, uint32_t generation,
                            const fer_chain *chain);

/* Moves a kept key of the live lane of `cur` into the context. */
void fer_gateway_settle_live(fer_gateway *gateway, uint32_t number);

/* Wipes what is kept of a context's generations below `generation`. */
void fer_gateway_forget_keys(fer_gateway *gateway, uint32_t number, uint32_t generation);

#endif
