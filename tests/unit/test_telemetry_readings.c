/* Telemetry, encoding readings: capacity at every size, doubles to the bit, grouping. What is
 * encoded is also read back with nanopb's generic decoder over the generated descriptors, so that
 * encoder and decoder cannot agree on a common mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pb_decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/telemetry.h"
#include "proto/telemetry.pb.h"
#include "telemetry_kit.h"

/* ---- readings --------------------------------------------------------------------------- */

static void packing_keeps_every_bit(void **state)
{
    (void)state;
    const int64_t times[] = {0, 1, -1, 1700000000000, FER_TIME_LIMIT - 1, 1 - FER_TIME_LIMIT};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        fer_reading reading;
        fer_time_base base;
        queued = 0;
        enqueue_bits(0xFFFF, times[i], 0x8123456789ABCDEFu, FER_TIME_BOOT);
        fer_reading_unpack(&queue[0], &reading, &base);
        assert_int_equal(reading.time_ms, times[i]);
        assert_int_equal(reading.series, 0xFFFF);
        assert_int_equal(base, FER_TIME_BOOT);
        assert_true(bits_of(reading.value) == 0x8123456789ABCDEFu);
    }
}

static void packing_refuses_times_out_of_range(void **state)
{
    (void)state;
    fer_queued_reading out;
    fer_reading reading = {FER_TIME_LIMIT, 1.0, 1};
    assert_int_equal(fer_reading_pack(&reading, FER_TIME_UNIX, &out), FER_ERR_ARGUMENT);
    reading.time_ms = -FER_TIME_LIMIT;
    assert_int_equal(fer_reading_pack(&reading, FER_TIME_UNIX, &out), FER_ERR_ARGUMENT);
    reading.time_ms = INT64_MIN;
    assert_int_equal(fer_reading_pack(&reading, FER_TIME_UNIX, &out), FER_ERR_ARGUMENT);
    reading.time_ms = 0;
    assert_int_equal(fer_reading_pack(&reading, (fer_time_base)2, &out), FER_ERR_ARGUMENT);
    assert_int_equal(fer_reading_pack(NULL, FER_TIME_UNIX, &out), FER_ERR_ARGUMENT);
    assert_int_equal(fer_reading_pack(&reading, FER_TIME_UNIX, NULL), FER_ERR_ARGUMENT);
}

static void smallest_reading_fits_the_smallest_datagram(void **state)
{
    (void)state;
    const uint8_t expected[] = {0x0A, 0x09, 0x1A, 0x07, 0x08, 0x05, 0x35, 0x00, 0x00, 0xAC, 0x41};
    enqueue_bits(5, 0, bits_of(21.5), FER_TIME_BOOT);
    encode_all();
    assert_int_equal(length, sizeof expected);
    assert_memory_equal(wire, expected, sizeof expected);

    queued = 0;
    enqueue_bits(16383, 0, bits_of(21.5), FER_TIME_BOOT);
    encode_all();
    assert_int_equal(length, 12);
    assert_int_equal(decode(wire, length), FER_OK);
    assert_same_readings(1);
}

static void doubles_travel_bit_exact(void **state)
{
    (void)state;
    const uint64_t exact[] = {
        0x0000000000000000u, 0x8000000000000000u, /* zeros */
        0x3FF0000000000000u, 0xC059000000000000u, /* floats */
        0x7FF0000000000000u, 0xFFF0000000000000u, /* infinities */
        0x7FF8000000000000u, 0xFFF8000020000000u, /* quiet NaNs that are floats */
        0x7FF0000020000000u, 0xFFF4000000000000u, /* signalling ones */
        0x47EFFFFFE0000000u, 0x3810000000000000u, /* largest and least normal float */
    };
    const uint64_t wide[] = {
        0x3FB999999999999Au,                      /* 0.1 */
        0x47EFFFFFE0000001u, 0x47F0000000000000u, /* just above the largest float */
        0x380FFFFFE0000000u, 0x36A0000000000000u, /* denormal floats stay doubles */
        0x0000000000000001u, 0x800FFFFFFFFFFFFFu, /* denormal doubles */
        0x7FF0000000000001u, 0x7FF8000010000000u, /* NaNs with more payload than a float has */
        0x0010000000000000u, 0x7FEFFFFFFFFFFFFFu, 0x3FF0000010000000u,
        0x0008000000000000u, 0x0000000020000000u,
    };
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        queued = 0;
        enqueue_bits(1, 0, exact[i], FER_TIME_BOOT);
        round_trip();
        assert_int_equal(length, 11);
    }
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        queued = 0;
        enqueue_bits(1, 0, wide[i], FER_TIME_BOOT);
        round_trip();
        assert_int_equal(length, 15);
    }
}

static void denormal_floats_of_others_are_widened(void **state)
{
    (void)state;
    const struct {
        uint32_t narrow;
        uint64_t wide;
    } cases[] = {{0x00000001u, 0x36A0000000000000u}, {0x80000001u, 0xB6A0000000000000u},
                 {0x007FFFFFu, 0x380FFFFFC0000000u}, {0x00400000u, 0x3800000000000000u},
                 {0x00800000u, 0x3810000000000000u}, {0x7F800001u, 0x7FF0000020000000u},
                 {0x7F7FFFFFu, 0x47EFFFFFE0000000u}, {0x80000000u, 0x8000000000000000u}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t f = cases[i].narrow;
        assert_int_equal(decode(BYTES(0x0A, 7, 0x1A, 5, 0x35, (uint8_t)f, (uint8_t)(f >> 8),
                                      (uint8_t)(f >> 16), (uint8_t)(f >> 24))),
                         FER_OK);
        assert_int_equal(got.count, 1);
        assert_true(bits_of(got.readings[0].value) == cases[i].wide);
    }
}

static void one_wide_value_widens_its_series_alone(void **state)
{
    (void)state;
    enqueue(1, 0, 1.0);
    enqueue(2, 0, 0.1);
    enqueue(1, 0, 2.0);
    enqueue(2, 0, 2.0);
    round_trip();
    /* 2 + base 2 + (2 + id 2 + packed 2 + 8) + (2 + id 2 + packed 2 + 16) */
    assert_int_equal(length, 2 + 2 + 14 + 22);
}

static void constant_steps_become_one_period(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        enqueue(9, 1700000000000 + i * 1000, i);
    }
    round_trip();
    /* envelope 3, base 7, series 3, id 2, period 3, packed 3 + 400 */
    assert_int_equal(length, 3 + 7 + 3 + 2 + 3 + 3 + 400);
}

static void equal_times_take_no_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        enqueue(9, 0, i);
    }
    round_trip();
    assert_int_equal(length, 2 + 2 + 2 + 2 + 2 + 40);
}

static void irregular_and_negative_steps_travel(void **state)
{
    (void)state;
    enqueue(1, 1000, 1);
    enqueue(1, 900, 2);
    enqueue(1, 5000000, 3);
    enqueue(1, FER_TIME_LIMIT - 1, 4);
    enqueue(1, 1 - FER_TIME_LIMIT, 5);
    enqueue(1, -1, 6);
    round_trip();
}

static void a_step_that_breaks_late_is_no_period(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        enqueue(1, i * 10 + (i == 19), i);
    }
    round_trip();
}

static void interleaved_series_are_grouped(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        enqueue((uint16_t)(i % 5), 1000 + i, i);
    }
    round_trip();
    for (size_t i = 1; i < got.count; i++) {
        assert_true(got.readings[i].series >= got.readings[i - 1].series);
    }
}

static void an_envelope_has_one_time_base(void **state)
{
    (void)state;
    enqueue_bits(1, 5, bits_of(1), FER_TIME_BOOT);
    enqueue_bits(1, 6, bits_of(2), FER_TIME_BOOT);
    enqueue_bits(1, 7, bits_of(3), FER_TIME_UNIX);
    enqueue_bits(1, 8, bits_of(4), FER_TIME_BOOT);
    fer_reading_ring all = ring();
    assert_int_equal(fer_telemetry_encode_readings(&all, wire, sizeof wire, &taken, &length),
                     FER_OK);
    assert_int_equal(taken, 2);
    assert_int_equal(decode(wire, length), FER_OK);
    assert_same_readings(2);
}

static void unix_time_zero_is_not_boot_time_zero(void **state)
{
    (void)state;
    enqueue_bits(1, 0, bits_of(1), FER_TIME_UNIX);
    round_trip();
    queued = 0;
    enqueue_bits(1, 0, bits_of(1), FER_TIME_BOOT);
    round_trip();
}

static void a_ring_wraps(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        enqueue(1, i, i);
    }
    const fer_reading_ring wrapped = {queue, 8, 6, 4}; /* 6 7 0 1 */
    assert_int_equal(fer_telemetry_encode_readings(&wrapped, wire, sizeof wire, &taken, &length),
                     FER_OK);
    assert_int_equal(taken, 4);
    assert_int_equal(decode(wire, length), FER_OK);
    assert_int_equal(got.count, 4);
    assert_int_equal(got.readings[1].time_ms, 7);
    assert_int_equal(got.readings[2].time_ms, 0);
}

/* At every capacity: never a byte beyond it, as many readings as fit and not one fewer. */
static void every_capacity_takes_what_fits(void **state)
{
    (void)state;
    size_t whole, before = 0;
    size_t needs[41];
    for (int i = 0; i < 40; i++) {
        enqueue((uint16_t)(i % 3 * 200), 1700000000000 + i * i % 7, i % 2 == 0 ? i : i / 3.0);
    }
    for (size_t n = 1; n <= 40; n++) {
        const fer_reading_ring part = {queue, queued, 0, n};
        assert_int_equal(fer_telemetry_encode_readings(&part, wire, sizeof wire, &taken, &needs[n]),
                         FER_OK);
        assert_true(n == 1 || needs[n] > needs[n - 1]);
    }
    whole = needs[40];
    for (size_t capacity = 0; capacity <= whole + 2; capacity++) {
        fer_reading_ring all = ring();
        memset(wire, 0xA5, sizeof wire);
        fer_status status = fer_telemetry_encode_readings(&all, wire, capacity, &taken, &length);
        if (capacity < needs[1]) {
            assert_int_equal(status, FER_ERR_CAPACITY);
            assert_int_equal(taken, 0);
            assert_int_equal(length, needs[1]);
            assert_int_equal(wire[0], 0xA5);
            continue;
        }
        assert_int_equal(status, FER_OK);
        assert_int_equal(length, needs[taken]);
        assert_true(length <= capacity && taken >= before);
        assert_true(taken == 40 || needs[taken + 1] > capacity);
        assert_int_equal(wire[length], 0xA5);
        assert_int_equal(decode(wire, length), FER_OK);
        assert_same_readings(taken);
        before = taken;
    }
    assert_int_equal(before, 40);
}

static void an_envelope_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < KEPT; i++) {
        enqueue(1, i, i);
    }
    fer_reading_ring all = ring();
    assert_int_equal(fer_telemetry_encode_readings(&all, wire, sizeof wire, &taken, &length),
                     FER_OK);
    assert_int_equal(taken, FER_READINGS_MAX);
}

static void bad_rings_are_refused(void **state)
{
    (void)state;
    fer_reading_ring r = {NULL, 0, 0, 0};
    enqueue(1, 0, 0);
    assert_int_equal(fer_telemetry_encode_readings(&r, wire, sizeof wire, &taken, &length),
                     FER_EMPTY);
    r.count = 1;
    assert_int_equal(fer_telemetry_encode_readings(&r, wire, sizeof wire, &taken, &length),
                     FER_ERR_ARGUMENT);
    r.capacity = 1;
    assert_int_equal(fer_telemetry_encode_readings(&r, wire, sizeof wire, &taken, &length),
                     FER_ERR_ARGUMENT);
    r.base = queue;
    r.first = 1;
    assert_int_equal(fer_telemetry_encode_readings(&r, wire, sizeof wire, &taken, &length),
                     FER_ERR_ARGUMENT);
    r.first = 0;
    assert_int_equal(fer_telemetry_encode_readings(&r, NULL, sizeof wire, &taken, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_encode_readings(&r, wire, sizeof wire, NULL, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_encode_readings(&r, wire, sizeof wire, &taken, NULL),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_encode_readings(NULL, wire, sizeof wire, &taken, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_encode_readings(&r, wire, sizeof wire, &taken, &length), FER_OK);
}

/* ---- against the generated descriptors -------------------------------------------------- */

static void the_generic_decoder_reads_readings(void **state)
{
    (void)state;
    static ferrule_Envelope envelope;
    enqueue(300, 1000, 1.5);
    enqueue(7, 1001, 0.1);
    enqueue(300, 1010, -2.0);
    enqueue(300, 1030, 3.0);
    enqueue(7, 1011, 0.2);
    encode_all();
    pb_istream_t stream = pb_istream_from_buffer(wire, length);
    assert_true(pb_decode(&stream, ferrule_Envelope_fields, &envelope));
    assert_int_equal(envelope.which_body, ferrule_Envelope_readings_tag);
    const ferrule_Readings *readings = &envelope.body.readings;
    assert_int_equal(readings->which_base, ferrule_Readings_unix_ms_tag);
    assert_int_equal(readings->base.unix_ms, 1000);
    assert_int_equal(readings->series_count, 2);
    assert_int_equal(readings->series[0].id, 300);
    assert_int_equal(readings->series[0].narrow_count, 3);
    assert_true(readings->series[0].narrow[1] == -2.0f);
    assert_int_equal(readings->series[0].steps_count, 2);
    assert_int_equal(readings->series[0].steps[1], 20);
    assert_int_equal(readings->series[1].offset, 1);
    assert_int_equal(readings->series[1].period, 10);
    assert_int_equal(readings->series[1].values_count, 2);
    assert_true(readings->series[1].values[1] == 0.2);
}

/* ---- property --------------------------------------------------------------------------- */

static uint64_t random_state;

static uint64_t next_random(void) /* xorshift64* (Vigna) */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

static void enqueue_random(int64_t *time)
{
    uint64_t r = next_random();
    uint64_t bits = next_random();
    if (r % 3 == 0) {
        bits &= ~(uint64_t)0x1FFFFFFF; /* a float, if the exponent is one */
    } else if (r % 3 == 1) {
        bits = bits_of((double)(int64_t)(bits % 2001) - 1000.0);
    }
    *time += (r >> 8) % 4 == 0 ? (int64_t)((r >> 16) % 4096) - 1024 : 1000;
    enqueue_bits((uint16_t)((r >> 32) % 6 * 97), *time, bits, FER_TIME_UNIX);
}

static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    const char *given = getenv("FERRULE_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 20261122u;
    for (unsigned round = 0; round < 2000; round++) {
        random_state = (seed + round) * 0x9E3779B97F4A7C15u | 1u;
        int64_t time = (int64_t)(next_random() % (1u << 30)) * 1024;
        size_t n = 1 + (size_t)(next_random() % 40);
        size_t capacity = (size_t)(next_random() % 500);
        queued = 0;
        while (queued < n) {
            enqueue_random(&time);
        }
        fer_reading_ring all = ring();
        fer_status status = fer_telemetry_encode_readings(&all, wire, capacity, &taken, &length);
        bool good = status == FER_ERR_CAPACITY
                        ? length > capacity && length <= 40
                        : status == FER_OK && length <= capacity && decode(wire, length) == FER_OK;
        if (!good) {
            print_error("failed; rerun with FERRULE_SEED=%llu\n",
                        (unsigned long long)(seed + round));
        }
        assert_true(good);
        if (status == FER_OK) {
            assert_same_readings(taken);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(packing_keeps_every_bit, start),
        cmocka_unit_test_setup(packing_refuses_times_out_of_range, start),
        cmocka_unit_test_setup(smallest_reading_fits_the_smallest_datagram, start),
        cmocka_unit_test_setup(doubles_travel_bit_exact, start),
        cmocka_unit_test_setup(denormal_floats_of_others_are_widened, start),
        cmocka_unit_test_setup(one_wide_value_widens_its_series_alone, start),
        cmocka_unit_test_setup(constant_steps_become_one_period, start),
        cmocka_unit_test_setup(equal_times_take_no_bytes, start),
        cmocka_unit_test_setup(irregular_and_negative_steps_travel, start),
        cmocka_unit_test_setup(a_step_that_breaks_late_is_no_period, start),
        cmocka_unit_test_setup(interleaved_series_are_grouped, start),
        cmocka_unit_test_setup(an_envelope_has_one_time_base, start),
        cmocka_unit_test_setup(unix_time_zero_is_not_boot_time_zero, start),
        cmocka_unit_test_setup(a_ring_wraps, start),
        cmocka_unit_test_setup(every_capacity_takes_what_fits, start),
        cmocka_unit_test_setup(an_envelope_is_bounded, start),
        cmocka_unit_test_setup(bad_rings_are_refused, start),
        cmocka_unit_test_setup(the_generic_decoder_reads_readings, start),
        cmocka_unit_test_setup(what_is_encoded_is_decoded, start),
    };
    return cmocka_run_group_tests_name("telemetry_readings", tests, NULL, NULL);
}
