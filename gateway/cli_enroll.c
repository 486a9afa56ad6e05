/* ferrule enroll. In this order: handshake, people compare, the pin is durable, and only then the
 * device is told. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "enrolment.h"
#include "ferrule/provision.h"
#include "files.h"
#include "keys.h"
#include "option.h"
#include "posix_link.h"

#define WAIT_S 60u

enum {
    KEY_SERIAL = 256,
    KEY_BAUD,
    KEY_UNIX,
    KEY_STDIO,
    KEY_EXPECT,
    KEY_REQUIRED,
    KEY_BLOB,
    KEY_REPLACE,
    KEY_WAIT
};

struct enroll {
    const char *registry;
    const char *identity;
    const char *key;
    const char *serial;
    const char *unix_path;
    const char *expect;
    const char *blob_path;
    uint32_t baud;
    uint32_t wait_s;
    bool stdio;
    bool required;
    bool replace;
    uint8_t *blob;
    size_t blob_length;
    struct enrolment enrolment;
};

static const struct argp_option argp_options[] = {
    {0, 0, 0, 0, "What it needs:", 1},
    {"registry", 'r', "FILE", 0, "The registry; the device is in it already", 1},
    {"identity", 'i', "ID", 0, "The device", 1},
    {"key", 'k', "FILE", 0, "The gateway's static key", 1},
    {0, 0, 0, 0, "How the device is reached (one of these):", 2},
    {"serial", KEY_SERIAL, "DEV", 0, "A serial line", 2},
    {"baud", KEY_BAUD, "N", 0, "Its speed (115200)", 2},
    {"unix", KEY_UNIX, "PATH", 0, "A unix stream socket that it listens on", 2},
    {"stdio", KEY_STDIO, 0, 0, "Standard input and output; needs --expect", 2},
    {0, 0, 0, 0, "The rest:", 3},
    {"expect", KEY_EXPECT, "FINGERPRINT", 0,
     "The fingerprint of the device's key, as its label or display has it; else it is asked for "
     "your yes",
     3},
    {"required", KEY_REQUIRED, 0, 0, "From now on accept its live records in sessions alone", 3},
    {"replace", KEY_REPLACE, 0, 0, "It may have another static key than the registry says", 3},
    {"blob", KEY_BLOB, "FILE", 0, "Hand this blob of 'ferrule provision' over, encrypted", 3},
    {"wait", KEY_WAIT, "SECONDS", 0,
     "How long to wait for the device, and then for its receipt (60)", 3},
    {0, 0, 0, 0, NULL, 0}};

static const char documentation[] =
    "Take a device's static key over a cable, compare its fingerprint, and pin it."
    "\vBoth sides learn each other's key by a Noise XX handshake, which encrypts but proves "
    "nothing: "
    "compare the fingerprint with the one that the device itself shows. Then the key is written "
    "into "
    "the registry; a running ferrule-gateway learns it by SIGHUP.\n"
    "Examples:\n"
    "  ferrule enroll -r devices.json -i pump-7 --key gateway.key --serial /dev/ttyUSB0\n"
    "  ferrule enroll -r devices.json -i pump-7 --key gateway.key --unix pump-7.sock \\\n"
    "    --expect 0b1c-… --blob pump-7.blob";

static error_t check_whole(const struct enroll *want, struct argp_state *state)
{
    if (want->registry == NULL || want->identity == NULL || want->key == NULL) {
        argp_error(state, "--registry, --identity and --key are needed");
    } else if ((want->serial != NULL) + (want->unix_path != NULL) + want->stdio != 1) {
        argp_error(state, "one of --serial, --unix and --stdio is needed");
    } else if (want->stdio && want->expect == NULL) {
        argp_error(state, "--stdio needs --expect: nobody can be asked");
    }
    return 0;
}

static error_t parse_more(int key, char *text, struct argp_state *state)
{
    struct enroll *want = state->input;
    switch (key) {
    case KEY_BAUD:
        want->baud = option_number(text, 1, 4000000, "baud", state);
        return 0;
    case KEY_WAIT:
        want->wait_s = option_number(text, 1, 86400, "wait", state);
        return 0;
    case KEY_EXPECT:
        want->expect = text;
        return 0;
    case KEY_REQUIRED:
        want->required = true;
        return 0;
    case KEY_REPLACE:
        want->replace = true;
        return 0;
    case KEY_BLOB:
        want->blob_path = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct enroll *want = state->input;
    switch (key) {
    case 'r':
        want->registry = text;
        return 0;
    case 'i':
        want->identity = text;
        return 0;
    case 'k':
        want->key = text;
        return 0;
    case KEY_SERIAL:
        want->serial = text;
        return 0;
    case KEY_UNIX:
        want->unix_path = text;
        return 0;
    case KEY_STDIO:
        want->stdio = true;
        return 0;
    case ARGP_KEY_END:
        return check_whole(want, state);
    default:
        return parse_more(key, text, state);
    }
}

/* ---- before anything is said to the device ---- */

/* A device that does not exist, or whose key may not change, is told from one that may. */
static bool check_device(const struct enroll *want, struct fault *fault)
{
    struct registry registry;
    if (!registry_load(want->registry, &registry, fault)) {
        return false;
    }
    const struct registry_device *device = registry_find(&registry, want->identity);
    const bool good = device != NULL && device->enabled;
    if (!good) {
        FAULT(fault, "device %.64s is %s", want->identity,
              device == NULL ? "not in the registry: 'ferrule provision' enters it" : "disabled");
    }
    registry_free(&registry);
    return good;
}

static bool read_blob(struct enroll *want, struct fault *fault)
{
    if (want->blob_path == NULL) {
        return true;
    }
    if (!files_check_private(want->blob_path, fault) ||
        !files_read(want->blob_path, FER_BLOB_BYTES, &want->blob, &want->blob_length, fault)) {
        return false;
    }
    if (want->blob_length == FER_BLOB_BYTES || want->blob_length == FER_CREDENTIAL_BYTES) {
        return true;
    }
    FAULT(fault, "%.300s: is not a blob of 'ferrule provision'", want->blob_path);
    return false;
}

static bool open_line(struct enroll *want, struct fault *fault)
{
    fer_static_secret secret;
    fer_static_public own;
    const char *why = "";
    int in = STDIN_FILENO;
    int out = STDOUT_FILENO;
    if (!keys_read_static(want->key, &secret, &own, fault)) {
        return false;
    }
    if (!want->stdio) {
        in = want->serial != NULL ? posix_open_serial(want->serial, want->baud, &why)
                                  : posix_connect_unix(want->unix_path, &why);
        out = in;
    }
    bool done = in >= 0;
    if (!done) {
        FAULT(fault, "%s: %s", want->serial != NULL ? want->serial : want->unix_path, why);
    } else {
        done = enrolment_open(&want->enrolment, in, out, &secret, &own, fault);
    }
    explicit_bzero(&secret, sizeof secret);
    return done;
}

/* ---- the device's key ---- */

/* Out of band: nothing that came over the line vouches for the key. */
static bool approve(const struct enroll *want, struct fault *fault)
{
    char ours[FER_STATIC_FINGERPRINT_TEXT];
    char its[FER_STATIC_FINGERPRINT_TEXT];
    char reply[16] = "";
    if (fer_static_get_fingerprint_text(&want->enrolment.own, ours) != FER_OK ||
        fer_static_get_fingerprint_text(&want->enrolment.device, its) != FER_OK) {
        FAULT(fault, "there are no fingerprints");
        return false;
    }
    fprintf(stderr, "this gateway  %s\nthe device    %s\n", ours, its);
    if (want->expect != NULL) {
        if (!keys_matches(&want->enrolment.device, want->expect)) {
            FAULT(fault, "the device's fingerprint is not the one that is expected: nothing is "
                         "pinned; whose key is this?");
            return false;
        }
        return true;
    }
    fputs("Does the device show the same two? Type yes: ", stderr);
    if (fgets(reply, sizeof reply, stdin) == NULL || strcmp(reply, "yes\n") != 0) {
        FAULT(fault, "nothing is pinned");
        return false;
    }
    return true;
}

static bool pin(struct registry_device *device, const void *context, struct fault *fault)
{
    const struct enroll *want = context;
    const fer_static_public *key = &want->enrolment.device;
    if (device->has_static && !want->replace &&
        memcmp(&device->static_key, key, sizeof *key) != 0) {
        FAULT(fault,
              "device %s has another static key in the registry; give --replace if it may "
              "have a new one",
              device->id);
        return false;
    }
    device->static_key = *key;
    device->has_static = true;
    device->session_required = device->session_required || want->required;
    return true;
}

static bool enroll(struct enroll *want, struct fault *fault)
{
    return check_device(want, fault) && read_blob(want, fault) && open_line(want, fault) &&
           enrolment_meet(&want->enrolment, (int)want->wait_s, fault) && approve(want, fault) &&
           registry_change(want->registry, want->identity, pin, want, fault);
}

int cli_enroll(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct enroll want = {.baud = 115200, .wait_s = WAIT_S};
    struct fault fault = {""};
    cli_parse(&argp, argc, argv, &want);
    (void)signal(SIGPIPE, SIG_IGN); /* a device that hangs up is told of, not died of */
    bool done = enroll(&want, &fault);
    if (done) {
        done = enrolment_hand_over(&want.enrolment, want.blob, want.blob_length, (int)want.wait_s,
                                   &fault);
        SAY("device %s is pinned%s; a running ferrule-gateway learns it by SIGHUP", want.identity,
            done ? ""
                 : ", but has not confirmed it: run this again, without --blob if it holds its "
                   "credential");
    }
    if (!done) {
        SAY("%s", fault.text);
    }
    if (want.blob != NULL) {
        explicit_bzero(want.blob, want.blob_length);
        free(want.blob);
    }
    enrolment_close(&want.enrolment);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
