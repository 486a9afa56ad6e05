#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "text.h"

struct export
{
    const char *database;
    const char *device;
    bool csv;
};

static const struct argp_option argp_options[] = {
    {"db", 'd', "FILE", 0, "The database; it is only read", 0},
    {"device", 'i', "ID", 0, "Only this device", 0},
    {"csv", 'c', 0, 0, "As CSV (the only format so far, and the default)", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Print stored readings, oldest record first."
    "\vValues are the shortest decimals that read back as the same double; bits are the double "
    "itself in hex. unix_ms is empty where the time of a reading cannot be known.\n"
    "Example:\n  ferrule export --db ferrule.db --device pump-7 --csv > pump-7.csv";

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct export *want = state->input;
    switch (key) {
    case 'd':
        want->database = text;
        return 0;
    case 'i':
        want->device = text;
        return 0;
    case 'c':
        want->csv = true;
        return 0;
    case ARGP_KEY_END:
        if (want->database == NULL) {
            argp_error(state, "--db is needed");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* RFC 4180: in quotes, with quotes doubled. */
static void print_quoted(const unsigned char *text)
{
    putchar('"');
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '"') {
            putchar('"');
        }
        putchar(*text);
    }
    putchar('"');
}

static void print_row(sqlite3_stmt *row)
{
    char value[TEXT_NUMBER_SIZE];
    const int64_t bits = sqlite3_column_int64(row, 10);
    printf("%s,%" PRId64 ",%" PRId64 ",%s,%" PRId64 ",%" PRId64 ",",
           (const char *)sqlite3_column_text(row, 0), (int64_t)sqlite3_column_int64(row, 1),
           (int64_t)sqlite3_column_int64(row, 2),
           sqlite3_column_int64(row, 3) == FER_LANE_LIVE ? "live" : "backlog",
           (int64_t)sqlite3_column_int64(row, 4), (int64_t)sqlite3_column_int64(row, 5));
    print_quoted(sqlite3_column_text(row, 6));
    printf(",%" PRId64 ",%s,", (int64_t)sqlite3_column_int64(row, 7),
           sqlite3_column_int64(row, 8) != 0 ? "boot" : "unix");
    if (sqlite3_column_type(row, 9) != SQLITE_NULL) {
        printf("%" PRId64, (int64_t)sqlite3_column_int64(row, 9));
    }
    text_from_double(text_bits_double(bits), value);
    printf(",%s,%016" PRIx64 "\n", value, (uint64_t)bits);
}

static int print_all(struct database *db, const char *device)
{
    sqlite3_stmt *rows = NULL;
    int rc = sqlite3_prepare_v2(
        db->handle,
        "SELECT r.identity, r.epoch, r.generation, r.lane, r.sequence, v.series, s.name,"
        " v.time_ms, v.since_boot, v.unix_ms, v.bits FROM record r JOIN reading v ON v.record = "
        "r.id"
        " LEFT JOIN series s ON s.identity = r.identity AND s.series = v.series"
        " WHERE ?1 IS NULL OR r.identity = ?1 ORDER BY r.id, v.item",
        -1, &rows, NULL);
    if (rc != SQLITE_OK) {
        return rc;
    }
    if (device != NULL) {
        (void)sqlite3_bind_text(rows, 1, device, -1, SQLITE_STATIC);
    }
    puts("device,epoch,generation,lane,sequence,series,name,time_ms,since,unix_ms,value,bits");
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
        print_row(rows);
    }
    (void)sqlite3_finalize(rows);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int cli_export(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct export want = {0};
    struct database db;
    struct fault fault = {""};
    cli_parse(&argp, argc, argv, &want);
    if (!database_open(&db, want.database, DATABASE_READ, &fault)) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    const int rc = print_all(&db, want.device);
    if (rc != SQLITE_OK) {
        database_explain(&db, rc, "read readings", &fault);
        SAY("%s", fault.text);
    }
    database_close(&db);
    if (fflush(stdout) != 0) {
        SAY("standard output: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    return rc == SQLITE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
