/* Device: commands. Each rule of fer_device_feed for them, and the marks that tell their age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "device_kit.h"

static uint8_t image[FER_IMAGE_BYTES];

/* The reference is the newest record that the peer has opened: what an honest gateway says. */
static fer_status command_of(uint32_t id, uint32_t generation, uint32_t sequence)
{
    static const uint8_t body[] = {'g', 'o'};
    const fer_command command = {id, generation, sequence, {body, sizeof body}};
    uint8_t envelope[64];
    size_t n;
    assert_int_equal(fer_telemetry_encode_command(&command, envelope, sizeof envelope, &n), FER_OK);
    n = answer(envelope, n);
    fer_status status = feed(down_bytes, n);
    assert_int_equal(fed_used, n);
    if (status == FER_OK) {
        assert_int_equal(decode(fed, fed_length), FER_OK);
        assert_int_equal(got.commands, 1);
        assert_int_equal(got.command.id, id);
        assert_int_equal(got.command.body.length, sizeof body);
    } else {
        assert_int_equal(fed_length, 0);
    }
    return status;
}

static fer_status command(uint32_t id)
{
    return command_of(id, opened.generation, opened.sequence);
}

static void send_one(void)
{
    fer_device_record(device, 1, 1.0);
    take_ok();
    while (take_up_to(200) == FER_OK) {
    }
}

/* The one record that waits must be a result. */
static void assert_result(uint32_t id, fer_result_code code)
{
    take_ok();
    assert_int_equal(got.results, 1);
    assert_int_equal(got.result.id, id);
    assert_int_equal(got.result.code, code);
    assert_int_equal(take_up_to(200), FER_EMPTY);
}

/* ---- delivery --------------------------------------------------------------------------- */

static void a_fresh_command_is_delivered(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(command(1), FER_OK);
    assert_int_equal(command(2), FER_OK);
    assert_int_equal(command(70000), FER_OK);
    assert_int_equal(health_now().commands_stale, 0);
    assert_int_equal(health_now().commands_repeated, 0);
}

static void a_stream_goes_on_behind_a_refused_command(void **state)
{
    (void)state;
    uint8_t both[2 * sizeof down_bytes];
    const fer_command stale = {5, opened.generation, 77, {NULL, 0}};
    uint8_t envelope[32];
    size_t n;
    send_one();
    assert_int_equal(fer_telemetry_encode_command(&stale, envelope, sizeof envelope, &n), FER_OK);
    n = answer(envelope, n);
    memcpy(both, down_bytes, n);
    size_t more = answer((const uint8_t *)"", 0);
    memcpy(both + n, down_bytes, more);
    assert_int_equal(feed(both, n + more), FER_OK);
    assert_int_equal(fed_used, n + more);
    assert_int_equal(health_now().commands_stale, 1);
}

static void what_is_no_envelope_is_delivered_as_ever(void **state)
{
    (void)state;
    send_one();
    size_t n = answer(BYTES(0x3A, 0)); /* a command without id */
    assert_int_equal(feed(down_bytes, n), FER_OK);
    assert_int_equal(fed_length, 2);
}

/* Nothing of a refused command is left for the application to find. */
static void a_refused_command_leaves_nothing(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(command(3), FER_OK);
    memset(fed, 0x5A, sizeof fed);
    assert_int_equal(command(3), FER_EMPTY);
    assert_null(memchr(fed, 'g', sizeof fed));
    assert_true(fed[0] == 0 && fed[1] == 0);
}

/* ---- repeated --------------------------------------------------------------------------- */

static void an_id_is_delivered_once(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(command(5), FER_OK);
    assert_int_equal(command(5), FER_EMPTY); /* a fresh seal of the same command */
    assert_int_equal(command(5), FER_EMPTY);
    assert_int_equal(health_now().commands_repeated, 2);
    assert_int_equal(take_up_to(200), FER_EMPTY); /* the application is at it: nothing to say */
    assert_int_equal(command(6), FER_OK);
}

static void a_known_result_is_told_again(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(command(5), FER_OK);
    assert_int_equal(
        fer_device_answer(device, 5, FER_RESULT_REFUSED, (const uint8_t *)"too hot", 7), FER_OK);
    take_ok();
    assert_int_equal(got.results, 1);
    assert_int_equal(got.result.text.length, 7);
    assert_int_equal(command(5), FER_EMPTY);
    assert_result(5, FER_RESULT_REFUSED);
    assert_int_equal(got.result.text.length, 0);
}

static void a_lower_id_is_never_delivered(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(command(5), FER_OK);
    assert_int_equal(command(4), FER_EMPTY);
    assert_result(4, FER_RESULT_UNKNOWN);
}

static void recorded_ids_are_done(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.commands_done = 9;
    boot();
    send_one();
    assert_int_equal(command(9), FER_EMPTY);
    assert_result(9, FER_RESULT_UNKNOWN);
    assert_int_equal(command(8), FER_EMPTY);
    assert_result(8, FER_RESULT_UNKNOWN);
    assert_int_equal(fer_device_answer(device, 9, FER_RESULT_DONE, NULL, 0), FER_OK);
    assert_result(9, FER_RESULT_DONE);
    assert_int_equal(command(9), FER_EMPTY); /* the application said it after its start */
    assert_result(9, FER_RESULT_DONE);
    assert_int_equal(command(10), FER_OK);
}

/* ---- stale ------------------------------------------------------------------------------ */

static void assert_stale(uint32_t id, uint32_t generation, uint32_t sequence)
{
    uint32_t before = health_now().commands_stale;
    assert_int_equal(command_of(id, generation, sequence), FER_EMPTY);
    assert_int_equal(health_now().commands_stale, before + 1);
    take_ok(); /* though nothing waited: a fresh reference */
    assert_int_equal(got.healths, 1);
    assert_int_equal(got.health.commands_stale, before + 1);
    assert_result(id, FER_RESULT_STALE);
}

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

/* ---- reboots and sleep ------------------------------------------------------------------ */

static void recorded_commands_die_with_the_generation(void **state)
{
    (void)state;
    send_one();
    const fer_command first = {1, opened.generation, opened.sequence, {NULL, 0}};
    uint8_t envelope[32], recorded[sizeof down_bytes];
    size_t n;
    assert_int_equal(fer_telemetry_encode_command(&first, envelope, sizeof envelope, &n), FER_OK);
    n = answer(envelope, n); /* the attacker records it, and withholds it */
    memcpy(recorded, down_bytes, n);
    fer_device_close(&device);
    boot();
    assert_int_equal(feed(recorded, n), FER_EMPTY); /* no generation is open yet */
    send_one();
    assert_int_equal(feed(recorded, n), FER_EMPTY);
    assert_int_equal(health_now().inbound_rejected, 2);
    assert_int_equal(health_now().commands_stale, 0); /* it did not even open */
    assert_int_equal(command(1), FER_OK);
}

static void a_burn_keeps_ids_and_answers(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.burn_records = 4;
    config.burn_backoff_ms = 0;
    boot();
    send_one();
    assert_int_equal(command(7), FER_OK);
    assert_int_equal(fer_device_answer(device, 7, FER_RESULT_DONE, NULL, 0), FER_OK);
    uint32_t generation = opened.generation;
    while (opened.generation < generation + 2) {
        send_one();
    }
    assert_int_equal(command(7), FER_EMPTY);
    assert_result(7, FER_RESULT_DONE);
    assert_int_equal(command(8), FER_OK);
}

static void sleep_keeps_the_highest_id(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(command(7), FER_OK);
    uint32_t reference = opened.sequence;
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    clock_ms = 5; /* a clock that starts anew */
    boot();
    assert_int_equal(fer_device_resume(device, image), FER_OK);
    assert_int_equal(command_of(7, opened.generation, reference), FER_EMPTY);
    assert_result(7, FER_RESULT_UNKNOWN);
    /* How old a record from before the sleep is, nobody knows. */
    assert_stale(8, opened.generation, reference);
    assert_int_equal(command(8), FER_OK);
}

static void sleep_keeps_what_the_application_recorded(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.commands_done = 20;
    boot();
    send_one();
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    config.commands_done = 0;
    boot();
    assert_int_equal(fer_device_resume(device, image), FER_OK);
    send_one();
    assert_int_equal(command(20), FER_EMPTY);
    assert_int_equal(command(21), FER_OK);
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

/* What waits for a stale command must go out before a sleep, as all that waits. */
static void sleep_waits_for_what_asks_again(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(command_of(1, opened.generation, 99), FER_EMPTY);
    assert_int_equal(fer_device_suspend(&device, image), FER_ERR_ORDER);
    while (take_up_to(200) == FER_OK) {
    }
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    boot();
}

/* What the library says of other ids does not make it forget what the application said. */
static void other_answers_leave_the_known_result(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(command(5), FER_OK);
    assert_int_equal(fer_device_answer(device, 5, FER_RESULT_FAILED, NULL, 0), FER_OK);
    assert_result(5, FER_RESULT_FAILED);
    assert_int_equal(command(4), FER_EMPTY);
    assert_result(4, FER_RESULT_UNKNOWN);
    assert_stale(6, opened.generation, 99);
    assert_int_equal(command(5), FER_EMPTY);
    assert_result(5, FER_RESULT_FAILED);
}

/* ---- answers ---------------------------------------------------------------------------- */

static void answers_are_checked(void **state)
{
    (void)state;
    static uint8_t text[FER_COMMAND_MAX + 1];
    assert_int_equal(fer_device_answer(NULL, 1, FER_RESULT_DONE, NULL, 0), FER_ERR_HANDLE);
    assert_int_equal(fer_device_answer(device, 0, FER_RESULT_DONE, NULL, 0), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_answer(device, 1, (fer_result_code)5, NULL, 0), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_answer(device, 1, FER_RESULT_STALE, NULL, 0), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_answer(device, 1, FER_RESULT_DONE, NULL, 1), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_answer(device, 1, FER_RESULT_DONE, text, sizeof text),
                     FER_ERR_ARGUMENT);
    assert_int_equal(locked, 0);
    assert_int_equal(take_up_to(200), FER_EMPTY);
}

static void a_full_queue_says_so(void **state)
{
    (void)state;
    static uint8_t text[FER_COMMAND_MAX];
    send_one();
    assert_int_equal(command(1), FER_OK);
    assert_int_equal(fer_device_answer(device, 1, FER_RESULT_DONE, text, 1024), FER_OK);
    assert_int_equal(fer_device_answer(device, 1, FER_RESULT_FAILED, text, 1024), FER_NOT_NOW);
    assert_int_equal(health_now().messages_dropped, 1);
    assert_int_equal(take_up_to(1200), FER_OK);
    assert_int_equal(command(1), FER_EMPTY);
    assert_result(1, FER_RESULT_DONE); /* what was queued is what is known */
}

static void a_device_that_hears_nothing_answers_nothing(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.inbound = 0;
    config.commands_done = 3;
    boot();
    send_one();
    assert_int_equal(fer_device_answer(device, 1, FER_RESULT_DONE, NULL, 0), FER_ERR_ORDER);
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    boot();
    assert_int_equal(fer_device_resume(device, image), FER_OK);
}

#define STREAM(test) cmocka_unit_test_setup_teardown(test, start_stream, stop)
#define DATAGRAM(test) cmocka_unit_test_setup_teardown(test, start_datagram, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(a_fresh_command_is_delivered),
        STREAM(a_stream_goes_on_behind_a_refused_command),
        DATAGRAM(what_is_no_envelope_is_delivered_as_ever),
        DATAGRAM(a_refused_command_leaves_nothing),
        STREAM(an_id_is_delivered_once),
        STREAM(a_known_result_is_told_again),
        STREAM(a_lower_id_is_never_delivered),
        DATAGRAM(recorded_ids_are_done),
        STREAM(too_many_records_make_a_command_stale),
        DATAGRAM(age_makes_a_command_stale),
        DATAGRAM(marks_are_exact_to_half),
        STREAM(another_generation_or_a_later_number_is_stale),
        DATAGRAM(the_rules_can_be_switched_off),
        STREAM(a_failing_clock_makes_commands_stale),
        DATAGRAM(recorded_commands_die_with_the_generation),
        DATAGRAM(a_burn_keeps_ids_and_answers),
        DATAGRAM(sleep_keeps_the_highest_id),
        STREAM(sleep_keeps_what_the_application_recorded),
        STREAM(sleep_waits_for_what_asks_again),
        DATAGRAM(a_small_link_asks_again),
        STREAM(other_answers_leave_the_known_result),
        STREAM(answers_are_checked),
        DATAGRAM(a_full_queue_says_so),
        DATAGRAM(a_device_that_hears_nothing_answers_nothing),
    };
    return cmocka_run_group_tests_name("device_command", tests, NULL, NULL);
}
