#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "accepted.h"
#include "cli.h"
#include "files.h"
#include "text.h"

#define CAPTURE_MAX (256u << 20)

struct decode {
    const char *registry;
    const char *database;
    const char *file;
    bool datagrams;
    struct view view;
    size_t number; /* of the record in the capture */
    size_t refused;
};

static const struct argp_option argp_options[] = {
    {"registry", 'r', "FILE", 0, "The registry", 0},
    {"db", 'd', "FILE", 0, "The database; it is only read", 0},
    {"file", 'f', "PATH", 0, "The captured bytes", 0},
    {"datagrams", 'g', 0, 0, "They are datagrams, each behind its length, not frames", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Print what captured records say. Nothing is stored and no device's state changes."
    "\vA record that the gateway accepted before is not opened again; its stored readings are in "
    "'ferrule export'. Exits with 0 if every record was opened or accepted before.\n"
    "Example:\n  ferrule decode -r devices.json -d ferrule.db --file capture.bin";

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct decode *decode = state->input;
    switch (key) {
    case 'r':
        decode->registry = text;
        return 0;
    case 'd':
        decode->database = text;
        return 0;
    case 'f':
        decode->file = text;
        return 0;
    case 'g':
        decode->datagrams = true;
        return 0;
    case ARGP_KEY_END:
        if (decode->registry == NULL || decode->database == NULL || decode->file == NULL) {
            argp_error(state, "--registry, --db and --file are needed");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_refused(struct decode *decode, const uint8_t *record, size_t n, fer_status status)
{
    fer_unverified header;
    char route[2 * FER_ROUTE_MAX + 1];
    const bool before = status == FER_DROP_REPLAY;
    decode->refused += !before;
    if (fer_record_inspect(record, n, &header) != FER_OK) {
        printf("record %zu, %zu bytes: %s\n", decode->number, n, fer_status_text(status));
        return;
    }
    text_to_hex(header.route, header.route_length, route);
    const struct registry_device *device =
        registry_find_route(&decode->view.registry, header.route, header.route_length);
    printf("record %zu, %zu bytes, says it is %s (route %s) generation %s%" PRIu32
           " sequence %s%" PRIu32 ": %s\n",
           decode->number, n, device != NULL ? device->id : "unknown",
           route[0] != '\0' ? route : "none", header.form == FER_FORM_SHORT ? "…" : "",
           header.generation, header.form == FER_FORM_SHORT ? "…" : "", header.sequence,
           before ? "accepted before" : fer_status_text(status));
}

static void decode_one(void *context, const uint8_t *record, size_t n)
{
    struct decode *decode = context;
    struct accepted *accepted = calloc(1, sizeof *accepted + n);
    decode->number++;
    if (accepted == NULL) {
        SAY("out of memory");
        decode->refused++;
        return;
    }
    const fer_status status = fer_gateway_receive(decode->view.contexts.core, record, n,
                                                  accepted->bytes, n, &accepted->opened);
    if (status == FER_OK) {
        accepted->device = contexts_device(&decode->view.contexts, accepted->opened.context);
        plain_print(stdout, accepted);
    } else {
        print_refused(decode, record, n, status);
    }
    explicit_bzero(accepted->bytes, n);
    free(accepted);
}

int cli_decode(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct decode decode = {0};
    struct fault fault = {""};
    uint8_t *bytes = NULL;
    size_t n = 0;
    cli_parse(&argp, argc, argv, &decode);
    if (!files_read(decode.file, CAPTURE_MAX, &bytes, &n, &fault) ||
        !view_open(&decode.view, decode.registry, decode.database, &fault)) {
        SAY("%s", fault.text);
        free(bytes);
        return EXIT_FAILURE;
    }
    const bool whole = view_each(bytes, n, decode.datagrams, decode_one, &decode);
    view_close(&decode.view);
    free(bytes);
    return whole && decode.refused == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
