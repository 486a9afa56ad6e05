/* Ferrule: handshake. The Noise Protocol Framework, revision 34, suite 25519_ChaChaPoly_SHA256:
 * patterns are tables, interpreted by one state machine.
 *
 *     create                                  both sides, with what each knows beforehand
 *     write and read in turn                  until fer_handshake_get_turn says FER_TURN_DONE
 *     finish                                  the handshake is consumed; a sealer and an opener
 *
 * Memory:      one handle from the arena, FER_HANDSHAKE_SIZE. Mark and rewind the arena around it:
 *              a second handshake then takes the same bytes, and nothing of the first is left.
 * Concurrency: a handle belongs to one thread at a time; no ISR. A step computes up to four X25519
 *              products, each a million instructions on a Cortex-M3; nothing else blocks.
 * Curve code is linked only where this header's functions are. */
#ifndef FERRULE_HANDSHAKE_H
#define FERRULE_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/keychain.h"
#include "ferrule/port.h"
#include "ferrule/record.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a key. */
#define FER_NOISE_KEY_BYTES 32u
/* Longest message, in bytes (Noise section 3). */
#define FER_NOISE_MESSAGE_MAX 65535u

/* A static secret key. Three kinds of keys in three types, so that no one can stand for another. */
typedef struct fer_static_secret {
    uint8_t bytes[FER_NOISE_KEY_BYTES]; /* as Noise has them */
} fer_static_secret;
/* A static public key. */
typedef struct fer_static_public {
    uint8_t bytes[FER_NOISE_KEY_BYTES]; /* as Noise has them */
} fer_static_public;
/* A pre-shared key. */
typedef struct fer_preshared_key {
    uint8_t bytes[FER_NOISE_KEY_BYTES]; /* as Noise has them */
} fer_preshared_key;

/* A fresh pair. FER_TROUBLE_ENTROPY or FER_NOT_NOW: both are zeroed. */
FER_MUST_USE fer_status fer_static_generate(fer_entropy entropy, fer_static_secret *secret,
                                            fer_static_public *own);

/* The public key of a secret one (RFC 7748 section 6.1). FER_TROUBLE_CRYPTO: the backend did
 * not start. */
FER_MUST_USE fer_status fer_static_get_public(const fer_static_secret *secret,
                                              fer_static_public *own);

/* By which people compare a public key with what is printed on a device, or shown by it: the first
 * bytes of its SHA-256. */
#define FER_STATIC_FINGERPRINT_BYTES 16u

/* Tells the fingerprint of a public key. FER_ERR_ARGUMENT: a null pointer. */
FER_MUST_USE fer_status fer_static_get_fingerprint(
    const fer_static_public *key, uint8_t fingerprint[FER_STATIC_FINGERPRINT_BYTES]);

/* Bytes of a fingerprint as people read it, its end among them. */
#define FER_STATIC_FINGERPRINT_TEXT (2u * FER_STATIC_FINGERPRINT_BYTES + 8u)

/* The fingerprint of key as text: groups of four hex digits, with a hyphen between.
 * FER_ERR_ARGUMENT: a null pointer. */
FER_MUST_USE fer_status fer_static_get_fingerprint_text(const fer_static_public *key,
                                                        char text[FER_STATIC_FINGERPRINT_TEXT]);

/* ---- patterns --------------------------------------------------------------------------- */

/* A handshake pattern (Noise section 7). Contents are the library's; static storage. */
typedef struct fer_pattern fer_pattern;

/* The interactive fundamental patterns (section 7.5) and the one-way ones (section 7.4). Only
 * those that a program names are linked. */
extern const fer_pattern fer_pattern_nn, fer_pattern_nk, fer_pattern_nx;
extern const fer_pattern fer_pattern_kn, fer_pattern_kk, fer_pattern_kx;
extern const fer_pattern fer_pattern_xn, fer_pattern_xk, fer_pattern_xx;
extern const fer_pattern fer_pattern_in, fer_pattern_ik, fer_pattern_ix;
extern const fer_pattern fer_pattern_n, fer_pattern_k, fer_pattern_x;

/* ---- a handshake ------------------------------------------------------------------------ */

/* A handshake under way. */
typedef struct fer_handshake fer_handshake;

/* Arena bytes of a handshake. */
#define FER_HANDSHAKE_SIZE FER_ARENA_SIZEOF(5, 340)

/* Which side of a handshake. */
typedef enum fer_role {
    FER_INITIATOR = 0, /* writes the first message */
    FER_RESPONDER = 1  /* reads it */
} fer_role;

/* Keeps ephemeral keys apart where the random source repeats itself (docs/WIRE.md, section keys).
 */
typedef struct fer_hedge {
    uint8_t key[FER_NOISE_KEY_BYTES]; /* known to nobody else */
    uint32_t attempt;                 /* never the same twice under one key */
} fer_hedge;

/* Where the pre-shared key is mixed in (Noise section 9): 0 before the first message, n after the
 * n-th. */
enum {
    FER_NO_PSK = 0xFF /* nowhere: there is none */
};

/* What a side knows beforehand. */
typedef struct fer_handshake_config {
    const fer_pattern *pattern;          /* of fer_pattern_… */
    fer_role role;                       /* our side */
    uint8_t psk_place;                   /* FER_NO_PSK, or 0 to 4 */
    const uint8_t *prologue;             /* what both sides must agree on; may be null */
    size_t prologue_length;              /* in bytes */
    const fer_static_secret *own_secret; /* where the pattern has one; else null */
    const fer_static_public *own_public; /* of that secret: computing it anew costs a product */
    const fer_static_public *peer;       /* where the pattern wants it known; else null */
    const fer_preshared_key *psk;        /* with a psk_place; else null */
    fer_entropy entropy;                 /* of the ephemeral key; one-way readers need none */
    const fer_hedge *hedge;              /* null: the ephemeral key is what entropy gives */
} fer_handshake_config;

/* Begins a handshake; copies what the config points to, but for pattern and entropy's table.
 * FER_ERR_ARGUMENT: a key that the pattern needs is missing, or one is given that it does not use;
 * a psk_place beyond its last message. */
FER_MUST_USE fer_status fer_handshake_create(fer_arena *arena, const fer_handshake_config *config,
                                             fer_handshake **handshake);

/* What a handshake waits for. */
typedef enum fer_turn {
    FER_TURN_WRITE = 0, /* it is ours to write the next message */
    FER_TURN_READ = 1,  /* the peer writes it */
    FER_TURN_DONE = 2,  /* all messages are through: finish */
    FER_TURN_FAILED = 3 /* a message was refused, or the handle is none: close it */
} fer_turn;

/* Whose turn it is. */
fer_turn fer_handshake_get_turn(const fer_handshake *handshake);

/* Bytes that the next message adds to its payload; 0 where none is to come. */
size_t fer_handshake_get_overhead(const fer_handshake *handshake);

/* Writes the next message with its payload: n + overhead bytes, disjoint from the payload.
 * FER_ERR_ORDER: not our turn. FER_ERR_CAPACITY: out is too small, or the message would be longer
 * than FER_NOISE_MESSAGE_MAX. FER_TROUBLE_ENTROPY, FER_NOT_NOW: no ephemeral key could be drawn.
 * In these cases nothing has changed. FER_DROP_FORGED: the peer's key is not one; the handshake has
 * failed, and is wiped. What protects the payload depends on pattern and message: docs/THREATS.md,
 * section handshake. */
FER_MUST_USE fer_status fer_handshake_write(fer_handshake *handshake, const uint8_t *payload,
                                            size_t n, uint8_t *out, size_t capacity,
                                            size_t *length);

/* Reads the peer's message; its payload goes to out (disjoint from message), *length bytes.
 * FER_ERR_ORDER: not the peer's turn; FER_ERR_CAPACITY: out may be too small (n bytes suffice):
 * nothing has changed. FER_DROP_FORGED: refused, whatever the reason: too short, a wrong key, a bad
 * tag. That is final: the handshake is wiped, and out is zeroed (FIRST). */
FER_MUST_USE fer_status fer_handshake_read(fer_handshake *handshake, const uint8_t *message,
                                           size_t n, uint8_t *out, size_t capacity, size_t *length);

/* The peer's static key: given, or read in a message that was accepted. FER_EMPTY: none. */
FER_MUST_USE fer_status fer_handshake_get_peer(const fer_handshake *handshake,
                                               fer_static_public *peer);

/* The channel binding (Noise section 11.2): the same on both sides, and on no other session. When
 * done, else FER_ERR_ORDER. */
FER_MUST_USE fer_status fer_handshake_get_binding(const fer_handshake *handshake,
                                                  uint8_t binding[32]);

/* ---- the session ------------------------------------------------------------------------ */

/* How a session is called; both sides give the same. */
typedef struct fer_session_config {
    fer_identity identity; /* its route is the session's own */
    uint32_t window_bits;  /* of the opener: power of two, 64 to 8192 */
    fer_way way;           /* of an initiator's sealer */
    fer_entropy entropy;   /* of a responder's sealer: salts */
} fer_session_config;

/* The two ends that one side holds: the initiator seals up and opens down, the responder the other
 * way round. A one-way pattern gives the initiator a sealer, the responder an opener, and null. */
typedef struct fer_session {
    fer_sealer *sealer; /* ours to send; null: none */
    fer_opener *opener; /* for what comes; null: none */
} fer_session;

/* Ends a handshake that is done: its keys become those of a session context of kind
 * FER_KIND_SESSION, generation 0 (docs/WIRE.md, section keys). The handshake is wiped and the
 * caller's pointer null, also on failure, but for FER_ERR_ORDER: not done yet, and FER_ERR_HANDLE.
 * Sealer and opener come from the arena, all or nothing. */
FER_MUST_USE fer_status fer_handshake_finish(fer_handshake **handshake, fer_arena *arena,
                                             const fer_session_config *config,
                                             fer_session *session);

/* Wipes the handle and sets the caller's pointer to null. Null or closed: no effect. */
void fer_handshake_close(fer_handshake **handshake);

#ifdef __cplusplus
}
#endif
#endif
