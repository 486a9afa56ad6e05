/* Ferrule: gateway. The receiving core: contexts found by route, generations followed, each record
 * opened at most once (ONCE), state exported in small snapshots for the data's own transaction.
 *
 * The receiver algorithm is section record of docs/WIRE.md. Holds no files, sockets or clocks.
 * Concurrency: a gateway belongs to one thread; nothing blocks. */
#ifndef FERRULE_GATEWAY_H
#define FERRULE_GATEWAY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/credential.h"
#include "ferrule/port.h"
#include "ferrule/record.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The contexts of a gateway. */
typedef struct fer_gateway fer_gateway;

/* What a gateway has room for, and how far it follows. */
typedef struct fer_gateway_config {
    uint32_t contexts;    /* most contexts, from 1 */
    uint32_t window_bits; /* replay window per generation and lane: power of two, 64 to 8192 */
    uint32_t earlier;     /* earlier generations kept open per context, 0 to reach */
    uint32_t reach;       /* R: how many generations back a record may be, 0 to 247 */
    uint32_t max_skip;    /* how far ahead a claimed generation may be, 8 to 2^31 */
    uint32_t cache;       /* derived keys kept for all contexts together */
    fer_entropy entropy;  /* salts of downlink; ops null: no downlink is sealed */
} fer_gateway_config;

/* Good defaults for one device; entropy remains to be set where downlink is wanted. */
static inline fer_gateway_config fer_gateway_config_default(void)
{
    fer_gateway_config config;
    memset(&config, 0, sizeof config);
    config.contexts = 1;
    config.window_bits = 64;
    config.earlier = 8;
    config.reach = 64;
    config.max_skip = 1u << 18; /* a weekend of reboots, once a second */
    config.cache = 8;
    return config;
}

/* Bytes of one context, its place in the route index included, and of one earlier generation kept
 * open in it. */
#define FER_GATEWAY_CONTEXT_SIZE(window_bits) (144u + 2u * ((window_bits) / 8u))
#define FER_GATEWAY_EARLIER_SIZE(window_bits) (12u + 2u * ((window_bits) / 8u))
#define FER_GATEWAY_SIZE(contexts, earlier, window_bits, cache)            \
    (FER_ARENA_SIZEOF(8, 80) + FER_ARENA_ROUND((cache)*48u) +              \
     FER_ARENA_ROUND((contexts) * (FER_GATEWAY_CONTEXT_SIZE(window_bits) + \
                                   (earlier)*FER_GATEWAY_EARLIER_SIZE(window_bits))))

/* Makes a gateway without contexts. FER_ERR_ARGUMENT: a value outside its range. FER_ERR_ARENA: see
 * FER_GATEWAY_SIZE. */
FER_MUST_USE fer_status fer_gateway_create(fer_arena *arena, const fer_gateway_config *config,
                                           fer_gateway **gateway);

/* Adds a context from a credential as minted, and wipes the caller's copy (WIPE), also on failure.
 * *context is its number from now on. FER_ERR_ORDER: a context has this route. FER_ERR_ARENA: all
 * contexts are in use. */
FER_MUST_USE fer_status fer_gateway_add(fer_gateway *gateway, fer_credential *credential,
                                        uint32_t *context);

/* Removes a context and wipes its keys; its number may be given out again.
 * FER_ERR_ARGUMENT: no such context. */
FER_MUST_USE fer_status fer_gateway_remove(fer_gateway *gateway, uint32_t context);

/* ---- records ---------------------------------------------------------------------------- */

/* Authenticates a record and yields its plaintext; receive state does not change until commit.
 * `out` as for fer_opener_open. FER_DROP_…: out is zeroed (FIRST). Costs at most reach + 8 key
 * steps and one AEAD for a forgery without a valid claim. */
FER_MUST_USE fer_status fer_gateway_open(fer_gateway *gateway, const uint8_t *record, size_t n,
                                         uint8_t *out, size_t capacity, fer_opened *opened);

/* Accepts an opened record: window, current generation and floor move, the ticket is spent.
 * FER_DROP_REPLAY or FER_DROP_OLD: accepted or fallen behind since it was opened (ONCE).
 * FER_DROP_ROUTE: its context was removed since. FER_ERR_ORDER: spent, or another's. */
FER_MUST_USE fer_status fer_gateway_commit(fer_gateway *gateway, fer_ticket *ticket);

/* Open and commit in one call; answers as either. */
FER_MUST_USE fer_status fer_gateway_receive(fer_gateway *gateway, const uint8_t *record, size_t n,
                                            uint8_t *out, size_t capacity, fer_opened *opened);

/* ---- records that were refused ---------------------------------------------------------- */

/* As fer_record_inspect, and tells which context the route names; the numbers of a short form are
 * made exact as the receiver would now. Nothing vouches for any of it. FER_DROP_ROUTE: no context
 * has it. FER_DROP_OLD: a short form that can name no generation. TOTAL. */
FER_MUST_USE fer_status fer_gateway_inspect(const fer_gateway *gateway, const uint8_t *record,
                                            size_t n, uint32_t *context, fer_unverified *header);

/* Authenticates a record whatever its window says, to tell a device that went backwards from a
 * replay: no ticket, no plaintext, and receive state stays. Scratch needs n bytes; it is disjoint
 * from record, and zeroed at the end (FIRST).
 *
 *     FER_OK           its tag verifies
 *     FER_DROP_OLD     below the floor, where keys are gone; its claim, of a full form, verifies
 *     FER_DROP_FORGED  neither
 *     FER_DROP_FAR     ahead of what was authenticated: nothing of it was accepted
 *
 * Others as fer_gateway_open. Costs at most reach key steps and one AEAD. TOTAL. */
FER_MUST_USE fer_status fer_gateway_verify(fer_gateway *gateway, const uint8_t *record, size_t n,
                                           uint8_t *scratch, size_t capacity);

/* ---- downlink and resync ---------------------------------------------------------------- */

/* Seals n bytes down to the newest generation of a context that uplink has authenticated.
 * FER_ERR_ORDER: nothing was heard yet, or no entropy is configured. FER_TROUBLE_ENTROPY,
 * FER_RENEW_EXHAUSTED: as fer_sealer_seal. Out needs n + FER_OVERHEAD_DOWN(route length). */
FER_MUST_USE fer_status fer_gateway_seal(fer_gateway *gateway, uint32_t context,
                                         const uint8_t *plaintext, size_t n, uint8_t *out,
                                         size_t capacity, size_t *length);

/* Moves a context forward, never back, to a generation that its device has told by a record that
 * was dropped with FER_DROP_FAR. It then stands as if just added at that generation: all earlier
 * ones are closed for good and their keys wiped (ONCE, WIPE), records of them that are still on the
 * way are lost, and nothing is sealed down until the device is heard. Costs one key step for each
 * generation, about 1 µs on a host. FER_ERR_ARGUMENT, unchanged: no such context, a generation not
 * above the newest authenticated, or 2^32-1. Store the snapshot before the next record. */
FER_MUST_USE fer_status fer_gateway_resync(fer_gateway *gateway, uint32_t context,
                                           uint32_t generation);

/* ---- state ------------------------------------------------------------------------------ */

/* Most bytes of a snapshot. */
#define FER_SNAPSHOT_SIZE(earlier, window_bits) \
    (128u + 2u * ((window_bits) / 8u) + (earlier) * (12u + 2u * ((window_bits) / 8u)))

/* Writes the state of a context: secret, versioned, integrity-checked. Store it in the transaction
 * that stores the data. FER_ERR_ARGUMENT: no such context. FER_ERR_CAPACITY: FER_SNAPSHOT_SIZE is
 * enough. */
FER_MUST_USE fer_status fer_gateway_export(const fer_gateway *gateway, uint32_t context,
                                           uint8_t *out, size_t capacity, size_t *length);

/* Reads a snapshot: a new context, or the same one brought forward. FER_DROP_MALFORMED: does not
 * verify. FER_DROP_VERSION. FER_DROP_OLD: older than what this context already is.
 * FER_ERR_ARGUMENT: made with another window_bits, or with more earlier generations than fit.
 * FER_ERR_ORDER: another identity has this route. FER_ERR_ARENA: all contexts are in use. State is
 * untouched on failure. TOTAL. */
FER_MUST_USE fer_status fer_gateway_import(fer_gateway *gateway, const uint8_t *snapshot, size_t n,
                                           uint32_t *context);

/* What the gateway did (HONEST). Counters saturate. */
typedef struct fer_gateway_counts {
    uint32_t opened;        /* records that authenticated */
    uint32_t committed;     /* of them, accepted */
    uint32_t malformed;     /* dropped: no record */
    uint32_t unknown_route; /* dropped: no context has it */
    uint32_t old;           /* dropped: below floor or window */
    uint32_t far;           /* dropped: further ahead than max_skip */
    uint32_t replayed;      /* dropped: accepted before */
    uint32_t claim_forged;  /* dropped: the claim did not verify */
    uint32_t tag_forged;    /* dropped: the tag did not verify */
    uint32_t chain_steps;   /* ratchet steps done in all */
} fer_gateway_counts;

/* Tells the counts since the gateway was made. FER_ERR_HANDLE: no gateway. */
FER_MUST_USE fer_status fer_gateway_get_counts(const fer_gateway *gateway,
                                               fer_gateway_counts *counts);

/* Where a context stands. */
typedef struct fer_gateway_state {
    uint32_t generation;   /* newest authenticated */
    uint32_t floor;        /* oldest still opened */
    uint32_t next_live;    /* one more than the highest live number of `generation` */
    uint32_t next_backlog; /* the same of the backlog lane */
    uint32_t earlier;      /* earlier generations open now */
    uint8_t heard;         /* 0: nothing authenticated yet */
} fer_gateway_state;

/* Tells where a context stands. FER_ERR_ARGUMENT: no such context. */
FER_MUST_USE fer_status fer_gateway_get_state(const fer_gateway *gateway, uint32_t context,
                                              fer_gateway_state *state);

/* Wipes every key and sets the caller's pointer to null. Null or closed: no effect. */
void fer_gateway_close(fer_gateway **gateway);

#ifdef __cplusplus
}
#endif
#endif
