/* The crypto contract over mbed TLS: what records need. No heap: HMAC is made of SHA-256 here,
 * since mbed TLS's own allocates. */
#include <string.h>

#include <mbedtls/chachapoly.h>
#include <mbedtls/constant_time.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include "crypto/crypto.h"
#include "must.h"

enum { BLOCK = 64, INNER = 0x36, OUTER = 0x5C };

void fer_wipe(void *bytes, size_t n)
{
    mbedtls_platform_zeroize(bytes, n);
}

fer_status fer_crypto_start(void)
{
    return FER_OK;
}

/* ---- SHA-256, HMAC-SHA256 ----------------------------------------------------------------- */

void fer_crypto_hash(const uint8_t *in, size_t n, uint8_t out[FER_HASH_BYTES])
{
    must(mbedtls_sha256_ret(in, n, out, 0));
}

/* The hash of a padded key and what follows it: inner and outer half of RFC 2104. */
static void hash_keyed(const uint8_t block[BLOCK], uint8_t pad, const uint8_t *a, size_t a_length,
                       const uint8_t *b, size_t b_length, uint8_t out[FER_HASH_BYTES])
{
    mbedtls_sha256_context hash;
    uint8_t padded[BLOCK];

    for (size_t i = 0; i < BLOCK; i++) {
        padded[i] = block[i] ^ pad;
    }
    mbedtls_sha256_init(&hash);
    must(mbedtls_sha256_starts_ret(&hash, 0));
    must(mbedtls_sha256_update_ret(&hash, padded, BLOCK));
    must(mbedtls_sha256_update_ret(&hash, a, a_length));
    must(mbedtls_sha256_update_ret(&hash, b, b_length));
    must(mbedtls_sha256_finish_ret(&hash, out));
    mbedtls_sha256_free(&hash); /* wipes */
    fer_wipe(padded, sizeof padded);
}

void fer_crypto_mac(const uint8_t *key, size_t key_length, const uint8_t *a, size_t a_length,
                    const uint8_t *b, size_t b_length, uint8_t out[FER_HASH_BYTES])
{
    uint8_t block[BLOCK] = {0};
    uint8_t inner[FER_HASH_BYTES];

    if (key_length > BLOCK) {
        fer_crypto_hash(key, key_length, block);
    } else if (key_length > 0) {
        memcpy(block, key, key_length);
    }
    hash_keyed(block, INNER, a, a_length, b, b_length, inner);
    hash_keyed(block, OUTER, inner, sizeof inner, NULL, 0, out);
    fer_wipe(block, sizeof block);
    fer_wipe(inner, sizeof inner);
}

void fer_crypto_mac_secret(const fer_secret *key, const uint8_t *a, size_t a_length,
                           const uint8_t *b, size_t b_length, uint8_t out[FER_HASH_BYTES])
{
    fer_crypto_mac(key->bytes, sizeof key->bytes, a, a_length, b, b_length, out);
}

void fer_crypto_derive(fer_secret *out, const fer_secret *key, const uint8_t *info, size_t n)
{
    fer_crypto_mac(key->bytes, sizeof key->bytes, info, n, NULL, 0, out->bytes);
}

/* ---- ChaCha20-Poly1305 -------------------------------------------------------------------- */

fer_status fer_crypto_seal(const fer_secret *key, const uint8_t nonce[FER_NONCE_BYTES],
                           const uint8_t *ad, size_t ad_length, const uint8_t *plaintext, size_t n,
                           uint8_t *out)
{
    mbedtls_chachapoly_context aead;
    int error;

    if (n > FER_AEAD_MAX) {
        return FER_ERR_ARGUMENT;
    }
    mbedtls_chachapoly_init(&aead);
    error = mbedtls_chachapoly_setkey(&aead, key->bytes);
    if (error == 0) {
        error = mbedtls_chachapoly_encrypt_and_tag(&aead, n, nonce, ad, ad_length, plaintext, out,
                                                   out + n);
    }
    mbedtls_chachapoly_free(&aead);
    if (error != 0) {
        fer_wipe(out, n + FER_AEAD_TAG_BYTES);
        return FER_TROUBLE_CRYPTO;
    }
    return FER_OK;
}

fer_status fer_crypto_open(const fer_secret *key, const uint8_t nonce[FER_NONCE_BYTES],
                           const uint8_t *ad, size_t ad_length, const uint8_t *ciphertext, size_t n,
                           uint8_t *out)
{
    mbedtls_chachapoly_context aead;
    int error;

    if (n > FER_AEAD_MAX) {
        return FER_ERR_ARGUMENT;
    }
    mbedtls_chachapoly_init(&aead);
    error = mbedtls_chachapoly_setkey(&aead, key->bytes);
    if (error == 0) {
        error = mbedtls_chachapoly_auth_decrypt(&aead, n, nonce, ad, ad_length, ciphertext + n,
                                                ciphertext, out);
    }
    mbedtls_chachapoly_free(&aead);
    if (error == 0) {
        return FER_OK;
    }
    fer_wipe(out, n);
    return error == MBEDTLS_ERR_CHACHAPOLY_AUTH_FAILED ? FER_DROP_FORGED : FER_TROUBLE_CRYPTO;
}

bool fer_crypto_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    return mbedtls_ct_memcmp(a, b, n) == 0;
}
