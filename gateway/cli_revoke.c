/* ferrule revoke. The registry alone changes; a running gateway reads it at SIGHUP. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "files.h"

struct revoke {
    const char *registry;
    const char *identity;
};

static const struct argp_option argp_options[] = {{"registry", 'r', "FILE", 0, "The registry", 0},
                                                  {"identity", 'i', "ID", 0, "The device", 0},
                                                  {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Shut a device out: remove its static key and disable it."
    "\vSend a running ferrule-gateway SIGHUP: it then closes the device's session and context, and "
    "refuses all that it sends from there on. What is stored stays.\n"
    "Example:\n  ferrule revoke -r devices.json -i pump-7 && pkill -HUP ferrule-gateway";

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct revoke *want = state->input;
    switch (key) {
    case 'r':
        want->registry = text;
        return 0;
    case 'i':
        want->identity = text;
        return 0;
    case ARGP_KEY_END:
        if (want->registry == NULL || want->identity == NULL) {
            argp_error(state, "--registry and --identity are needed");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool shut_out(struct registry_device *device, const void *context, struct fault *fault)
{
    (void)context;
    (void)fault;
    device->enabled = false;
    device->has_static = false;
    device->session_required = false;
    memset(&device->static_key, 0, sizeof device->static_key);
    return true;
}

int cli_revoke(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct revoke want = {0};
    struct fault fault = {""};
    cli_parse(&argp, argc, argv, &want);
    if (!registry_change(want.registry, want.identity, shut_out, NULL, &fault)) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    SAY("device %s is shut out; a running ferrule-gateway learns it by SIGHUP", want.identity);
    return EXIT_SUCCESS;
}
