#include "server_options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "version.h"

enum {
    KEY_SERIAL = 256,
    KEY_BAUD,
    KEY_UNIX,
    KEY_LISTEN_UNIX,
    KEY_UDP,
    KEY_FILE,
    KEY_DATAGRAMS,
    KEY_NO_ACK,
    KEY_COMMIT_MS,
    KEY_COMMIT_RECORDS,
    KEY_MAX_DB,
    KEY_PATIENCE,
    KEY_MAX_SKIP,
    KEY_SESSION_AGE,
    KEY_KEY
};

static const struct argp_option argp_options[] = {
    {0, 0, 0, 0, "What it needs:", 1},
    {"registry", 'r', "FILE", 0, "Which devices there are (JSON)", 1},
    {"db", 'd', "FILE", 0, "Their secret state, and where readings go (SQLite)", 1},
    {"key", KEY_KEY, "FILE", 0,
     "Its static key ('ferrule keygen --static'): devices with a pinned one may open sessions", 1},
    {0, 0, 0, 0, "Where records come from (any number of these, at least one):", 2},
    {"serial", KEY_SERIAL, "DEV", 0, "A serial line", 2},
    {"baud", KEY_BAUD, "N", 0, "Its speed (115200)", 2},
    {"unix", KEY_UNIX, "PATH", 0, "Connect to a unix stream socket", 2},
    {"listen-unix", KEY_LISTEN_UNIX, "PATH", 0, "Accept on a unix stream socket", 2},
    {"udp", KEY_UDP, "[ADDRESS:]PORT", 0, "Datagrams; without an address, from anywhere", 2},
    {"file", KEY_FILE, "PATH", 0, "Captured bytes; - is standard input", 2},
    {"datagrams", KEY_DATAGRAMS, 0, 0,
     "Captures hold datagrams, each behind its length (2 bytes, little-endian), not frames", 2},
    {0, 0, 0, 0, "How it stores:", 3},
    {"commit-ms", KEY_COMMIT_MS, "N", 0, "Commit at most this late (50)", 3},
    {"commit-records", KEY_COMMIT_RECORDS, "N", 0, "or once this many wait (256)", 3},
    {"max-db-mb", KEY_MAX_DB, "N", 0, "The database grows no larger", 3},
    {"patience", KEY_PATIENCE, "SECONDS", 0,
     "Keep trying this long when the database is full or locked, then give up (60)", 3},
    {0, 0, 0, 0, "The rest:", 4},
    {"max-skip", KEY_MAX_SKIP, "N", 0,
     "Follow a device over so many restarts that were not heard (262144)", 4},
    {"session-age", KEY_SESSION_AGE, "SECONDS", 0,
     "End a session so long after its greeting (86400); 0: none ends by its age", 4},
    {"no-ack", KEY_NO_ACK, 0, 0, "Answer no record", 4},
    {"quiet", 'q', 0, 0, "No JSON lines on standard output", 4},
    {0, 0, 0, 0, NULL, 0}};

static const char documentation[] =
    "Receive sealed records, open each once, store what they say, print it as JSON lines."
    "\vExamples:\n"
    "  ferrule-gateway -r devices.json -d ferrule.db --serial /dev/ttyUSB0 --baud 115200\n"
    "  ferrule-gateway -r devices.json -d ferrule.db --udp 4433 | jq .value\n"
    "  ferrule-gateway -r devices.json -d ferrule.db --file capture.bin\n"
    "\nA line is printed only after the database has stored what it says. Ctrl-C or SIGTERM stores"
    " what waits, prints a summary and exits with 0. SIGHUP reads the registry again; SIGUSR1 "
    "prints"
    " a summary of so far.";

static void add_source(struct options *options, enum source_kind kind, const char *where,
                       struct argp_state *state)
{
    if (options->source_count == SOURCES_MAX) {
        argp_error(state, "more than %u sources", SOURCES_MAX);
        return;
    }
    options->sources[options->source_count++] = (struct source){kind, where};
}

static error_t check_whole(const struct options *options, struct argp_state *state)
{
    if (options->registry == NULL || options->database == NULL) {
        argp_error(state, "--registry and --db are needed");
    } else if (options->source_count == 0) {
        argp_error(state, "nothing to read: give --serial, --unix, --listen-unix, --udp or --file");
    }
    return 0;
}

static error_t parse_number(int key, const char *text, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_BAUD:
        options->baud = option_number(text, 1, 4000000, "baud", state);
        return 0;
    case KEY_COMMIT_MS:
        options->commit_ms = option_number(text, 0, 60000, "commit-ms", state);
        return 0;
    case KEY_COMMIT_RECORDS:
        options->commit_records =
            option_number(text, 1, QUEUE_RECORDS_MAX, "commit-records", state);
        return 0;
    case KEY_MAX_DB:
        options->max_db_mb = option_number(text, 1, 1u << 20, "max-db-mb", state);
        return 0;
    case KEY_MAX_SKIP:
        options->max_skip = option_number(text, 8, 1u << 31, "max-skip", state);
        return 0;
    case KEY_SESSION_AGE:
        options->session_s = option_number(text, 0, 366u * 86400u, "session-age", state);
        return 0;
    case KEY_PATIENCE:
        options->patience_s = option_number(text, 0, 86400, "patience", state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'r':
        options->registry = text;
        return 0;
    case 'd':
        options->database = text;
        return 0;
    case KEY_KEY:
        options->key = text;
        return 0;
    case 'q':
        options->quiet = true;
        return 0;
    case KEY_SERIAL:
        add_source(options, SOURCE_SERIAL, text, state);
        return 0;
    case KEY_UNIX:
        add_source(options, SOURCE_UNIX, text, state);
        return 0;
    case KEY_LISTEN_UNIX:
        add_source(options, SOURCE_LISTEN_UNIX, text, state);
        return 0;
    case KEY_UDP:
        add_source(options, SOURCE_UDP, text, state);
        return 0;
    case KEY_FILE:
        add_source(options, SOURCE_FILE, text, state);
        return 0;
    case KEY_DATAGRAMS:
        options->datagrams = true;
        return 0;
    case KEY_NO_ACK:
        options->acks = false;
        return 0;
    case ARGP_KEY_END:
        return check_whole(options, state);
    default:
        return parse_number(key, text, state);
    }
}

void server_options_parse(int argc, char **argv, struct options *options)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    *options = (struct options){.baud = 115200,
                                .commit_ms = 50,
                                .commit_records = 256,
                                .patience_s = 60,
                                .max_skip = CONTEXTS_MAX_SKIP,
                                .session_s = 86400,
                                .acks = true};
    argp_program_version = "ferrule-gateway " FERRULE_VERSION_TEXT;
    (void)argp_parse(&argp, argc, argv, 0, NULL, options);
}
