/* Ferrule gateway: records as lines for people. */
#include <inttypes.h>
#include <stdlib.h>

#include "accepted.h"
#include "command.h"
#include "text.h"

struct plain {
    FILE *out;
    const struct accepted *record;
};

static void begin(const struct plain *plain)
{
    const struct accepted *record = plain->record;
    fprintf(plain->out, "%s generation %" PRIu32 " %s %" PRIu32 ": ", record->device->registered.id,
            record->opened.generation, record->opened.lane == FER_LANE_LIVE ? "live" : "backlog",
            record->opened.sequence);
}

static void print_time(const struct plain *plain, int64_t time_ms, fer_time_base base)
{
    char text[TEXT_NUMBER_SIZE];
    if (base == FER_TIME_BOOT) {
        fprintf(plain->out, "%" PRId64 " ms after start ", time_ms);
        return;
    }
    text_from_time(time_ms, text);
    fprintf(plain->out, "%s ", text);
}

static void print_slice(const struct plain *plain, fer_slice text)
{
    char clean[FER_TEXT_MAX + 1];
    text_clean(text.bytes, text.length < FER_TEXT_MAX ? text.length : FER_TEXT_MAX, clean);
    fprintf(plain->out, "\"%s\"", clean);
}

static void print_bytes(const struct plain *plain, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fprintf(plain->out, "%02x", bytes[i]);
    }
    fputc('\n', plain->out);
}

static void print_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    char value[TEXT_NUMBER_SIZE];
    begin(context);
    print_time(context, reading->time_ms, base);
    text_from_double(reading->value, value);
    fprintf(((const struct plain *)context)->out, "series %u = %s\n", reading->series, value);
}

static void print_event(void *context, const fer_event *event)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    const struct plain *plain = context;
    begin(plain);
    print_time(plain, event->time_ms, event->base);
    fprintf(plain->out, "%s ", (unsigned)event->severity < 4 ? names[event->severity] : "event");
    print_slice(plain, event->text);
    fputc('\n', plain->out);
}

static void print_health(void *context, const fer_health *health)
{
    const struct plain *plain = context;
    begin(plain);
    fprintf(plain->out,
            "health: up %" PRIu64 " ms, %" PRIu32 " records sealed, dropped %" PRIu32
            " readings and %" PRIu32 " messages, rejected %" PRIu32 " records and %" PRIu32
            " frames, %" PRIu32 " burns delayed, %" PRIu32 " commands stale and %" PRIu32
            " repeated\n",
            health->uptime_ms, health->records_sealed, health->readings_dropped,
            health->messages_dropped, health->inbound_rejected, health->inbound_frames_dropped,
            health->burns_delayed, health->commands_stale, health->commands_repeated);
}

static void print_raw(void *context, fer_slice raw)
{
    const struct plain *plain = context;
    begin(plain);
    fprintf(plain->out, "raw ");
    print_bytes(plain, raw.bytes, raw.length);
}

static void print_series(void *context, const fer_series *series)
{
    const struct plain *plain = context;
    begin(plain);
    fprintf(plain->out, "series %u is ", series->series);
    print_slice(plain, series->name);
    fprintf(plain->out, " in ");
    print_slice(plain, series->unit);
    fputc('\n', plain->out);
}

static void print_result(void *context, const fer_result *result)
{
    const struct plain *plain = context;
    begin(plain);
    fprintf(plain->out, "command %" PRIu32 " is %s ", result->id, command_code_name(result->code));
    print_slice(plain, result->text);
    fputc('\n', plain->out);
}

static void print_unknown(void *context, uint32_t field)
{
    const struct plain *plain = context;
    begin(plain);
    fprintf(plain->out, "field %" PRIu32 ", which this version does not know\n", field);
}

void plain_print(FILE *out, const struct accepted *record)
{
    struct plain plain = {.out = out, .record = record};
    const fer_telemetry_visitor visitor = {.on_reading = print_reading,
                                           .on_event = print_event,
                                           .on_health = print_health,
                                           .on_raw = print_raw,
                                           .on_series = print_series,
                                           .on_result = print_result,
                                           .on_unknown = print_unknown,
                                           .context = &plain};
    if (record->opened.length == 0) {
        begin(&plain);
        fputs("an empty record\n", out);
    }
    if (fer_telemetry_decode(record->bytes, record->opened.length, &visitor) != FER_OK) {
        begin(&plain);
        fputs("authentic, but no envelope: ", out);
        print_bytes(&plain, record->bytes, record->opened.length);
    }
}
