/* Ferrule: crypto, what handshakes need besides (floor 2): X25519 (RFC 7748) and a hash of two
 * pieces. Part of the contract of crypto.h; a backend for records alone may leave it out. */
#ifndef FERRULE_CRYPTO_CURVE_H
#define FERRULE_CRYPTO_CURVE_H

#include "crypto/crypto.h"

#define FER_POINT_BYTES 32u

/* SHA-256 of a ‖ b; either may be empty. `out` may be a. */
void fer_crypto_hash_pair(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length,
                          uint8_t out[FER_HASH_BYTES]);

/* The product of a secret and a peer's point. FER_DROP_FORGED: it is zero, so the point has small
 * order and the product depends on no secret (RFC 7748 section 6.1); *shared is zeroed. Time
 * depends on neither (CONSTANT). */
FER_MUST_USE fer_status fer_crypto_dh(const fer_secret *own, const uint8_t peer[FER_POINT_BYTES],
                                      fer_secret *shared);

/* The point of a secret. */
void fer_crypto_get_public(const fer_secret *own, uint8_t out[FER_POINT_BYTES]);

#endif
