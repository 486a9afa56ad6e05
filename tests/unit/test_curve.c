/* Tests: the part of the crypto contract that handshakes need. Published vectors first, then what
 * the contract adds: a product of zero is refused and zeroed, buffers that may be one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/curve.h"
#include "hex.h"

static fer_secret secret_of(const char *hex)
{
    fer_secret secret;

    assert_int_equal(hex_decode(hex, secret.bytes, sizeof secret.bytes), FER_SECRET_BYTES);
    return secret;
}

static void check_product(const char *own, const char *peer, const char *expected)
{
    fer_secret secret = secret_of(own);
    fer_secret shared;
    uint8_t point[FER_POINT_BYTES];

    assert_int_equal(hex_decode(peer, point, sizeof point), FER_POINT_BYTES);
    assert_int_equal(fer_crypto_dh(&secret, point, &shared), FER_OK);
    assert_hex_equal(shared.bytes, sizeof shared.bytes, expected);
}

static void test_rfc7748_section_5_2(void **state)
{
    (void)state;
    check_product("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    check_product("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

static void test_rfc7748_section_6_1(void **state)
{
    (void)state;
    static const char alice[] = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    fer_secret secret = secret_of(alice);
    uint8_t point[FER_POINT_BYTES];

    fer_crypto_get_public(&secret, point);
    assert_hex_equal(point, sizeof point,
                     "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    check_product(alice, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
                  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

static void test_points_of_small_order_are_refused_and_leave_zero(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
    };
    fer_secret secret;

    memset(&secret, 0x5A, sizeof secret);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        uint8_t point[FER_POINT_BYTES];
        fer_secret shared;

        memset(&shared, 0xA5, sizeof shared);
        assert_int_equal(hex_decode(points[i], point, sizeof point), FER_POINT_BYTES);
        assert_int_equal(fer_crypto_dh(&secret, point, &shared), FER_DROP_FORGED);
        assert_all_bytes(shared.bytes, sizeof shared.bytes, 0);
    }
}

/* Both sides come to the same, with every secret clamped the same way. */
static void test_both_sides_agree(void **state)
{
    (void)state;
    for (uint8_t round = 0; round < 4; round++) {
        fer_secret a, b, one, other;
        uint8_t point_a[FER_POINT_BYTES], point_b[FER_POINT_BYTES];

        memset(&a, 0x0F + 0x40 * round, sizeof a);
        memset(&b, 0xF7 - 0x30 * round, sizeof b);
        fer_crypto_get_public(&a, point_a);
        fer_crypto_get_public(&b, point_b);
        assert_memory_not_equal(point_a, point_b, sizeof point_a);
        assert_int_equal(fer_crypto_dh(&a, point_b, &one), FER_OK);
        assert_int_equal(fer_crypto_dh(&b, point_a, &other), FER_OK);
        assert_memory_equal(&one, &other, sizeof one);
    }
}

/* ---- a hash of two pieces, and the derivation of Noise ------------------------------------- */

static void test_hash_pair_is_hash_of_both(void **state)
{
    (void)state;
    uint8_t text[150];
    uint8_t whole[FER_HASH_BYTES], pieces[FER_HASH_BYTES];

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)(3 * i);
    }
    fer_crypto_hash(text, sizeof text, whole);
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        fer_crypto_hash_pair(text, cut, text + cut, sizeof text - cut, pieces);
        assert_memory_equal(pieces, whole, sizeof whole);
    }
    fer_crypto_hash_pair(text, sizeof text, NULL, 0, pieces);
    assert_memory_equal(pieces, whole, sizeof whole);
    fer_crypto_hash_pair(NULL, 0, text, sizeof text, pieces);
    assert_memory_equal(pieces, whole, sizeof whole);
}

static void test_hash_pair_may_write_over_its_first_piece(void **state)
{
    (void)state;
    uint8_t first[FER_HASH_BYTES], apart[FER_HASH_BYTES];
    const uint8_t second[] = {1, 2, 3};

    memset(first, 0x77, sizeof first);
    fer_crypto_hash_pair(first, sizeof first, second, sizeof second, apart);
    fer_crypto_hash_pair(first, sizeof first, second, sizeof second, first);
    assert_memory_equal(first, apart, sizeof apart);
}

/* Noise revision 34, section 4.3, spelled out over fer_crypto_mac. */
static void test_hkdf_of_two_and_three(void **state)
{
    (void)state;
    uint8_t ck[FER_HASH_BYTES], ikm[FER_HASH_BYTES], temp[FER_HASH_BYTES];
    uint8_t expected[3][FER_HASH_BYTES], out[4][FER_HASH_BYTES];

    memset(ck, 0x11, sizeof ck);
    memset(ikm, 0x22, sizeof ikm);
    for (size_t n = 0; n <= sizeof ikm; n += sizeof ikm) {
        fer_crypto_mac(ck, sizeof ck, ikm, n, NULL, 0, temp);
        fer_crypto_mac(temp, sizeof temp, NULL, 0, (const uint8_t[]){1}, 1, expected[0]);
        fer_crypto_mac(temp, sizeof temp, expected[0], 32, (const uint8_t[]){2}, 1, expected[1]);
        fer_crypto_mac(temp, sizeof temp, expected[1], 32, (const uint8_t[]){3}, 1, expected[2]);
        for (unsigned count = 2; count <= 3; count++) {
            memset(out, 0xA5, sizeof out);
            fer_crypto_hkdf(ck, ikm, n, count, out[0]);
            assert_memory_equal(out, expected, count * sizeof ck);
            assert_all_bytes(out[count], sizeof ck, 0xA5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc7748_section_5_2),
        cmocka_unit_test(test_rfc7748_section_6_1),
        cmocka_unit_test(test_points_of_small_order_are_refused_and_leave_zero),
        cmocka_unit_test(test_both_sides_agree),
        cmocka_unit_test(test_hash_pair_is_hash_of_both),
        cmocka_unit_test(test_hash_pair_may_write_over_its_first_piece),
        cmocka_unit_test(test_hkdf_of_two_and_three),
    };
    if (fer_crypto_start() != FER_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
