/* Ferrule: crypto (floor 2). The contract between the library and whatever computes: libsodium by
 * default (crypto_sodium.c), a vendor's library or a secure element where a board has one.
 *
 * A backend defines these functions, those of curve.h where there are handshakes, and fer_wipe, and
 * passes tests/vectors (docs/PORTING.md, section crypto). Nothing here branches or indexes on a
 * secret (CONSTANT). No callee keeps a pointer. Functions that cannot fail in libsodium are void: a
 * backend in which one can must stop the device there, since a hash that is wrong is a key that
 * somebody knows; seal and open may answer FER_TROUBLE_CRYPTO, with out zeroed (CLOSED). */
#ifndef FERRULE_CRYPTO_CRYPTO_H
#define FERRULE_CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/attributes.h"
#include "ferrule/status.h"
#include "internal/wipe.h"

#define FER_SECRET_BYTES 32u
#define FER_NONCE_BYTES 12u
#define FER_AEAD_TAG_BYTES 16u
#define FER_HASH_BYTES 32u

/* Longest text of one seal or open; far above FER_PLAINTEXT_MAX, far below RFC 8439's bound. */
#define FER_AEAD_MAX 0x10000000u

/* A secret key: its 32 bytes, which lie as they are in a credential, an image of sleep and a
 * snapshot. Types over it (schedule.h) keep keys from standing in for each other. */
typedef struct fer_secret {
    uint8_t bytes[FER_SECRET_BYTES];
} fer_secret;

/* Readies the backend; called by every create function, cheap after the first time. */
FER_MUST_USE fer_status fer_crypto_start(void);

/* SHA-256 (FIPS 180-4) of `n` bytes. */
void fer_crypto_hash(const uint8_t *in, size_t n, uint8_t out[FER_HASH_BYTES]);

/* HMAC-SHA256 (RFC 2104) of a ‖ b under a key of any length; b may be empty. */
void fer_crypto_mac(const uint8_t *key, size_t key_length, const uint8_t *a, size_t a_length,
                    const uint8_t *b, size_t b_length, uint8_t out[FER_HASH_BYTES]);

/* The same under a secret. */
void fer_crypto_mac_secret(const fer_secret *key, const uint8_t *a, size_t a_length,
                           const uint8_t *b, size_t b_length, uint8_t out[FER_HASH_BYTES]);

/* *out = HMAC-SHA256(*key, info): one block of HKDF-Expand (RFC 5869 section 2.3) when info ends
 * in 0x01. out may be key. */
void fer_crypto_derive(fer_secret *out, const fer_secret *key, const uint8_t *info, size_t n);

/* ChaCha20-Poly1305 (RFC 8439 section 2.8). Writes n + 16 bytes to out; plaintext is out or
 * disjoint from it. n above FER_AEAD_MAX, here and below: FER_ERR_ARGUMENT, nothing written. */
FER_MUST_USE fer_status fer_crypto_seal(const fer_secret *key, const uint8_t nonce[FER_NONCE_BYTES],
                                        const uint8_t *ad, size_t ad_length,
                                        const uint8_t *plaintext, size_t n, uint8_t *out);

/* Opens n + 16 bytes into n. FER_DROP_FORGED: out is zeroed (FIRST). out is ciphertext or disjoint
 * from it; in place, a failure destroys the ciphertext, so never try two keys on one buffer. */
FER_MUST_USE fer_status fer_crypto_open(const fer_secret *key, const uint8_t nonce[FER_NONCE_BYTES],
                                        const uint8_t *ad, size_t ad_length,
                                        const uint8_t *ciphertext, size_t n, uint8_t *out);

/* Whether n bytes are equal, in time that depends on n alone (CONSTANT). */
FER_MUST_USE bool fer_crypto_equal(const uint8_t *a, const uint8_t *b, size_t n);

#endif
