#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "command.h"
#include "option.h"
#include "text.h"

struct commands {
    const char *database;
    const char *device;
    uint32_t cancel;
};

static const struct argp_option argp_options[] = {
    {"db", 'd', "FILE", 0, "The database; it is only read, unless something is cancelled", 0},
    {"device", 'i', "ID", 0, "Only this device", 0},
    {"cancel", 'c', "N", 0, "Send the command of this id of the device no more", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "List commands, oldest first, and how they ended; or cancel one."
    "\vA command that was sent before it is cancelled may have run.\n"
    "Examples:\n  ferrule commands --db ferrule.db --device pump-7\n"
    "  ferrule commands --db ferrule.db --device pump-7 --cancel 1763900000";

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct commands *want = state->input;
    switch (key) {
    case 'd':
        want->database = text;
        return 0;
    case 'i':
        want->device = text;
        return 0;
    case 'c':
        want->cancel = option_number(text, 1, UINT32_MAX, "cancel", state);
        return 0;
    case ARGP_KEY_END:
        if (want->database == NULL || (want->cancel != 0 && want->device == NULL)) {
            argp_error(state, "--db is needed, and --device with --cancel");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_command(void *context, const struct command *command)
{
    char created[TEXT_NUMBER_SIZE];
    (void)context;
    text_from_time(command->created_ms, created);
    printf("%s %" PRIu32 " %s %s, %zu bytes, sent %" PRIu32 " times%s%s\n", command->identity,
           command->id, created, command->state, command->length, command->sends,
           command->text[0] != '\0' ? ": " : "", command->text);
}

static int cancel(struct database *db, const struct commands *want, bool *cancelled)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return command_cancel(db, want->device, want->cancel,
                          (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, cancelled);
}

int cli_commands(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct commands want = {0};
    struct database db;
    struct fault fault = {""};
    bool good = true;
    cli_parse(&argp, argc, argv, &want);
    if (!database_open(&db, want.database, want.cancel != 0 ? DATABASE_WRITE : DATABASE_READ,
                       &fault)) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    const int rc = want.cancel != 0 ? cancel(&db, &want, &good)
                                    : command_list(&db, want.device, 0, print_command, NULL);
    if (rc != SQLITE_OK) {
        database_explain(&db, rc, "read or change commands", &fault);
        SAY("%s", fault.text);
    } else if (!good) {
        SAY("command %" PRIu32 " of device %s is not open: see 'ferrule commands'", want.cancel,
            want.device);
    }
    database_close(&db);
    if (fflush(stdout) != 0) {
        SAY("standard output: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    return rc == SQLITE_OK && good ? EXIT_SUCCESS : EXIT_FAILURE;
}
