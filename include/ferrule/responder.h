/* Ferrule: responder. A gateway's side of sessions: answers greetings by IKpsk2, holds the sessions
 * that come of them, opens their records and seals down to devices in them.
 *
 * The pre-shared key is the chain's: a session ties itself to the provisioned identity, and takes
 * nothing from the chain. Device keys are pinned. There are no half-open handshakes: a greeting is
 * answered at once, or dropped. A session that was answered is pending until its first record has
 * been accepted; until then the one before stays (docs/WIRE.md, section greeting). Concurrency:
 * belongs to its gateway's thread; nothing blocks. A greeting that passes its check costs at most
 * five curve operations. */
#ifndef FERRULE_RESPONDER_H
#define FERRULE_RESPONDER_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/gateway.h"
#include "ferrule/greeting.h"
#include "ferrule/handshake.h"
#include "ferrule/keychain.h"
#include "ferrule/port.h"
#include "ferrule/record.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A gateway's side of sessions. */
typedef struct fer_responder fer_responder;

/* Who answers, and for how many. */
typedef struct fer_responder_config {
    fer_gateway *gateway;     /* outlives the responder */
    fer_static_secret secret; /* copied: wipe yours */
    fer_static_public own;    /* the public half of secret */
    uint32_t contexts;        /* of the gateway, all of them */
    uint32_t sessions;        /* most at once: two for each device that renews its session */
    uint32_t window_bits;     /* replay window of a session: power of two, 64 to 8192 */
    fer_entropy entropy;      /* of ephemeral keys and salts */
} fer_responder_config;

/* Arena bytes of the handle alone, of a session, of a pinned device, and of all together. */
#define FER_RESPONDER_HANDLE_SIZE FER_ARENA_SIZEOF(12, 72)
#define FER_RESPONDER_ENTRY_SIZE FER_ARENA_SIZEOF(7, 28)
#define FER_RESPONDER_SESSION_SIZE(window_bits) \
    (FER_RESPONDER_ENTRY_SIZE + FER_SEALER_SIZE + FER_OPENER_SIZE(window_bits))
#define FER_RESPONDER_PEER_SIZE FER_ARENA_SIZEOF(0, 112)
#define FER_RESPONDER_SIZE(contexts, sessions, window_bits)           \
    (FER_RESPONDER_HANDLE_SIZE + (contexts)*FER_RESPONDER_PEER_SIZE + \
     (sessions) * (FER_RESPONDER_SESSION_SIZE(window_bits)) + FER_HANDSHAKE_SIZE)

/* Makes a responder in which nobody is pinned. FER_ERR_ARGUMENT: a configuration that cannot work.
 * FER_ERR_ARENA: see FER_RESPONDER_SIZE. */
FER_MUST_USE fer_status fer_responder_create(fer_arena *arena, const fer_responder_config *config,
                                             fer_responder **responder);

/* Where a device stands. (0, 0) never greeted: the first attempt is 1. */
typedef struct fer_greeted {
    uint32_t generation; /* of the newest greeting answered */
    uint32_t attempt;    /* in that generation */
} fer_greeted;

/* Lets the device of a context greet, with this static key and no other. `last` is what was durable
 * of it. FER_ERR_ARGUMENT: no such context, or another identity's. */
FER_MUST_USE fer_status fer_responder_pin(fer_responder *responder, uint32_t context,
                                          const fer_identity *identity,
                                          const fer_static_public *device, fer_greeted last);

/* Revokes: closes a context's sessions at once, and answers no greeting of it.
 * FER_ERR_ARGUMENT: no such context. */
FER_MUST_USE fer_status fer_responder_forget(fer_responder *responder, uint32_t context);

/* Closes a context's sessions, the pending one too; the device may greet again. For sessions that
 * have grown old: nothing here ends one by age, and keys that stay give no forward secrecy.
 * FER_ERR_ARGUMENT: no such context. */
FER_MUST_USE fer_status fer_responder_leave(fer_responder *responder, uint32_t context);

/* Moves the sessions of from_context here from another responder, where they end, into context: for
 * a gateway that reads its devices again. Those that it had here end; what finds no room ends.
 * FER_ERR_ARGUMENT: the context is not pinned in both, of the same identity and static key, or
 * windows differ. */
FER_MUST_USE fer_status fer_responder_adopt(fer_responder *responder, uint32_t context,
                                            fer_responder *from, uint32_t from_context);

/* Answers a first packet. FER_OK: *context is the device's, *last its new mark; make it durable,
 * then send the *length bytes of out (FER_GREETING_SECOND_SIZE(8, 8) are enough). All else is
 * dropped in silence: FER_DROP_MALFORMED; FER_DROP_ROUTE: no pinned device has it; FER_DROP_FORGED:
 * made without our public key, or with another device's key; FER_DROP_REPLAY: not newer than the
 * mark; FER_DROP_OLD, FER_DROP_FAR: of a generation that the gateway does not open. FER_NOT_NOW: no
 * room, or no entropy now; FER_TROUBLE_ENTROPY. The check of a packet comes before any curve
 * operation, and before any of these answers but the first two. */
FER_MUST_USE fer_status fer_responder_greet(fer_responder *responder, const uint8_t *packet,
                                            size_t n, uint8_t *out, size_t capacity, size_t *length,
                                            uint32_t *context, fer_greeted *last);

/* Early data of a greeting: what the device said in its first message. */
typedef struct fer_early {
    uint8_t *bytes;  /* the caller's */
    size_t capacity; /* longer data makes the greeting be dropped, as FER_DROP_FORGED */
    size_t length;   /* set; 0: there was none, or the greeting was not answered */
} fer_early;

/* As fer_responder_greet, with the same *context and *last, for a gateway that takes early data
 * (docs/THREATS.md, section early data); without this call a greeting that has some is
 * FER_DROP_FORGED. Act on it once the device's mark is durable: then this packet's data comes once,
 * though a device that got no answer sends it again. */
FER_MUST_USE fer_status fer_responder_greet_early(fer_responder *responder, const uint8_t *packet,
                                                  size_t n, fer_early *early, uint8_t *out,
                                                  size_t capacity, size_t *length,
                                                  uint32_t *context, fer_greeted *last);

/* As fer_gateway_open and fer_gateway_commit, for records of kind 2. opened.context is the device's
 * context. The commit of a session's first record makes it the current one, and closes the one
 * before. It also proves the greeting's generation, as a record of that generation would: the
 * gateway's context moves up to it, so export it with the record. Without that a device that speaks
 * in sessions alone would be out of reach (max_skip) after so many restarts. */
FER_MUST_USE fer_status fer_responder_open(fer_responder *responder, const uint8_t *record,
                                           size_t n, uint8_t *out, size_t capacity,
                                           fer_opened *opened);
FER_MUST_USE fer_status fer_responder_commit(fer_responder *responder, fer_ticket *ticket);

/* Seals down in a context's current session. FER_ERR_ORDER: it has none. Otherwise as
 * fer_sealer_seal. */
FER_MUST_USE fer_status fer_responder_seal(fer_responder *responder, uint32_t context,
                                           const uint8_t *plaintext, size_t n, uint8_t *out,
                                           size_t capacity, size_t *length);

/* Wipes every key and sets the caller's pointer to null. Null or closed: no effect. */
void fer_responder_close(fer_responder **responder);

#ifdef __cplusplus
}
#endif
#endif
