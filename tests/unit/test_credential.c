/* Tests: the credential's one encoding. Known answers from tests/vectors/schedule.py, then every
 * way in which 128 bytes can fail to be one (TOTAL), and that failure leaves nothing (WIPE). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "hex.h"
#include "internal/credential.h"
#include "vectors/schedule_answers.h"

enum { CHECK_AT = 120 };

static fer_credential decode(const char *hex)
{
    fer_credential c;

    assert_int_equal(hex_decode(hex, c.bytes, sizeof c.bytes), FER_CREDENTIAL_BYTES);
    return c;
}

/* Makes the check fit the bytes, so that a test reaches what lies behind it. */
static void sign(fer_credential *c)
{
    uint8_t hash[FER_HASH_BYTES];

    fer_crypto_hash(c->bytes, CHECK_AT, hash);
    memcpy(c->bytes + CHECK_AT, hash, FER_CREDENTIAL_BYTES - CHECK_AT);
}

/* All public functions must agree on what these bytes are. */
static void expect(const fer_credential *c, fer_status status)
{
    fer_credential out;
    fer_credential copy = *c;
    fer_credential_info info;

    memset(&out, 0xA5, sizeof out);
    assert_int_equal(fer_credential_parse(c->bytes, sizeof c->bytes, &out), status);
    assert_int_equal(fer_credential_get_info(c, &info), status);
    if (status == FER_OK) {
        assert_memory_equal(&out, c, sizeof out);
    } else {
        assert_all_bytes(&out, sizeof out, 0);
        assert_int_equal(fer_credential_advance(&copy), status);
        assert_memory_equal(&copy, c, sizeof copy);
    }
}

static void expect_with(unsigned at, uint8_t value, fer_status status)
{
    fer_credential c = decode(PUMP_CREDENTIAL_0);

    c.bytes[at] = value;
    sign(&c);
    expect(&c, status);
}

/* ---- what is one -------------------------------------------------------------------------- */

static void test_known_answers_parse(void **state)
{
    (void)state;
    const char *const answers[] = {PUMP_CREDENTIAL_0,      PUMP_CREDENTIAL_1,
                                   PUMP_CREDENTIAL_299,    LONGEST_CREDENTIAL_0,
                                   LONGEST_CREDENTIAL_299, SESSION_CREDENTIAL_0};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fer_credential c = decode(answers[i]);
        expect(&c, FER_OK);
    }
}

static void test_info_tells_every_field(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_299);
    fer_credential_info info;
    assert_int_equal(fer_credential_get_info(&c, &info), FER_OK);
    assert_int_equal(info.epoch, PUMP_EPOCH);
    assert_int_equal(info.generation, 299);
    assert_hex_equal(info.identity, info.identity_length, PUMP_IDENTITY);
    assert_hex_equal(info.route, info.route_length, PUMP_ROUTE);
    assert_all_bytes(info.identity + info.identity_length,
                     sizeof info.identity - info.identity_length, 0);
    assert_all_bytes(info.route + info.route_length, sizeof info.route - info.route_length, 0);
}

static void test_read_yields_the_keys_and_takes_nulls(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_1);
    fer_claim_key claim;
    fer_chain chain;
    assert_int_equal(fer_credential_read(&c, NULL, NULL, NULL), FER_OK);
    assert_int_equal(fer_credential_read(&c, NULL, &claim, &chain), FER_OK);
    assert_hex_equal(claim.secret.bytes, FER_SECRET_BYTES, PUMP_CLAIM_KEY);
    assert_hex_equal(chain.secret.bytes, FER_SECRET_BYTES, PUMP_CHAIN_1);
}

static void test_build_gives_the_known_encoding(void **state)
{
    (void)state;
    fer_credential c;
    fer_credential_info info;
    fer_claim_key claim;
    fer_chain chain;
    memset(&info, 0xEE, sizeof info); /* what lies behind the lengths must not get in */
    info.epoch = PUMP_EPOCH;
    info.generation = 1;
    info.identity_length = (uint8_t)hex_decode(PUMP_IDENTITY, info.identity, 32);
    info.route_length = (uint8_t)hex_decode(PUMP_ROUTE, info.route, 8);
    (void)hex_decode(PUMP_CLAIM_KEY, claim.secret.bytes, FER_SECRET_BYTES);
    (void)hex_decode(PUMP_CHAIN_1, chain.secret.bytes, FER_SECRET_BYTES);
    assert_int_equal(fer_credential_build(&info, &claim, &chain, &c), FER_OK);
    assert_hex_equal(c.bytes, sizeof c.bytes, PUMP_CREDENTIAL_1);
}

static void test_build_accepts_exactly_what_parses(void **state)
{
    (void)state;
    fer_credential c;
    fer_credential_info info;
    fer_claim_key claim;
    fer_chain chain;
    memset(&info, 0x31, sizeof info);
    memset(&claim, 0x32, sizeof claim);
    memset(&chain, 0x33, sizeof chain);
    for (unsigned identity = 0; identity <= 255; identity += identity < 40 ? 1 : 43) {
        for (unsigned route = 0; route <= 255; route += route < 10 ? 1 : 35) {
            int good = identity >= 1 && identity <= 32 &&
                       (route == 0 || route == 2 || route == 4 || route == 8);
            info.identity_length = (uint8_t)identity;
            info.route_length = (uint8_t)route;
            fer_status status = fer_credential_build(&info, &claim, &chain, &c);
            assert_int_equal(status, good ? FER_OK : FER_ERR_ARGUMENT);
            if (good) {
                expect(&c, FER_OK);
            }
        }
    }
    info.identity_length = 1;
    info.route_length = 0;
    info.generation = 0xFFFFFFFF;
    assert_int_equal(fer_credential_build(&info, &claim, &chain, &c), FER_ERR_ARGUMENT);
}

static void test_parse_works_in_place(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    assert_int_equal(fer_credential_parse(c.bytes, sizeof c.bytes, &c), FER_OK);
    assert_hex_equal(c.bytes, sizeof c.bytes, PUMP_CREDENTIAL_0);
}

/* ---- what is none ------------------------------------------------------------------------- */

static void test_every_single_bit_flip_is_refused(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * FER_CREDENTIAL_BYTES; bit++) {
        fer_credential c = decode(PUMP_CREDENTIAL_0);
        fer_credential out;
        c.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(fer_credential_parse(c.bytes, sizeof c.bytes, &out), FER_DROP_MALFORMED);
        assert_all_bytes(&out, sizeof out, 0);
    }
}

static void test_every_other_length_is_refused(void **state)
{
    (void)state;
    uint8_t longer[FER_CREDENTIAL_BYTES + 8] = {0};
    fer_credential out;
    (void)hex_decode(PUMP_CREDENTIAL_0, longer, sizeof longer);
    for (size_t n = 0; n <= sizeof longer; n++) {
        memset(&out, 0xA5, sizeof out);
        fer_status status = fer_credential_parse(longer, n, &out);
        assert_int_equal(status, n == FER_CREDENTIAL_BYTES ? FER_OK : FER_DROP_MALFORMED);
        if (status != FER_OK) {
            assert_all_bytes(&out, sizeof out, 0);
        }
    }
}

static void test_blank_memory_is_refused(void **state)
{
    (void)state;
    fer_credential c;
    memset(&c, 0, sizeof c);
    expect(&c, FER_DROP_MALFORMED);
    sign(&c);
    expect(&c, FER_DROP_MALFORMED);
    memset(&c, 0xFF, sizeof c);
    expect(&c, FER_DROP_MALFORMED);
    sign(&c);
    expect(&c, FER_DROP_MALFORMED);
}

static void test_other_magic_is_refused(void **state)
{
    (void)state;
    expect_with(0, 'f', FER_DROP_MALFORMED);
    expect_with(1, 'R', FER_DROP_MALFORMED);
}

static void test_later_versions_are_told_apart_when_intact(void **state)
{
    (void)state;
    expect_with(2, 0, FER_DROP_MALFORMED);
    for (unsigned version = 2; version <= 255; version++) {
        expect_with(2, (uint8_t)version, FER_DROP_VERSION);
    }
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    c.bytes[2] = 2; /* not intact: the check is of version 1 */
    expect(&c, FER_DROP_MALFORMED);
}

static void test_later_version_may_mean_other_fields(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    c.bytes[2] = 2;
    memset(c.bytes + 3, 0xFF, CHECK_AT - 3);
    sign(&c);
    expect(&c, FER_DROP_VERSION);
}

static void test_flags_and_reserved_bytes_must_be_zero(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 8; bit++) {
        expect_with(3, (uint8_t)(1u << bit), FER_DROP_MALFORMED);
        expect_with(14, (uint8_t)(1u << bit), FER_DROP_MALFORMED);
        expect_with(15, (uint8_t)(1u << bit), FER_DROP_MALFORMED);
    }
}

static void test_route_length_is_0_2_4_or_8(void **state)
{
    (void)state;
    for (unsigned length = 0; length <= 255; length++) {
        /* Its route is a1b2: shorter leaves bytes behind the end. */
        int good = length == 2 || length == 4 || length == 8;
        expect_with(12, (uint8_t)length, good ? FER_OK : FER_DROP_MALFORMED);
    }
}

static void test_identity_length_is_1_to_32(void **state)
{
    (void)state;
    for (unsigned length = 0; length <= 255; length++) {
        int good = length >= 7 && length <= 32; /* its identity has 7 bytes */
        expect_with(13, (uint8_t)length, good ? FER_OK : FER_DROP_MALFORMED);
    }
}

static void test_unused_route_and_identity_bytes_must_be_zero(void **state)
{
    (void)state;
    for (unsigned at = 16; at < 56; at++) {
        int used = at < 16 + 2 || (at >= 24 && at < 24 + 7);
        expect_with(at, 0x80, used ? FER_OK : FER_DROP_MALFORMED);
    }
}

static void test_generation_2_32_minus_1_is_refused(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    memset(c.bytes + 4, 0xFF, 4);
    sign(&c);
    expect(&c, FER_DROP_MALFORMED);
    c.bytes[4] = 0xFE;
    sign(&c);
    expect(&c, FER_OK);
}

/* ---- advancing ---------------------------------------------------------------------------- */

static void advance_to_299(const char *from, const char *to)
{
    fer_credential c = decode(from);

    for (unsigned g = 0; g < 299; g++) {
        assert_int_equal(fer_credential_advance(&c), FER_OK);
    }
    assert_hex_equal(c.bytes, sizeof c.bytes, to);
}

static void test_advance_gives_the_known_successors(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    assert_int_equal(fer_credential_advance(&c), FER_OK);
    assert_hex_equal(c.bytes, sizeof c.bytes, PUMP_CREDENTIAL_1);
    advance_to_299(PUMP_CREDENTIAL_0, PUMP_CREDENTIAL_299);
    advance_to_299(LONGEST_CREDENTIAL_0, LONGEST_CREDENTIAL_299);
}

static void test_advance_stops_at_the_last_generation(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_credential_info info;
    memset(c.bytes + 4, 0xFF, 4);
    c.bytes[4] = 0xFD;
    sign(&c);
    assert_int_equal(fer_credential_advance(&c), FER_OK);
    assert_int_equal(fer_credential_get_info(&c, &info), FER_OK);
    assert_int_equal(info.generation, 0xFFFFFFFE);
    fer_credential last = c;
    assert_int_equal(fer_credential_advance(&c), FER_RENEW_EXHAUSTED);
    assert_memory_equal(&c, &last, sizeof c);
}

/* ---- calls -------------------------------------------------------------------------------- */

static void test_null_arguments(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_credential_info info;
    assert_int_equal(fer_credential_parse(c.bytes, sizeof c.bytes, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_credential_get_info(NULL, &info), FER_ERR_ARGUMENT);
    assert_int_equal(fer_credential_get_info(&c, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_credential_parse(NULL, FER_CREDENTIAL_BYTES, &c), FER_ERR_ARGUMENT);
    assert_all_bytes(&c, sizeof c, 0);
    fer_credential_wipe(NULL);
}

static void test_info_of_an_invalid_one_is_untouched(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_credential_info info;
    memset(&info, 0xA5, sizeof info);
    c.bytes[100] ^= 1u;
    assert_int_equal(fer_credential_get_info(&c, &info), FER_DROP_MALFORMED);
    assert_all_bytes(&info, sizeof info, 0xA5);
}

static void test_wipe_leaves_zeros(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_credential_wipe(&c);
    assert_all_bytes(&c, sizeof c, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers_parse),
        cmocka_unit_test(test_info_tells_every_field),
        cmocka_unit_test(test_read_yields_the_keys_and_takes_nulls),
        cmocka_unit_test(test_build_gives_the_known_encoding),
        cmocka_unit_test(test_build_accepts_exactly_what_parses),
        cmocka_unit_test(test_parse_works_in_place),
        cmocka_unit_test(test_every_single_bit_flip_is_refused),
        cmocka_unit_test(test_every_other_length_is_refused),
        cmocka_unit_test(test_blank_memory_is_refused),
        cmocka_unit_test(test_other_magic_is_refused),
        cmocka_unit_test(test_later_versions_are_told_apart_when_intact),
        cmocka_unit_test(test_later_version_may_mean_other_fields),
        cmocka_unit_test(test_flags_and_reserved_bytes_must_be_zero),
        cmocka_unit_test(test_route_length_is_0_2_4_or_8),
        cmocka_unit_test(test_identity_length_is_1_to_32),
        cmocka_unit_test(test_unused_route_and_identity_bytes_must_be_zero),
        cmocka_unit_test(test_generation_2_32_minus_1_is_refused),
        cmocka_unit_test(test_advance_gives_the_known_successors),
        cmocka_unit_test(test_advance_stops_at_the_last_generation),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_info_of_an_invalid_one_is_untouched),
        cmocka_unit_test(test_wipe_leaves_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
