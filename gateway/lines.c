/* Ferrule gateway: accepted records as JSON lines. cJSON prints numbers to within an epsilon, so
 * doubles and 64-bit integers go in as raw text of our own making. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "accepted.h"
#include "command.h"
#include "text.h"

struct lines_context {
    FILE *out;
    const struct accepted *record;
    struct placing placing;
};

static void add_int(cJSON *object, const char *key, int64_t value)
{
    char text[TEXT_NUMBER_SIZE];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    cJSON_AddRawToObject(object, key, text);
}

/* JSON has no NaN and no infinity: value null, and the bits say which it was. */
static void add_double(cJSON *object, double value)
{
    char text[TEXT_NUMBER_SIZE];
    if (isfinite(value)) {
        text_from_double(value, text);
        cJSON_AddRawToObject(object, "value", text);
        return;
    }
    (void)snprintf(text, sizeof text, "%016" PRIx64, (uint64_t)text_double_bits(value));
    cJSON_AddNullToObject(object, "value");
    cJSON_AddStringToObject(object, "bits", text);
}

static void add_text(cJSON *object, const char *key, fer_slice text)
{
    char clean[FER_TEXT_MAX + 1];
    text_clean(text.bytes, text.length < FER_TEXT_MAX ? text.length : FER_TEXT_MAX, clean);
    cJSON_AddStringToObject(object, key, clean);
}

static void add_hex(cJSON *object, const char *key, const uint8_t *bytes, size_t n)
{
    char *hex = malloc(2 * n + 1);
    if (hex != NULL) {
        text_to_hex(bytes, n, hex);
        cJSON_AddStringToObject(object, key, hex);
        free(hex);
    }
}

static void add_times(cJSON *object, const struct lines_context *lines, int64_t time_ms,
                      fer_time_base base)
{
    int64_t unix_ms = 0;
    if (base == FER_TIME_BOOT) {
        add_int(object, "boot_ms", time_ms);
    }
    if (placing_find(&lines->placing, time_ms, base, &unix_ms)) {
        add_int(object, "time_ms", unix_ms);
    }
}

/* The fields that every line has. */
static cJSON *begin_line(const struct lines_context *lines, const char *type)
{
    const struct accepted *record = lines->record;
    const struct record_key key = accepted_key(record);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "type", type);
    cJSON_AddStringToObject(object, "device", key.id);
    add_int(object, "epoch", key.epoch);
    add_int(object, "generation", key.generation);
    if (key.session != 0) {
        add_int(object, "session", key.session);
    }
    cJSON_AddStringToObject(object, "lane", key.lane == FER_LANE_LIVE ? "live" : "backlog");
    add_int(object, "sequence", key.sequence);
    return object;
}

static void print_line(FILE *out, cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    if (text != NULL) {
        fprintf(out, "%s\n", text);
    }
    cJSON_free(text);
    cJSON_Delete(object);
}

static void end_line(const struct lines_context *lines, cJSON *object)
{
    print_line(lines->out, object);
}

static void print_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    const struct lines_context *lines = context;
    cJSON *object = begin_line(lines, "reading");
    add_int(object, "series", reading->series);
    add_times(object, lines, reading->time_ms, base);
    add_double(object, reading->value);
    end_line(lines, object);
}

static void print_event(void *context, const fer_event *event)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    const struct lines_context *lines = context;
    cJSON *object = begin_line(lines, "event");
    add_times(object, lines, event->time_ms, event->base);
    cJSON_AddStringToObject(object, "severity",
                            (unsigned)event->severity < 4 ? names[event->severity] : "unknown");
    add_text(object, "text", event->text);
    end_line(lines, object);
}

static void print_health(void *context, const fer_health *health)
{
    const struct lines_context *lines = context;
    cJSON *object = begin_line(lines, "health");
    add_int(object, "uptime_ms", (int64_t)(health->uptime_ms & INT64_MAX));
    add_int(object, "readings_dropped", health->readings_dropped);
    add_int(object, "messages_dropped", health->messages_dropped);
    add_int(object, "inbound_rejected", health->inbound_rejected);
    add_int(object, "inbound_frames_dropped", health->inbound_frames_dropped);
    add_int(object, "records_sealed", health->records_sealed);
    add_int(object, "burns_delayed", health->burns_delayed);
    add_int(object, "commands_stale", health->commands_stale);
    add_int(object, "commands_repeated", health->commands_repeated);
    end_line(lines, object);
}

static void print_raw(void *context, fer_slice raw)
{
    const struct lines_context *lines = context;
    cJSON *object = begin_line(lines, "raw");
    add_hex(object, "bytes", raw.bytes, raw.length);
    end_line(lines, object);
}

static void print_series(void *context, const fer_series *series)
{
    const struct lines_context *lines = context;
    cJSON *object = begin_line(lines, "series");
    add_int(object, "series", series->series);
    add_text(object, "name", series->name);
    add_text(object, "unit", series->unit);
    end_line(lines, object);
}

static void print_result(void *context, const fer_result *result)
{
    const struct lines_context *lines = context;
    cJSON *object = begin_line(lines, "result");
    add_int(object, "id", result->id);
    cJSON_AddStringToObject(object, "code", command_code_name(result->code));
    add_text(object, "text", result->text);
    end_line(lines, object);
}

static void print_unknown(void *context, uint32_t field)
{
    const struct lines_context *lines = context;
    cJSON *object = begin_line(lines, "unknown");
    add_int(object, "field", field);
    end_line(lines, object);
}

void lines_print(FILE *out, const struct accepted *record)
{
    struct lines_context lines = {.out = out, .record = record};
    cJSON *object = begin_line(&lines, "record");
    add_int(object, "received_ms", record->received_ms);
    cJSON_AddStringToObject(object, "link", record->link);
    cJSON_AddStringToObject(object, "form",
                            record->opened.form == FER_FORM_SHORT ? "short" : "full");
    cJSON_AddBoolToObject(object, "late", record->late);
    if (record->malformed) {
        add_hex(object, "malformed", record->bytes, record->opened.length);
    }
    end_line(&lines, object);
    if (record->malformed) {
        return;
    }
    lines.placing = placing_of(record);
    const fer_telemetry_visitor visitor = {.on_reading = print_reading,
                                           .on_event = print_event,
                                           .on_health = print_health,
                                           .on_raw = print_raw,
                                           .on_series = print_series,
                                           .on_result = print_result,
                                           .on_unknown = print_unknown,
                                           .context = &lines};
    if (fer_telemetry_decode(record->bytes, record->opened.length, &visitor) != FER_OK) {
        SAY("a record of %s was stored but cannot be printed", record->device->registered.id);
    }
}

void lines_print_closed(FILE *out, const struct command *command)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "type", "command");
    cJSON_AddStringToObject(object, "device", command->identity);
    add_int(object, "epoch", command->epoch);
    add_int(object, "id", command->id);
    cJSON_AddStringToObject(object, "state", command->state);
    add_int(object, "sends", command->sends);
    print_line(out, object);
}
