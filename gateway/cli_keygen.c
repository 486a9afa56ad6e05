#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "entropy.h"
#include "ferrule/keychain.h"
#include "files.h"
#include "text.h"

static const struct argp_option argp_options[] = {
    {"out", 'o', "FILE", 0, "Where to write it (made with mode 0600, never overwritten)", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Make a root key file: 32 random bytes in hex."
    "\vA factory that issues devices from one root keeps this file as it keeps money. Without one,"
    " 'ferrule provision' mints a root for each device and forgets it, which is safer.\n"
    "Example:\n  ferrule keygen --out factory.root";

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    const char **out = state->input;
    if (key == 'o') {
        *out = text;
        return 0;
    }
    if (key == ARGP_KEY_END && *out == NULL) {
        argp_error(state, "--out is needed");
    }
    return ARGP_ERR_UNKNOWN;
}

int cli_keygen(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    const char *out = NULL;
    uint8_t root[FER_ROOT_BYTES];
    char hex[2 * FER_ROOT_BYTES + 2];
    struct fault fault = {""};
    int fd = -1;
    cli_parse(&argp, argc, argv, &out);
    if (!files_create(out, &fd, &fault)) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    if (!host_random(root, sizeof root)) {
        SAY("the system gives no random bytes: no key was made");
        return EXIT_FAILURE;
    }
    text_to_hex(root, sizeof root, hex);
    hex[2 * FER_ROOT_BYTES] = '\n';
    const bool done = files_finish(out, fd, (const uint8_t *)hex, sizeof hex - 1, &fault);
    explicit_bzero(root, sizeof root);
    explicit_bzero(hex, sizeof hex);
    if (!done) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
