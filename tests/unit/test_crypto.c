/* Tests: the crypto contract. Published vectors first, then what the contract adds to them: output
 * of a failed open is zero (FIRST), places of buffers, bounds, equality, wiping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"
#include "hex.h"

enum { LONGEST = 300, GUARD = 0xA5 };

/* One AEAD case, decoded. */
struct aead_case {
    fer_secret key;
    uint8_t nonce[FER_NONCE_BYTES];
    uint8_t ad[32];
    size_t ad_length;
    uint8_t sealed[LONGEST + FER_AEAD_TAG_BYTES];
    size_t n;
};

static struct aead_case decode_case(const char *key, const char *nonce, const char *ad,
                                    const char *ciphertext, const char *tag)
{
    struct aead_case c;

    memset(&c, 0, sizeof c);
    assert_int_equal(hex_decode(key, c.key.bytes, sizeof c.key.bytes), FER_SECRET_BYTES);
    assert_int_equal(hex_decode(nonce, c.nonce, sizeof c.nonce), FER_NONCE_BYTES);
    c.ad_length = hex_decode(ad, c.ad, sizeof c.ad);
    c.n = hex_decode(ciphertext, c.sealed, LONGEST);
    assert_int_equal(hex_decode(tag, c.sealed + c.n, FER_AEAD_TAG_BYTES), FER_AEAD_TAG_BYTES);
    return c;
}

static void check_both_ways(const struct aead_case *c, const char *plaintext)
{
    uint8_t out[LONGEST + FER_AEAD_TAG_BYTES];

    assert_int_equal(strlen(plaintext), c->n);
    assert_int_equal(fer_crypto_open(&c->key, c->nonce, c->ad, c->ad_length, c->sealed, c->n, out),
                     FER_OK);
    assert_memory_equal(out, plaintext, c->n);
    assert_int_equal(fer_crypto_seal(&c->key, c->nonce, c->ad, c->ad_length,
                                     (const uint8_t *)plaintext, c->n, out),
                     FER_OK);
    assert_memory_equal(out, c->sealed, c->n + FER_AEAD_TAG_BYTES);
}

static void test_rfc8439_section_2_8_2(void **state)
{
    (void)state;
    struct aead_case c =
        decode_case("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
                    "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
                    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
                    "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
                    "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
                    "3ff4def08e4b7a9de576d26586cec64b6116",
                    "1ae10b594f09e26a7e902ecbd0600691");
    check_both_ways(&c, "Ladies and Gentlemen of the class of '99: If I could offer you "
                        "only one tip for the future, sunscreen would be it.");
}

static void test_rfc8439_appendix_a_5(void **state)
{
    (void)state;
    struct aead_case c =
        decode_case("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
                    "000000000102030405060708", "f33388860000000000004e91",
                    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
                    "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
                    "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
                    "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
                    "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
                    "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
                    "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
                    "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
                    "a6ad5cb4022b02709b",
                    "eead9d67890cbb22392336fea1851f38");
    check_both_ways(&c,
                    "Internet-Drafts are draft documents valid for a maximum of six months "
                    "and may be updated, replaced, or obsoleted by other documents at any "
                    "time. It is inappropriate to use Internet-Drafts as reference material "
                    "or to cite them other than as /\xE2\x80\x9Cwork in progress./\xE2\x80\x9D");
}

/* ---- AEAD: what the contract adds ---------------------------------------------------------- */

static struct aead_case make_case(size_t n)
{
    struct aead_case c;

    memset(&c, 0, sizeof c);
    for (size_t i = 0; i < sizeof c.key.bytes; i++) {
        c.key.bytes[i] = (uint8_t)(7 * i + n);
    }
    memset(c.nonce, 3, sizeof c.nonce);
    memset(c.ad, 5, sizeof c.ad);
    c.ad_length = 4;
    c.n = n;
    for (size_t i = 0; i < n; i++) {
        c.sealed[i] = (uint8_t)(i ^ 0x5A);
    }
    assert_int_equal(fer_crypto_seal(&c.key, c.nonce, c.ad, c.ad_length, c.sealed, n, c.sealed),
                     FER_OK);
    return c;
}

static void test_seal_in_place_equals_apart(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 130; n++) {
        struct aead_case c = make_case(n);
        uint8_t plain[LONGEST];
        uint8_t out[LONGEST + FER_AEAD_TAG_BYTES];
        for (size_t i = 0; i < n; i++) {
            plain[i] = (uint8_t)(i ^ 0x5A);
        }
        assert_int_equal(fer_crypto_seal(&c.key, c.nonce, c.ad, c.ad_length, plain, n, out),
                         FER_OK);
        assert_memory_equal(out, c.sealed, n + FER_AEAD_TAG_BYTES);
    }
}

/* What a stream cipher is: of whatever length, the beginning is the same, and no
 * block of the key stream comes twice (NONCE). */
static void test_a_shorter_message_is_the_beginning_of_a_longer(void **state)
{
    (void)state;
    const uint8_t plain[LONGEST] = {0};
    struct aead_case c = make_case(0);
    uint8_t longest[LONGEST + FER_AEAD_TAG_BYTES];
    uint8_t out[LONGEST + FER_AEAD_TAG_BYTES];
    assert_int_equal(fer_crypto_seal(&c.key, c.nonce, NULL, 0, plain, LONGEST, longest), FER_OK);
    for (size_t n = 0; n < LONGEST; n++) {
        assert_int_equal(fer_crypto_seal(&c.key, c.nonce, NULL, 0, plain, n, out), FER_OK);
        assert_memory_equal(out, longest, n);
    }
    for (size_t i = 64; i + 64 <= LONGEST; i += 64) {
        assert_memory_not_equal(longest + i, longest, 64);
    }
}

static void test_open_apart_and_in_place_at_every_length(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 130; n++) {
        struct aead_case c = make_case(n);
        uint8_t out[LONGEST + 1];
        memset(out, GUARD, sizeof out);
        assert_int_equal(fer_crypto_open(&c.key, c.nonce, c.ad, c.ad_length, c.sealed, n, out),
                         FER_OK);
        assert_int_equal(fer_crypto_open(&c.key, c.nonce, c.ad, c.ad_length, c.sealed, n, c.sealed),
                         FER_OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(out[i], (uint8_t)(i ^ 0x5A));
            assert_int_equal(c.sealed[i], out[i]);
        }
        assert_int_equal(out[n], GUARD);
    }
}

static void refuse_apart_and_in_place(struct aead_case *c)
{
    uint8_t out[LONGEST];

    memset(out, GUARD, sizeof out);
    assert_int_equal(fer_crypto_open(&c->key, c->nonce, c->ad, c->ad_length, c->sealed, c->n, out),
                     FER_DROP_FORGED);
    assert_all_bytes(out, c->n, 0);
    assert_all_bytes(out + c->n, sizeof out - c->n, GUARD);
    assert_int_equal(
        fer_crypto_open(&c->key, c->nonce, c->ad, c->ad_length, c->sealed, c->n, c->sealed),
        FER_DROP_FORGED);
    assert_all_bytes(c->sealed, c->n, 0);
}

/* Flips each bit of `n` bytes at `offset` of a good case; every one must be refused, FIRST. */
static void refuse_each_flip(size_t offset, size_t n)
{
    for (size_t bit = 0; bit < 8 * n; bit++) {
        struct aead_case c = make_case(33);
        ((uint8_t *)&c)[offset + bit / 8] ^= (uint8_t)(1u << bit % 8);
        refuse_apart_and_in_place(&c);
    }
}

static void test_open_refuses_any_flip_of_ciphertext_or_tag(void **state)
{
    (void)state;
    refuse_each_flip(offsetof(struct aead_case, sealed), 33 + FER_AEAD_TAG_BYTES);
}

static void test_open_refuses_any_flip_of_key(void **state)
{
    (void)state;
    refuse_each_flip(offsetof(struct aead_case, key), FER_SECRET_BYTES);
}

static void test_open_refuses_any_flip_of_nonce(void **state)
{
    (void)state;
    refuse_each_flip(offsetof(struct aead_case, nonce), FER_NONCE_BYTES);
}

static void test_open_refuses_any_flip_of_associated_data(void **state)
{
    (void)state;
    refuse_each_flip(offsetof(struct aead_case, ad), 4);
}

static void test_open_refuses_other_lengths(void **state)
{
    (void)state;
    struct aead_case c = make_case(33);
    c.n = 32;
    refuse_apart_and_in_place(&c);
    c = make_case(33);
    c.n = 34;
    refuse_apart_and_in_place(&c);
    c = make_case(33);
    c.ad_length = 3;
    refuse_apart_and_in_place(&c);
    c = make_case(0);
    c.sealed[0] ^= 1u;
    refuse_apart_and_in_place(&c);
}

/* libsodium would abort the process far beyond; the contract answers, and touches nothing. */
static void test_too_long_is_an_answer_not_an_abort(void **state)
{
    (void)state;
    struct aead_case c = make_case(16);
    struct aead_case before = c;
    size_t too_long = (size_t)FER_AEAD_MAX + 1;
    assert_int_equal(
        fer_crypto_seal(&c.key, c.nonce, c.ad, c.ad_length, c.sealed, too_long, c.sealed),
        FER_ERR_ARGUMENT);
    assert_int_equal(
        fer_crypto_open(&c.key, c.nonce, c.ad, c.ad_length, c.sealed, SIZE_MAX, c.sealed),
        FER_ERR_ARGUMENT);
    assert_memory_equal(c.sealed, before.sealed, sizeof c.sealed);
}

/* ---- HMAC-SHA256, RFC 4231 ----------------------------------------------------------------- */

static void check_mac(const char *key, const uint8_t *text, size_t n, const char *expected)
{
    uint8_t k[160];
    uint8_t mac[FER_HASH_BYTES];
    size_t key_length = hex_decode(key, k, sizeof k);

    for (size_t cut = 0; cut <= n; cut++) {
        fer_crypto_mac(k, key_length, text, cut, text + cut, n - cut, mac);
        assert_hex_equal(mac, strlen(expected) / 2, expected);
    }
}

static void check_mac_text(const char *key, const char *text, const char *expected)
{
    check_mac(key, (const uint8_t *)text, strlen(text), expected);
}

static void check_mac_fill(const char *key, uint8_t value, size_t n, const char *expected)
{
    uint8_t text[64];

    memset(text, value, n);
    check_mac(key, text, n, expected);
}

#define TEN(x) x x x x x x x x x x
#define KEY_AA_131 TEN(TEN("aa")) TEN("aa") TEN("aa") TEN("aa") "aa"

static void test_rfc4231(void **state)
{
    (void)state;
    check_mac_text(TEN("0b") TEN("0b"), "Hi There",
                   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_mac_text("4a656665", "what do ya want for nothing?",
                   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check_mac_fill(TEN("aa") TEN("aa"), 0xDD, 50,
                   "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    check_mac_fill("0102030405060708090a0b0c0d0e0f10111213141516171819", 0xCD, 50,
                   "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    check_mac_text(TEN("0c") TEN("0c"), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b");
    check_mac_text(KEY_AA_131, "Test Using Larger Than Block-Size Key - Hash Key First",
                   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    check_mac_text(KEY_AA_131,
                   "This is a test using a larger than block-size key and a larger than "
                   "block-size data. The key needs to be hashed before being used by the HMAC "
                   "algorithm.",
                   "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void test_mac_takes_null_for_empty(void **state)
{
    (void)state;
    uint8_t mac[FER_HASH_BYTES];
    const uint8_t text[] = {'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e'};
    uint8_t key[20];
    memset(key, 0x0B, sizeof key);
    const char *expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    fer_crypto_mac(key, sizeof key, text, sizeof text, NULL, 0, mac);
    assert_hex_equal(mac, sizeof mac, expected);
    fer_crypto_mac(key, sizeof key, NULL, 0, text, sizeof text, mac);
    assert_hex_equal(mac, sizeof mac, expected);
}

static void test_mac_secret_is_mac_under_its_bytes(void **state)
{
    (void)state;
    fer_secret key;
    uint8_t one[FER_HASH_BYTES];
    uint8_t other[FER_HASH_BYTES];
    const uint8_t text[] = {1, 2, 3, 4, 5};
    memset(key.bytes, 0x42, sizeof key.bytes);
    fer_crypto_mac_secret(&key, text, 2, text + 2, 3, one);
    fer_crypto_mac(key.bytes, sizeof key.bytes, text, 5, NULL, 0, other);
    assert_memory_equal(one, other, sizeof one);
}

/* ---- HKDF-SHA256, RFC 5869: extract is mac, one block of expand is derive -------------------- */

static void check_hkdf(const char *ikm, const char *salt, const char *info, const char *prk_hex,
                       const char *okm)
{
    uint8_t k[96];
    uint8_t s[96];
    uint8_t in[FER_HASH_BYTES + 96];
    fer_secret prk;
    fer_secret block;
    size_t k_length = hex_decode(ikm, k, sizeof k);
    size_t s_length = hex_decode(salt, s, sizeof s);
    size_t previous = 0;

    fer_crypto_mac(s, s_length, k, k_length, NULL, 0, prk.bytes);
    assert_hex_equal(prk.bytes, sizeof prk.bytes, prk_hex);
    for (uint8_t i = 1; *okm != '\0'; i++) {
        size_t n = previous + hex_decode(info, in + previous, 95);
        in[n] = i;
        fer_crypto_derive(&block, &prk, in, n + 1);
        char part[2 * FER_HASH_BYTES + 1] = {0};
        strncpy(part, okm, sizeof part - 1);
        assert_hex_equal(block.bytes, strlen(part) / 2, part);
        okm += strlen(part);
        memcpy(in, block.bytes, sizeof block.bytes);
        previous = sizeof block.bytes;
    }
}

static void test_rfc5869_appendix_a(void **state)
{
    (void)state;
    check_hkdf(TEN("0b") TEN("0b") "0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
               "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
               "34007208d5b887185865");
    check_hkdf("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
               "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
               "404142434445464748494a4b4c4d4e4f",
               "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
               "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
               "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
               "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
               "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
               "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
               "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
               "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
               "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
               "cc30c58179ec3e87c14c01d5c1f3434f1d87");
    check_hkdf(TEN("0b") TEN("0b") "0b0b", "", "",
               "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
               "9d201395faa4b61a96c8");
}

static void test_derive_in_place_equals_apart(void **state)
{
    (void)state;
    fer_secret key;
    fer_secret apart;
    const uint8_t info[] = {9, 8, 7};
    memset(key.bytes, 0x17, sizeof key.bytes);
    fer_crypto_derive(&apart, &key, info, sizeof info);
    fer_crypto_derive(&key, &key, info, sizeof info);
    assert_memory_equal(&key, &apart, sizeof key);
}

/* ---- SHA-256, FIPS 180-4's published examples ------------------------------------------------ */

static void check_hash(const char *text, const char *expected)
{
    uint8_t hash[FER_HASH_BYTES];

    fer_crypto_hash((const uint8_t *)text, strlen(text), hash);
    assert_hex_equal(hash, sizeof hash, expected);
}

static void test_sha256_examples(void **state)
{
    (void)state;
    check_hash("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hash("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* ---- equality, wiping, starting ------------------------------------------------------------- */

static void test_equal_sees_every_bit(void **state)
{
    (void)state;
    uint8_t a[33];
    uint8_t b[33];
    memset(a, 0x3C, sizeof a);
    for (size_t n = 0; n <= sizeof a; n++) {
        memcpy(b, a, sizeof b);
        assert_true(fer_crypto_equal(a, b, n));
        for (size_t bit = 0; bit < 8 * n; bit++) {
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(fer_crypto_equal(a, b, n));
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        if (n < sizeof a) {
            b[n] ^= 0xFFu;
            assert_true(fer_crypto_equal(a, b, n));
        }
    }
}

static void test_wipe_zeroes_what_it_is_given_and_no_more(void **state)
{
    (void)state;
    uint8_t bytes[40];
    for (size_t n = 0; n <= 32; n++) {
        memset(bytes, GUARD, sizeof bytes);
        fer_wipe(bytes + 4, n);
        assert_all_bytes(bytes, 4, GUARD);
        assert_all_bytes(bytes + 4, n, 0);
        assert_all_bytes(bytes + 4 + n, sizeof bytes - 4 - n, GUARD);
    }
}

static void test_start_is_repeatable(void **state)
{
    (void)state;
    assert_int_equal(fer_crypto_start(), FER_OK);
    assert_int_equal(fer_crypto_start(), FER_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_is_repeatable),
        cmocka_unit_test(test_rfc8439_section_2_8_2),
        cmocka_unit_test(test_rfc8439_appendix_a_5),
        cmocka_unit_test(test_seal_in_place_equals_apart),
        cmocka_unit_test(test_a_shorter_message_is_the_beginning_of_a_longer),
        cmocka_unit_test(test_open_apart_and_in_place_at_every_length),
        cmocka_unit_test(test_open_refuses_any_flip_of_ciphertext_or_tag),
        cmocka_unit_test(test_open_refuses_any_flip_of_key),
        cmocka_unit_test(test_open_refuses_any_flip_of_nonce),
        cmocka_unit_test(test_open_refuses_any_flip_of_associated_data),
        cmocka_unit_test(test_open_refuses_other_lengths),
        cmocka_unit_test(test_too_long_is_an_answer_not_an_abort),
        cmocka_unit_test(test_rfc4231),
        cmocka_unit_test(test_mac_takes_null_for_empty),
        cmocka_unit_test(test_mac_secret_is_mac_under_its_bytes),
        cmocka_unit_test(test_rfc5869_appendix_a),
        cmocka_unit_test(test_derive_in_place_equals_apart),
        cmocka_unit_test(test_sha256_examples),
        cmocka_unit_test(test_equal_sees_every_bit),
        cmocka_unit_test(test_wipe_zeroes_what_it_is_given_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
