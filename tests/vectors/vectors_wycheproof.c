/* Tests: the crypto contract against Project Wycheproof's cases for ChaCha20-Poly1305, HMAC-SHA256,
 * HKDF-SHA256 and X25519, a backend's admission test. Every case of a file is either run or counted
 * as skipped with the reason; the two add up to what the file says it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "crypto/curve.h"
#include "vectors/json_file.h"

enum { TEXT_MAX = 2048, OKM_MAX = 255 * FER_HASH_BYTES };

struct tally {
    long ran;
    long skipped;
    long failed;
};

/* Runs one case; false where the contract cannot express it. */
typedef bool run_case(const cJSON *group, const cJSON *item, struct tally *tally);

static void check(bool holds, const cJSON *item, const char *what, struct tally *tally)
{
    if (!holds) {
        print_error("case %ld (%s): %s\n", json_file_integer(item, "tcId"),
                    json_file_text(item, "comment"), what);
        tally->failed++;
    }
}

static bool is_valid(const cJSON *item)
{
    const char *result = json_file_text(item, "result");

    assert_true(strcmp(result, "valid") == 0 || strcmp(result, "invalid") == 0);
    return strcmp(result, "valid") == 0;
}

static void run_file(const char *name, long expected_skips, run_case *run)
{
    cJSON *file = json_file_load(name);
    struct tally tally = {0, 0, 0};
    const cJSON *group;
    const cJSON *item;

    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(file, "testGroups"))
    {
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(group, "tests"))
        {
            if (run(group, item, &tally)) {
                tally.ran++;
            } else {
                tally.skipped++;
            }
        }
    }
    print_message("%s: %ld ran, %ld skipped, %ld failed\n", name, tally.ran, tally.skipped,
                  tally.failed);
    assert_int_equal(tally.ran + tally.skipped, json_file_integer(file, "numberOfTests"));
    assert_int_equal(tally.skipped, expected_skips);
    assert_int_equal(tally.failed, 0);
    cJSON_Delete(file);
}

/* ---- ChaCha20-Poly1305 ------------------------------------------------------------------- */

static bool is_filled(const uint8_t *bytes, uint8_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static bool run_aead(const cJSON *group, const cJSON *item, struct tally *tally)
{
    fer_secret key;
    uint8_t nonce[FER_NONCE_BYTES];
    uint8_t ad[TEXT_MAX];
    uint8_t msg[TEXT_MAX];
    uint8_t sealed[TEXT_MAX];
    uint8_t out[TEXT_MAX];

    if (json_file_integer(group, "ivSize") != 8 * FER_NONCE_BYTES) {
        return false; /* RFC 8439 knows 96-bit nonces only, and so does the contract */
    }
    assert_int_equal(json_file_hex(item, "key", key.bytes, sizeof key.bytes), sizeof key.bytes);
    assert_int_equal(json_file_hex(item, "iv", nonce, sizeof nonce), sizeof nonce);
    size_t ad_length = json_file_hex(item, "aad", ad, sizeof ad);
    size_t n = json_file_hex(item, "msg", msg, sizeof msg);
    assert_int_equal(json_file_hex(item, "ct", sealed, sizeof sealed), n);
    assert_int_equal(json_file_hex(item, "tag", sealed + n, FER_AEAD_TAG_BYTES),
                     FER_AEAD_TAG_BYTES);
    size_t sealed_length = n + FER_AEAD_TAG_BYTES;

    memset(out, 0xA5, sizeof out);
    fer_status status = fer_crypto_open(&key, nonce, ad, ad_length, sealed, n, out);
    if (!is_valid(item)) {
        check(status == FER_DROP_FORGED, item, "was opened", tally);
        check(is_filled(out, 0, n), item, "left output of a failed open", tally);
        return true;
    }
    check(status == FER_OK && memcmp(out, msg, n) == 0, item, "did not open", tally);
    check(is_filled(out + n, 0xA5, sizeof out - n), item, "wrote too much", tally);
    check(fer_crypto_seal(&key, nonce, ad, ad_length, msg, n, out) == FER_OK &&
              memcmp(out, sealed, sealed_length) == 0,
          item, "sealed otherwise", tally);
    return true;
}

static void test_chacha20_poly1305(void **state)
{
    (void)state;
    run_file("wycheproof/chacha20_poly1305_test.json", 9, run_aead);
}

/* ---- HMAC-SHA256 ------------------------------------------------------------------------- */

static bool run_hmac(const cJSON *group, const cJSON *item, struct tally *tally)
{
    uint8_t key[TEXT_MAX];
    uint8_t msg[TEXT_MAX];
    uint8_t tag[FER_HASH_BYTES];
    uint8_t mac[FER_HASH_BYTES];
    size_t key_length = json_file_hex(item, "key", key, sizeof key);
    size_t n = json_file_hex(item, "msg", msg, sizeof msg);
    size_t tag_length = json_file_hex(item, "tag", tag, sizeof tag);

    assert_int_equal(8 * tag_length, (size_t)json_file_integer(group, "tagSize"));
    /* Every way to cut the message in two must give the same: a and b are one message. */
    for (size_t cut = 0; cut <= n; cut += n / 3 + 1) {
        fer_crypto_mac(key, key_length, msg, cut, msg + cut, n - cut, mac);
        check(fer_crypto_equal(mac, tag, tag_length) == is_valid(item), item, "wrong verdict",
              tally);
    }
    return true;
}

static void test_hmac_sha256(void **state)
{
    (void)state;
    run_file("wycheproof/hmac_sha256_test.json", 0, run_hmac);
}

/* ---- HKDF-SHA256, over the contract's mac and derive --------------------------------------- */

static bool hkdf(const uint8_t *salt, size_t salt_length, const uint8_t *ikm, size_t ikm_length,
                 const uint8_t *info, size_t info_length, uint8_t *okm, size_t n)
{
    fer_secret prk;
    fer_secret block;
    uint8_t in[FER_HASH_BYTES + TEXT_MAX + 1];
    size_t previous = 0;

    if (n > OKM_MAX) {
        return false; /* RFC 5869 section 2.3 */
    }
    fer_crypto_mac(salt, salt_length, ikm, ikm_length, NULL, 0, prk.bytes);
    for (size_t at = 0; at < n; at += FER_HASH_BYTES) {
        memcpy(in + previous, info, info_length);
        in[previous + info_length] = (uint8_t)(at / FER_HASH_BYTES + 1);
        fer_crypto_derive(&block, &prk, in, previous + info_length + 1);
        memcpy(okm + at, block.bytes, n - at < FER_HASH_BYTES ? n - at : FER_HASH_BYTES);
        memcpy(in, block.bytes, FER_HASH_BYTES);
        previous = FER_HASH_BYTES;
    }
    return true;
}

static bool run_hkdf(const cJSON *group, const cJSON *item, struct tally *tally)
{
    uint8_t ikm[TEXT_MAX];
    uint8_t salt[TEXT_MAX];
    uint8_t info[TEXT_MAX];
    uint8_t expected[OKM_MAX];
    uint8_t okm[OKM_MAX];
    size_t ikm_length = json_file_hex(item, "ikm", ikm, sizeof ikm);
    size_t salt_length = json_file_hex(item, "salt", salt, sizeof salt);
    size_t info_length = json_file_hex(item, "info", info, sizeof info);
    size_t n = (size_t)json_file_integer(item, "size");

    (void)group;
    bool made = hkdf(salt, salt_length, ikm, ikm_length, info, info_length, okm, n);
    check(made == is_valid(item), item, "wrong verdict on the length", tally);
    if (made && is_valid(item)) {
        assert_int_equal(json_file_hex(item, "okm", expected, sizeof expected), n);
        check(memcmp(okm, expected, n) == 0, item, "derived otherwise", tally);
    }
    return true;
}

static void test_hkdf_sha256(void **state)
{
    (void)state;
    run_file("wycheproof/hkdf_sha256_test.json", 0, run_hkdf);
}

/* ---- X25519 ------------------------------------------------------------------------------ */

/* All but a product of zero is to be computed, strange points too (RFC 7748 section 5). */
static bool run_x25519(const cJSON *group, const cJSON *item, struct tally *tally)
{
    fer_secret own;
    fer_secret shared;
    uint8_t peer[FER_POINT_BYTES];
    uint8_t expected[FER_POINT_BYTES];

    (void)group;
    assert_int_equal(json_file_hex(item, "private", own.bytes, sizeof own), sizeof own);
    assert_int_equal(json_file_hex(item, "public", peer, sizeof peer), sizeof peer);
    assert_int_equal(json_file_hex(item, "shared", expected, sizeof expected), sizeof expected);
    memset(&shared, 0xA5, sizeof shared);
    fer_status status = fer_crypto_dh(&own, peer, &shared);
    check(status == (is_filled(expected, 0, sizeof expected) ? FER_DROP_FORGED : FER_OK), item,
          "wrong verdict", tally);
    check(memcmp(shared.bytes, expected, sizeof expected) == 0, item, "computed otherwise", tally);
    return true;
}

static void test_x25519(void **state)
{
    (void)state;
    run_file("wycheproof/x25519_test.json", 0, run_x25519);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chacha20_poly1305),
        cmocka_unit_test(test_hmac_sha256),
        cmocka_unit_test(test_hkdf_sha256),
        cmocka_unit_test(test_x25519),
    };
    if (fer_crypto_start() != FER_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
