/* Device: commands. Each is delivered once and answered, across burns, reboots and sleep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "command_kit.h"

static uint8_t image[FER_IMAGE_BYTES];

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
        DATAGRAM(recorded_commands_die_with_the_generation),
        DATAGRAM(a_burn_keeps_ids_and_answers),
        DATAGRAM(sleep_keeps_the_highest_id),
        STREAM(sleep_keeps_what_the_application_recorded),
        STREAM(sleep_waits_for_what_asks_again),
        STREAM(other_answers_leave_the_known_result),
        STREAM(answers_are_checked),
        DATAGRAM(a_full_queue_says_so),
        DATAGRAM(a_device_that_hears_nothing_answers_nothing),
    };
    return cmocka_run_group_tests_name("device_command", tests, NULL, NULL);
}
