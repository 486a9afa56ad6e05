/* Ferrule: greeter. A device's side of sessions: makes greetings (IKpsk2, initiator), waits, tries
 * again, and holds the session that comes of one.
 *
 * It is driven like the device facade, which composes it: no thread, no timer. Attempts are numbers
 * in RAM: each uptime has a generation of its own, so that (generation, attempt) never comes twice
 * (docs/WIRE.md, section greeting). After a resume without a new generation it would: the
 * device facade burns one first, for else the gateway drops what it heard before, and a source of
 * entropy that repeats itself makes the same ephemeral keys again. These are hedged by the chain: a
 * weak or stuck source of entropy alone does not give them away. Concurrency: one thread; nothing
 * blocks. A greeting costs five curve operations in two steps. */
#ifndef FERRULE_GREETER_H
#define FERRULE_GREETER_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/credential.h"
#include "ferrule/greeting.h"
#include "ferrule/handshake.h"
#include "ferrule/port.h"
#include "ferrule/record.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A device's side of sessions. */
typedef struct fer_greeter fer_greeter;

/* Who greets whom, and when. */
typedef struct fer_greeter_config {
    fer_static_secret secret;  /* the device's own; copied: wipe yours */
    fer_static_public own;     /* the public half of secret */
    fer_static_public gateway; /* whom it greets */
    uint32_t window_bits;      /* of downlink: power of two, 64 to 8192 */
    uint32_t retry_ms;   /* wait for an answer; doubles up to 64 times, and varies by a half */
    uint32_t renew_ms;   /* age of a session before the next greeting; 0: never */
    uint32_t silence_ms; /* a record that asks, unanswered for so long, and by up to a half longer:
                            the session is lost; greet again; 0: never */
    fer_entropy entropy; /* of ephemeral keys, and of waits */
} fer_greeter_config;

/* Arena bytes of the handle alone, and of a greeter with all it needs. */
#define FER_GREETER_HANDLE_SIZE FER_ARENA_SIZEOF(19, 340)
#define FER_GREETER_SIZE(window_bits)               \
    (FER_GREETER_HANDLE_SIZE + FER_HANDSHAKE_SIZE + \
     2u * (FER_SEALER_SIZE + FER_OPENER_SIZE(window_bits)))

/* Makes a greeter that has no session. FER_ERR_ARGUMENT: no entropy, retry_ms 0, or window_bits out
 * of range. FER_ERR_ARENA: see FER_GREETER_SIZE. */
FER_MUST_USE fer_status fer_greeter_create(fer_arena *arena, const fer_greeter_config *config,
                                           fer_greeter **greeter);

/* The keys of a generation's greetings, from its credential, which is not consumed. Attempts start
 * at 1 again, and go on where it is the generation of before. A session goes on. FER_DROP_…: not a
 * valid credential. */
FER_MUST_USE fer_status fer_greeter_rekey(fer_greeter *greeter, const fer_credential *credential);

/* Writes the next first packet, when one is due at `now` (milliseconds that never go back). Out
 * needs FER_GREETING_FIRST_SIZE(route length, 0). FER_EMPTY: none is due. FER_ERR_ORDER: rekey
 * first. FER_ERR_CAPACITY, FER_TROUBLE_ENTROPY, FER_NOT_NOW: nothing has changed.
 * FER_RENEW_EXHAUSTED: all attempts of this generation are used. */
FER_MUST_USE fer_status fer_greeter_take(fer_greeter *greeter, uint64_t now, uint8_t *out,
                                         size_t capacity, size_t *length);

/* Longest early data, in bytes. */
#define FER_EARLY_MAX 1024u

/* As fer_greeter_take, with early data: n bytes, at most FER_EARLY_MAX, sealed into the first
 * message, before anyone has answered. Off unless it is called, and unless the gateway takes it
 * (fer_responder_greet_early): else the whole greeting is dropped. It is the weakest thing that a
 * device can say (docs/THREATS.md, section early data), and each attempt carries what it is given,
 * so that data given twice may arrive twice. A record on the provisioned chain comes as early and
 * is better kept, which is why the device facade sends none. Out needs
 * FER_GREETING_FIRST_SIZE(route length, n). */
FER_MUST_USE fer_status fer_greeter_take_early(fer_greeter *greeter, uint64_t now,
                                               const uint8_t *early, size_t n, uint8_t *out,
                                               size_t capacity, size_t *length);

/* Takes a packet of kind 0 or 3 that came down. FER_OK: a session has begun, in place of the one
 * before. FER_EMPTY: a cookie, which the next packet uses: at once, where the last one had none.
 * FER_DROP_…: not an answer to what was sent; the attempt goes on, up to 16 forged answers. */
FER_MUST_USE fer_status fer_greeter_feed(fer_greeter *greeter, uint64_t now, const uint8_t *packet,
                                         size_t n);

/* The ends of the session; null: there is none. They live until the next session begins, or close.
 */
fer_sealer *fer_greeter_get_sealer(const fer_greeter *greeter);
fer_opener *fer_greeter_get_opener(const fer_greeter *greeter);

/* Tells it that a downlink of the session has opened, or that a record was sent that asks for one:
 * of full form (docs/WIRE.md, section greeting). */
void fer_greeter_heard(fer_greeter *greeter, uint64_t now);
void fer_greeter_sent(fer_greeter *greeter, uint64_t now);

/* Wipes every key and sets the caller's pointer to null. Null or closed: no effect. */
void fer_greeter_close(fer_greeter **greeter);

#ifdef __cplusplus
}
#endif
#endif
