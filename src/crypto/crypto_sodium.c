/* Ferrule: the crypto contract over libsodium 1.0.18, and the only file that includes it.
 *
 * FERRULE_CRYPTO_BARE is for targets: libsodium's portable code needs no start, and sodium_init
 * would drag in an entropy source that a device does not have. Hosts start it for vector code. */
#include "crypto/crypto.h"

#include <sodium.h>

_Static_assert(FER_SECRET_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "key size");
_Static_assert(FER_NONCE_BYTES == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce size");
_Static_assert(FER_AEAD_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag size");
_Static_assert(FER_HASH_BYTES == crypto_hash_sha256_BYTES, "hash size");
_Static_assert(FER_HASH_BYTES == crypto_auth_hmacsha256_BYTES, "MAC size");

void fer_wipe(void *bytes, size_t n)
{
    sodium_memzero(bytes, n);
}

fer_status fer_crypto_start(void)
{
#ifdef FERRULE_CRYPTO_BARE
    return FER_OK;
#else
    return sodium_init() < 0 ? FER_TROUBLE_CRYPTO : FER_OK;
#endif
}

void fer_crypto_hash(const uint8_t *in, size_t n, uint8_t out[FER_HASH_BYTES])
{
    (void)crypto_hash_sha256(out, in, n);
}

void fer_crypto_mac(const uint8_t *key, size_t key_length, const uint8_t *a, size_t a_length,
                    const uint8_t *b, size_t b_length, uint8_t out[FER_HASH_BYTES])
{
    crypto_auth_hmacsha256_state state;

    (void)crypto_auth_hmacsha256_init(&state, key, key_length);
    (void)crypto_auth_hmacsha256_update(&state, a, a_length);
    (void)crypto_auth_hmacsha256_update(&state, b, b_length);
    (void)crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void fer_crypto_mac_secret(const fer_secret *key, const uint8_t *a, size_t a_length,
                           const uint8_t *b, size_t b_length, uint8_t out[FER_HASH_BYTES])
{
    fer_crypto_mac(key->bytes, sizeof key->bytes, a, a_length, b, b_length, out);
}

void fer_crypto_derive(fer_secret *out, const fer_secret *key, const uint8_t *info, size_t n)
{
    fer_crypto_mac(key->bytes, sizeof key->bytes, info, n, 0, 0, out->bytes);
}

fer_status fer_crypto_seal(const fer_secret *key, const uint8_t nonce[FER_NONCE_BYTES],
                           const uint8_t *ad, size_t ad_length, const uint8_t *plaintext, size_t n,
                           uint8_t *out)
{
    /* libsodium aborts the process beyond its bound: never get there (TOTAL). */
    if (n > FER_AEAD_MAX) {
        return FER_ERR_ARGUMENT;
    }
    /* Nor hand it null for an empty plaintext: inside, it declares that pointer never null. */
    plaintext = n == 0 ? out : plaintext;
    (void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(out, out + n, 0, plaintext, n, ad,
                                                             ad_length, 0, nonce, key->bytes);
    return FER_OK;
}

fer_status fer_crypto_open(const fer_secret *key, const uint8_t nonce[FER_NONCE_BYTES],
                           const uint8_t *ad, size_t ad_length, const uint8_t *ciphertext, size_t n,
                           uint8_t *out)
{
    if (n > FER_AEAD_MAX) {
        return FER_ERR_ARGUMENT;
    }
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(out, 0, ciphertext, n, ciphertext + n,
                                                           ad, ad_length, nonce, key->bytes) != 0) {
        /* 1.0.18 verifies before it decrypts and zeroes out itself, but promises neither: the
         * promise is ours (FIRST). */
        fer_wipe(out, n);
        return FER_DROP_FORGED;
    }
    return FER_OK;
}

bool fer_crypto_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}
