/* Ferrule: telemetry, encoding. Streams protobuf straight into the caller's buffer with nanopb's
 * primitives: no message structs, no descriptors. A body writes the fields of one message; it runs
 * once on a stream that only counts, for the length prefix, and once for real. */
#include <pb_encode.h>
#include <string.h>

#include "ferrule/telemetry.h"
#include "proto/telemetry.pb.h"

/* ---- queued readings -------------------------------------------------------------------- */

/* words: [0] and [1] the double's bits, low word first; [2] the low 32 bits of the time in 47-bit
 * two's complement, [3] its high 15 bits, then the base in bit 15, then the series. */
enum { BASE_SHIFT = 15, SERIES_SHIFT = 16, TIME_HIGH_MASK = 0x7FFF };

fer_status fer_reading_pack(const fer_reading *reading, fer_time_base base,
                            fer_queued_reading *queued)
{
    if (reading == NULL || queued == NULL || (unsigned)base > FER_TIME_BOOT ||
        reading->time_ms <= -FER_TIME_LIMIT || reading->time_ms >= FER_TIME_LIMIT) {
        return FER_ERR_ARGUMENT;
    }
    uint64_t bits;
    uint64_t time = (uint64_t)reading->time_ms;
    memcpy(&bits, &reading->value, sizeof bits);
    queued->words[0] = (uint32_t)bits;
    queued->words[1] = (uint32_t)(bits >> 32);
    queued->words[2] = (uint32_t)time;
    queued->words[3] = ((uint32_t)(time >> 32) & TIME_HIGH_MASK) | (uint32_t)base << BASE_SHIFT |
                       (uint32_t)reading->series << SERIES_SHIFT;
    return FER_OK;
}

static int64_t get_time(const fer_queued_reading *queued)
{
    uint64_t time = (uint64_t)(queued->words[3] & TIME_HIGH_MASK) << 32 | queued->words[2];
    return (int64_t)(time ^ (uint64_t)FER_TIME_LIMIT) - FER_TIME_LIMIT;
}

static fer_time_base get_base(const fer_queued_reading *queued)
{
    return (queued->words[3] >> BASE_SHIFT & 1u) != 0 ? FER_TIME_BOOT : FER_TIME_UNIX;
}

static uint16_t get_series(const fer_queued_reading *queued)
{
    return (uint16_t)(queued->words[3] >> SERIES_SHIFT);
}

void fer_reading_unpack(const fer_queued_reading *queued, fer_reading *reading, fer_time_base *base)
{
    if (queued == NULL || reading == NULL || base == NULL) {
        return;
    }
    uint64_t bits = (uint64_t)queued->words[1] << 32 | queued->words[0];
    memset(reading, 0, sizeof *reading);
    memcpy(&reading->value, &bits, sizeof bits);
    reading->time_ms = get_time(queued);
    reading->series = get_series(queued);
    *base = get_base(queued);
}

/* Whether a double is a float without loss, and which: integer tests only, for NaN payloads keep
 * their bits and small cores have no FPU. Doubles that would be denormal floats stay doubles. */
static bool get_narrow(const fer_queued_reading *queued, uint32_t *narrow)
{
    uint32_t low = queued->words[0];
    uint32_t high = queued->words[1];
    uint32_t exponent = high >> 20 & 0x7FFu;
    uint32_t mantissa = (high & 0xFFFFFu) << 3 | low >> 29;

    if (exponent == 0x7FFu) {
        exponent = 255;
    } else if (exponent >= 897 && exponent <= 1150) {
        exponent -= 896;
    } else if (exponent != 0 || mantissa != 0) {
        return false;
    }
    *narrow = (high & 0x80000000u) | exponent << 23 | mantissa;
    return (low & 0x1FFFFFFFu) == 0;
}

/* ---- fields ----------------------------------------------------------------------------- */

typedef bool (*fer_body)(pb_ostream_t *stream, const void *item);

/* A message field: tag, length and body. A stream that only counts needs the body just once. */
static bool put_message(pb_ostream_t *stream, uint32_t field, fer_body body, const void *item)
{
    pb_ostream_t size = PB_OSTREAM_SIZING;
    if (!body(&size, item) || !pb_encode_tag(stream, PB_WT_STRING, field) ||
        !pb_encode_varint(stream, size.bytes_written)) {
        return false;
    }
    if (stream->callback == NULL) {
        return pb_write(stream, NULL, size.bytes_written);
    }
    return body(stream, item);
}

static bool put_uint(pb_ostream_t *stream, uint32_t field, uint64_t value)
{
    return value == 0 ||
           (pb_encode_tag(stream, PB_WT_VARINT, field) && pb_encode_varint(stream, value));
}

static bool put_sint(pb_ostream_t *stream, uint32_t field, int64_t value)
{
    return pb_encode_tag(stream, PB_WT_VARINT, field) && pb_encode_svarint(stream, value);
}

static bool put_slice(pb_ostream_t *stream, uint32_t field, fer_slice slice)
{
    return slice.length == 0 || (pb_encode_tag(stream, PB_WT_STRING, field) &&
                                 pb_encode_string(stream, slice.bytes, slice.length));
}

/* The field's number tells the base, and is the same in Readings and Event. */
static bool put_time(pb_ostream_t *stream, fer_time_base base, int64_t time_ms)
{
    if (base == FER_TIME_UNIX) {
        return put_sint(stream, ferrule_Readings_unix_ms_tag, time_ms);
    }
    return time_ms == 0 || put_sint(stream, ferrule_Readings_boot_ms_tag, time_ms);
}

/* ---- readings --------------------------------------------------------------------------- */

typedef struct fer_batch {
    const fer_reading_ring *ring;
    size_t count; /* how many of the first readings */
} fer_batch;

/* One series within a batch. */
typedef struct fer_group {
    fer_batch batch;
    size_t first; /* index of its first reading */
    size_t count;
    int64_t period; /* the first step */
    bool steady;    /* all steps are the first one */
    bool wide;      /* some value is no float */
} fer_group;

static const fer_queued_reading *get_reading(const fer_batch *batch, size_t index)
{
    size_t at = batch->ring->first + index;
    return &batch->ring->base[at < batch->ring->capacity ? at : at - batch->ring->capacity];
}

/* The next reading of the same series after `index`, or the batch's count. */
static size_t find_next(const fer_batch *batch, size_t index)
{
    uint16_t series = get_series(get_reading(batch, index));
    do {
        index++;
    } while (index < batch->count && get_series(get_reading(batch, index)) != series);
    return index;
}

static bool is_first(const fer_batch *batch, size_t index)
{
    size_t at = index;
    uint16_t series = get_series(get_reading(batch, index));
    while (at > 0 && get_series(get_reading(batch, at - 1)) != series) {
        at--;
    }
    return at == 0;
}

static void survey(fer_group *group)
{
    int64_t before = 0;
    uint32_t narrow;

    group->count = 0;
    group->period = 0;
    group->steady = true;
    group->wide = false;
    for (size_t i = group->first; i < group->batch.count; i = find_next(&group->batch, i)) {
        const fer_queued_reading *reading = get_reading(&group->batch, i);
        int64_t now = get_time(reading);
        if (group->count == 1) {
            group->period = now - before;
        } else if (group->count > 1 && now - before != group->period) {
            group->steady = false;
        }
        if (!get_narrow(reading, &narrow)) {
            group->wide = true;
        }
        before = now;
        group->count++;
    }
}

static bool put_steps(pb_ostream_t *stream, const void *item)
{
    const fer_group *group = (const fer_group *)item;
    int64_t before = get_time(get_reading(&group->batch, group->first));
    size_t i = find_next(&group->batch, group->first);

    for (; i < group->batch.count; i = find_next(&group->batch, i)) {
        int64_t now = get_time(get_reading(&group->batch, i));
        if (!pb_encode_svarint(stream, now - before)) {
            return false;
        }
        before = now;
    }
    return true;
}

static bool put_value(pb_ostream_t *stream, const fer_queued_reading *reading, bool wide)
{
    uint32_t narrow = 0;
    if (wide) {
        return pb_encode_fixed32(stream, &reading->words[0]) &&
               pb_encode_fixed32(stream, &reading->words[1]);
    }
    return get_narrow(reading, &narrow) && pb_encode_fixed32(stream, &narrow);
}

/* Packed, but for a single value, which saves the length byte: readers accept both. */
static bool put_values(pb_ostream_t *stream, const fer_group *group)
{
    uint32_t field = ferrule_SeriesReadings_narrow_tag;
    pb_wire_type_t type = PB_WT_32BIT;
    size_t size = 4;

    if (group->wide) {
        field = ferrule_SeriesReadings_values_tag;
        type = PB_WT_64BIT;
        size = 8;
    }
    if (!pb_encode_tag(stream, group->count == 1 ? type : PB_WT_STRING, field) ||
        (group->count > 1 && !pb_encode_varint(stream, group->count * size))) {
        return false;
    }
    for (size_t i = group->first; i < group->batch.count; i = find_next(&group->batch, i)) {
        if (!put_value(stream, get_reading(&group->batch, i), group->wide)) {
            return false;
        }
    }
    return true;
}

static bool put_group(pb_ostream_t *stream, const void *item)
{
    const fer_group *group = (const fer_group *)item;
    const fer_queued_reading *first = get_reading(&group->batch, group->first);
    int64_t offset = get_time(first) - get_time(get_reading(&group->batch, 0));

    if (!put_uint(stream, ferrule_SeriesReadings_id_tag, get_series(first)) ||
        (offset != 0 && !put_sint(stream, ferrule_SeriesReadings_offset_tag, offset))) {
        return false;
    }
    if (!group->steady) {
        if (!put_message(stream, ferrule_SeriesReadings_steps_tag, put_steps, group)) {
            return false;
        }
    } else if (group->period != 0 &&
               !put_sint(stream, ferrule_SeriesReadings_period_tag, group->period)) {
        return false;
    }
    return put_values(stream, group);
}

static bool put_readings(pb_ostream_t *stream, const void *item)
{
    const fer_batch *batch = (const fer_batch *)item;
    const fer_queued_reading *first = get_reading(batch, 0);
    fer_group group;

    group.batch = *batch;
    if (!put_time(stream, get_base(first), get_time(first))) {
        return false;
    }
    for (group.first = 0; group.first < batch->count; group.first++) {
        if (!is_first(batch, group.first)) {
            continue;
        }
        survey(&group);
        if (!put_message(stream, ferrule_Readings_series_tag, put_group, &group)) {
            return false;
        }
    }
    return true;
}

/* ---- the other arms --------------------------------------------------------------------- */

static bool put_event(pb_ostream_t *stream, const void *item)
{
    const fer_event *event = (const fer_event *)item;
    return put_time(stream, event->base, event->time_ms) &&
           put_uint(stream, ferrule_Event_severity_tag, (uint64_t)event->severity) &&
           put_slice(stream, ferrule_Event_text_tag, event->text);
}

static bool put_health(pb_ostream_t *stream, const void *item)
{
    const fer_health *health = (const fer_health *)item;
    const uint32_t counts[] = {
        health->generation,       health->readings_dropped,       health->messages_dropped,
        health->inbound_rejected, health->inbound_frames_dropped, health->records_sealed,
        health->burns_delayed};
    bool ok = put_uint(stream, ferrule_Health_uptime_ms_tag, health->uptime_ms);
    for (uint32_t i = 0; ok && i < sizeof counts / sizeof counts[0]; i++) {
        ok = put_uint(stream, ferrule_Health_generation_tag + i, counts[i]);
    }
    return ok;
}

static bool put_series(pb_ostream_t *stream, const void *item)
{
    const fer_series *series = (const fer_series *)item;
    return put_uint(stream, ferrule_Series_id_tag, series->series) &&
           put_slice(stream, ferrule_Series_name_tag, series->name) &&
           put_slice(stream, ferrule_Series_unit_tag, series->unit);
}

static bool put_receipt(pb_ostream_t *stream, const void *item)
{
    const fer_receipt *receipt = (const fer_receipt *)item;
    return put_uint(stream, ferrule_Receipt_generation_tag, receipt->generation) &&
           put_uint(stream, ferrule_Receipt_sequence_tag, receipt->sequence);
}

static bool put_bytes(pb_ostream_t *stream, const void *item)
{
    const fer_slice *slice = (const fer_slice *)item;
    return slice->length == 0 || pb_write(stream, slice->bytes, slice->length);
}

/* ---- envelopes -------------------------------------------------------------------------- */

static size_t get_size(uint32_t arm, fer_body body, const void *item)
{
    pb_ostream_t size = PB_OSTREAM_SIZING;
    return put_message(&size, arm, body, item) ? size.bytes_written : SIZE_MAX;
}

static fer_status encode(uint32_t arm, fer_body body, const void *item, uint8_t *out,
                         size_t capacity, size_t *length)
{
    if ((out == NULL && capacity > 0) || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *length = get_size(arm, body, item);
    if (*length > capacity) {
        return FER_ERR_CAPACITY;
    }
    pb_ostream_t stream = pb_ostream_from_buffer(out, capacity);
    return put_message(&stream, arm, body, item) ? FER_OK : FER_ERR_ARGUMENT;
}

static bool is_slice(const fer_slice *slice, size_t limit)
{
    return slice->length <= limit && (slice->bytes != NULL || slice->length == 0);
}

/* The longest run of first readings that share the first one's base, up to `limit`. */
static size_t count_same_base(const fer_reading_ring *ring, size_t limit)
{
    fer_batch batch = {ring, 0};
    fer_time_base base = get_base(get_reading(&batch, 0));
    while (batch.count < limit && get_base(get_reading(&batch, batch.count)) == base) {
        batch.count++;
    }
    return batch.count;
}

/* The most readings, at least 1 and at most `high`, whose envelope fits. Sizes grow with the
 * count, so halving finds it: one pass where all fit, at most nine more where not. */
static size_t fit(const fer_reading_ring *ring, size_t high, size_t capacity)
{
    fer_batch batch = {ring, high};
    size_t low = 1;
    while (low < high) {
        if (get_size(ferrule_Envelope_readings_tag, put_readings, &batch) <= capacity) {
            low = batch.count;
        } else {
            high = batch.count - 1;
        }
        batch.count = low + (high - low + 1) / 2;
    }
    return low;
}

fer_status fer_telemetry_encode_readings(const fer_reading_ring *ring, uint8_t *out,
                                         size_t capacity, size_t *taken, size_t *length)
{
    if (ring == NULL || taken == NULL || length == NULL || ring->count > ring->capacity ||
        (ring->count > 0 && (ring->base == NULL || ring->first >= ring->capacity))) {
        return FER_ERR_ARGUMENT;
    }
    *taken = 0;
    *length = 0;
    if (ring->count == 0) {
        return FER_EMPTY;
    }
    size_t most = ring->count < FER_READINGS_MAX ? ring->count : FER_READINGS_MAX;
    if (most > capacity / 4 + 1) {
        most = capacity / 4 + 1; /* no reading takes less than its 4 bytes of value */
    }
    fer_batch batch = {ring, fit(ring, count_same_base(ring, most), capacity)};
    fer_status status =
        encode(ferrule_Envelope_readings_tag, put_readings, &batch, out, capacity, length);
    if (status == FER_OK) {
        *taken = batch.count;
    }
    return status;
}

fer_status fer_telemetry_encode_event(const fer_event *event, uint8_t *out, size_t capacity,
                                      size_t *length)
{
    if (event == NULL || (unsigned)event->base > FER_TIME_BOOT ||
        (unsigned)event->severity > FER_ERROR || !is_slice(&event->text, FER_TEXT_MAX) ||
        event->time_ms <= -FER_TIME_LIMIT || event->time_ms >= FER_TIME_LIMIT) {
        return FER_ERR_ARGUMENT;
    }
    return encode(ferrule_Envelope_event_tag, put_event, event, out, capacity, length);
}

fer_status fer_telemetry_encode_health(const fer_health *health, uint8_t *out, size_t capacity,
                                       size_t *length)
{
    if (health == NULL) {
        return FER_ERR_ARGUMENT;
    }
    return encode(ferrule_Envelope_health_tag, put_health, health, out, capacity, length);
}

fer_status fer_telemetry_encode_raw(fer_slice raw, uint8_t *out, size_t capacity, size_t *length)
{
    if (!is_slice(&raw, FER_RAW_MAX)) {
        return FER_ERR_ARGUMENT;
    }
    return encode(ferrule_Envelope_raw_tag, put_bytes, &raw, out, capacity, length);
}

fer_status fer_telemetry_encode_series(const fer_series *series, uint8_t *out, size_t capacity,
                                       size_t *length)
{
    if (series == NULL || !is_slice(&series->name, FER_TEXT_MAX) ||
        !is_slice(&series->unit, FER_TEXT_MAX)) {
        return FER_ERR_ARGUMENT;
    }
    return encode(ferrule_Envelope_describe_tag, put_series, series, out, capacity, length);
}

fer_status fer_telemetry_encode_receipt(const fer_receipt *receipt, uint8_t *out, size_t capacity,
                                        size_t *length)
{
    if (receipt == NULL) {
        return FER_ERR_ARGUMENT;
    }
    return encode(ferrule_Envelope_receipt_tag, put_receipt, receipt, out, capacity, length);
}
