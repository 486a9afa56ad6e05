/* Ferrule: telemetry, decoding. Walks an envelope with nanopb's primitives over the caller's bytes:
 * no message structs, no descriptors, no copies. The walk runs twice, first with a visitor that
 * listens to nothing, so that a malformed envelope delivers nothing (TOTAL). */
#include <string.h>

#include "ferrule/telemetry.h"
#include "proto/scan.h"
#include "proto/telemetry.pb.h"

/* ---- numbers ---------------------------------------------------------------------------- */

static uint32_t get_u32(fer_scan *scan, const fer_field *field)
{
    return (uint32_t)fer_scan_uint(scan, field, UINT32_MAX);
}

static uint16_t get_u16(fer_scan *scan, const fer_field *field)
{
    return (uint16_t)fer_scan_uint(scan, field, UINT16_MAX);
}

/* ---- time ------------------------------------------------------------------------------- */

typedef struct fer_moment {
    uint64_t time_ms; /* two's complement */
    fer_time_base base;
} fer_moment;

/* The two fields of Readings and of Event that carry a base have the same numbers. */
static void get_moment(fer_scan *scan, const fer_field *field, fer_moment *moment)
{
    moment->time_ms = fer_scan_sint(scan, field);
    moment->base = field->number == ferrule_Readings_unix_ms_tag ? FER_TIME_UNIX : FER_TIME_BOOT;
}

static bool get_time(uint64_t time, int64_t *time_ms)
{
    uint64_t shifted = time + (uint64_t)FER_TIME_LIMIT;
    if (shifted == 0 || shifted >= 2u * (uint64_t)FER_TIME_LIMIT) {
        return false;
    }
    *time_ms = (int64_t)shifted - FER_TIME_LIMIT;
    return true;
}

/* ---- readings --------------------------------------------------------------------------- */

/* The double that a float is, by its bits, so that NaN payloads survive. */
static uint64_t widen(uint32_t narrow)
{
    uint32_t exponent = narrow >> 23 & 0xFFu;
    uint32_t mantissa = narrow & 0x7FFFFFu;

    if (exponent == 0xFFu) {
        exponent = 0x7FFu;
    } else if (exponent != 0) {
        exponent += 896;
    } else if (mantissa != 0) {
        for (exponent = 897; (mantissa & 0x800000u) == 0; exponent--) {
            mantissa <<= 1;
        }
        mantissa &= 0x7FFFFFu;
    }
    return (uint64_t)((narrow & 0x80000000u) | exponent << 20 | mantissa >> 3) << 32 |
           (uint32_t)(mantissa << 29);
}

/* The fields of one series, ready for its readings. */
typedef struct fer_series_head {
    uint16_t id;
    uint64_t offset;
    uint64_t period;
    bool narrow;
    bool stepped;
    size_t count;
} fer_series_head;

static bool read_series_head(fer_slice message, fer_series_head *head)
{
    fer_scan scan = fer_scan_over(message);
    fer_field field;
    while (fer_scan_next(&scan, &field)) {
        switch (field.number) {
        case ferrule_SeriesReadings_id_tag:
            head->id = get_u16(&scan, &field);
            break;
        case ferrule_SeriesReadings_offset_tag:
            head->offset = fer_scan_sint(&scan, &field);
            break;
        case ferrule_SeriesReadings_period_tag:
            head->period = fer_scan_sint(&scan, &field);
            break;
        default:
            break;
        }
    }
    return !scan.bad;
}

static fer_elements get_values(fer_slice message, bool narrow)
{
    return narrow ? fer_elements_of(message, ferrule_SeriesReadings_narrow_tag, PB_WT_32BIT)
                  : fer_elements_of(message, ferrule_SeriesReadings_values_tag, PB_WT_64BIT);
}

static fer_elements get_steps(fer_slice message)
{
    return fer_elements_of(message, ferrule_SeriesReadings_steps_tag, PB_WT_VARINT);
}

/* Whether the lengths of the arrays belong together. */
static bool match_arrays(fer_slice message, fer_series_head *head)
{
    size_t wide;
    size_t narrow;
    size_t steps;
    if (!fer_elements_count(get_values(message, false), &wide) ||
        !fer_elements_count(get_values(message, true), &narrow) ||
        !fer_elements_count(get_steps(message), &steps)) {
        return false;
    }
    head->narrow = narrow != 0;
    head->count = wide + narrow;
    head->stepped = steps != 0;
    return (wide == 0) != (narrow == 0) &&
           (steps == 0 || (steps == head->count - 1 && head->period == 0));
}

static bool walk_series(fer_slice message, const fer_moment *base,
                        const fer_telemetry_visitor *visitor)
{
    fer_series_head head;
    fer_reading reading;
    memset(&head, 0, sizeof head);
    memset(&reading, 0, sizeof reading);
    if (!read_series_head(message, &head) || !match_arrays(message, &head)) {
        return false;
    }
    fer_elements values = get_values(message, head.narrow);
    fer_elements steps = get_steps(message);
    uint64_t time = base->time_ms + head.offset;
    uint64_t bits;
    reading.series = head.id;
    while (fer_elements_next(&values, &bits)) {
        if (!get_time(time, &reading.time_ms)) {
            return false;
        }
        bits = head.narrow ? widen((uint32_t)bits) : bits;
        memcpy(&reading.value, &bits, sizeof bits);
        if (visitor->on_reading != NULL) {
            visitor->on_reading(visitor->context, &reading, base->base);
        }
        uint64_t step;
        if (!head.stepped) {
            time += head.period;
        } else if (fer_elements_next(&steps, &step)) {
            time += fer_scan_unzigzag(step);
        }
    }
    return true;
}

static bool walk_readings(fer_slice message, const fer_telemetry_visitor *visitor)
{
    fer_moment base = {0, FER_TIME_BOOT};
    fer_field field;
    fer_scan scan = fer_scan_over(message);
    while (fer_scan_next(&scan, &field)) { /* the base may come last */
        if (field.number == ferrule_Readings_unix_ms_tag ||
            field.number == ferrule_Readings_boot_ms_tag) {
            get_moment(&scan, &field, &base);
        }
    }
    if (scan.bad) {
        return false;
    }
    scan = fer_scan_over(message);
    while (fer_scan_next(&scan, &field)) {
        if (field.number == ferrule_Readings_series_tag) {
            scan.bad = field.type != PB_WT_STRING || !walk_series(field.slice, &base, visitor);
        }
    }
    return !scan.bad;
}

/* ---- the other arms --------------------------------------------------------------------- */

static bool walk_event(fer_slice message, const fer_telemetry_visitor *visitor)
{
    fer_moment moment = {0, FER_TIME_BOOT};
    fer_event event;
    fer_field field;
    fer_scan scan = fer_scan_over(message);
    uint32_t severity = 0;

    memset(&event, 0, sizeof event);
    while (fer_scan_next(&scan, &field)) {
        switch (field.number) {
        case ferrule_Event_unix_ms_tag:
        case ferrule_Event_boot_ms_tag:
            get_moment(&scan, &field, &moment);
            break;
        case ferrule_Event_severity_tag:
            severity = get_u32(&scan, &field);
            break;
        case ferrule_Event_text_tag:
            event.text = fer_scan_slice(&scan, &field, FER_TEXT_MAX);
            break;
        default:
            break;
        }
    }
    if (scan.bad || !get_time(moment.time_ms, &event.time_ms)) {
        return false;
    }
    event.base = moment.base;
    event.severity = severity < FER_ERROR ? (fer_severity)severity : FER_ERROR;
    if (visitor->on_event != NULL) {
        visitor->on_event(visitor->context, &event);
    }
    return true;
}

static uint32_t *get_health_count(fer_health *health, uint32_t number)
{
    switch (number) {
    case ferrule_Health_generation_tag:
        return &health->generation;
    case ferrule_Health_readings_dropped_tag:
        return &health->readings_dropped;
    case ferrule_Health_messages_dropped_tag:
        return &health->messages_dropped;
    case ferrule_Health_inbound_rejected_tag:
        return &health->inbound_rejected;
    case ferrule_Health_inbound_frames_dropped_tag:
        return &health->inbound_frames_dropped;
    case ferrule_Health_records_sealed_tag:
        return &health->records_sealed;
    case ferrule_Health_burns_delayed_tag:
        return &health->burns_delayed;
    case ferrule_Health_commands_stale_tag:
        return &health->commands_stale;
    case ferrule_Health_commands_repeated_tag:
        return &health->commands_repeated;
    default:
        return NULL;
    }
}

static bool walk_health(fer_slice message, const fer_telemetry_visitor *visitor)
{
    fer_health health;
    fer_field field;
    fer_scan scan = fer_scan_over(message);

    memset(&health, 0, sizeof health);
    while (fer_scan_next(&scan, &field)) {
        uint32_t *count = get_health_count(&health, field.number);
        if (count != NULL) {
            *count = get_u32(&scan, &field);
        } else if (field.number == ferrule_Health_uptime_ms_tag) {
            health.uptime_ms = fer_scan_uint(&scan, &field, UINT64_MAX);
        }
    }
    if (!scan.bad && visitor->on_health != NULL) {
        visitor->on_health(visitor->context, &health);
    }
    return !scan.bad;
}

static bool walk_describe(fer_slice message, const fer_telemetry_visitor *visitor)
{
    fer_series series;
    fer_field field;
    fer_scan scan = fer_scan_over(message);

    memset(&series, 0, sizeof series);
    while (fer_scan_next(&scan, &field)) {
        switch (field.number) {
        case ferrule_Series_id_tag:
            series.series = get_u16(&scan, &field);
            break;
        case ferrule_Series_name_tag:
            series.name = fer_scan_slice(&scan, &field, FER_TEXT_MAX);
            break;
        case ferrule_Series_unit_tag:
            series.unit = fer_scan_slice(&scan, &field, FER_TEXT_MAX);
            break;
        default:
            break;
        }
    }
    if (!scan.bad && visitor->on_series != NULL) {
        visitor->on_series(visitor->context, &series);
    }
    return !scan.bad;
}

static bool walk_receipt(fer_slice message, const fer_telemetry_visitor *visitor)
{
    fer_receipt receipt = {0, 0};
    fer_field field;
    fer_scan scan = fer_scan_over(message);

    while (fer_scan_next(&scan, &field)) {
        if (field.number == ferrule_Receipt_generation_tag) {
            receipt.generation = get_u32(&scan, &field);
        } else if (field.number == ferrule_Receipt_sequence_tag) {
            receipt.sequence = get_u32(&scan, &field);
        }
    }
    if (!scan.bad && visitor->on_receipt != NULL) {
        visitor->on_receipt(visitor->context, &receipt);
    }
    return !scan.bad;
}

static bool walk_command(fer_slice message, const fer_telemetry_visitor *visitor)
{
    fer_command command;
    fer_field field;
    fer_scan scan = fer_scan_over(message);

    memset(&command, 0, sizeof command);
    while (fer_scan_next(&scan, &field)) {
        switch (field.number) {
        case ferrule_Command_id_tag:
            command.id = get_u32(&scan, &field);
            break;
        case ferrule_Command_generation_tag:
            command.generation = get_u32(&scan, &field);
            break;
        case ferrule_Command_sequence_tag:
            command.sequence = get_u32(&scan, &field);
            break;
        case ferrule_Command_body_tag:
            command.body = fer_scan_slice(&scan, &field, FER_COMMAND_MAX);
            break;
        default:
            break;
        }
    }
    if (scan.bad || command.id == 0) {
        return false;
    }
    if (visitor->on_command != NULL) {
        visitor->on_command(visitor->context, &command);
    }
    return true;
}

static bool walk_result(fer_slice message, const fer_telemetry_visitor *visitor)
{
    fer_result result;
    fer_field field;
    fer_scan scan = fer_scan_over(message);
    uint32_t code = FER_RESULT_DONE;

    memset(&result, 0, sizeof result);
    while (fer_scan_next(&scan, &field)) {
        switch (field.number) {
        case ferrule_Result_id_tag:
            result.id = get_u32(&scan, &field);
            break;
        case ferrule_Result_code_tag:
            code = get_u32(&scan, &field);
            break;
        case ferrule_Result_text_tag:
            result.text = fer_scan_slice(&scan, &field, FER_COMMAND_MAX);
            break;
        default:
            break;
        }
    }
    if (scan.bad || result.id == 0) {
        return false;
    }
    result.code = code <= FER_RESULT_UNKNOWN ? (fer_result_code)code : FER_RESULT_FAILED;
    if (visitor->on_result != NULL) {
        visitor->on_result(visitor->context, &result);
    }
    return true;
}

static bool walk_raw(fer_slice raw, const fer_telemetry_visitor *visitor)
{
    if (raw.length <= FER_RAW_MAX && visitor->on_raw != NULL) {
        visitor->on_raw(visitor->context, raw);
    }
    return raw.length <= FER_RAW_MAX;
}

/* ---- the envelope ----------------------------------------------------------------------- */

static bool walk_arm(const fer_field *field, const fer_telemetry_visitor *visitor)
{
    switch (field->number) {
    case ferrule_Envelope_readings_tag:
        return walk_readings(field->slice, visitor);
    case ferrule_Envelope_event_tag:
        return walk_event(field->slice, visitor);
    case ferrule_Envelope_health_tag:
        return walk_health(field->slice, visitor);
    case ferrule_Envelope_raw_tag:
        return walk_raw(field->slice, visitor);
    case ferrule_Envelope_describe_tag:
        return walk_describe(field->slice, visitor);
    case ferrule_Envelope_receipt_tag:
        return walk_receipt(field->slice, visitor);
    case ferrule_Envelope_command_tag:
        return walk_command(field->slice, visitor);
    default:
        return walk_result(field->slice, visitor);
    }
}

static bool walk(fer_slice envelope, const fer_telemetry_visitor *visitor)
{
    fer_scan scan = fer_scan_over(envelope);
    fer_field field;
    bool armed = false;

    while (fer_scan_next(&scan, &field)) {
        if (field.number > ferrule_Envelope_result_tag) {
            if (visitor->on_unknown != NULL) {
                visitor->on_unknown(visitor->context, field.number);
            }
            continue;
        }
        scan.bad = armed || field.type != PB_WT_STRING || !walk_arm(&field, visitor);
        armed = true;
    }
    return !scan.bad;
}

fer_status fer_telemetry_decode(const uint8_t *plaintext, size_t n,
                                const fer_telemetry_visitor *visitor)
{
    static const fer_telemetry_visitor nobody;
    fer_slice envelope = {plaintext, n};

    if ((plaintext == NULL && n > 0) || visitor == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (!walk(envelope, &nobody)) {
        return FER_DROP_MALFORMED;
    }
    return walk(envelope, visitor) ? FER_OK : FER_DROP_MALFORMED;
}
