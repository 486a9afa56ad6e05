#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "version.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
} commands[] = {
    {"provision", cli_provision, "issue a credential for a device and enter it in the gateway"},
    {"resync", cli_resync, "follow a device that was restarted too often unheard"},
    {"flash", cli_flash, "install a credential in an image of a device's memory"},
    {"lifetime", cli_lifetime, "tell how long a device's flash and numbers last"},
    {"keygen", cli_keygen, "make a static key for sessions, or a root key, for factories"},
    {"fingerprint", cli_fingerprint, "print a static key's public half and its fingerprint"},
    {"enroll", cli_enroll, "take a device's static key over a cable, and pin it"},
    {"revoke", cli_revoke, "shut a device out: remove its static key and disable it"},
    {"decode", cli_decode, "print what captured records say; nothing is changed"},
    {"explain", cli_explain, "tell why one record is accepted or rejected, step by step"},
    {"send", cli_send, "have the gateway send a command to a device"},
    {"commands", cli_commands, "list commands and how they ended, or cancel one"},
    {"export", cli_export, "print stored readings as CSV"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void print_usage(FILE *out)
{
    fputs("Usage: ferrule COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-11s %s\n", commands[i].name, commands[i].does);
    }
    fputs("\nferrule COMMAND --help tells the options of each.\n", out);
}

void cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    (void)argp_parse(argp, argc, argv, 0, NULL, input);
}

static int run(size_t which, int argc, char **argv)
{
    char name[64];
    (void)snprintf(name, sizeof name, "ferrule %s", commands[which].name);
    argv[0] = name; /* so that usage lines say both words */
    return commands[which].run(argc, argv);
}

int main(int argc, char **argv)
{
    argp_program_version = "ferrule " FERRULE_VERSION_TEXT;
    if (argc < 2) {
        print_usage(stderr);
        return EX_USAGE;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return run(i, argc - 1, argv + 1);
        }
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0) {
        print_usage(stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts(argp_program_version);
        return EXIT_SUCCESS;
    }
    SAY("no such command: %s; 'ferrule --help' lists them", argv[1]);
    return EX_USAGE;
}
