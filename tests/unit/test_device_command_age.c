/* Device: commands that come too late, and the marks that tell their age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "command_kit.h"

/* ---- stale ------------------------------------------------------------------------------ */

static void too_many_records_make_a_command_stale(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.stale_records = 10;
    boot();
    send_one();
    uint32_t reference = opened.sequence;
    while (opened.sequence < reference + 9) {
        send_one();
    }
    assert_int_equal(command_of(1, opened.generation, reference), FER_OK); /* the tenth newest */
    send_one();
    assert_stale(2, opened.generation, reference);
    assert_int_equal(command(2), FER_OK); /* issued again with a fresh reference */
}

static void age_makes_a_command_stale(void **state)
{
    (void)state;
    send_one();
    acknowledge(); /* from now on time is marked */
    clock_ms += 5000;
    send_one();
    uint32_t reference = opened.sequence;
    clock_ms += config.stale_ms;
    assert_int_equal(command_of(1, opened.generation, reference), FER_OK);
    clock_ms += 1;
    assert_stale(2, opened.generation, reference);
    assert_int_equal(command(2), FER_OK);
    clock_ms += 40ull * 24 * 3600 * 1000 + 7; /* days of silence */
    assert_stale(3, opened.generation, opened.sequence);
    assert_int_equal(command(3), FER_OK);
}

/* Whatever the pace of records: never older than stale_ms, and always up to half of it. */
static void marks_are_exact_to_half(void **state)
{
    (void)state;
    static uint64_t sealed_ms[4000];
    send_one();
    acknowledge();
    fer_device_close(&device);
    config.stale_ms = 1000;
    config.stale_records = 0;
    boot();
    send_one();
    acknowledge();
    uint32_t id = 0, young = 0, old = 0;
    for (unsigned i = 0; i < 900; i++) {
        clock_ms += i % 7 == 0 ? 290 : i % 31;
        send_one();
        sealed_ms[opened.sequence] = clock_ms;
        clock_ms += i % 90;
        uint32_t back = i * 13 % 40;
        if (back >= opened.sequence) {
            continue;
        }
        uint64_t age = clock_ms - sealed_ms[opened.sequence - back];
        if (sealed_ms[opened.sequence - back] == 0) {
            continue;
        }
        fer_status status = command_of(++id, opened.generation, opened.sequence - back);
        assert_true(status == FER_OK ? age <= 1000 : age > 500);
        young += status == FER_OK;
        old += status == FER_EMPTY;
    }
    assert_true(young > 100 && old > 100);
}

static void another_generation_or_a_later_number_is_stale(void **state)
{
    (void)state;
    send_one();
    send_one();
    assert_stale(1, opened.generation + 1, opened.sequence);
    assert_stale(1, opened.generation, opened.sequence + 1);
    assert_stale(1, opened.generation, UINT32_MAX);
    assert_int_equal(command(1), FER_OK);
}

static void the_rules_can_be_switched_off(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.stale_ms = 0;
    config.stale_records = 0;
    config.health_every = 0;
    boot();
    send_one();
    uint32_t reference = opened.sequence;
    for (unsigned i = 0; i < 600; i++) {
        send_one();
    }
    clock_ms += 10000000;
    assert_int_equal(command_of(1, opened.generation, reference), FER_OK);
}

/* CLOSED: an age that nobody can tell is too old. Without a clock only the count holds. */
static void a_failing_clock_makes_commands_stale(void **state)
{
    (void)state;
    send_one();
    acknowledge();
    send_one();
    clock_answer = FER_PORT_FAILED;
    assert_int_equal(command(1), FER_EMPTY);
    assert_int_equal(health_now().commands_stale, 1);
    clock_answer = FER_PORT_OK;
    take_ok();
    assert_result(1, FER_RESULT_STALE);
    assert_int_equal(command(1), FER_OK);

    fer_device_close(&device);
    clock_answer = FER_PORT_FAILED; /* from the start: every mark says 0, and so does now */
    boot();
    send_one();
    assert_int_equal(command(2), FER_EMPTY);
    assert_int_equal(health_now().commands_stale, 1);
    clock_answer = FER_PORT_OK;

    fer_device_close(&device);
    config.clock.ops = NULL;
    boot();
    send_one();
    assert_int_equal(command(2), FER_OK);
}

/* The smallest link still says that a command came too late, and that asks for it again. */
static void a_small_link_asks_again(void **state)
{
    (void)state;
    fer_device_record(device, 1, 1.0);
    while (take_up_to(200) == FER_OK) {
    }
    acknowledge();
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(command_of(UINT32_MAX - i, opened.generation, 99), FER_EMPTY);
        assert_int_equal(take_up_to(FER_DATAGRAM_MIN + ROUTE), FER_OK);
        while (got.healths != 0) {
            assert_int_equal(take_up_to(FER_DATAGRAM_MIN + ROUTE), FER_OK);
        }
        assert_int_equal(got.result.code, FER_RESULT_STALE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(too_many_records_make_a_command_stale),
        DATAGRAM(age_makes_a_command_stale),
        DATAGRAM(marks_are_exact_to_half),
        STREAM(another_generation_or_a_later_number_is_stale),
        DATAGRAM(the_rules_can_be_switched_off),
        STREAM(a_failing_clock_makes_commands_stale),
        DATAGRAM(a_small_link_asks_again),
    };
    return cmocka_run_group_tests_name("device_command_age", tests, NULL, NULL);
}
