/* Tests: the key schedule against the independent implementation in tests/vectors/schedule.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/schedule.h"
#include "hex.h"
#include "vectors/schedule_answers.h"

/* The inputs of one case and what must follow from them, in hex. */
struct answers {
    uint8_t mode;
    uint32_t epoch;
    const char *route;
    const char *identity;
    const char *ikm;
    const char *header;
    const char *salt;
    const char *claim_key;
    const char *claim;
    const char *binding;
    struct {
        uint32_t generation;
        const char *chain;
        const char *branch[3]; /* by fer_branch */
    } steps[5];
};

#define STEP(p, g)                                    \
    {                                                 \
        g, p##_CHAIN_##g,                             \
        {                                             \
            p##_UP_##g, p##_BACKLOG_##g, p##_DOWN_##g \
        }                                             \
    }
#define ANSWERS(p)                                                                   \
    {                                                                                \
        p##_MODE, p##_EPOCH, p##_ROUTE, p##_IDENTITY, p##_IKM, p##_HEADER, p##_SALT, \
            p##_CLAIM_KEY, p##_CLAIM, p##_BINDING,                                   \
        {                                                                            \
            STEP(p, 0), STEP(p, 1), STEP(p, 255), STEP(p, 256), STEP(p, 299)         \
        }                                                                            \
    }

static const struct answers pump = ANSWERS(PUMP);
static const struct answers longest = ANSWERS(LONGEST);
static const struct answers session = ANSWERS(SESSION);

static void start_case(const struct answers *a, fer_chain *chain, fer_claim_key *claim)
{
    uint8_t identity[FER_HASH_BYTES];
    uint8_t ikm[96];
    uint8_t salt[FER_HASH_BYTES];
    size_t identity_length = hex_decode(a->identity, identity, sizeof identity);
    size_t ikm_length = hex_decode(a->ikm, ikm, sizeof ikm);

    fer_schedule_id_salt(a->mode, a->epoch, identity, identity_length, salt);
    assert_hex_equal(salt, sizeof salt, a->salt);
    fer_schedule_root(salt, ikm, ikm_length, chain, claim);
}

static void check_case(const struct answers *a)
{
    fer_chain chain;
    fer_claim_key claim;
    fer_record_key key;
    uint32_t generation = 0;

    start_case(a, &chain, &claim);
    assert_hex_equal(claim.secret.bytes, FER_SECRET_BYTES, a->claim_key);
    for (size_t i = 0; i < sizeof a->steps / sizeof a->steps[0]; i++) {
        while (generation < a->steps[i].generation) {
            fer_schedule_next(&chain, generation++);
        }
        assert_hex_equal(chain.secret.bytes, FER_SECRET_BYTES, a->steps[i].chain);
        for (unsigned b = 0; b < 3; b++) {
            fer_schedule_branch(&chain, generation, (fer_branch)b, &key);
            assert_hex_equal(key.secret.bytes, FER_SECRET_BYTES, a->steps[i].branch[b]);
        }
    }
}

static void check_claim(const struct answers *a)
{
    fer_chain chain;
    fer_claim_key claim;
    uint8_t header[32];
    uint8_t out[5] = {0, 0, 0, 0, 0x77};
    size_t n = hex_decode(a->header, header, sizeof header);

    start_case(a, &chain, &claim);
    fer_schedule_claim(&claim, header, n, out);
    assert_hex_equal(out, 4, a->claim);
    assert_int_equal(out[4], 0x77);
}

static void check_binding(const struct answers *a)
{
    fer_chain chain;
    fer_claim_key claim;
    uint8_t hardware[FER_HASH_BYTES + 8];
    uint8_t out[FER_BINDING_BYTES + 1] = {0};
    size_t n = hex_decode(a->route, hardware, sizeof hardware);

    n += hex_decode(a->identity, hardware + n, sizeof hardware - n);
    start_case(a, &chain, &claim);
    out[FER_BINDING_BYTES] = 0x77;
    fer_schedule_binding(&claim, hardware, n, out);
    assert_hex_equal(out, FER_BINDING_BYTES, a->binding);
    assert_int_equal(out[FER_BINDING_BYTES], 0x77);
}

static void test_provisioned(void **state)
{
    (void)state;
    check_case(&pump);
}

static void test_longest_identity_and_highest_epoch(void **state)
{
    (void)state;
    check_case(&longest);
}

static void test_session_from_long_key_material(void **state)
{
    (void)state;
    check_case(&session);
}

static void test_claims(void **state)
{
    (void)state;
    check_claim(&pump);
    check_claim(&longest);
    check_claim(&session);
}

static void test_bindings(void **state)
{
    (void)state;
    check_binding(&pump);
    check_binding(&longest);
    check_binding(&session);
}

/* Wherever the answers came from: what goes into the salt must come out of it. */
static void test_salt_depends_on_each_input(void **state)
{
    (void)state;
    const uint8_t identity[] = {'a', 'b', 0};
    uint8_t salts[6][FER_HASH_BYTES];
    fer_schedule_id_salt(FER_MODE_PROVISIONED, 1, identity, 2, salts[0]);
    fer_schedule_id_salt(FER_MODE_SESSION, 1, identity, 2, salts[1]);
    fer_schedule_id_salt(FER_MODE_PROVISIONED, 256, identity, 2, salts[2]);
    fer_schedule_id_salt(FER_MODE_PROVISIONED, 0x01000000, identity, 2, salts[3]);
    fer_schedule_id_salt(FER_MODE_PROVISIONED, 1, identity, 1, salts[4]);
    fer_schedule_id_salt(FER_MODE_PROVISIONED, 1, identity, 3, salts[5]);
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(salts[i], salts[j], FER_HASH_BYTES);
        }
    }
}

/* The generation is part of each derivation: the same chain key under another number differs. */
static void test_steps_depend_on_the_generation(void **state)
{
    (void)state;
    const uint32_t generations[] = {0, 1, 0x100, 0x10000, 0x1000000, 0xFFFFFFFE};
    fer_chain chains[6];
    fer_record_key keys[6];
    for (size_t i = 0; i < 6; i++) {
        memset(&chains[i], 0x11, sizeof chains[i]);
        fer_schedule_branch(&chains[i], generations[i], FER_BRANCH_UP, &keys[i]);
        fer_schedule_next(&chains[i], generations[i]);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(&chains[i], &chains[j], sizeof chains[i]);
            assert_memory_not_equal(&keys[i], &keys[j], sizeof keys[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_provisioned),
        cmocka_unit_test(test_longest_identity_and_highest_epoch),
        cmocka_unit_test(test_session_from_long_key_material),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_bindings),
        cmocka_unit_test(test_salt_depends_on_each_input),
        cmocka_unit_test(test_steps_depend_on_the_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
