/* Tests: minting and expanding. Known answers from tests/vectors/schedule.py; secrets are consumed
 * whatever happens (WIPE); a key leaves its generation once (NONCE). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ferrule/record.h"
#include "hex.h"
#include "internal/keychain.h"
#include "vectors/schedule_answers.h"

static fer_credential decode(const char *hex)
{
    fer_credential c;

    assert_int_equal(hex_decode(hex, c.bytes, sizeof c.bytes), FER_CREDENTIAL_BYTES);
    return c;
}

static fer_root_key make_root(const char *hex)
{
    fer_root_key root;

    assert_int_equal(hex_decode(hex, root.bytes, sizeof root.bytes), FER_ROOT_BYTES);
    return root;
}

/* ---- mint --------------------------------------------------------------------------------- */

static void check_mint(uint32_t epoch, const char *identity_hex, const char *route_hex,
                       const char *root_hex, const char *expected)
{
    uint8_t identity[FER_IDENTITY_MAX];
    uint8_t route[FER_ROUTE_MAX];
    fer_root_key root = make_root(root_hex);
    fer_credential c;
    fer_identity who = {epoch, identity, hex_decode(identity_hex, identity, sizeof identity), route,
                        hex_decode(route_hex, route, sizeof route)};

    assert_int_equal(fer_keychain_mint(&root, &who, &c), FER_OK);
    assert_hex_equal(c.bytes, sizeof c.bytes, expected);
    assert_all_bytes(&root, sizeof root, 0);
}

static void test_mint_gives_the_known_credentials(void **state)
{
    (void)state;
    check_mint(PUMP_EPOCH, PUMP_IDENTITY, PUMP_ROUTE, PUMP_IKM, PUMP_CREDENTIAL_0);
    check_mint(LONGEST_EPOCH, LONGEST_IDENTITY, LONGEST_ROUTE, LONGEST_IKM, LONGEST_CREDENTIAL_0);
}

static const uint8_t letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

static void expect_mint(const fer_identity *who, fer_status status)
{
    fer_root_key root = make_root(PUMP_IKM);
    fer_credential c;
    fer_credential_info info;

    memset(&c, 0xA5, sizeof c);
    assert_int_equal(fer_keychain_mint(&root, who, &c), status);
    assert_all_bytes(&root, sizeof root, 0);
    if (status != FER_OK) {
        assert_all_bytes(&c, sizeof c, 0);
    } else {
        assert_int_equal(fer_credential_get_info(&c, &info), FER_OK);
        assert_int_equal(info.generation, 0);
    }
}

static void test_mint_takes_identities_of_1_to_32_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 40; n++) {
        fer_identity who = {7, letters, n, NULL, 0};
        expect_mint(&who, n >= 1 && n <= 32 ? FER_OK : FER_ERR_ARGUMENT);
    }
    const size_t wrapping[] = {256, 257, 0x10001, SIZE_MAX};
    for (size_t i = 0; i < 4; i++) {
        fer_identity who = {7, letters, wrapping[i], NULL, 0};
        expect_mint(&who, FER_ERR_ARGUMENT);
    }
}

static void test_mint_takes_routes_of_0_2_4_and_8_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 16; n++) {
        int good = n == 0 || n == 2 || n == 4 || n == 8;
        fer_identity who = {7, letters, 5, letters, n};
        expect_mint(&who, good ? FER_OK : FER_ERR_ARGUMENT);
    }
    fer_identity wrapping = {7, letters, 5, letters, 258};
    expect_mint(&wrapping, FER_ERR_ARGUMENT);
}

static void test_mint_wipes_the_root_when_the_call_is_wrong(void **state)
{
    (void)state;
    fer_root_key root = make_root(PUMP_IKM);
    fer_credential c;
    fer_identity nameless = {7, NULL, 5, NULL, 0};
    fer_identity routeless = {7, letters, 5, NULL, 2};
    fer_identity good = {7, letters, 5, NULL, 0};
    expect_mint(&nameless, FER_ERR_ARGUMENT);
    expect_mint(&routeless, FER_ERR_ARGUMENT);
    assert_int_equal(fer_keychain_mint(&root, &good, NULL), FER_ERR_ARGUMENT);
    assert_all_bytes(&root, sizeof root, 0);
    root = make_root(PUMP_IKM);
    assert_int_equal(fer_keychain_mint(&root, NULL, &c), FER_ERR_ARGUMENT);
    assert_all_bytes(&root, sizeof root, 0);
    assert_int_equal(fer_keychain_mint(NULL, &good, &c), FER_ERR_ARGUMENT);
}

static void test_a_root_mints_once(void **state)
{
    (void)state;
    fer_root_key root = make_root(PUMP_IKM);
    fer_credential c;
    fer_identity who = {7, letters, 5, NULL, 0};
    assert_int_equal(fer_keychain_mint(&root, &who, &c), FER_OK);
    assert_int_equal(fer_keychain_mint(&root, &who, &c), FER_ERR_ORDER);
    assert_all_bytes(&c, sizeof c, 0);
}

/* ---- forward ------------------------------------------------------------------------------ */

static void check_forward(const char *from, uint32_t generation, const char *to)
{
    fer_credential c = decode(from);

    assert_int_equal(fer_keychain_forward(&c, generation), FER_OK);
    assert_hex_equal(c.bytes, sizeof c.bytes, to);
}

static void test_forward_gives_the_known_credentials(void **state)
{
    (void)state;
    check_forward(PUMP_CREDENTIAL_0, 0, PUMP_CREDENTIAL_0);
    check_forward(PUMP_CREDENTIAL_0, 1, PUMP_CREDENTIAL_1);
    check_forward(PUMP_CREDENTIAL_0, 299, PUMP_CREDENTIAL_299);
    check_forward(PUMP_CREDENTIAL_1, 299, PUMP_CREDENTIAL_299);
}

static void test_forward_never_goes_back(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_299);
    assert_int_equal(fer_keychain_forward(&c, 298), FER_ERR_ARGUMENT);
    assert_int_equal(fer_keychain_forward(&c, UINT32_MAX), FER_ERR_ARGUMENT);
    assert_int_equal(fer_keychain_forward(NULL, 300), FER_ERR_ARGUMENT);
    assert_hex_equal(c.bytes, sizeof c.bytes, PUMP_CREDENTIAL_299);
    c.bytes[60] ^= 1;
    fer_credential damaged = c;
    assert_int_equal(fer_keychain_forward(&c, 300), FER_DROP_MALFORMED);
    assert_memory_equal(&c, &damaged, sizeof c);
}

/* ---- expand ------------------------------------------------------------------------------- */

static void check_expand(const char *credential, uint32_t generation, const char *const keys[3])
{
    fer_credential c = decode(credential);
    fer_generation g;
    fer_record_key key;

    assert_int_equal(fer_keychain_expand(&c, &g), FER_OK);
    assert_all_bytes(&c, sizeof c, 0);
    struct fer_generation_body *body = fer_generation_get_body(&g);
    assert_non_null(body);
    assert_int_equal(body->generation, generation);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(fer_generation_take_key(body, (fer_branch)i, &key));
        assert_hex_equal(key.secret.bytes, FER_SECRET_BYTES, keys[i]);
    }
}

static void test_expand_gives_the_known_keys(void **state)
{
    (void)state;
    const char *const first[] = {PUMP_UP_0, PUMP_BACKLOG_0, PUMP_DOWN_0};
    const char *const late[] = {LONGEST_UP_299, LONGEST_BACKLOG_299, LONGEST_DOWN_299};
    check_expand(PUMP_CREDENTIAL_0, 0, first);
    check_expand(LONGEST_CREDENTIAL_299, 299, late);
}

static void test_expand_tells_route_kind_and_claim_key(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_1);
    fer_generation g;
    assert_int_equal(fer_keychain_expand(&c, &g), FER_OK);
    const struct fer_generation_body *body = fer_generation_get_body(&g);
    assert_int_equal(body->kind, FER_KIND_PROVISIONED);
    assert_hex_equal(body->route, body->route_length, PUMP_ROUTE);
    assert_hex_equal(body->claim.secret.bytes, FER_SECRET_BYTES, PUMP_CLAIM_KEY);
    assert_int_equal(FER_KIND_SESSION, FER_MODE_SESSION);
}

static void test_the_chain_key_does_not_stay(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_1);
    fer_generation g;
    uint8_t chain[FER_SECRET_BYTES];
    (void)hex_decode(PUMP_CHAIN_1, chain, sizeof chain);
    assert_int_equal(fer_keychain_expand(&c, &g), FER_OK);
    for (size_t at = 0; at + sizeof chain <= sizeof g; at++) {
        assert_memory_not_equal((const uint8_t *)&g + at, chain, sizeof chain);
    }
}

static void expect_no_expansion(fer_credential c, fer_status status)
{
    fer_generation g;

    memset(&g, 0xA5, sizeof g);
    assert_int_equal(fer_keychain_expand(&c, &g), status);
    assert_all_bytes(&c, sizeof c, 0);
    assert_all_bytes(&g, sizeof g, 0);
    assert_null(fer_generation_get_body(&g));
}

static void test_expand_refuses_what_is_no_credential(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    uint8_t hash[FER_HASH_BYTES];
    c.bytes[90] ^= 4u;
    expect_no_expansion(c, FER_DROP_MALFORMED);
    c.bytes[2] = 2;
    fer_crypto_hash(c.bytes, 120, hash);
    memcpy(c.bytes + 120, hash, 8);
    expect_no_expansion(c, FER_DROP_VERSION);
}

static void test_expand_consumes_the_credential(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_generation g;
    assert_int_equal(fer_keychain_expand(&c, &g), FER_OK);
    assert_int_equal(fer_keychain_expand(&c, &g), FER_DROP_MALFORMED);
    assert_null(fer_generation_get_body(&g));
}

static void test_expand_wipes_when_the_call_is_wrong(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_generation g;
    assert_int_equal(fer_keychain_expand(&c, NULL), FER_ERR_ARGUMENT);
    assert_all_bytes(&c, sizeof c, 0);
    memset(&g, 0xA5, sizeof g);
    assert_int_equal(fer_keychain_expand(NULL, &g), FER_ERR_ARGUMENT);
    assert_all_bytes(&g, sizeof g, 0);
}

/* ---- taking keys -------------------------------------------------------------------------- */

static void test_each_key_is_taken_once(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_generation g;
    fer_record_key key;
    assert_int_equal(fer_keychain_expand(&c, &g), FER_OK);
    struct fer_generation_body *body = fer_generation_get_body(&g);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(fer_generation_take_key(body, (fer_branch)i, &key));
        assert_all_bytes(&body->keys[i], sizeof body->keys[i], 0);
        memset(&key, 0xA5, sizeof key);
        assert_false(fer_generation_take_key(body, (fer_branch)i, &key));
        assert_all_bytes(&key, sizeof key, 0xA5);
    }
}

static void test_a_copied_generation_is_none(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_generation g;
    assert_int_equal(fer_keychain_expand(&c, &g), FER_OK);
    fer_generation copy = g;
    assert_null(fer_generation_get_body(&copy));
    assert_non_null(fer_generation_get_body(&g));
}

static void test_a_wiped_or_null_generation_is_none(void **state)
{
    (void)state;
    fer_credential c = decode(PUMP_CREDENTIAL_0);
    fer_generation g;
    assert_int_equal(fer_keychain_expand(&c, &g), FER_OK);
    fer_generation_wipe(&g);
    assert_all_bytes(&g, sizeof g, 0);
    assert_null(fer_generation_get_body(&g));
    assert_null(fer_generation_get_body(NULL));
    fer_generation_wipe(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mint_gives_the_known_credentials),
        cmocka_unit_test(test_mint_takes_identities_of_1_to_32_bytes),
        cmocka_unit_test(test_mint_takes_routes_of_0_2_4_and_8_bytes),
        cmocka_unit_test(test_mint_wipes_the_root_when_the_call_is_wrong),
        cmocka_unit_test(test_a_root_mints_once),
        cmocka_unit_test(test_forward_gives_the_known_credentials),
        cmocka_unit_test(test_forward_never_goes_back),
        cmocka_unit_test(test_expand_gives_the_known_keys),
        cmocka_unit_test(test_expand_tells_route_kind_and_claim_key),
        cmocka_unit_test(test_the_chain_key_does_not_stay),
        cmocka_unit_test(test_expand_refuses_what_is_no_credential),
        cmocka_unit_test(test_expand_consumes_the_credential),
        cmocka_unit_test(test_expand_wipes_when_the_call_is_wrong),
        cmocka_unit_test(test_each_key_is_taken_once),
        cmocka_unit_test(test_a_copied_generation_is_none),
        cmocka_unit_test(test_a_wiped_or_null_generation_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
