/* Ferrule: enrolee. A device's side of enrolment: over a cable it learns the public key of its
 * gateway, shows its own, and takes the blob that it is handed (docs/WIRE.md, section enrolment).
 *
 *     take and feed           what it yields goes on the line, what comes goes in, until
 *     FER_ENROLEE_MET         the gateway's key is known: show both fingerprints, compare. Nothing
 *                             but people vouches for that key: the other end may be anyone
 *     FER_ENROLEE_ACCEPTED    the gateway has pinned this device: install the blob, if there is
 *                             one, keep the gateway's key, and only when both are durable
 *     confirm, and take       the receipt
 *
 * It is driven like the device facade: no callback, no thread, no timer. What does not verify is
 * dropped: a second message ends its attempt, and the next begins when it is due (CLOSED). Linked
 * only where it is named.
 * Memory:      one handle; restart wipes and reuses it.
 * Concurrency: one thread; no ISR. A second message and what follows it cost three curve
 *              operations, a first message one. */
#ifndef FERRULE_ENROLEE_H
#define FERRULE_ENROLEE_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/frame.h"
#include "ferrule/handshake.h"
#include "ferrule/port.h"
#include "ferrule/provision.h"
#include "ferrule/record.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A device in enrolment. */
typedef struct fer_enrolee fer_enrolee;

/* Who enrols, and how patiently. */
typedef struct fer_enrolee_config {
    fer_static_secret secret; /* the device's own; copied: wipe yours */
    fer_static_public own;    /* the public half of secret */
    uint32_t retry_ms;   /* wait for a gateway before it begins anew; 0: it does not by itself */
    uint32_t wait_ms;    /* the same once both have met: people compare meanwhile; 0: never */
    fer_entropy entropy; /* of ephemeral keys */
} fer_enrolee_config;

/* Longest frame that take yields, and that feed decodes, in bytes. */
#define FER_ENROLEE_FRAME 69u
#define FER_ENROLEE_INBOUND (FER_OVERHEAD_DOWN(0) + FER_BLOB_BYTES)

/* Arena bytes of the handle alone, and of all it needs. */
#define FER_ENROLEE_HANDLE_SIZE FER_ARENA_SIZEOF(12, 320)
#define FER_ENROLEE_SIZE                                                                          \
    (FER_ENROLEE_HANDLE_SIZE + FER_FRAME_DECODER_SIZE(FER_ENROLEE_INBOUND) + FER_HANDSHAKE_SIZE + \
     FER_SEALER_SIZE + FER_OPENER_SIZE(64u))

/* Touches RAM only. FER_ERR_ARGUMENT: no entropy. FER_ERR_ARENA: too little room. */
FER_MUST_USE fer_status fer_enrolee_create(fer_arena *arena, const fer_enrolee_config *config,
                                           fer_enrolee **enrolee);

/* How far it has come. */
typedef enum fer_enrolee_stage {
    FER_ENROLEE_GREETS = 0,    /* no gateway has answered */
    FER_ENROLEE_MET = 1,       /* its key is known; it has not accepted the device */
    FER_ENROLEE_ACCEPTED = 2,  /* it has: install, then confirm */
    FER_ENROLEE_CONFIRMED = 3, /* the receipt waits to be taken */
    FER_ENROLEE_DONE = 4,      /* it was; only the gateway's key is left */
    FER_ENROLEE_NONE = 5       /* the handle is none */
} fer_enrolee_stage;

/* Tells how far; FER_ENROLEE_NONE where the handle is none. */
fer_enrolee_stage fer_enrolee_get_stage(const fer_enrolee *enrolee);

/* Writes the next frame, when one is due at `now` (milliseconds that never go back). Out needs
 * FER_ENROLEE_FRAME bytes. FER_EMPTY: none is due. FER_ERR_CAPACITY: nothing has changed.
 * FER_TROUBLE_ENTROPY, FER_NOT_NOW: nothing was sent; an attempt whose wait is over has ended all
 * the same. */
FER_MUST_USE fer_status fer_enrolee_take(fer_enrolee *enrolee, uint64_t now, uint8_t *out,
                                         size_t capacity, size_t *length);

/* Takes any piece of what arrived and sets *used; call again with the rest unless FER_EMPTY: all is
 * consumed. FER_OK: the stage has changed. FER_DROP_…: a frame was refused; a second message that
 * does not verify ends the attempt, the next begins when it is due. Frames of others are skipped.
 * TOTAL. */
FER_MUST_USE fer_status fer_enrolee_feed(fer_enrolee *enrolee, const uint8_t *in, size_t n,
                                         size_t *used);

/* The gateway's key, for its fingerprint and for a greeter. FER_EMPTY: it has not been met. */
FER_MUST_USE fer_status fer_enrolee_get_gateway(const fer_enrolee *enrolee,
                                                fer_static_public *gateway);

/* What the gateway handed over, in place, for fer_provision, which judges it; *n is 0 where it was
 * nothing. It is gone with confirm, restart and close. FER_ERR_ORDER: not, or no longer,
 * FER_ENROLEE_ACCEPTED. */
FER_MUST_USE fer_status fer_enrolee_get_blob(fer_enrolee *enrolee, uint8_t **blob, size_t *n);

/* Says that what was handed over is installed and durable; take yields the receipt then.
 * FER_ERR_ORDER: not FER_ENROLEE_ACCEPTED. */
FER_MUST_USE fer_status fer_enrolee_confirm(fer_enrolee *enrolee);

/* Forgets all but the device's own key, and begins anew: people found that the fingerprints differ,
 * or another enrolment is wanted. The first message is due retry_ms after the last, else at once.
 * FER_ERR_HANDLE alone can come of it. */
FER_MUST_USE fer_status fer_enrolee_restart(fer_enrolee *enrolee);

/* Wipes every key and sets the caller's pointer to null. Null or closed: no effect. */
void fer_enrolee_close(fer_enrolee **enrolee);

#ifdef __cplusplus
}
#endif
#endif
