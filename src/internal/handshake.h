/* Ferrule: the body of fer_handshake, and its patterns (floor 3's own). Names are those of Noise
 * revision 34: ck, h, s, e, rs, re; k and n of the one CipherState that a handshake needs. */
#ifndef FERRULE_INTERNAL_HANDSHAKE_H
#define FERRULE_INTERNAL_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/crypto.h"
#include "ferrule/handshake.h"
#include "internal/handle.h"

/* Tokens of a message pattern. Each message ends with FER_TOKEN_END, the last one with another. psk
 * tokens are not in tables: psk_place says where they are. */
enum {
    FER_TOKEN_END,
    FER_TOKEN_E,
    FER_TOKEN_S,
    FER_TOKEN_EE,
    FER_TOKEN_ES,
    FER_TOKEN_SE,
    FER_TOKEN_SS,
    FER_TOKEN_PSK
};

enum { FER_PATTERN_NAME_MAX = 4 };

struct fer_pattern {
    char name[FER_PATTERN_NAME_MAX + 1];
    uint8_t known;   /* statics known beforehand (pre-messages): bit 1 << fer_role of whose */
    uint8_t sent;    /* statics sent in messages, likewise */
    uint8_t one_way; /* one message; afterwards the initiator alone sends */
    uint8_t messages;
    uint8_t tokens[20]; /* message after message */
};

struct fer_handshake {
    fer_tag tag;
    const fer_pattern *pattern;
    const uint8_t *at; /* the next token */
    fer_entropy entropy;
    uint8_t ck[FER_HASH_BYTES];
    uint8_t h[FER_HASH_BYTES];
    fer_secret k;
    fer_secret s;
    fer_secret e;
    uint8_t own_s[FER_NOISE_KEY_BYTES];
    uint8_t rs[FER_NOISE_KEY_BYTES];
    uint8_t re[FER_NOISE_KEY_BYTES];
    fer_secret psk;
    fer_secret hedge;
    uint32_t attempt;
    uint8_t n; /* messages under k: few */
    bool has_k;
    bool has_rs;
    bool hedged;
    uint8_t role;
    uint8_t psk_place;
    uint8_t message; /* number of the next, from 0 */
    bool failed;
};

/* ---- symmetric state (handshake.c), Noise section 5.2 ------------------------------------ */

void fer_noise_mix_hash(fer_handshake *handshake, const uint8_t *bytes, size_t n);
void fer_noise_mix_key(fer_handshake *handshake, const uint8_t *ikm, size_t n);
void fer_noise_mix_psk(fer_handshake *handshake);

bool fer_handshake_is_open(const fer_handshake *handshake);
/* Forgets everything but that it failed (WIPE). */
void fer_handshake_fail(fer_handshake *handshake);
bool fer_handshake_is_done(const fer_handshake *handshake);

/* Split (section 5.2), with h: k1 ‖ k2 ‖ h, from which a session's keys come. */
enum { FER_SPLIT_BYTES = 3 * FER_HASH_BYTES };
void fer_handshake_split(const fer_handshake *handshake, uint8_t out[FER_SPLIT_BYTES]);

#endif
