/* Tests: the health tests of a noise source branch and index on no sample (CONSTANT): samples are
 * keys to be. What may be known is the verdict. Runs under valgrind; see secret.h for how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ct/quiet.h"
#include "internal/entropy.h"

static int fill(void *context, uint8_t *out, size_t n)
{
    uint8_t *next = context;

    for (size_t i = 0; i < n; i++) {
        out[i] = (*next)++;
    }
    ct_secret(out, n);
    return FER_PORT_OK;
}

static const struct fer_entropy_ops ops = {fill};

static fer_entropy_test make(void)
{
    fer_entropy_test test;

    memset(&test, 0, sizeof test);
    test.min_entropy = 6;
    return test;
}

static void samples_are_secret(void **state)
{
    fer_entropy_test test = make();
    uint8_t next = 0;
    uint8_t samples[2 * FER_ENTROPY_WINDOW + 10];

    (void)state;
    assert_int_equal(ops.fill(&next, samples, sizeof samples), FER_PORT_OK);
    for (size_t i = 0; i < sizeof samples; i++) {
        fer_entropy_take_sample(&test, samples[i]);
    }
    assert_true(ct_is_tainted(&test.run, sizeof test.run)); /* the secret came that far */
    assert_true(ct_is_tainted(&test.hits, sizeof test.hits));
    assert_true(ct_is_tainted(&test.bad, sizeof test.bad));
    ct_public(&test.bad, sizeof test.bad);
    assert_int_equal(test.bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CT_TEST(samples_are_secret)};

    if (!ct_can_see()) {
        return CT_SKIPPED;
    }
    return cmocka_run_group_tests_name("ct_entropy", tests, NULL, NULL);
}
