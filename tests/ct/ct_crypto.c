/* Tests: no branch and no index of crypto, schedule, credential and keychain depends on a secret
 * (CONSTANT). Runs under valgrind; see secret.h for how, verdicts.c for what may be known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ct/quiet.h"
#include "ferrule/provision.h"
#include "internal/credential.h"
#include "internal/keychain.h"

enum { TEXT = 200, CLAIM_AT = 56 };

static const uint8_t nonce[FER_NONCE_BYTES] = {1, 2, 3};
static const uint8_t ad[9] = {4, 5, 6};

static void fill_secret(void *bytes, size_t n, uint8_t value)
{
    memset(bytes, value, n);
    ct_secret(bytes, n);
}

/* ---- does the check itself work? ------------------------------------------------------------ */

static volatile unsigned sink;
static const uint8_t table[256] = {1};

static void test_a_branch_on_a_secret_is_reported(void **state)
{
    (void)state;
    unsigned long before = ct_reports();
    uint8_t secret;
    fill_secret(&secret, 1, 9);
    print_message("two reports on purpose follow:\n");
    if (secret == 9) {
        sink = 1;
    }
    assert_int_equal(ct_reports() - before, 1);
}

static void test_an_index_by_a_secret_is_reported(void **state)
{
    (void)state;
    unsigned long before = ct_reports();
    uint8_t secret;
    fill_secret(&secret, 1, 9);
    sink = table[secret];
    assert_int_equal(ct_reports() - before, 1);
}

/* ---- crypto ------------------------------------------------------------------------------- */

static void seal_and_open(size_t n, bool forge, bool in_place)
{
    fer_secret key;
    uint8_t text[TEXT];
    uint8_t sealed[TEXT + FER_AEAD_TAG_BYTES];
    uint8_t *out = in_place ? sealed : text;

    fill_secret(&key, sizeof key, 0x21);
    fill_secret(text, sizeof text, 0x43);
    fer_status status = fer_crypto_seal(&key, nonce, ad, sizeof ad, text, n, sealed);
    assert_int_equal(status, FER_OK);
    assert_true(ct_is_tainted(sealed, n + FER_AEAD_TAG_BYTES));
    ct_public(sealed, n + FER_AEAD_TAG_BYTES); /* it is sent */
    sealed[n] ^= forge ? 1u : 0u;
    status = fer_crypto_open(&key, nonce, ad, sizeof ad, sealed, n, out);
    assert_int_equal(status, forge ? FER_DROP_FORGED : FER_OK);
    assert_true(n == 0 || ct_is_tainted(out, n) == !forge);
}

static void test_seal_and_open(void **state)
{
    (void)state;
    for (size_t n = 0; n <= TEXT; n++) {
        seal_and_open(n, false, false);
        seal_and_open(n, false, true);
    }
}

static void test_seal_and_refuse(void **state)
{
    (void)state;
    for (size_t n = 0; n <= TEXT; n++) {
        seal_and_open(n, true, false);
        seal_and_open(n, true, true);
    }
}

static void test_mac_and_derive(void **state)
{
    (void)state;
    fer_secret key;
    uint8_t text[TEXT];
    uint8_t mac[FER_HASH_BYTES];
    fill_secret(&key, sizeof key, 0x21);
    fill_secret(text, sizeof text, 0x43);
    for (size_t n = 0; n <= TEXT; n++) {
        fer_crypto_mac_secret(&key, text, n / 2, text + n / 2, n - n / 2, mac);
    }
    fer_crypto_derive(&key, &key, text, 17);
    assert_true(ct_is_tainted(mac, sizeof mac));
    assert_true(ct_is_tainted(&key, sizeof key));
}

static void test_hash_of_a_secret(void **state)
{
    (void)state;
    uint8_t text[TEXT];
    uint8_t hash[FER_HASH_BYTES];
    fill_secret(text, sizeof text, 0x43);
    for (size_t n = 1; n <= TEXT; n++) {
        fer_crypto_hash(text, n, hash);
        assert_true(ct_is_tainted(hash, sizeof hash));
    }
}

static void test_equal_at_every_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i <= FER_HASH_BYTES; i++) {
        uint8_t a[FER_HASH_BYTES];
        uint8_t b[FER_HASH_BYTES];
        memset(b, 7, sizeof b);
        if (i < sizeof b) {
            b[i] = 8;
        }
        fill_secret(a, sizeof a, 7);
        ct_secret(b, sizeof b);
        assert_int_equal(fer_crypto_equal(a, b, sizeof a), i == sizeof b);
    }
}

/* ---- schedule, credential, keychain --------------------------------------------------------- */

static void test_schedule(void **state)
{
    (void)state;
    uint8_t salt[FER_HASH_BYTES] = {3};
    uint8_t ikm[96];
    uint8_t claim32[4];
    uint8_t binding[FER_BINDING_BYTES];
    fer_chain chain;
    fer_claim_key claim;
    fer_record_key key;
    fill_secret(ikm, sizeof ikm, 0x65);
    fer_schedule_root(salt, ikm, sizeof ikm, &chain, &claim);
    fer_schedule_next(&chain, 0);
    for (unsigned b = FER_BRANCH_UP; b <= FER_BRANCH_DOWN; b++) {
        fer_schedule_branch(&chain, 1, (fer_branch)b, &key);
        assert_true(ct_is_tainted(&key, sizeof key));
    }
    fer_schedule_claim(&claim, ad, sizeof ad, claim32);
    assert_true(ct_is_tainted(claim32, sizeof claim32));
    fer_schedule_binding(&claim, ad, sizeof ad, binding);
    assert_true(ct_is_tainted(binding, sizeof binding));
}

/* A credential whose keys, and the check over them, are secret. */
static fer_credential mint_secret(void)
{
    static const uint8_t name[] = {'p', 'u', 'm', 'p'};
    fer_identity who = {7, name, sizeof name, name, 2};
    fer_root_key root;
    fer_credential c;

    fill_secret(&root, sizeof root, 0x87);
    fer_status status = fer_keychain_mint(&root, &who, &c);
    assert_int_equal(status, FER_OK);
    assert_true(ct_is_tainted(c.bytes + CLAIM_AT, sizeof c.bytes - CLAIM_AT));
    assert_false(ct_is_tainted(c.bytes, CLAIM_AT));
    return c;
}

static void test_mint_parse_advance_expand(void **state)
{
    (void)state;
    fer_credential c = mint_secret();
    fer_credential parsed;
    fer_generation g;
    fer_record_key key;
    assert_int_equal(fer_credential_parse(c.bytes, sizeof c.bytes, &parsed), FER_OK);
    assert_int_equal(fer_credential_advance(&parsed), FER_OK);
    assert_int_equal(fer_keychain_expand(&parsed, &g), FER_OK);
    struct fer_generation_body *body = fer_generation_get_body(&g);
    assert_non_null(body);
    assert_true(fer_generation_take_key(body, FER_BRANCH_UP, &key));
    assert_true(ct_is_tainted(&key, sizeof key));
    fer_generation_wipe(&g);
}

static void test_refusing_a_corrupt_credential(void **state)
{
    (void)state;
    for (unsigned at = CLAIM_AT; at < FER_CREDENTIAL_BYTES; at++) {
        fer_credential c = mint_secret();
        fer_credential parsed;
        c.bytes[at] ^= 1u;
        assert_int_equal(fer_credential_parse(c.bytes, sizeof c.bytes, &parsed),
                         FER_DROP_MALFORMED);
    }
}

/* Memory that is never called: the blob is refused before. */
static int never_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context, (void)block, (void)offset, (void)out, (void)n;
    return FER_PORT_FAILED;
}

static int never_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                         size_t n)
{
    (void)context, (void)block, (void)offset, (void)in, (void)n;
    return FER_PORT_FAILED;
}

static void test_refusing_a_binding(void **state)
{
    static const uint8_t chip[] = {1, 2, 3};
    static const fer_nv_geometry geometry = {512, 2, 1, 0xFF, FER_NV_REWRITE};
    static const struct fer_nv_ops ops = {never_read, never_program, NULL, NULL};
    const fer_store_config of_store = {.nv = {&ops, &geometry, NULL}, .policy = FER_STORE_STRICT};
    const fer_provision_config known = {chip, sizeof chip, 1};
    FER_ARENA(arena, FER_STORE_SIZE(1));
    fer_credential c = mint_secret();
    uint8_t blob[FER_BLOB_BYTES];
    fer_store *store = NULL;

    (void)state;
    assert_int_equal(fer_store_create(&arena, &of_store, &store), FER_OK);
    assert_int_equal(fer_provision_bind(&c, chip, sizeof chip, blob), FER_OK);
    assert_true(ct_is_tainted(blob + FER_CREDENTIAL_BYTES, 16));
    for (size_t at = FER_CREDENTIAL_BYTES; at < FER_BLOB_BYTES; at++) {
        blob[at] ^= 1u;
        assert_int_equal(fer_provision(store, &known, blob, sizeof blob), FER_DROP_FORGED);
        blob[at] ^= 1u;
    }
    fer_store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_branch_on_a_secret_is_reported),
        cmocka_unit_test(test_an_index_by_a_secret_is_reported),
        CT_TEST(test_seal_and_open),
        CT_TEST(test_seal_and_refuse),
        CT_TEST(test_mac_and_derive),
        CT_TEST(test_hash_of_a_secret),
        CT_TEST(test_equal_at_every_difference),
        CT_TEST(test_schedule),
        CT_TEST(test_mint_parse_advance_expand),
        CT_TEST(test_refusing_a_corrupt_credential),
        CT_TEST(test_refusing_a_binding),
    };
    if (!ct_can_see()) {
        return CT_SKIPPED;
    }
    return fer_crypto_start() == FER_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
