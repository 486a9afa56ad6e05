/* Telemetry, encoding the other arms: capacity at every size, each refusal. What is encoded is
 * also read back with nanopb's generic decoder over the generated descriptors, so that encoder and
 * decoder cannot agree on a common mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pb_decode.h>
#include <string.h>

#include "ferrule/telemetry.h"
#include "proto/telemetry.pb.h"
#include "telemetry_kit.h"

/* ---- the other arms --------------------------------------------------------------------- */

/* Encodes with `call` at every capacity below what it needs, then at exactly that. */
#define AT_EVERY_CAPACITY(call)                         \
    do {                                                \
        size_t capacity = 0;                            \
        while ((call) == FER_ERR_CAPACITY) {            \
            assert_int_equal(wire[0], 0xA5);            \
            assert_true(length > capacity);             \
            capacity++;                                 \
        }                                               \
        assert_int_equal(length, capacity);             \
        assert_int_equal(wire[capacity], 0xA5);         \
        assert_int_equal(decode(wire, length), FER_OK); \
    } while (0)

static void events_travel(void **state)
{
    (void)state;
    fer_event event = {1700000000123, FER_TIME_UNIX, FER_WARNING, slice_of("door open")};
    AT_EVERY_CAPACITY(fer_telemetry_encode_event(&event, wire, capacity, &length));
    assert_int_equal(got.events, 1);
    assert_int_equal(got.event.time_ms, event.time_ms);
    assert_int_equal(got.event.base, FER_TIME_UNIX);
    assert_int_equal(got.event.severity, FER_WARNING);
    assert_slice(got.event.text, "door open");

    event.base = FER_TIME_BOOT;
    event.time_ms = -5;
    event.text.length = 0;
    assert_int_equal(fer_telemetry_encode_event(&event, wire, sizeof wire, &length), FER_OK);
    assert_int_equal(decode(wire, length), FER_OK);
    assert_int_equal(got.event.time_ms, -5);
    assert_int_equal(got.event.base, FER_TIME_BOOT);
    assert_int_equal(got.event.text.length, 0);
}

static void events_out_of_range_are_refused(void **state)
{
    (void)state;
    static const uint8_t text[FER_TEXT_MAX + 1];
    const fer_event good = {0, FER_TIME_UNIX, FER_ERROR, {text, FER_TEXT_MAX}};
    fer_event event = good;
    assert_int_equal(fer_telemetry_encode_event(&event, wire, sizeof wire, &length), FER_OK);
    event.text.length++;
    assert_int_equal(fer_telemetry_encode_event(&event, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    event = good;
    event.text.bytes = NULL;
    assert_int_equal(fer_telemetry_encode_event(&event, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    event = good;
    event.severity = (fer_severity)4;
    assert_int_equal(fer_telemetry_encode_event(&event, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    event = good;
    event.time_ms = FER_TIME_LIMIT;
    assert_int_equal(fer_telemetry_encode_event(&event, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    event = good;
    event.base = (fer_time_base)2;
    assert_int_equal(fer_telemetry_encode_event(&event, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_encode_event(NULL, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_encode_event(&good, NULL, 10, &length), FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_encode_event(&good, wire, sizeof wire, NULL), FER_ERR_ARGUMENT);
}

static void health_travels(void **state)
{
    (void)state;
    const fer_health health = {UINT64_MAX, 1, UINT32_MAX, 3, 4, 5, 6, 7, 8, 9};
    const fer_health zero = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    AT_EVERY_CAPACITY(fer_telemetry_encode_health(&health, wire, capacity, &length));
    assert_int_equal(got.healths, 1);
    assert_memory_equal(&got.health, &health, offsetof(fer_health, commands_repeated) + 4);

    assert_int_equal(fer_telemetry_encode_health(&zero, wire, sizeof wire, &length), FER_OK);
    assert_int_equal(length, 2);
    assert_int_equal(decode(wire, length), FER_OK);
    assert_int_equal(got.healths, 1);
    assert_int_equal(fer_telemetry_encode_health(NULL, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
}

static void raw_bytes_travel(void **state)
{
    (void)state;
    static uint8_t big[FER_RAW_MAX + 1], out[FER_RAW_MAX + 8];
    fer_slice raw = slice_of("\x01\x02\xFF");
    AT_EVERY_CAPACITY(fer_telemetry_encode_raw(raw, wire, capacity, &length));
    assert_int_equal(got.raws, 1);
    assert_slice(got.raw, "\x01\x02\xFF");

    raw.length = 0;
    assert_int_equal(fer_telemetry_encode_raw(raw, wire, sizeof wire, &length), FER_OK);
    assert_int_equal(decode(wire, length), FER_OK);
    assert_int_equal(got.raws, 1);
    assert_int_equal(got.raw.length, 0);

    raw.bytes = big;
    raw.length = FER_RAW_MAX;
    assert_int_equal(fer_telemetry_encode_raw(raw, out, sizeof out, &length), FER_OK);
    assert_int_equal(decode(out, length), FER_OK);
    raw.length = FER_RAW_MAX + 1;
    assert_int_equal(fer_telemetry_encode_raw(raw, out, sizeof out, &length), FER_ERR_ARGUMENT);
    raw.bytes = NULL;
    raw.length = 1;
    assert_int_equal(fer_telemetry_encode_raw(raw, out, sizeof out, &length), FER_ERR_ARGUMENT);
}

static void series_are_described(void **state)
{
    (void)state;
    fer_series series = {65535, slice_of("température"), slice_of("°C")};
    AT_EVERY_CAPACITY(fer_telemetry_encode_series(&series, wire, capacity, &length));
    assert_int_equal(got.descriptions, 1);
    assert_int_equal(got.series.series, 65535);
    assert_slice(got.series.name, "température");
    assert_slice(got.series.unit, "°C");

    series.unit.bytes = NULL;
    assert_int_equal(fer_telemetry_encode_series(&series, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    series.unit.length = 0;
    series.name.length = FER_TEXT_MAX + 1;
    assert_int_equal(fer_telemetry_encode_series(&series, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_encode_series(NULL, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
}

static void receipts_travel(void **state)
{
    (void)state;
    const fer_receipt receipt = {70000, UINT32_MAX - 1};
    AT_EVERY_CAPACITY(fer_telemetry_encode_receipt(&receipt, wire, capacity, &length));
    assert_int_equal(got.receipts, 1);
    assert_memory_equal(&got.receipt, &receipt, sizeof receipt);
    assert_int_equal(fer_telemetry_encode_receipt(NULL, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
}

static void commands_travel(void **state)
{
    (void)state;
    static uint8_t body[FER_COMMAND_MAX + 1], big[FER_COMMAND_MAX + 32];
    fer_command command = {70000, UINT32_MAX - 1, 3, slice_of("\x01\x02\xFF")};
    AT_EVERY_CAPACITY(fer_telemetry_encode_command(&command, wire, capacity, &length));
    assert_int_equal(got.commands, 1);
    assert_int_equal(got.command.id, 70000);
    assert_int_equal(got.command.generation, UINT32_MAX - 1);
    assert_int_equal(got.command.sequence, 3);
    assert_slice(got.command.body, "\x01\x02\xFF");

    command.body = (fer_slice){body, FER_COMMAND_MAX};
    assert_int_equal(fer_telemetry_encode_command(&command, big, sizeof big, &length), FER_OK);
    assert_int_equal(decode(big, length), FER_OK);
    assert_int_equal(got.command.body.length, FER_COMMAND_MAX);
    command.body.length++;
    assert_int_equal(fer_telemetry_encode_command(&command, big, sizeof big, &length),
                     FER_ERR_ARGUMENT);
    command.body = (fer_slice){NULL, 0};
    assert_int_equal(fer_telemetry_encode_command(&command, big, sizeof big, &length), FER_OK);
    command.id = 0;
    assert_int_equal(fer_telemetry_encode_command(&command, big, sizeof big, &length),
                     FER_ERR_ARGUMENT);
}

static void results_travel(void **state)
{
    (void)state;
    fer_result result = {7, FER_RESULT_UNKNOWN, slice_of("too hot")};
    AT_EVERY_CAPACITY(fer_telemetry_encode_result(&result, wire, capacity, &length));
    assert_int_equal(got.results, 1);
    assert_int_equal(got.result.id, 7);
    assert_int_equal(got.result.code, FER_RESULT_UNKNOWN);
    assert_slice(got.result.text, "too hot");

    result.code = (fer_result_code)(FER_RESULT_UNKNOWN + 1);
    assert_int_equal(fer_telemetry_encode_result(&result, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    result.code = FER_RESULT_DONE;
    result.id = 0;
    assert_int_equal(fer_telemetry_encode_result(&result, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
    result.id = 1;
    result.text.length = FER_COMMAND_MAX + 1;
    assert_int_equal(fer_telemetry_encode_result(&result, wire, sizeof wire, &length),
                     FER_ERR_ARGUMENT);
}

/* ---- against the generated descriptors -------------------------------------------------- */

static void the_generic_decoder_reads_the_other_arms(void **state)
{
    (void)state;
    static ferrule_Envelope envelope;
    const fer_event event = {-77, FER_TIME_BOOT, FER_ERROR, slice_of("hot")};
    const fer_health health = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

    assert_int_equal(fer_telemetry_encode_event(&event, wire, sizeof wire, &length), FER_OK);
    pb_istream_t stream = pb_istream_from_buffer(wire, length);
    assert_true(pb_decode(&stream, ferrule_Envelope_fields, &envelope));
    assert_int_equal(envelope.which_body, ferrule_Envelope_event_tag);
    assert_int_equal(envelope.body.event.which_base, ferrule_Event_boot_ms_tag);
    assert_int_equal(envelope.body.event.base.boot_ms, -77);
    assert_int_equal(envelope.body.event.severity, ferrule_Severity_ERROR);
    assert_int_equal(envelope.body.event.text.size, 3);

    assert_int_equal(fer_telemetry_encode_health(&health, wire, sizeof wire, &length), FER_OK);
    stream = pb_istream_from_buffer(wire, length);
    assert_true(pb_decode(&stream, ferrule_Envelope_fields, &envelope));
    assert_int_equal(envelope.which_body, ferrule_Envelope_health_tag);
    assert_int_equal(envelope.body.health.uptime_ms, 1);
    assert_int_equal(envelope.body.health.generation, 2);
    assert_int_equal(envelope.body.health.readings_dropped, 3);
    assert_int_equal(envelope.body.health.messages_dropped, 4);
    assert_int_equal(envelope.body.health.inbound_rejected, 5);
    assert_int_equal(envelope.body.health.inbound_frames_dropped, 6);
    assert_int_equal(envelope.body.health.records_sealed, 7);
    assert_int_equal(envelope.body.health.burns_delayed, 8);
    assert_int_equal(envelope.body.health.commands_stale, 9);
    assert_int_equal(envelope.body.health.commands_repeated, 10);
}

static void the_generic_decoder_reads_commands_and_results(void **state)
{
    (void)state;
    static ferrule_Envelope envelope;
    const fer_command command = {7, 300, 5, slice_of("go")};
    const fer_result result = {7, FER_RESULT_STALE, slice_of("late")};

    assert_int_equal(fer_telemetry_encode_command(&command, wire, sizeof wire, &length), FER_OK);
    pb_istream_t stream = pb_istream_from_buffer(wire, length);
    assert_true(pb_decode(&stream, ferrule_Envelope_fields, &envelope));
    assert_int_equal(envelope.which_body, ferrule_Envelope_command_tag);
    assert_int_equal(envelope.body.command.id, 7);
    assert_int_equal(envelope.body.command.generation, 300);
    assert_int_equal(envelope.body.command.sequence, 5);
    assert_int_equal(envelope.body.command.body.size, 2);

    assert_int_equal(fer_telemetry_encode_result(&result, wire, sizeof wire, &length), FER_OK);
    stream = pb_istream_from_buffer(wire, length);
    assert_true(pb_decode(&stream, ferrule_Envelope_fields, &envelope));
    assert_int_equal(envelope.which_body, ferrule_Envelope_result_tag);
    assert_int_equal(envelope.body.result.id, 7);
    assert_int_equal(envelope.body.result.code, ferrule_ResultCode_STALE);
    assert_int_equal(envelope.body.result.text.size, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(events_travel, start),
        cmocka_unit_test_setup(events_out_of_range_are_refused, start),
        cmocka_unit_test_setup(health_travels, start),
        cmocka_unit_test_setup(raw_bytes_travel, start),
        cmocka_unit_test_setup(series_are_described, start),
        cmocka_unit_test_setup(receipts_travel, start),
        cmocka_unit_test_setup(commands_travel, start),
        cmocka_unit_test_setup(results_travel, start),
        cmocka_unit_test_setup(the_generic_decoder_reads_the_other_arms, start),
        cmocka_unit_test_setup(the_generic_decoder_reads_commands_and_results, start),
    };
    return cmocka_run_group_tests_name("telemetry", tests, NULL, NULL);
}
