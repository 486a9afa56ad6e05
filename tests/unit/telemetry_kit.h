/* What the tests of telemetry share: a visitor that keeps what it is told, and a queue of readings
 * to encode. */
#ifndef TELEMETRY_KIT_H
#define TELEMETRY_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ferrule/telemetry.h"

/* ---- what a decode delivered ------------------------------------------------------------ */

enum { KEPT = 300 };

typedef struct delivery {
    fer_reading readings[KEPT];
    fer_time_base bases[KEPT];
    size_t count;
    fer_event event;
    fer_health health;
    fer_slice raw;
    fer_series series;
    fer_receipt receipt;
    fer_command command;
    fer_result result;
    uint32_t unknown;
    unsigned events, healths, raws, descriptions, receipts, commands, results, unknowns;
} delivery;

static inline void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    delivery *d = context;
    assert_true(d->count < KEPT);
    d->bases[d->count] = base;
    d->readings[d->count++] = *reading;
}

static inline void on_event(void *context, const fer_event *event)
{
    delivery *d = context;
    d->event = *event;
    d->events++;
}

static inline void on_health(void *context, const fer_health *health)
{
    delivery *d = context;
    d->health = *health;
    d->healths++;
}

static inline void on_raw(void *context, fer_slice raw)
{
    delivery *d = context;
    d->raw = raw;
    d->raws++;
}

static inline void on_series(void *context, const fer_series *series)
{
    delivery *d = context;
    d->series = *series;
    d->descriptions++;
}

static inline void on_receipt(void *context, const fer_receipt *receipt)
{
    delivery *d = context;
    d->receipt = *receipt;
    d->receipts++;
}

static inline void on_command(void *context, const fer_command *command)
{
    delivery *d = context;
    d->command = *command;
    d->commands++;
}

static inline void on_result(void *context, const fer_result *result)
{
    delivery *d = context;
    d->result = *result;
    d->results++;
}

static inline void on_unknown(void *context, uint32_t field)
{
    delivery *d = context;
    d->unknown = field;
    d->unknowns++;
}

static delivery got; /* of the last decode */

static inline fer_status decode(const uint8_t *bytes, size_t n)
{
    const fer_telemetry_visitor visitor = {on_reading, on_event,   on_health, on_raw,     on_series,
                                           on_receipt, on_command, on_result, on_unknown, &got};
    memset(&got, 0, sizeof got);
    return fer_telemetry_decode(bytes, n, &visitor);
}

static inline void assert_nothing(void)
{
    static const delivery nothing;
    assert_memory_equal(&got, &nothing, sizeof got);
}

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static inline uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- queues of readings ----------------------------------------------------------------- */

static fer_queued_reading queue[KEPT];
static size_t queued;

static inline void enqueue_bits(uint16_t series, int64_t time, uint64_t bits, fer_time_base base)
{
    fer_reading reading;
    memset(&reading, 0, sizeof reading);
    reading.series = series;
    reading.time_ms = time;
    reading.value = from_bits(bits);
    assert_true(queued < KEPT);
    assert_int_equal(fer_reading_pack(&reading, base, &queue[queued++]), FER_OK);
}

static inline void enqueue(uint16_t series, int64_t time, double value)
{
    enqueue_bits(series, time, bits_of(value), FER_TIME_UNIX);
}

static inline fer_reading_ring ring(void)
{
    fer_reading_ring all = {queue, queued, 0, queued};
    return all;
}

static uint8_t wire[8192];
static size_t taken, length;

static inline void encode_all(void)
{
    fer_reading_ring all = ring();
    assert_int_equal(fer_telemetry_encode_readings(&all, wire, sizeof wire, &taken, &length),
                     FER_OK);
    assert_int_equal(taken, queued);
}

static inline int start(void **state)
{
    (void)state;
    queued = 0;
    memset(wire, 0xA5, sizeof wire);
    return 0;
}

/* What was delivered of a series equals what was queued of it, in order and to the bit. */
static inline void assert_same_readings(size_t count)
{
    bool seen[KEPT] = {false};
    assert_int_equal(got.count, count);
    for (size_t i = 0; i < count; i++) {
        fer_reading reading;
        fer_time_base base;
        size_t at = 0;
        fer_reading_unpack(&queue[i], &reading, &base);
        while (at < count && (seen[at] || got.readings[at].series != reading.series)) {
            at++;
        }
        assert_true(at < count);
        seen[at] = true;
        assert_int_equal(got.readings[at].time_ms, reading.time_ms);
        assert_int_equal(got.bases[at], base);
        assert_true(bits_of(got.readings[at].value) == bits_of(reading.value));
    }
}

static inline void round_trip(void)
{
    encode_all();
    assert_int_equal(decode(wire, length), FER_OK);
    assert_same_readings(queued);
}

static inline fer_slice slice_of(const char *text)
{
    fer_slice slice = {(const uint8_t *)text, strlen(text)};
    return slice;
}

static inline void assert_slice(fer_slice slice, const char *text)
{
    assert_int_equal(slice.length, strlen(text));
    assert_memory_equal(slice.bytes, text, slice.length);
}

#endif
