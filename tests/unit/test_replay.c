/* Ferrule tests: replay. Invariant ONCE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ferrule/replay.h"
#include "internal/poison.h"
#include "internal/replay.h"
#include "random.h"

#define LAST (FER_SEQUENCE_END - 1u)

FER_ARENA(arena, FER_REPLAY_SIZE(FER_REPLAY_BITS_MAX));
static fer_replay *window;
static fer_arena_position start;

static void make(uint32_t bits)
{
    assert_int_equal(fer_arena_rewind(&arena, start), FER_OK);
    assert_int_equal(fer_replay_create(&arena, bits, &window), FER_OK);
}

static int set_up(void **state)
{
    (void)state;
    make(64);
    return 0;
}

static uint32_t next(void)
{
    uint32_t value = 77;

    assert_int_equal(fer_replay_get_next(window, &value), FER_OK);
    return value;
}

/* Check and mark give one answer. */
static fer_status offer(uint32_t sequence)
{
    fer_status checked = fer_replay_check(window, sequence);
    fer_status marked = fer_replay_mark(window, sequence);

    assert_int_equal(checked, marked);
    return marked;
}

/* ---- calls --------------------------------------------------------------------------------- */

static void sizes_are_powers_of_two_in_range(void **state)
{
    static const uint32_t wrong[] = {0, 1, 32, 63, 65, 96, 127, 8191, 8193, 16384, 0xFFFFFFFFu};
    fer_replay *made = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(fer_replay_create(&arena, wrong[i], &made), FER_ERR_ARGUMENT);
        assert_null(made);
    }
    for (uint32_t bits = 64; bits <= 8192; bits *= 2) {
        make(bits);
    }
}

static void an_arena_of_the_stated_size_is_enough_and_less_is_not(void **state)
{
    static fer_arena_cell storage[FER_REPLAY_SIZE(128) / 8];
    fer_arena small;
    fer_replay *made = NULL;

    (void)state;
    assert_int_equal(fer_arena_init(&small, storage, sizeof storage / 8), FER_OK);
    assert_int_equal(fer_replay_create(&small, 128, &made), FER_OK);
    fer_arena_close(&small);
    made = NULL;
    assert_int_equal(fer_arena_init(&small, storage, sizeof storage / 8 - 2), FER_OK);
    assert_int_equal(fer_replay_create(&small, 128, &made), FER_ERR_ARENA);
    assert_null(made);
    assert_int_equal(fer_arena_room(&small), sizeof storage - 16);
    assert_int_equal(fer_replay_create(NULL, 128, &made), FER_ERR_ARENA);
    assert_int_equal(fer_replay_create(&small, 64, NULL), FER_ERR_ARGUMENT);
    fer_arena_close(&small);
}

static void null_and_foreign_handles_are_refused(void **state)
{
    uint64_t foreign[4] = {1, 2, 3, 4};
    fer_replay *wrong = (fer_replay *)foreign;
    uint32_t value;

    (void)state;
    assert_int_equal(fer_replay_check(NULL, 1), FER_ERR_HANDLE);
    assert_int_equal(fer_replay_mark(NULL, 1), FER_ERR_HANDLE);
    assert_int_equal(fer_replay_get_next(NULL, &value), FER_ERR_HANDLE);
    assert_int_equal(fer_replay_check(wrong, 1), FER_ERR_HANDLE);
    assert_int_equal(fer_replay_mark(wrong, 1), FER_ERR_HANDLE);
    assert_int_equal(fer_replay_get_next(wrong, &value), FER_ERR_HANDLE);
    assert_int_equal(fer_replay_get_next(window, NULL), FER_ERR_ARGUMENT);
    fer_replay_close(&wrong);
    assert_non_null(wrong);
}

static void a_copy_is_no_handle(void **state)
{
    fer_arena_cell copy[FER_REPLAY_SIZE(64) / 8];

    (void)state;
    memcpy(copy, window, sizeof copy);
    assert_int_equal(fer_replay_check((fer_replay *)copy, 1), FER_ERR_HANDLE);
}

static void closing_nulls_and_clears(void **state)
{
    fer_replay *kept = window;

    (void)state;
    assert_int_equal(offer(5), FER_OK);
    fer_replay_close(&window);
    assert_null(window);
    FER_UNPOISON(kept, FER_REPLAY_SIZE(64));
    assert_int_equal(fer_replay_check(kept, 1), FER_ERR_HANDLE);
    for (size_t i = 0; i < FER_REPLAY_SIZE(64); i++) {
        assert_int_equal(((const uint8_t *)kept)[i], 0);
    }
    fer_replay_close(&window);
    fer_replay_close(NULL);
}

/* ---- the window ---------------------------------------------------------------------------- */

static void a_new_window_has_accepted_nothing(void **state)
{
    (void)state;
    assert_int_equal(next(), 0);
    assert_int_equal(fer_replay_check(window, 0), FER_OK);
    assert_int_equal(fer_replay_check(window, LAST), FER_OK);
}

static void a_number_is_accepted_once(void **state)
{
    (void)state;
    assert_int_equal(offer(0), FER_OK);
    assert_int_equal(offer(0), FER_DROP_REPLAY);
    assert_int_equal(offer(9), FER_OK);
    assert_int_equal(offer(4), FER_OK);
    assert_int_equal(offer(9), FER_DROP_REPLAY);
    assert_int_equal(offer(4), FER_DROP_REPLAY);
    assert_int_equal(offer(0), FER_DROP_REPLAY);
    assert_int_equal(next(), 10);
}

static void checking_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(fer_replay_check(window, 7), FER_OK);
    assert_int_equal(fer_replay_check(window, 7), FER_OK);
    assert_int_equal(next(), 0);
}

static void the_edge_is_exact(void **state)
{
    (void)state;
    for (uint32_t bits = 64; bits <= 8192; bits *= 2) {
        make(bits);
        assert_int_equal(offer(100000), FER_OK);
        assert_int_equal(offer(100000 - bits), FER_DROP_OLD);
        assert_int_equal(offer(100000 - bits + 1), FER_OK);
        assert_int_equal(offer(100000 - bits + 1), FER_DROP_REPLAY);
        assert_int_equal(offer(100001), FER_OK);
        assert_int_equal(offer(100000 - bits + 1), FER_DROP_OLD);
    }
}

static void jumps_of_every_size_forget_what_they_must(void **state)
{
    (void)state;
    for (uint32_t jump = 1; jump < 200; jump++) {
        make(64);
        for (uint32_t i = 0; i < 64; i++) {
            assert_int_equal(offer(1000 + i), FER_OK);
        }
        assert_int_equal(offer(1063 + jump), FER_OK);
        for (uint32_t i = 0; i < 64 + jump; i++) {
            fer_status expected = i < jump ? FER_DROP_OLD : i < 64 ? FER_DROP_REPLAY : FER_OK;

            if (i == 63 + jump) {
                expected = FER_DROP_REPLAY;
            }
            assert_int_equal(fer_replay_check(window, 1000 + i), expected);
        }
    }
}

static void counting_ends_before_the_last_value(void **state)
{
    (void)state;
    assert_int_equal(offer(FER_SEQUENCE_END), FER_DROP_MALFORMED);
    assert_int_equal(next(), 0);
    assert_int_equal(offer(LAST), FER_OK);
    assert_int_equal(next(), FER_SEQUENCE_END);
    assert_int_equal(offer(FER_SEQUENCE_END), FER_DROP_MALFORMED);
    assert_int_equal(offer(LAST), FER_DROP_REPLAY);
    assert_int_equal(offer(LAST - 63), FER_OK);
    assert_int_equal(offer(LAST - 64), FER_DROP_OLD);
    assert_int_equal(offer(0), FER_DROP_OLD);
    assert_int_equal(next(), FER_SEQUENCE_END);
}

static void the_bare_window_and_the_handle_are_one(void **state)
{
    uint32_t bare = 0;
    uint32_t words[2] = {0, 0};
    static const uint32_t numbers[] = {3, 3, 70, 6, 7, 200, 140, 136, 137, LAST, LAST, 200};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_int_equal(fer_window_check(bare, words, 64, numbers[i]),
                         fer_replay_check(window, numbers[i]));
        assert_int_equal(fer_window_mark(&bare, words, 64, numbers[i]),
                         fer_replay_mark(window, numbers[i]));
        assert_int_equal(bare, next());
    }
}

/* ---- properties ---------------------------------------------------------------------------- */

enum { STEPS = 2500 };

/* The naive model remembers every number it accepted. */
typedef struct model {
    uint32_t accepted[STEPS];
    size_t count;
    uint32_t top; /* meaningless while count is 0 */
} model;

static fer_status model_offer(model *m, uint32_t bits, uint32_t sequence)
{
    if (sequence == FER_SEQUENCE_END) {
        return FER_DROP_MALFORMED;
    }
    if (m->count > 0 && (int64_t)sequence <= (int64_t)m->top - (int64_t)bits) {
        return FER_DROP_OLD;
    }
    for (size_t i = 0; i < m->count; i++) {
        if (m->accepted[i] == sequence) {
            return FER_DROP_REPLAY;
        }
    }
    m->top = m->count == 0 || sequence > m->top ? sequence : m->top;
    m->accepted[m->count++] = sequence;
    return FER_OK;
}

static uint32_t choose(test_random *random, const model *m, uint32_t bits, size_t step)
{
    uint32_t top = m->top;

    switch (test_random_below(random, 10)) {
    case 0:
        return m->count == 0 ? 0 : m->accepted[test_random_below(random, (uint32_t)m->count)];
    case 1: /* the edges */
        return top - bits + test_random_below(random, 3) - 1u;
    case 2:
    case 3:
        return top - test_random_below(random, bits * 2u);
    case 4:
        return top + test_random_below(random, bits * 2u);
    case 5:
        return top + bits - 1u + test_random_below(random, 3);
    case 6: /* once in a while far away; in the second half, to the end of numbers */
        if (test_random_below(random, 40) != 0) {
            return top + 1u;
        }
        return step < STEPS / 2 ? top + test_random_below(random, 1u << 24)
                                : FER_SEQUENCE_END - test_random_below(random, bits * 3u);
    default:
        return top + test_random_below(random, 4);
    }
}

static void random_numbers_agree_with_a_set(void **state)
{
    static model m;
    test_random random = test_random_start("replay, model");

    (void)state;
    for (uint32_t bits = 64; bits <= 8192; bits *= 2) {
        unsigned seen[5] = {0};

        memset(&m, 0, sizeof m);
        make(bits);
        for (size_t step = 0; step < STEPS; step++) {
            uint32_t sequence = choose(&random, &m, bits, step);
            fer_status expected = model_offer(&m, bits, sequence);

            assert_int_equal(offer(sequence), expected);
            assert_int_equal(next(), m.count == 0 ? 0 : m.top + 1u);
            seen[expected == FER_OK            ? 0
                 : expected == FER_DROP_OLD    ? 1
                 : expected == FER_DROP_REPLAY ? 2
                                               : 3]++;
        }
        assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
    }
}

#define test(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(sizes_are_powers_of_two_in_range),
        test(an_arena_of_the_stated_size_is_enough_and_less_is_not),
        test(null_and_foreign_handles_are_refused),
        test(a_copy_is_no_handle),
        test(closing_nulls_and_clears),
        test(a_new_window_has_accepted_nothing),
        test(a_number_is_accepted_once),
        test(checking_changes_nothing),
        test(the_edge_is_exact),
        test(jumps_of_every_size_forget_what_they_must),
        test(counting_ends_before_the_last_value),
        test(the_bare_window_and_the_handle_are_one),
        test(random_numbers_agree_with_a_set),
    };

    if (fer_arena_mark(&arena, &start) != FER_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
