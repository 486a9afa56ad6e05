/* Tests: the replay window against Mbed TLS's cases for DTLS, whose window is 64 numbers wide.
 *
 * DTLS counts in 48 bits and Ferrule in 32. Verdicts depend on differences only, so each case whose
 * numbers do not fit is moved down as a whole, to the start, the middle and the end of our range.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferrule/replay.h"
#include "vectors/json_file.h"

#define LAST (FER_SEQUENCE_END - 1u)

FER_ARENA(arena, FER_REPLAY_SIZE(64));
static cJSON *file;

typedef struct span {
    uint64_t lowest;
    uint64_t highest;
} span;

static uint64_t counter_of(const cJSON *step)
{
    return strtoull(json_file_text(step, "counter"), NULL, 10);
}

static const cJSON *steps_of(const cJSON *sequence)
{
    return cJSON_GetObjectItemCaseSensitive(sequence, "steps");
}

static span span_of(const cJSON *sequence)
{
    span found = {UINT64_MAX, 0};
    const cJSON *step;

    cJSON_ArrayForEach(step, steps_of(sequence))
    {
        uint64_t counter = counter_of(step);

        found.lowest = counter < found.lowest ? counter : found.lowest;
        found.highest = counter > found.highest ? counter : found.highest;
    }
    assert_true(found.highest - found.lowest < LAST);
    return found;
}

/* Runs a case with its lowest number at `at`; returns how many steps it had. */
static size_t run(const cJSON *sequence, uint64_t lowest, uint64_t at)
{
    fer_arena_position start;
    fer_replay *window;
    const cJSON *step;
    size_t ran = 0;

    assert_int_equal(fer_arena_mark(&arena, &start), FER_OK);
    assert_int_equal(fer_replay_create(&arena, 64, &window), FER_OK);
    cJSON_ArrayForEach(step, steps_of(sequence))
    {
        uint32_t number = (uint32_t)(counter_of(step) - lowest + at);
        const cJSON *accept = cJSON_GetObjectItemCaseSensitive(step, "accept");
        fer_status status = fer_replay_mark(window, number);

        assert_true(cJSON_IsBool(accept));
        if ((status == FER_OK) != (cJSON_IsTrue(accept) != 0)) {
            fail_msg("%s: number %" PRIu32 " gave 0x%02x", json_file_text(sequence, "name"), number,
                     (unsigned)status);
        }
        ran++;
    }
    assert_int_equal(ran, json_file_integer(sequence, "n_steps"));
    fer_replay_close(&window);
    assert_int_equal(fer_arena_rewind(&arena, start), FER_OK);
    return ran;
}

static void every_case_gets_its_verdicts(void **state)
{
    const cJSON *sequence;
    size_t cases = 0;
    size_t steps = 0;

    (void)state;
    cJSON_ArrayForEach(sequence, cJSON_GetObjectItemCaseSensitive(file, "sequences"))
    {
        span s = span_of(sequence);

        assert_int_equal(json_file_integer(sequence, "positions_in_window"), 64);
        if (s.highest <= LAST) {
            steps += run(sequence, s.lowest, s.lowest);
        }
        steps += run(sequence, s.lowest, 0);
        steps += run(sequence, s.lowest, UINT32_C(0x80000000));
        steps += run(sequence, s.lowest, LAST - (s.highest - s.lowest));
        cases++;
    }
    print_message("%zu cases, %zu verdicts\n", cases, steps);
    assert_int_equal(cases, 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_gets_its_verdicts),
    };
    int failed;

    file = json_file_load("replay/mbedtls_dtls.json");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    cJSON_Delete(file);
    return failed;
}
