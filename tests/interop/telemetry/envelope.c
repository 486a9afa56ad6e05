/* The library's end of the interop test: `envelope encode` turns lines into one envelope, `envelope
 * decode` turns an envelope into the same lines. Doubles are 16 hex digits, bytes are hex behind x.
 *
 *     reading BASE TIME SERIES BITS     event BASE TIME SEVERITY xTEXT     raw xBYTES
 *     health N N N N N N N N N N        series ID xNAME xUNIT              receipt N N
 *     command ID N N xBODY              result ID CODE xTEXT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/telemetry.h"

static fer_queued_reading readings[FER_READINGS_MAX];
static size_t count;
static uint8_t out[16384];
static size_t length;

static void check(bool truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "envelope: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

/* ---- decode ----------------------------------------------------------------------------- */

static void print_hex(const char *before, fer_slice slice)
{
    printf("%sx", before);
    for (size_t i = 0; i < slice.length; i++) {
        printf("%02x", slice.bytes[i]);
    }
}

static void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    uint64_t bits;
    (void)context;
    memcpy(&bits, &reading->value, sizeof bits);
    printf("reading %d %" PRId64 " %u %016" PRIx64 "\n", (int)base, reading->time_ms,
           reading->series, bits);
}

static void on_event(void *context, const fer_event *event)
{
    (void)context;
    printf("event %d %" PRId64 " %d", (int)event->base, event->time_ms, (int)event->severity);
    print_hex(" ", event->text);
    printf("\n");
}

static void on_health(void *context, const fer_health *h)
{
    (void)context;
    printf("health %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32
           " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
           h->uptime_ms, h->generation, h->readings_dropped, h->messages_dropped,
           h->inbound_rejected, h->inbound_frames_dropped, h->records_sealed, h->burns_delayed,
           h->commands_stale, h->commands_repeated);
}

static void on_raw(void *context, fer_slice raw)
{
    (void)context;
    print_hex("raw ", raw);
    printf("\n");
}

static void on_series(void *context, const fer_series *series)
{
    (void)context;
    printf("series %u", series->series);
    print_hex(" ", series->name);
    print_hex(" ", series->unit);
    printf("\n");
}

static void on_receipt(void *context, const fer_receipt *receipt)
{
    (void)context;
    printf("receipt %" PRIu32 " %" PRIu32 "\n", receipt->generation, receipt->sequence);
}

static void on_command(void *context, const fer_command *command)
{
    (void)context;
    printf("command %" PRIu32 " %" PRIu32 " %" PRIu32, command->id, command->generation,
           command->sequence);
    print_hex(" ", command->body);
    printf("\n");
}

static void on_result(void *context, const fer_result *result)
{
    (void)context;
    printf("result %" PRIu32 " %d", result->id, (int)result->code);
    print_hex(" ", result->text);
    printf("\n");
}

static void decode(void)
{
    static uint8_t in[65536];
    const fer_telemetry_visitor visitor = {.on_reading = on_reading,
                                           .on_event = on_event,
                                           .on_health = on_health,
                                           .on_raw = on_raw,
                                           .on_series = on_series,
                                           .on_receipt = on_receipt,
                                           .on_command = on_command,
                                           .on_result = on_result};
    size_t n = fread(in, 1, sizeof in, stdin);
    check(fer_telemetry_decode(in, n, &visitor) == FER_OK, "malformed");
}

/* ---- encode ----------------------------------------------------------------------------- */

static fer_slice parse_hex(const char *text, uint8_t *bytes)
{
    fer_slice slice = {bytes, 0};
    unsigned byte;
    check(*text++ == 'x', "bytes begin with x");
    while (sscanf(text + 2 * slice.length, "%2x", &byte) == 1) {
        bytes[slice.length++] = (uint8_t)byte;
    }
    return slice;
}

static fer_status encode_line(const char *line)
{
    static uint8_t first[2048], second[2048];
    static char a[4096], b[4096];
    fer_event event;
    fer_health h;
    fer_receipt receipt;
    fer_series series;
    fer_command command;
    fer_result result;
    int base, severity, code;

    if (sscanf(line, "command %" SCNu32 " %" SCNu32 " %" SCNu32 " %4095s", &command.id,
               &command.generation, &command.sequence, a) == 4) {
        command.body = parse_hex(a, first);
        return fer_telemetry_encode_command(&command, out, sizeof out, &length);
    }
    if (sscanf(line, "result %" SCNu32 " %d %4095s", &result.id, &code, a) == 3) {
        result.code = (fer_result_code)code;
        result.text = parse_hex(a, first);
        return fer_telemetry_encode_result(&result, out, sizeof out, &length);
    }
    if (sscanf(line, "event %d %" SCNd64 " %d %4095s", &base, &event.time_ms, &severity, a) == 4) {
        event.base = (fer_time_base)base;
        event.severity = (fer_severity)severity;
        event.text = parse_hex(a, first);
        return fer_telemetry_encode_event(&event, out, sizeof out, &length);
    }
    if (sscanf(line,
               "health %" SCNu64 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32
               " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32,
               &h.uptime_ms, &h.generation, &h.readings_dropped, &h.messages_dropped,
               &h.inbound_rejected, &h.inbound_frames_dropped, &h.records_sealed, &h.burns_delayed,
               &h.commands_stale, &h.commands_repeated) == 10) {
        return fer_telemetry_encode_health(&h, out, sizeof out, &length);
    }
    if (sscanf(line, "raw %4095s", a) == 1) {
        return fer_telemetry_encode_raw(parse_hex(a, first), out, sizeof out, &length);
    }
    if (sscanf(line, "series %" SCNu16 " %4095s %4095s", &series.series, a, b) == 3) {
        series.name = parse_hex(a, first);
        series.unit = parse_hex(b, second);
        return fer_telemetry_encode_series(&series, out, sizeof out, &length);
    }
    check(sscanf(line, "receipt %" SCNu32 " %" SCNu32, &receipt.generation, &receipt.sequence) == 2,
          "no such line");
    return fer_telemetry_encode_receipt(&receipt, out, sizeof out, &length);
}

static void encode(void)
{
    static char line[8192];
    while (fgets(line, sizeof line, stdin) != NULL) {
        fer_reading reading = {0};
        uint64_t bits;
        int base;
        if (sscanf(line, "reading %d %" SCNd64 " %" SCNu16 " %" SCNx64, &base, &reading.time_ms,
                   &reading.series, &bits) == 4) {
            memcpy(&reading.value, &bits, sizeof bits);
            check(count < FER_READINGS_MAX, "too many readings");
            check(fer_reading_pack(&reading, (fer_time_base)base, &readings[count++]) == FER_OK,
                  "not a reading");
        } else {
            check(encode_line(line) == FER_OK, "cannot be encoded");
        }
    }
    if (count > 0) {
        const fer_reading_ring ring = {readings, count, 0, count};
        size_t taken;
        check(fer_telemetry_encode_readings(&ring, out, sizeof out, &taken, &length) == FER_OK &&
                  taken == count,
              "readings cannot be encoded");
    }
    check(fwrite(out, 1, length, stdout) == length, "cannot write");
}

int main(int argc, char **argv)
{
    check(argc == 2, "usage: envelope encode|decode");
    if (strcmp(argv[1], "encode") == 0) {
        encode();
    } else {
        decode();
    }
    return EXIT_SUCCESS;
}
