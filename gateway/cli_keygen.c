/* ferrule keygen and ferrule fingerprint: keys that are files, and how people compare them. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "entropy.h"
#include "ferrule/keychain.h"
#include "keys.h"
#include "text.h"

struct keygen {
    const char *root;
    const char *static_key;
};

static const struct argp_option argp_options[] = {
    {"static", 's', "FILE", 0, "Make a static key for sessions; print its public half", 0},
    {"out", 'o', "FILE", 0, "Make a root key", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Make a key file: 32 random bytes in hex, with mode 0600, never in place of another file."
    "\vThe static key of a gateway is what devices know it by: ferrule-gateway --key takes it, "
    "their"
    " firmware its public half. A factory that issues devices from one root keeps that file as it"
    " keeps money. Without one, 'ferrule provision' mints a root for each device and forgets it,"
    " which is safer.\n"
    "Examples:\n"
    "  ferrule keygen --static gateway.key\n"
    "  ferrule keygen --out factory.root";

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct keygen *want = state->input;
    switch (key) {
    case 's':
        want->static_key = text;
        return 0;
    case 'o':
        want->root = text;
        return 0;
    case ARGP_KEY_END:
        if ((want->static_key == NULL) == (want->root == NULL)) {
            argp_error(state, "one of --static and --out is needed");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool print_public(const fer_static_public *key)
{
    char hex[2 * FER_NOISE_KEY_BYTES + 1];
    char print[FER_STATIC_FINGERPRINT_TEXT];
    text_to_hex(key->bytes, sizeof key->bytes, hex);
    if (fer_static_get_fingerprint_text(key, print) != FER_OK) {
        return false;
    }
    printf("public %s\nfingerprint %s\n", hex, print);
    return true;
}

static bool make_root(const char *path, struct fault *fault)
{
    uint8_t root[FER_ROOT_BYTES];
    if (!host_random(root, sizeof root)) {
        FAULT(fault, "the system gives no random bytes: no key was made");
        return false;
    }
    const bool done = keys_write(path, root, fault);
    explicit_bzero(root, sizeof root);
    return done;
}

static bool make_static(const char *path, struct fault *fault)
{
    fer_static_secret secret;
    fer_static_public own;
    const fer_status status = fer_static_generate(host_entropy(), &secret, &own);
    if (status != FER_OK) {
        FAULT(fault, "no key was made: %s", fer_status_text(status));
        return false;
    }
    const bool done = keys_write(path, secret.bytes, fault) && print_public(&own);
    explicit_bzero(&secret, sizeof secret);
    return done;
}

int cli_keygen(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct keygen want = {0};
    struct fault fault = {""};
    cli_parse(&argp, argc, argv, &want);
    if (!(want.root != NULL ? make_root(want.root, &fault)
                            : make_static(want.static_key, &fault))) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* ---- fingerprint ---- */

static const char fingerprint_documentation[] =
    "Print the public half of a static key and its fingerprint, for people to compare."
    "\vFILE is a static key file; HEX a public key, as the registry has it.\n"
    "Examples:\n"
    "  ferrule fingerprint gateway.key\n"
    "  ferrule fingerprint 8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

static error_t parse_fingerprint(int key, char *text, struct argp_state *state)
{
    const char **which = state->input;
    if (key == ARGP_KEY_ARG && *which == NULL) {
        *which = text;
        return 0;
    }
    if (key == ARGP_KEY_END && *which == NULL) {
        argp_error(state, "FILE or HEX is needed");
    }
    return ARGP_ERR_UNKNOWN;
}

int cli_fingerprint(int argc, char **argv)
{
    const struct argp argp = {
        .parser = parse_fingerprint, .args_doc = "FILE|HEX", .doc = fingerprint_documentation};
    const char *which = NULL;
    struct fault fault = {""};
    fer_static_secret secret;
    fer_static_public key;
    size_t length = 0;
    cli_parse(&argp, argc, argv, &which);
    if (!text_from_hex(which, strlen(which), key.bytes, sizeof key.bytes, &length) ||
        length != sizeof key.bytes) {
        if (!keys_read_static(which, &secret, &key, &fault)) {
            SAY("%s", fault.text);
            return EXIT_FAILURE;
        }
        explicit_bzero(&secret, sizeof secret);
    }
    return print_public(&key) ? EXIT_SUCCESS : EXIT_FAILURE;
}
