/* Tests: health tests of a noise source: what they let through, what stops them, and for how long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "internal/entropy.h"
#include "internal/poison.h"
#include "random.h"

enum { CLAIM = 4, TAKEN = 64 };

/* A source that can be told what to yield from some sample on. */
static struct source {
    test_random random;
    uint32_t yielded;
    uint32_t stuck_from; /* 0: never */
    uint32_t stuck_for;
    unsigned period;   /* then the samples repeat with it; 0: each is the same */
    unsigned share;    /* of 256 samples, so many are one value */
    int answer;        /* of the next calls */
    uint32_t fails_at; /* the call from which it is given */
    uint32_t calls;
} source;

FER_ARENA(arena, FER_ENTROPY_TEST_SIZE);
static fer_entropy_test *test;
static test_random seed;

static uint8_t next_sample(void)
{
    uint32_t number = source.yielded++;
    uint8_t sample = (uint8_t)test_random_next(&source.random);

    if (source.stuck_from != 0 && number + 1u >= source.stuck_from &&
        number + 1u - source.stuck_from < source.stuck_for) {
        return (uint8_t)(source.period == 0 ? 0x5A : number % source.period);
    }
    return (test_random_next(&source.random) & 255u) < source.share ? 0x77 : sample;
}

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++) {
        out[i] = next_sample();
    }
    return ++source.calls >= source.fails_at && source.fails_at != 0 ? source.answer : FER_PORT_OK;
}

static const struct fer_entropy_ops ops = {fill};

static void make(uint8_t claim)
{
    const fer_entropy_test_config config = {{&ops, NULL}, claim};

    fer_entropy_test_close(&test);
    assert_int_equal(fer_arena_rewind(&arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_entropy_test_create(&arena, &config, &test), FER_OK);
}

static int setup(void **state)
{
    (void)state;
    memset(&source, 0, sizeof source);
    source.random = seed;
    make(CLAIM);
    return 0;
}

static int draw(uint8_t *out, size_t n)
{
    fer_entropy port = fer_entropy_test_get_port(test);

    return port.ops->fill(port.context, out, n);
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
    uint8_t any = 0;

    for (size_t i = 0; i < n; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

/* ---- a good source ---------------------------------------------------------------------- */

static void a_good_source_is_passed_on(void **state)
{
    uint8_t out[TAKEN];
    uint8_t want[TAKEN];
    struct source twin;

    (void)state;
    assert_int_equal(fer_entropy_test_start(test), FER_OK);
    assert_int_equal(source.yielded, FER_ENTROPY_START);
    assert_int_equal(fer_entropy_test_start(test), FER_OK); /* once */
    assert_int_equal(source.yielded, FER_ENTROPY_START);
    twin = source;
    assert_int_equal(draw(out, sizeof out), FER_PORT_OK);
    source = twin;
    (void)fill(NULL, want, sizeof want);
    assert_memory_equal(out, want, sizeof out);
}

static void the_first_draw_starts(void **state)
{
    uint8_t out[TAKEN];

    (void)state;
    assert_int_equal(draw(out, sizeof out), FER_PORT_OK);
    assert_int_equal(source.yielded, FER_ENTROPY_START + TAKEN);
    assert_int_equal(draw(out, 1), FER_PORT_OK);
    assert_int_equal(source.yielded, FER_ENTROPY_START + TAKEN + 1);
}

static void a_good_source_goes_on_passing(void **state)
{
    uint8_t out[1000];

    (void)state;
    make(7); /* 8 bits are claimed by nothing real, a generator that is not perfect among them */
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(draw(out, sizeof out), FER_PORT_OK);
    }
}

/* ---- a bad one -------------------------------------------------------------------------- */

/* A run of one less than the cutoff passes, the cutoff itself fails: at start-up and later. */
static void runs_fail_at_the_cutoff(void **state)
{
    static const uint32_t from[] = {1, 300, FER_ENTROPY_START + 20};

    for (uint8_t claim = 1; claim <= 8; claim++) {
        for (unsigned i = 0; i < 3; i++) {
            uint32_t cutoff = fer_entropy_run_cutoff(claim);

            for (uint32_t n = cutoff - 1u; n <= cutoff; n++) {
                uint8_t out[TAKEN + 8];

                setup(state);
                source.random.state = 7; /* no 0x5A beside the run */
                make(claim);
                source.stuck_from = from[i];
                source.stuck_for = n;
                int want = n < cutoff ? FER_PORT_OK : FER_PORT_FAILED;
                assert_int_equal(draw(out, sizeof out), want);
            }
        }
    }
}

static void a_stuck_source_never_starts(void **state)
{
    uint8_t out[TAKEN];

    (void)state;
    source.stuck_from = 1;
    source.stuck_for = UINT32_MAX;
    assert_int_equal(fer_entropy_test_start(test), FER_TROUBLE_ENTROPY);
    assert_true(source.yielded <= 64);
    memset(out, 0xA5, sizeof out);
    assert_int_equal(draw(out, sizeof out), FER_PORT_FAILED);
    assert_true(is_zero(out, sizeof out));
}

/* For good: a source that recovers is not believed, and not even asked (CLOSED). */
static void a_failure_stays(void **state)
{
    uint8_t out[TAKEN];

    (void)state;
    assert_int_equal(draw(out, sizeof out), FER_PORT_OK);
    source.stuck_from = source.yielded + 1u;
    source.stuck_for = TAKEN;
    memset(out, 0xA5, sizeof out);
    assert_int_equal(draw(out, sizeof out), FER_PORT_FAILED);
    assert_true(is_zero(out, sizeof out));
    uint32_t yielded = source.yielded;
    assert_int_equal(draw(out, sizeof out), FER_PORT_FAILED);
    assert_int_equal(fer_entropy_test_start(test), FER_TROUBLE_ENTROPY);
    assert_int_equal(source.yielded, yielded);
    make(CLAIM);
    assert_int_equal(draw(out, sizeof out), FER_PORT_OK);
}

/* A value that comes too often, seldom in long runs: the proportion, in some window that begins
 * with it. */
static void a_biased_source_fails(void **state)
{
    uint8_t out[FER_ENTROPY_WINDOW];
    unsigned windows = 0;

    (void)state;
    source.share = 100; /* of 256: below 1.4 bits of min-entropy; 4 are claimed */
    while (windows < 100 && draw(out, sizeof out) == FER_PORT_OK) {
        windows++;
    }
    assert_true(windows < 100);
    make(1); /* for who claims no more it is good enough */
    for (windows = 0; windows < 100; windows++) {
        assert_int_equal(draw(out, sizeof out), FER_PORT_OK);
    }
}

/* Two values by turns: half of all are the window's first, though no two in a row are equal. */
static void a_short_cycle_fails(void **state)
{
    (void)state;
    source.stuck_from = 1;
    source.stuck_for = UINT32_MAX;
    source.period = 2;
    assert_int_equal(fer_entropy_test_start(test), FER_TROUBLE_ENTROPY);
}

/* ---- a source that fails or waits ------------------------------------------------------- */

static void a_failing_source_is_a_status(void **state)
{
    uint8_t out[TAKEN];

    (void)state;
    source.fails_at = 3;
    source.answer = FER_PORT_FAILED;
    assert_int_equal(fer_entropy_test_start(test), FER_TROUBLE_ENTROPY);
    memset(out, 0xA5, sizeof out);
    assert_int_equal(draw(out, sizeof out), FER_PORT_FAILED);
    assert_true(is_zero(out, sizeof out));
    source.fails_at = 0; /* the port's failure is not the test's: it may pass */
    assert_int_equal(draw(out, sizeof out), FER_PORT_OK);
}

static void not_now_goes_on_where_it_stopped(void **state)
{
    uint8_t out[TAKEN];

    (void)state;
    source.fails_at = 3;
    source.answer = FER_PORT_NOT_NOW;
    assert_int_equal(fer_entropy_test_start(test), FER_NOT_NOW);
    assert_int_equal(draw(out, sizeof out), FER_PORT_NOT_NOW);
    source.fails_at = 0;
    uint32_t yielded = source.yielded;
    assert_int_equal(fer_entropy_test_start(test), FER_OK);
    assert_true(source.yielded - yielded < FER_ENTROPY_START);
}

/* ---- the numbers ------------------------------------------------------------------------ */

/* P(X >= least) for 512 samples of which each hits with 2^-H: the terms one after another. */
static double tail(unsigned claim, unsigned least)
{
    const double p = 1.0 / (1u << claim);
    double term = 1;
    double sum = 0;

    for (unsigned i = 0; i < FER_ENTROPY_WINDOW; i++) {
        term *= 1 - p;
    }
    for (unsigned k = 0; k <= FER_ENTROPY_WINDOW; k++) {
        sum += k >= least ? term : 0;
        term *= p / (1 - p) * (FER_ENTROPY_WINDOW - k) / (k + 1.0);
    }
    return sum;
}

static void cutoffs_are_those_of_the_standard(void **state)
{
    const double alpha = 1.0 / (1u << 30);

    (void)state;
    for (unsigned claim = 1; claim <= 8; claim++) {
        unsigned cutoff = fer_entropy_window_cutoff(claim);

        assert_true(tail(claim, cutoff) <= alpha);
        assert_true(tail(claim, cutoff - 1) > alpha);
        assert_true(claim * (fer_entropy_run_cutoff(claim) - 1u) >= 30);
        assert_true(claim * (fer_entropy_run_cutoff(claim) - 2u) < 30);
    }
}

/* ---- the handle ------------------------------------------------------------------------- */

static void arguments(void **state)
{
    static const struct fer_entropy_ops hollow = {NULL};
    fer_entropy_test_config config = {{&ops, NULL}, CLAIM};
    fer_entropy_test *made = NULL;
    FER_ARENA(space, 2u * FER_ENTROPY_TEST_SIZE);

    (void)state;
    assert_int_equal(fer_entropy_test_create(NULL, &config, &made), FER_ERR_ARENA);
    assert_int_equal(fer_entropy_test_create(&space, NULL, &made), FER_ERR_ARGUMENT);
    assert_int_equal(fer_entropy_test_create(&space, &config, NULL), FER_ERR_ARGUMENT);
    config.min_entropy = 0;
    assert_int_equal(fer_entropy_test_create(&space, &config, &made), FER_ERR_ARGUMENT);
    config.min_entropy = 9;
    assert_int_equal(fer_entropy_test_create(&space, &config, &made), FER_ERR_ARGUMENT);
    config = (fer_entropy_test_config){{&hollow, NULL}, CLAIM};
    assert_int_equal(fer_entropy_test_create(&space, &config, &made), FER_ERR_ARGUMENT);
    config.source.ops = NULL;
    assert_int_equal(fer_entropy_test_create(&space, &config, &made), FER_ERR_ARGUMENT);
    assert_null(made);
    assert_int_equal(
        fer_entropy_test_create(&arena, &(fer_entropy_test_config){{&ops, NULL}, CLAIM}, &made),
        FER_ERR_ARENA);
}

static void a_closed_test_yields_nothing(void **state)
{
    fer_entropy port = fer_entropy_test_get_port(test);
    uint8_t out[TAKEN];

    (void)state;
    fer_entropy_test copy = *test;
    assert_int_equal(fer_entropy_test_start(&copy), FER_ERR_HANDLE);
    assert_null(fer_entropy_test_get_port(&copy).ops);
    fer_entropy_test_close(&test);
    assert_null(test);
    fer_entropy_test_close(&test);
    assert_int_equal(fer_entropy_test_start(test), FER_ERR_HANDLE);
    assert_null(fer_entropy_test_get_port(test).ops);
#ifndef FER_POISON_ON
    memset(out, 0xA5, sizeof out);
    assert_int_equal(port.ops->fill(port.context, out, sizeof out), FER_PORT_FAILED);
    assert_true(is_zero(out, sizeof out));
#else
    (void)port;
    (void)out;
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_good_source_is_passed_on, setup),
        cmocka_unit_test_setup(the_first_draw_starts, setup),
        cmocka_unit_test_setup(a_good_source_goes_on_passing, setup),
        cmocka_unit_test_setup(runs_fail_at_the_cutoff, setup),
        cmocka_unit_test_setup(a_stuck_source_never_starts, setup),
        cmocka_unit_test_setup(a_failure_stays, setup),
        cmocka_unit_test_setup(a_biased_source_fails, setup),
        cmocka_unit_test_setup(a_short_cycle_fails, setup),
        cmocka_unit_test_setup(a_failing_source_is_a_status, setup),
        cmocka_unit_test_setup(not_now_goes_on_where_it_stopped, setup),
        cmocka_unit_test_setup(cutoffs_are_those_of_the_standard, setup),
        cmocka_unit_test_setup(arguments, setup),
        cmocka_unit_test_setup(a_closed_test_yields_nothing, setup),
    };

    seed = test_random_start("entropy");
    return cmocka_run_group_tests_name("entropy", tests, NULL, NULL);
}
