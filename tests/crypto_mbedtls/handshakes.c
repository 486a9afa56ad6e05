/* The crypto contract over mbed TLS: what handshakes need. Its big numbers allocate; a device would
 * give it memory of its own (mbedtls_memory_buffer_alloc_init), or take another X25519. */
#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/sha256.h>

#include "crypto/curve.h"
#include "must.h"

void fer_crypto_hash_pair(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length,
                          uint8_t out[FER_HASH_BYTES])
{
    mbedtls_sha256_context hash;

    mbedtls_sha256_init(&hash);
    must(mbedtls_sha256_starts_ret(&hash, 0));
    must(mbedtls_sha256_update_ret(&hash, a, a_length));
    must(mbedtls_sha256_update_ret(&hash, b, b_length));
    must(mbedtls_sha256_finish_ret(&hash, out));
    mbedtls_sha256_free(&hash);
}

void fer_crypto_hkdf(const uint8_t ck[FER_HASH_BYTES], const uint8_t *ikm, size_t n, unsigned count,
                     uint8_t *out)
{
    uint8_t temp[FER_HASH_BYTES];
    size_t previous = 0;

    fer_crypto_mac(ck, FER_HASH_BYTES, ikm, n, NULL, 0, temp);
    for (unsigned i = 1; i <= count; i++) {
        const uint8_t number = (uint8_t)i;
        const uint8_t *before = out;

        out += previous;
        fer_crypto_mac(temp, sizeof temp, before, previous, &number, 1, out);
        previous = FER_HASH_BYTES;
    }
    fer_wipe(temp, sizeof temp);
}

/* ---- X25519 ------------------------------------------------------------------------------- */

struct curve {
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi scalar;
};

/* Loads curve, scalar (clamped: RFC 7748 section 5, which mbed TLS demands) and, where `peer` is
 * not null, its point, else the base point. */
static int load(struct curve *curve, const fer_secret *own, const uint8_t *peer)
{
    uint8_t clamped[FER_SECRET_BYTES];
    int error = mbedtls_ecp_group_load(&curve->group, MBEDTLS_ECP_DP_CURVE25519);

    memcpy(clamped, own->bytes, sizeof clamped);
    clamped[0] &= 248u;
    clamped[31] = (uint8_t)((clamped[31] & 127u) | 64u);
    if (error == 0) {
        error = mbedtls_mpi_read_binary_le(&curve->scalar, clamped, sizeof clamped);
    }
    fer_wipe(clamped, sizeof clamped);
    if (error == 0) {
        error = peer == NULL ? mbedtls_ecp_copy(&curve->point, &curve->group.G)
                             : mbedtls_ecp_point_read_binary(&curve->group, &curve->point, peer,
                                                             FER_POINT_BYTES);
    }
    return error;
}

static int multiply(const fer_secret *own, const uint8_t *peer, uint8_t out[FER_POINT_BYTES])
{
    struct curve curve;
    size_t length = 0;
    int error;

    mbedtls_ecp_group_init(&curve.group);
    mbedtls_ecp_point_init(&curve.point);
    mbedtls_mpi_init(&curve.scalar);
    error = load(&curve, own, peer);
    if (error == 0) { /* without a random source it blinds with one made of the scalar */
        error =
            mbedtls_ecp_mul(&curve.group, &curve.point, &curve.scalar, &curve.point, NULL, NULL);
    }
    if (error == 0) {
        error = mbedtls_ecp_point_write_binary(
            &curve.group, &curve.point, MBEDTLS_ECP_PF_UNCOMPRESSED, &length, out, FER_POINT_BYTES);
    }
    mbedtls_mpi_free(&curve.scalar); /* each wipes what it frees */
    mbedtls_ecp_point_free(&curve.point);
    mbedtls_ecp_group_free(&curve.group);
    if (error != 0) {
        fer_wipe(out, FER_POINT_BYTES);
    }
    return error;
}

fer_status fer_crypto_dh(const fer_secret *own, const uint8_t peer[FER_POINT_BYTES],
                         fer_secret *shared)
{
    static const uint8_t zero[FER_POINT_BYTES] = {0};
    int error = multiply(own, peer, shared->bytes);

    if (error != 0 && error != MBEDTLS_ERR_ECP_INVALID_KEY) {
        return FER_TROUBLE_CRYPTO;
    }
    return fer_crypto_equal(shared->bytes, zero, sizeof zero) ? FER_DROP_FORGED : FER_OK;
}

void fer_crypto_get_public(const fer_secret *own, uint8_t out[FER_POINT_BYTES])
{
    must(multiply(own, NULL, out));
}
