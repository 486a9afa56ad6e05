/* Ferrule: crypto, what handshakes need besides (floor 2): X25519 (RFC 7748), a hash of two
 * pieces and the key derivation of Noise. Part of the contract of crypto.h; a backend for records
 * alone may leave it out. */
#ifndef FERRULE_CRYPTO_CURVE_H
#define FERRULE_CRYPTO_CURVE_H

#include "crypto/crypto.h"

#define FER_POINT_BYTES 32u

/* SHA-256 of a ‖ b; either may be empty. `out` may be a. */
void fer_crypto_hash_pair(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length,
                          uint8_t out[FER_HASH_BYTES]);

/* HKDF of Noise, section 4.3: `count` (2 or 3) outputs, one after another, of 32 bytes each, into
 * memory disjoint from what goes in. */
void fer_crypto_hkdf(const uint8_t ck[FER_HASH_BYTES], const uint8_t *ikm, size_t n, unsigned count,
                     uint8_t *out);

/* The product of a secret and a peer's point. FER_DROP_FORGED: it is zero, so the point has small
 * order and the product depends on no secret (RFC 7748 section 6.1); *shared is zeroed. Time
 * depends on neither (CONSTANT). */
FER_MUST_USE fer_status fer_crypto_dh(const fer_secret *own, const uint8_t peer[FER_POINT_BYTES],
                                      fer_secret *shared);

/* The point of a secret. */
void fer_crypto_get_public(const fer_secret *own, uint8_t out[FER_POINT_BYTES]);

#endif
