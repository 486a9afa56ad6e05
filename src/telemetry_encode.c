/* Ferrule: telemetry, encoding. Streams protobuf straight into the caller's buffer with nanopb's
 * primitives: no message structs, no descriptors. A body writes the fields of one message; it runs
 * once on a stream that only counts, for the length prefix, and once for real.
 *
 * Nothing is written before its size is known to fit, so that no put_… has an outcome to look at;
 * nanopb holds the bound all the same, and encode() compares in the end. */
#include <pb_encode.h>
#include <string.h>

#include "ferrule/telemetry.h"
#include "proto/telemetry.pb.h"

/* ---- queued readings -------------------------------------------------------------------- */

/* words: [0] and [1] the double's bits, low word first; [2] the low 32 bits of the time in 47-bit
 * two's complement, [3] its high 15 bits, then the base in bit 15, then the series. */
enum { BASE_SHIFT = 15, SERIES_SHIFT = 16, TIME_HIGH_MASK = 0x7FFF, TIME_HIGH_SIGN = 0x4000 };

static bool is_time(int64_t time_ms, fer_time_base base)
{
    return (unsigned)base <= FER_TIME_BOOT && time_ms > -FER_TIME_LIMIT && time_ms < FER_TIME_LIMIT;
}

fer_status fer_reading_pack(const fer_reading *reading, fer_time_base base,
                            fer_queued_reading *queued)
{
    if (reading == NULL || queued == NULL || !is_time(reading->time_ms, base)) {
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
    uint32_t high = ((queued->words[3] & TIME_HIGH_MASK) ^ TIME_HIGH_SIGN) - TIME_HIGH_SIGN;
    return (int64_t)((uint64_t)high << 32 | queued->words[2]);
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

/* Whether a double is a float without loss: integer tests only, for NaN payloads keep their bits
 * and small cores have no FPU. Doubles that would be denormal floats stay doubles. */
static bool is_narrow(const fer_queued_reading *queued)
{
    uint32_t low = queued->words[0];
    uint32_t magnitude = queued->words[1] & 0x7FFFFFFFu;
    uint32_t exponent = magnitude >> 20;

    return (low & 0x1FFFFFFFu) == 0 &&
           (exponent - 897u <= 1150u - 897u || exponent == 0x7FFu || (magnitude | low) == 0);
}

/* That float. Of such a double's exponent the three bits behind the first say nothing new. */
static uint32_t get_narrow(const fer_queued_reading *queued)
{
    uint32_t high = queued->words[1];
    return (high & 0xC0000000u) | ((high << 3 | queued->words[0] >> 29) & 0x3FFFFFFFu);
}

/* ---- fields ----------------------------------------------------------------------------- */

typedef void (*fer_body)(pb_ostream_t *stream, const void *item);

static void put_tag(pb_ostream_t *stream, pb_wire_type_t type, uint32_t field)
{
    (void)!pb_encode_tag(stream, type, field);
}

/* What stands before a field of so many bytes. */
static void put_length(pb_ostream_t *stream, uint32_t field, size_t length)
{
    put_tag(stream, PB_WT_STRING, field);
    (void)!pb_encode_varint(stream, length);
}

/* A message field: tag, length and body. A stream that only counts needs the body just once. */
static void put_message(pb_ostream_t *stream, uint32_t field, fer_body body, const void *item)
{
    pb_ostream_t size = PB_OSTREAM_SIZING;
    body(&size, item);
    put_length(stream, field, size.bytes_written);
    if (stream->callback == NULL) {
        stream->bytes_written += size.bytes_written;
    } else {
        body(stream, item);
    }
}

static void put_uint(pb_ostream_t *stream, uint32_t field, uint64_t value)
{
    if (value != 0) {
        put_tag(stream, PB_WT_VARINT, field);
        (void)!pb_encode_varint(stream, value);
    }
}

static void put_sint(pb_ostream_t *stream, uint32_t field, int64_t value)
{
    put_tag(stream, PB_WT_VARINT, field);
    (void)!pb_encode_svarint(stream, value);
}

static void put_slice(pb_ostream_t *stream, uint32_t field, const fer_slice *slice)
{
    if (slice->length != 0) {
        put_length(stream, field, slice->length);
        (void)!pb_write(stream, slice->bytes, slice->length);
    }
}

/* The field's number tells the base, and is the same in Readings and Event. */
static void put_time(pb_ostream_t *stream, fer_time_base base, int64_t time_ms)
{
    if (base == FER_TIME_UNIX || time_ms != 0) {
        put_sint(stream, ferrule_Readings_unix_ms_tag + (uint32_t)base, time_ms);
    }
}

_Static_assert(ferrule_Readings_boot_ms_tag == ferrule_Readings_unix_ms_tag + FER_TIME_BOOT &&
                   ferrule_Event_unix_ms_tag == ferrule_Readings_unix_ms_tag &&
                   ferrule_Event_boot_ms_tag == ferrule_Readings_boot_ms_tag,
               "a base is its field's distance from the first");

/* ---- readings --------------------------------------------------------------------------- */

typedef struct fer_batch {
    const fer_reading_ring *ring;
    size_t count; /* how many of the first readings */
} fer_batch;

/* One series within a batch. */
typedef struct fer_group {
    const fer_batch *batch;
    size_t first; /* index of its first reading */
    size_t count;
    int64_t period; /* the last step */
    bool uneven;    /* the steps differ */
    bool wide;      /* some value is no float */
} fer_group;

static const fer_queued_reading *get_reading(const fer_batch *batch, size_t index)
{
    size_t at = batch->ring->first + index;
    return &batch->ring->base[at < batch->ring->capacity ? at : at - batch->ring->capacity];
}

/* The index, from `from` on, of a reading of the same series as `like`, or the batch's count. */
static size_t find(const fer_batch *batch, size_t like, size_t from)
{
    uint16_t series = get_series(get_reading(batch, like));
    while (from < batch->count && get_series(get_reading(batch, from)) != series) {
        from++;
    }
    return from;
}

/* Writes the steps of a series, and surveys it on the way. */
static void put_steps(pb_ostream_t *stream, fer_group *group)
{
    int64_t before = 0;

    group->count = 0;
    group->period = 0;
    group->uneven = false;
    group->wide = false;
    for (size_t i = group->first; i < group->batch->count; i = find(group->batch, i, i + 1)) {
        const fer_queued_reading *reading = get_reading(group->batch, i);
        int64_t now = get_time(reading);
        int64_t step = now - before;
        if (group->count == 0) {
            step = 0;
        } else {
            if (group->count > 1 && step != group->period) {
                group->uneven = true;
            }
            (void)!pb_encode_svarint(stream, step);
        }
        if (!is_narrow(reading)) {
            group->wide = true;
        }
        group->period = step;
        before = now;
        group->count++;
    }
}

/* Packed, but for a single value, which saves the length byte: readers accept both. */
static void put_values(pb_ostream_t *stream, const fer_group *group)
{
    size_t size = group->wide ? 8 : 4;
    uint32_t field =
        group->wide ? ferrule_SeriesReadings_values_tag : ferrule_SeriesReadings_narrow_tag;

    if (group->count != 1) {
        put_length(stream, field, group->count * size);
    } else {
        put_tag(stream, group->wide ? PB_WT_64BIT : PB_WT_32BIT, field);
    }
    for (size_t i = group->first; i < group->batch->count; i = find(group->batch, i, i + 1)) {
        const fer_queued_reading *reading = get_reading(group->batch, i);
        uint32_t narrow = get_narrow(reading);
        if (group->wide) {
            (void)!pb_encode_fixed32(stream, &reading->words[0]);
            narrow = reading->words[1];
        }
        (void)!pb_encode_fixed32(stream, &narrow);
    }
}

static void put_group(pb_ostream_t *stream, const void *item)
{
    fer_group group;
    group.batch = ((const fer_group *)item)->batch;
    group.first = ((const fer_group *)item)->first;
    const fer_queued_reading *first = get_reading(group.batch, group.first);
    int64_t offset = get_time(first) - get_time(get_reading(group.batch, 0));
    pb_ostream_t steps = PB_OSTREAM_SIZING;

    put_uint(stream, ferrule_SeriesReadings_id_tag, get_series(first));
    if (offset != 0) {
        put_sint(stream, ferrule_SeriesReadings_offset_tag, offset);
    }
    put_steps(&steps, &group);
    if (group.uneven) {
        put_length(stream, ferrule_SeriesReadings_steps_tag, steps.bytes_written);
        put_steps(stream, &group);
    } else if (group.period != 0) {
        put_sint(stream, ferrule_SeriesReadings_period_tag, group.period);
    }
    put_values(stream, &group);
}

static void put_readings(pb_ostream_t *stream, const void *item)
{
    const fer_batch *batch = (const fer_batch *)item;
    const fer_queued_reading *first = get_reading(batch, 0);
    fer_group group;

    group.batch = batch;
    put_time(stream, get_base(first), get_time(first));
    for (group.first = 0; group.first < batch->count; group.first++) {
        if (find(batch, group.first, 0) == group.first) {
            put_message(stream, ferrule_Readings_series_tag, put_group, &group);
        }
    }
}

/* ---- the other arms --------------------------------------------------------------------- */

static void put_event(pb_ostream_t *stream, const void *item)
{
    const fer_event *event = (const fer_event *)item;
    put_time(stream, event->base, event->time_ms);
    put_uint(stream, ferrule_Event_severity_tag, (uint64_t)event->severity);
    put_slice(stream, ferrule_Event_text_tag, &event->text);
}

/* The counts stand in the order of their fields, without gaps. */
_Static_assert(offsetof(fer_health, commands_repeated) - offsetof(fer_health, generation) ==
                   sizeof(uint32_t) *
                       (ferrule_Health_commands_repeated_tag - ferrule_Health_generation_tag),
               "another count in fer_health needs another field");

static void put_health(pb_ostream_t *stream, const void *item)
{
    const uint8_t *at = (const uint8_t *)item + offsetof(fer_health, generation);
    uint32_t field = ferrule_Health_generation_tag;

    put_uint(stream, ferrule_Health_uptime_ms_tag, ((const fer_health *)item)->uptime_ms);
    for (; field <= ferrule_Health_commands_repeated_tag; field++) {
        uint32_t count;
        memcpy(&count, at, sizeof count);
        put_uint(stream, field, count);
        at += sizeof count;
    }
}

static void put_series(pb_ostream_t *stream, const void *item)
{
    const fer_series *series = (const fer_series *)item;
    put_uint(stream, ferrule_Series_id_tag, series->series);
    put_slice(stream, ferrule_Series_name_tag, &series->name);
    put_slice(stream, ferrule_Series_unit_tag, &series->unit);
}

static void put_receipt(pb_ostream_t *stream, const void *item)
{
    const fer_receipt *receipt = (const fer_receipt *)item;
    put_uint(stream, ferrule_Receipt_generation_tag, receipt->generation);
    put_uint(stream, ferrule_Receipt_sequence_tag, receipt->sequence);
}

static void put_bytes(pb_ostream_t *stream, const void *item)
{
    const fer_slice *slice = (const fer_slice *)item;
    (void)!pb_write(stream, slice->bytes, slice->length);
}

/* ---- envelopes -------------------------------------------------------------------------- */

static size_t get_size(uint32_t arm, fer_body body, const void *item)
{
    pb_ostream_t size = PB_OSTREAM_SIZING;
    put_message(&size, arm, body, item);
    return size.bytes_written;
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
    put_message(&stream, arm, body, item);
    return stream.bytes_written == *length ? FER_OK : FER_ERR_ARGUMENT;
}

static bool is_slice(const fer_slice *slice, size_t limit)
{
    return slice->length <= limit && (slice->bytes != NULL || slice->length == 0);
}

/* How many of the first readings, at most `most`, share the first one's base. */
static size_t count_same_base(const fer_reading_ring *ring, size_t most)
{
    fer_batch batch = {ring, 0};
    const fer_time_base base = get_base(get_reading(&batch, 0));
    while (batch.count < most && get_base(get_reading(&batch, batch.count)) == base) {
        batch.count++;
    }
    return batch.count;
}

/* The most readings, at most `most`, whose envelope fits: sizes grow with the count, so each bit of
 * the answer can be tried in turn. */
static size_t fit(const fer_reading_ring *ring, size_t most, size_t capacity)
{
    size_t count = 0;
    for (size_t bit = FER_READINGS_MAX; bit != 0; bit /= 2) {
        fer_batch batch = {ring, count + bit};
        if (batch.count <= most &&
            get_size(ferrule_Envelope_readings_tag, put_readings, &batch) <= capacity) {
            count = batch.count;
        }
    }
    return count;
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
    if (most > capacity / 4) {
        most = capacity / 4; /* no reading takes less than its 4 bytes of value */
    }
    fer_batch batch = {ring, fit(ring, count_same_base(ring, most), capacity)};
    batch.count += batch.count == 0; /* what one needs is to be told */
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
    if (event == NULL || !is_time(event->time_ms, event->base) ||
        (unsigned)event->severity > FER_ERROR || !is_slice(&event->text, FER_TEXT_MAX)) {
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
