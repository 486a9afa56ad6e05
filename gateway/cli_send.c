#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cli.h"
#include "command.h"
#include "files.h"
#include "option.h"
#include "text.h"

#define LOOK_EVERY_MS 100
#define EXPIRES_DEFAULT_S 3600u
#define SECONDS_MAX (366u * 86400u)

enum { KEY_TEXT = 256, KEY_HEX, KEY_FILE, KEY_EXPIRES, KEY_WAIT };

struct send {
    const char *registry;
    const char *database;
    const char *device;
    const char *text;
    const char *hex;
    const char *file;
    uint32_t expires_s;
    uint32_t wait_s;
    uint8_t body[FER_COMMAND_MAX];
    size_t length;
};

static const struct argp_option argp_options[] = {
    {"registry", 'r', "FILE", 0, "Which devices there are (JSON)", 0},
    {"db", 'd', "FILE", 0, "The gateway's database, where the command is put", 0},
    {"device", 'i', "ID", 0, "Who is to do it", 0},
    {"text", KEY_TEXT, "TEXT", 0, "What to do, as the application on the device understands it", 0},
    {"hex", KEY_HEX, "DIGITS", 0, "The same in hex", 0},
    {"file", KEY_FILE, "FILE", 0, "The same from a file", 0},
    {"expires", KEY_EXPIRES, "SECONDS", 0, "Give up after this long (3600)", 0},
    {"wait", KEY_WAIT, "SECONDS", 0, "Wait this long for the result, and print it", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Have the gateway send a command to a device; prints its id."
    "\vThe gateway sends it when the device is heard, and again until the device reports a result "
    "or "
    "the command expires. A device runs an id once; see docs/THREATS.md for what that holds across "
    "its restarts. With --wait the exit code is 0 if it was done, 1 if it ended otherwise and 75 "
    "if "
    "nothing is known yet.\n"
    "Examples:\n  ferrule send -r devices.json -d ferrule.db -i pump-7 --text 'period 500'\n"
    "  ferrule send -r devices.json -d ferrule.db -i pump-7 --hex 01ff --expires 60 --wait 60";

static void check_whole(const struct send *want, struct argp_state *state)
{
    if (want->registry == NULL || want->database == NULL || want->device == NULL) {
        argp_error(state, "--registry, --db and --device are needed");
    } else if ((want->text != NULL) + (want->hex != NULL) + (want->file != NULL) != 1) {
        argp_error(state, "one of --text, --hex and --file is needed");
    }
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct send *want = state->input;
    switch (key) {
    case 'r':
        want->registry = text;
        return 0;
    case 'd':
        want->database = text;
        return 0;
    case 'i':
        want->device = text;
        return 0;
    case KEY_TEXT:
        want->text = text;
        return 0;
    case KEY_HEX:
        want->hex = text;
        return 0;
    case KEY_FILE:
        want->file = text;
        return 0;
    case KEY_EXPIRES:
        want->expires_s = option_number(text, 1, SECONDS_MAX, "expires", state);
        return 0;
    case KEY_WAIT:
        want->wait_s = option_number(text, 1, SECONDS_MAX, "wait", state);
        return 0;
    case ARGP_KEY_END:
        check_whole(want, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int64_t unix_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- entering --------------------------------------------------------------------------- */

static bool read_body(struct send *want, struct fault *fault)
{
    if (want->hex != NULL) {
        if (!text_from_hex(want->hex, strlen(want->hex), want->body, sizeof want->body,
                           &want->length)) {
            FAULT(fault, "--hex: must be pairs of hex digits, at most %u of them", FER_COMMAND_MAX);
            return false;
        }
        return true;
    }
    uint8_t *bytes = NULL;
    if (want->file != NULL) {
        if (!files_read(want->file, FER_COMMAND_MAX, &bytes, &want->length, fault)) {
            return false;
        }
        memcpy(want->body, bytes, want->length);
        free(bytes);
        return true;
    }
    want->length = strlen(want->text);
    if (want->length > FER_COMMAND_MAX) {
        FAULT(fault, "--text: a command has at most %u bytes", FER_COMMAND_MAX);
        return false;
    }
    memcpy(want->body, want->text, want->length);
    return true;
}

/* What the registry has to say, before anything is written. */
static bool check_device(const struct send *want, struct fault *fault)
{
    struct registry registry;
    if (!registry_load(want->registry, &registry, fault)) {
        return false;
    }
    const struct registry_device *device = registry_find(&registry, want->device);
    bool good = false;
    if (device == NULL) {
        FAULT(fault, "no device %.64s in registry %.200s", want->device, want->registry);
    } else if (!device->enabled || !device->acks) {
        FAULT(fault, "device %.64s is %s in the registry: no command reaches it", want->device,
              device->enabled ? "never answered" : "disabled");
    } else {
        good = true;
    }
    registry_free(&registry);
    return good;
}

static bool enter(struct database *db, const struct send *want, uint32_t *id, struct fault *fault)
{
    const int64_t now = unix_ms();
    const int rc = command_add(db, want->device, want->body, want->length, now,
                               now + (int64_t)want->expires_s * 1000, id);
    if (rc == SQLITE_NOTFOUND) {
        FAULT(fault, "database %.200s: has no state of device %.64s", db->path, want->device);
    } else if (rc != SQLITE_OK) {
        database_explain(db, rc, "enter the command", fault);
    }
    return rc == SQLITE_OK;
}

/* ---- waiting ---------------------------------------------------------------------------- */

static void keep(void *context, const struct command *command)
{
    struct command *kept = context;
    *kept = *command;
}

static bool is_open(const struct command *command)
{
    return strcmp(command->state, "queued") == 0 || strcmp(command->state, "sent") == 0;
}

static int wait_for(struct database *db, const struct send *want, uint32_t id)
{
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = LOOK_EVERY_MS * 1000000L};
    struct command command = {0};
    struct fault fault;
    for (uint32_t i = 0; i < want->wait_s * (1000 / LOOK_EVERY_MS); i++) {
        const int rc = command_list(db, want->device, id, keep, &command);
        if (rc != SQLITE_OK && !database_may_pass(rc)) {
            database_explain(db, rc, "look for the result", &fault);
            SAY("%s", fault.text);
            return EXIT_FAILURE;
        }
        if (rc == SQLITE_OK && !is_open(&command)) {
            printf("%s%s%s\n", command.state, command.text[0] != '\0' ? ": " : "", command.text);
            return strcmp(command.state, "done") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        (void)nanosleep(&pause, NULL);
    }
    SAY("command %" PRIu32 " is %s, sent %" PRIu32 " times, without a result yet", id,
        command.state, command.sends);
    return EX_TEMPFAIL;
}

int cli_send(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct send want = {.expires_s = EXPIRES_DEFAULT_S};
    struct fault fault = {""};
    struct database db;
    uint32_t id = 0;
    cli_parse(&argp, argc, argv, &want);
    if (!read_body(&want, &fault) || !check_device(&want, &fault) ||
        !database_open(&db, want.database, DATABASE_WRITE, &fault)) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    int code = EXIT_FAILURE;
    if (!enter(&db, &want, &id, &fault)) {
        SAY("%s", fault.text);
    } else {
        printf("%" PRIu32 "\n", id);
        (void)fflush(stdout);
        code = want.wait_s > 0 ? wait_for(&db, &want, id) : EXIT_SUCCESS;
        if (fflush(stdout) != 0 || ferror(stdout)) {
            SAY("standard output: command %" PRIu32 " is entered, but cannot be printed", id);
            code = EXIT_FAILURE;
        }
    }
    database_close(&db);
    return code;
}
