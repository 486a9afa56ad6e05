/* Telemetry from outside. Invariants: every input gives a status (TOTAL); a malformed one delivers
 * nothing; slices lie inside the input; and what was delivered, encoded again and decoded again, is
 * the same to the bit. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/telemetry.h"

enum { KEPT = FER_READINGS_MAX };

typedef struct delivery {
    fer_queued_reading readings[KEPT];
    size_t count;   /* of readings kept */
    size_t beyond;  /* readings past those */
    unsigned items; /* of any kind */
    uint8_t again[FER_RAW_MAX + 8];
    size_t length; /* of the one other item, encoded again */
} delivery;

static const uint8_t *input;
static size_t input_length;

static void check(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_slice(fer_slice slice)
{
    check(slice.length == 0 ||
          (slice.bytes >= input && slice.bytes + slice.length <= input + input_length));
}

static void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    delivery *d = context;
    d->items++;
    if (d->count == KEPT) {
        d->beyond++;
        return;
    }
    check(fer_reading_pack(reading, base, &d->readings[d->count++]) == FER_OK);
}

static void on_event(void *context, const fer_event *event)
{
    delivery *d = context;
    d->items++;
    check_slice(event->text);
    check(fer_telemetry_encode_event(event, d->again, sizeof d->again, &d->length) == FER_OK);
}

static void on_health(void *context, const fer_health *health)
{
    delivery *d = context;
    d->items++;
    check(fer_telemetry_encode_health(health, d->again, sizeof d->again, &d->length) == FER_OK);
}

static void on_raw(void *context, fer_slice raw)
{
    delivery *d = context;
    d->items++;
    check_slice(raw);
    check(fer_telemetry_encode_raw(raw, d->again, sizeof d->again, &d->length) == FER_OK);
}

static void on_series(void *context, const fer_series *series)
{
    delivery *d = context;
    d->items++;
    check_slice(series->name);
    check_slice(series->unit);
    check(fer_telemetry_encode_series(series, d->again, sizeof d->again, &d->length) == FER_OK);
}

static void on_receipt(void *context, const fer_receipt *receipt)
{
    delivery *d = context;
    d->items++;
    check(fer_telemetry_encode_receipt(receipt, d->again, sizeof d->again, &d->length) == FER_OK);
}

static void on_command(void *context, const fer_command *command)
{
    delivery *d = context;
    d->items++;
    check_slice(command->body);
    check(command->id != 0);
    check(fer_telemetry_encode_command(command, d->again, sizeof d->again, &d->length) == FER_OK);
}

static void on_result(void *context, const fer_result *result)
{
    delivery *d = context;
    d->items++;
    check_slice(result->text);
    check(result->id != 0);
    check(fer_telemetry_encode_result(result, d->again, sizeof d->again, &d->length) == FER_OK);
}

static void on_unknown(void *context, uint32_t field)
{
    delivery *d = context;
    d->items++;
    check(field > 8);
}

static fer_status decode(const uint8_t *bytes, size_t n, delivery *into)
{
    const fer_telemetry_visitor visitor = {on_reading, on_event,   on_health, on_raw,     on_series,
                                           on_receipt, on_command, on_result, on_unknown, into};
    into->count = into->beyond = into->length = into->items = 0;
    input = bytes;
    input_length = n;
    return fer_telemetry_decode(bytes, n, &visitor);
}

/* Readings come back grouped by series: the k-th of a series is the k-th of it again. */
static void check_same_readings(const delivery *before, size_t n, const delivery *after)
{
    bool seen[KEPT] = {false};
    check(after->count == n);
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < n &&
               (seen[at] ||
                (before->readings[i].words[3] ^ after->readings[at].words[3]) >> 16 != 0)) {
            at++;
        }
        check(at < n &&
              memcmp(&before->readings[i], &after->readings[at], sizeof before->readings[i]) == 0);
        seen[at] = true;
    }
}

static void check_readings_again(const delivery *first)
{
    static uint8_t again[8192];
    static delivery second;
    const fer_reading_ring ring = {first->readings, first->count, 0, first->count};
    size_t taken, length;

    check(fer_telemetry_encode_readings(&ring, again, sizeof again, &taken, &length) == FER_OK);
    check(taken == first->count);
    check(decode(again, length, &second) == FER_OK && second.beyond == 0);
    check_same_readings(first, taken, &second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static delivery first, second;
    fer_status status = decode(data, size, &first);

    if (status != FER_OK) {
        check(status == FER_DROP_MALFORMED && first.items == 0);
        return 0;
    }
    if (first.count > 0) {
        check_readings_again(&first);
    }
    if (first.length > 0) {
        check(decode(first.again, first.length, &second) == FER_OK);
        check(second.length == first.length &&
              memcmp(second.again, first.again, first.length) == 0);
    }
    return 0;
}
