/* The device end of the gateway's tests: `device BLOB` reads commands, one a line, and answers each
 * record it seals as a line of hex. What it can say goes through the library, so that a test can
 * ask for anything a device could send, in any order, any number of times.
 *
 *     generation N            burn up to generation N (forward only)
 *     lane live|backlog       which lane seals from now on
 *     way one|two             form policy, from the next generation on
 *     reading SERIES MS VALUE one reading (VALUE: a number, or 16 hex digits behind 0b)
 *     boot SERIES MS VALUE    the same, in time since start
 *     event TEXT | raw HEX | plain HEX (a plaintext as it is) | name SERIES NAME UNIT
 *     health
 *     skip N                  seal N records and forget them
 *     open HEX                open a downlink: answers `receipt GENERATION SEQUENCE`, `command ID
 *                             GENERATION SEQUENCE`, or `status N`
 *     greeter SECRET GATEWAY  from now on hold sessions, with these keys (a file; hex)
 *     greet MS                the first packet that is due at this time, or `status N`
 *     feed MS HEX             what came down in answer: `session`, `cookie` or `status N`
 *     sent MS                 a record was sent then, as the greeter's silence counts
 *     lane session            seal in the session
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/ferrule.h"
#include "internal/credential.h"
#include "posix.h"

#define LINE_MAX_ 140000u

static fer_arena_cell cells[(2 * FER_SEALER_SIZE + FER_OPENER_SIZE(64u)) / FER_ARENA_ALIGN];
static fer_arena_cell session_cells[FER_GREETER_SIZE(64u) / FER_ARENA_ALIGN];

struct end {
    fer_arena arena;
    fer_arena_position begin;
    fer_credential credential; /* of generation `generation` */
    uint32_t generation;
    fer_way way;
    fer_lane lane;
    fer_sealer *sealers[2];
    fer_opener *opener;
    fer_arena session_arena;
    fer_greeter *greeter;
    int in_session; /* seals there */
};

static void check(fer_status status, const char *what)
{
    if (status != FER_OK) {
        fprintf(stderr, "device: %s: %s\n", what, fer_status_text(status));
        exit(EXIT_FAILURE);
    }
}

static void start_generation(struct end *end)
{
    fer_credential copy = end->credential;
    fer_generation keys;
    fer_sealer_config up = {.direction = FER_UP, .lane = FER_LANE_LIVE, .way = end->way};
    const fer_opener_config down = {.direction = FER_DOWN, .window_bits = 64};
    fer_sealer_close(&end->sealers[FER_LANE_LIVE]);
    fer_sealer_close(&end->sealers[FER_LANE_BACKLOG]);
    fer_opener_close(&end->opener);
    check(fer_arena_rewind(&end->arena, end->begin), "rewind");
    check(fer_keychain_expand(&copy, &keys), "expand");
    check(fer_sealer_create(&end->arena, &keys, &up, &end->sealers[FER_LANE_LIVE]), "sealer");
    up.lane = FER_LANE_BACKLOG;
    check(fer_sealer_create(&end->arena, &keys, &up, &end->sealers[FER_LANE_BACKLOG]), "sealer");
    check(fer_opener_create(&end->arena, &keys, &down, &end->opener), "opener");
}

static void burn_to(struct end *end, uint32_t generation)
{
    while (end->generation < generation) {
        check(fer_credential_advance(&end->credential), "advance");
        end->generation++;
    }
    start_generation(end);
}

static size_t from_hex(const char *text, uint8_t *out)
{
    size_t n = 0;
    unsigned byte = 0;
    while (sscanf(text + 2 * n, "%2x", &byte) == 1) {
        out[n++] = (uint8_t)byte;
    }
    return n;
}

static void print_hex(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%02x", bytes[i]);
    }
    putchar('\n');
}

static void seal(struct end *end, const uint8_t *plaintext, size_t n)
{
    static uint8_t record[FER_PLAINTEXT_MAX + FER_OVERHEAD_MAX];
    size_t length = 0;
    fer_sealer *sealer =
        end->in_session ? fer_greeter_get_sealer(end->greeter) : end->sealers[end->lane];
    check(fer_sealer_seal(sealer, plaintext, n, record, sizeof record, &length), "seal");
    print_hex(record, length);
}

static void skip(struct end *end, unsigned long count)
{
    uint8_t record[64];
    size_t length = 0;
    for (; count > 0; count--) {
        check(fer_sealer_seal(end->sealers[end->lane], record, 0, record, sizeof record, &length),
              "seal");
    }
}

static double read_value(const char *text)
{
    double value = 0;
    if (strncmp(text, "0b", 2) == 0) {
        const uint64_t bits = strtoull(text + 2, NULL, 16);
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    return strtod(text, NULL);
}

static void send_reading(struct end *end, const char *rest, fer_time_base base)
{
    uint8_t plaintext[64];
    char value[64];
    fer_reading reading = {0};
    fer_queued_reading queued;
    const fer_reading_ring ring = {&queued, 1, 0, 1};
    size_t taken = 0;
    size_t length = 0;
    if (sscanf(rest, "%" SCNu16 " %" SCNd64 " %63s", &reading.series, &reading.time_ms, value) !=
        3) {
        check(FER_ERR_ARGUMENT, rest);
    }
    reading.value = read_value(value);
    check(fer_reading_pack(&reading, base, &queued), "pack");
    check(fer_telemetry_encode_readings(&ring, plaintext, sizeof plaintext, &taken, &length),
          "encode");
    seal(end, plaintext, length);
}

static fer_slice slice(const char *text)
{
    return (fer_slice){(const uint8_t *)text, strlen(text)};
}

static void send_event(struct end *end, const char *text)
{
    uint8_t plaintext[FER_TEXT_MAX + 64];
    size_t length = 0;
    const fer_event event = {1000, FER_TIME_UNIX, FER_WARNING, slice(text)};
    check(fer_telemetry_encode_event(&event, plaintext, sizeof plaintext, &length), "encode");
    seal(end, plaintext, length);
}

static void send_name(struct end *end, const char *rest)
{
    uint8_t plaintext[256];
    char name[64];
    char unit[64];
    fer_series series = {0};
    size_t length = 0;
    if (sscanf(rest, "%" SCNu16 " %63s %63s", &series.series, name, unit) != 3) {
        check(FER_ERR_ARGUMENT, rest);
    }
    series.name = slice(name);
    series.unit = slice(unit);
    check(fer_telemetry_encode_series(&series, plaintext, sizeof plaintext, &length), "encode");
    seal(end, plaintext, length);
}

static void send_bytes(struct end *end, const char *hex, int as_raw)
{
    static uint8_t bytes[LINE_MAX_ / 2];
    static uint8_t plaintext[LINE_MAX_ / 2 + 64];
    const fer_slice raw = {bytes, from_hex(hex, bytes)};
    size_t length = 0;
    if (!as_raw) {
        seal(end, raw.bytes, raw.length);
        return;
    }
    check(fer_telemetry_encode_raw(raw, plaintext, sizeof plaintext, &length), "encode");
    seal(end, plaintext, length);
}

static void send_health(struct end *end)
{
    uint8_t plaintext[128];
    size_t length = 0;
    const fer_health health = {123456789, end->generation, 1, 2, 3, 4, 5, 6, 7, 8};
    check(fer_telemetry_encode_health(&health, plaintext, sizeof plaintext, &length), "encode");
    seal(end, plaintext, length);
}

static void on_receipt(void *context, const fer_receipt *receipt)
{
    (void)context;
    printf("receipt %" PRIu32 " %" PRIu32 "\n", receipt->generation, receipt->sequence);
}

static void on_command(void *context, const fer_command *command)
{
    (void)context;
    printf("command %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", command->id, command->generation,
           command->sequence);
}

static void open_down(struct end *end, const char *hex)
{
    uint8_t record[512];
    uint8_t plaintext[512];
    fer_opened opened;
    const fer_telemetry_visitor visitor = {.on_receipt = on_receipt, .on_command = on_command};
    const size_t n = strlen(hex) <= 2 * sizeof record ? from_hex(hex, record) : 0;
    const int in_session = n > 0 && record[0] >> 6 == FER_KIND_SESSION;
    fer_opener *opener = in_session ? fer_greeter_get_opener(end->greeter) : end->opener;
    fer_sealer *sealer =
        in_session ? fer_greeter_get_sealer(end->greeter) : end->sealers[FER_LANE_LIVE];
    fer_status status = fer_opener_receive(opener, record, n, plaintext, sizeof plaintext, &opened);
    if (status == FER_OK) {
        status = fer_sealer_acknowledge(sealer);
    }
    if (status == FER_OK) {
        status = fer_telemetry_decode(plaintext, opened.length, &visitor);
    }
    if (status != FER_OK) {
        printf("status %d\n", status);
    }
}

static void make_greeter(struct end *end, const char *rest)
{
    char path[512];
    char hex[128] = "";
    char gateway[128];
    fer_greeter_config config = {
        .window_bits = 64, .retry_ms = 1000, .silence_ms = 30000, .entropy = posix_entropy()};
    FILE *file = sscanf(rest, "%511s %127s", path, gateway) == 2 ? fopen(path, "r") : NULL;
    if (file == NULL || fgets(hex, sizeof hex, file) == NULL || strlen(hex) != 65) {
        check(FER_ERR_ARGUMENT, rest);
    }
    fclose(file);
    (void)from_hex(hex, config.secret.bytes);
    (void)from_hex(gateway, config.gateway.bytes);
    check(fer_static_get_public(&config.secret, &config.own), "public");
    check(fer_arena_init(&end->session_arena, session_cells,
                         sizeof session_cells / sizeof *session_cells),
          "arena");
    check(fer_greeter_create(&end->session_arena, &config, &end->greeter), "greeter");
    check(fer_greeter_rekey(end->greeter, &end->credential), "rekey");
}

static void greet(struct end *end, const char *rest)
{
    uint8_t packet[256];
    size_t n = 0;
    const fer_status status =
        fer_greeter_take(end->greeter, strtoull(rest, NULL, 10), packet, sizeof packet, &n);
    if (status == FER_OK) {
        print_hex(packet, n);
    } else {
        printf("status %d\n", status);
    }
}

static void feed(struct end *end, const char *rest)
{
    uint8_t packet[512];
    char *hex = NULL;
    const uint64_t now = strtoull(rest, &hex, 10);
    const size_t n = strlen(hex) <= sizeof packet ? from_hex(hex + 1, packet) : 0;
    const fer_status status = fer_greeter_feed(end->greeter, now, packet, n);
    if (status == FER_OK || status == FER_EMPTY) {
        puts(status == FER_OK ? "session" : "cookie");
    } else {
        printf("status %d\n", status);
    }
}

/* True: it was a word of sessions. */
static int obey_session(struct end *end, const char *word, const char *rest)
{
    if (strcmp(word, "greeter") == 0) {
        make_greeter(end, rest);
    } else if (strcmp(word, "greet") == 0) {
        greet(end, rest);
    } else if (strcmp(word, "feed") == 0) {
        feed(end, rest);
    } else if (strcmp(word, "sent") == 0) {
        fer_greeter_sent(end->greeter, strtoull(rest, NULL, 10));
    } else {
        return 0;
    }
    return 1;
}

static void obey(struct end *end, const char *word, const char *rest)
{
    if (strcmp(word, "generation") == 0) {
        burn_to(end, (uint32_t)strtoul(rest, NULL, 10));
    } else if (strcmp(word, "lane") == 0) {
        end->lane = strcmp(rest, "backlog") == 0 ? FER_LANE_BACKLOG : FER_LANE_LIVE;
        end->in_session = strcmp(rest, "session") == 0;
    } else if (strcmp(word, "way") == 0) {
        end->way = strcmp(rest, "one") == 0 ? FER_ONE_WAY : FER_TWO_WAY;
        start_generation(end);
    } else if (strcmp(word, "reading") == 0) {
        send_reading(end, rest, FER_TIME_UNIX);
    } else if (strcmp(word, "boot") == 0) {
        send_reading(end, rest, FER_TIME_BOOT);
    } else if (strcmp(word, "event") == 0) {
        send_event(end, rest);
    } else if (strcmp(word, "raw") == 0) {
        send_bytes(end, rest, 1);
    } else if (strcmp(word, "plain") == 0) {
        send_bytes(end, rest, 0);
    } else if (strcmp(word, "name") == 0) {
        send_name(end, rest);
    } else if (strcmp(word, "health") == 0) {
        send_health(end);
    } else if (strcmp(word, "skip") == 0) {
        skip(end, strtoul(rest, NULL, 10));
    } else if (strcmp(word, "open") == 0) {
        open_down(end, rest);
    } else if (!obey_session(end, word, rest)) {
        check(FER_ERR_ARGUMENT, word);
    }
}

static void load(struct end *end, const char *path)
{
    uint8_t blob[FER_CREDENTIAL_BYTES];
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(blob, 1, sizeof blob, file) != sizeof blob) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    fer_credential_info info;
    check(fer_credential_parse(blob, sizeof blob, &end->credential), path);
    check(fer_credential_get_info(&end->credential, &info), path);
    end->generation = info.generation;
    check(fer_arena_init(&end->arena, cells, sizeof cells / sizeof *cells), "arena");
    check(fer_arena_mark(&end->arena, &end->begin), "mark");
    start_generation(end);
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_];
    struct end end = {.way = FER_TWO_WAY};
    if (argc != 2) {
        fprintf(stderr, "usage: device BLOB < commands\n");
        return EXIT_FAILURE;
    }
    load(&end, argv[1]);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = strchr(line, ' ');
        if (rest != NULL) {
            *rest++ = '\0';
        }
        obey(&end, line, rest != NULL ? rest : "");
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
