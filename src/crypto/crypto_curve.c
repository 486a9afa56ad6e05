/* Ferrule: the part of the crypto contract that only handshakes need. A file of its own, so that a
 * program without a handshake links no curve code. */
#include <sodium.h>

#include "crypto/curve.h"

_Static_assert(FER_POINT_BYTES == crypto_scalarmult_curve25519_BYTES, "point size");
_Static_assert(FER_SECRET_BYTES == crypto_scalarmult_curve25519_SCALARBYTES, "scalar size");

void fer_crypto_hash_pair(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length,
                          uint8_t out[FER_HASH_BYTES])
{
    crypto_hash_sha256_state state;

    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, a, a_length);
    (void)crypto_hash_sha256_update(&state, b, b_length);
    (void)crypto_hash_sha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

/* The outputs share one key: its two blocks are hashed once. */
void fer_crypto_hkdf(const uint8_t ck[FER_HASH_BYTES], const uint8_t *ikm, size_t n, unsigned count,
                     uint8_t *out)
{
    crypto_auth_hmacsha256_state keyed;
    crypto_auth_hmacsha256_state state;
    uint8_t temp[FER_HASH_BYTES];
    size_t previous = 0;

    fer_crypto_mac(ck, FER_HASH_BYTES, ikm, n, NULL, 0, temp);
    (void)crypto_auth_hmacsha256_init(&keyed, temp, sizeof temp);
    for (unsigned i = 1; i <= count; i++) {
        const uint8_t number = (uint8_t)i;

        state = keyed;
        (void)crypto_auth_hmacsha256_update(&state, out, previous);
        (void)crypto_auth_hmacsha256_update(&state, &number, 1);
        out += previous;
        (void)crypto_auth_hmacsha256_final(&state, out);
        previous = FER_HASH_BYTES;
    }
    sodium_memzero(&keyed, sizeof keyed);
    sodium_memzero(&state, sizeof state);
    sodium_memzero(temp, sizeof temp);
}

/* The product as it comes may be zero without libsodium saying so (it knows the points of small
 * order by a list): both are refused. */
fer_status fer_crypto_dh(const fer_secret *own, const uint8_t peer[FER_POINT_BYTES],
                         fer_secret *shared)
{
    int bad = crypto_scalarmult_curve25519(shared->bytes, own->bytes, peer);

    if (bad != 0 || sodium_is_zero(shared->bytes, sizeof shared->bytes)) {
        sodium_memzero(shared, sizeof *shared);
        return FER_DROP_FORGED;
    }
    return FER_OK;
}

/* By the ladder: the table of the base point that crypto_scalarmult_base uses takes 30 KB. */
void fer_crypto_get_public(const fer_secret *own, uint8_t out[FER_POINT_BYTES])
{
    static const uint8_t base[FER_POINT_BYTES] = {9};

    /* Fails for points of small order only, which the base point is not. */
    (void)!crypto_scalarmult_curve25519(out, own->bytes, base);
}
