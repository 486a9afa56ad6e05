/* ferrule explain: the receiver of docs/WIRE.md (section record) told step by step. The steps are
 * told from the header and the core's state; the verdict is the core's own. Greetings are told in
 * greeting_explain.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "accepted.h"
#include "cli.h"
#include "files.h"
#include "greeting_explain.h"
#include "server.h"
#include "text.h"

struct explain {
    const char *registry;
    const char *database;
    const char *hex;
    const char *file;
    const char *key;
    bool framed;
    bool explained;
    bool accepted;
    struct view view;
};

static const struct argp_option argp_options[] = {
    {"registry", 'r', "FILE", 0, "The registry", 0},
    {"db", 'd', "FILE", 0, "The database; it is only read", 0},
    {"key", 'k', "FILE", 0, "The gateway's static key, for greetings", 0},
    {"hex", 'x', "HEX", 0, "The record", 0},
    {"file", 'f', "PATH", 0, "A file that holds the record's bytes", 0},
    {"framed", 'F', 0, 0, "It is a frame, as on a serial line, rather than a bare record", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Tell why one record would be accepted or rejected now, step by step. Nothing changes."
    "\vExits with 0 if it would be accepted, 2 if rejected, 1 on trouble.\n"
    "Examples:\n"
    "  ferrule explain -r devices.json -d ferrule.db --file one.bin --framed\n"
    "  ferrule explain -r devices.json -d ferrule.db --hex 54a1b2c3d4…";

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct explain *explain = state->input;
    switch (key) {
    case 'r':
        explain->registry = text;
        return 0;
    case 'd':
        explain->database = text;
        return 0;
    case 'k':
        explain->key = text;
        return 0;
    case 'x':
        explain->hex = text;
        return 0;
    case 'f':
        explain->file = text;
        return 0;
    case 'F':
        explain->framed = true;
        return 0;
    case ARGP_KEY_END:
        if (explain->registry == NULL || explain->database == NULL) {
            argp_error(state, "--registry and --db are needed");
        } else if ((explain->hex == NULL) == (explain->file == NULL)) {
            argp_error(state, "give the record by --hex or by --file");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the steps ---- */

static void tell_header(const fer_unverified *header, size_t n)
{
    static const char *const kinds[] = {"handshake", "provisioned", "session", "reject"};
    char route[2 * FER_ROUTE_MAX + 1];
    text_to_hex(header->route, header->route_length, route);
    printf("1 header: %s record, %s, %s form, %s lane, route %s\n", kinds[header->kind & 3],
           header->direction == FER_UP ? "up" : "down",
           header->form == FER_FORM_SHORT ? "short" : "full",
           header->lane == FER_LANE_LIVE ? "live" : "backlog", route[0] != '\0' ? route : "(none)");
    if (header->form == FER_FORM_SHORT) {
        printf("  generation ends in %" PRIu32 " (low 8 bits), sequence in %" PRIu32
               " (low 16 bits)\n",
               header->generation, header->sequence);
    } else {
        printf("  generation %" PRIu32 ", sequence %" PRIu32 "\n", header->generation,
               header->sequence);
    }
    printf("  %u bytes of header, %zu of ciphertext, 16 of tag\n", header->header_length,
           n - header->header_length - FER_TAG_BYTES);
}

static void tell_malformed(const uint8_t *record, size_t n)
{
    if (n == 0) {
        printf("1 header: no bytes at all\n");
        return;
    }
    const unsigned first = record[0];
    printf("1 header: first byte %02x: kind %u, %s, %s form%s\n", first, first >> 6,
           (first & 0x20u) != 0 ? "down" : "up", (first & 0x10u) != 0 ? "full" : "short",
           (first & 1u) != 0 ? ", the reserved bit is set" : "");
    printf(
        "  %zu bytes: no record of telemetry begins like this, or it is too short for its header "
        "and tag\n",
        n);
}

/* The context that the header names. Null: there is none, and it was told why. */
static const struct device *tell_context(const struct explain *explain,
                                         const fer_unverified *header)
{
    const struct contexts *contexts = &explain->view.contexts;
    for (size_t i = 0; i < contexts->count; i++) {
        const struct device *device = &contexts->devices[i];
        if (device->registered.route_length != header->route_length ||
            memcmp(device->registered.route, header->route, header->route_length) != 0) {
            continue;
        }
        printf("2 context: route of device %s%s%s%s, epoch %" PRIu32 "\n", device->registered.id,
               device->registered.name[0] != '\0' ? " (" : "", device->registered.name,
               device->registered.name[0] != '\0' ? ")" : "", device->registered.epoch);
        if (!device->registered.enabled) {
            printf("  the registry has it disabled\n");
        } else if (!device->open) {
            printf("  it is closed: the gateway has no usable state of it\n");
        }
        return device->open ? device : NULL;
    }
    printf("2 context: no device of the registry has this route\n");
    return NULL;
}

/* Step 2 of the receiver: the generation that the header means. */
static void tell_generation(const fer_unverified *header, const fer_gateway_state *state)
{
    const uint32_t max_skip = CONTEXTS_MAX_SKIP;
    uint32_t generation = header->generation;
    printf("3 generation: the newest authenticated is %" PRIu32
           "%s, the oldest still opened %" PRIu32 "\n",
           state->generation, state->heard != 0 ? "" : " (none was heard yet)", state->floor);
    if (header->form == FER_FORM_SHORT) {
        const uint32_t ahead = (header->generation - state->generation) & 0xFFu;
        if (ahead > 8 && state->generation < 256 - ahead) {
            printf("  read as %" PRIu32 " before the newest: no such generation\n", 256 - ahead);
            return;
        }
        generation = ahead <= 8 ? state->generation + ahead : state->generation - (256 - ahead);
        printf("  the short form means %" PRIu32 "\n", generation);
    }
    if (generation < state->floor) {
        printf("  it is below the oldest still opened\n");
    } else if (generation > state->generation && generation - state->generation > max_skip) {
        printf("  it is %" PRIu32 " ahead, more than the %" PRIu32 " that are followed\n",
               generation - state->generation, max_skip);
    } else if (generation > state->generation && header->form == FER_FORM_FULL) {
        printf("  it is ahead: its claim %08" PRIx32 " is verified first\n", header->claim);
    } else {
        printf("  it is within reach\n");
    }
}

static void tell_sequence(const fer_unverified *header, const fer_gateway_state *state)
{
    const uint32_t next = header->lane == FER_LANE_LIVE ? state->next_live : state->next_backlog;
    printf("4 sequence: of the newest generation, %" PRIu32
           " is next on this lane, and %u before it "
           "are remembered\n",
           next, CONTEXTS_WINDOW_BITS);
}

/* ---- the verdict ---- */

static fer_gateway_counts counts_of(const fer_gateway *core)
{
    fer_gateway_counts counts;
    if (fer_gateway_get_counts(core, &counts) != FER_OK) {
        memset(&counts, 0, sizeof counts);
    }
    return counts;
}

static void tell_verdict(fer_status status, const fer_gateway_counts *before,
                         const fer_gateway_counts *after)
{
    const char *step = "";
    switch (status) {
    case FER_DROP_REPLAY:
        step = "the window has this number already";
        break;
    case FER_DROP_OLD:
        step = "the generation or the number lies behind what is remembered";
        break;
    case FER_DROP_FORGED:
        step = after->claim_forged != before->claim_forged ? "the claim does not verify"
                                                           : "the tag does not verify";
        break;
    default:
        break;
    }
    printf("5 verdict: REJECTED: %s%s%s\n", fer_status_text(status), step[0] != '\0' ? " — " : "",
           step);
}

static bool try_open(struct explain *explain, const uint8_t *record, size_t n)
{
    struct accepted *accepted = calloc(1, sizeof *accepted + n);
    fer_gateway *core = explain->view.contexts.core;
    if (accepted == NULL) {
        SAY("out of memory");
        return false;
    }
    const fer_gateway_counts before = counts_of(core);
    const fer_status status =
        fer_gateway_open(core, record, n, accepted->bytes, n, &accepted->opened);
    const fer_gateway_counts after = counts_of(core);
    if (status == FER_OK) {
        accepted->device = contexts_device(&explain->view.contexts, accepted->opened.context);
        printf("5 verdict: ACCEPTED as generation %" PRIu32 ", sequence %" PRIu32
               ", %zu bytes of plaintext, after %" PRIu32 " key steps\n",
               accepted->opened.generation, accepted->opened.sequence, accepted->opened.length,
               after.chain_steps - before.chain_steps);
        plain_print(stdout, accepted);
        fer_ticket_abort(&accepted->opened.ticket);
    } else {
        tell_verdict(status, &before, &after);
    }
    explicit_bzero(accepted->bytes, n);
    free(accepted);
    return status == FER_OK;
}

/* What is not of kind 1 is told elsewhere. False: it is. */
static bool explain_other(const struct explain *explain, const uint8_t *record, size_t n,
                          bool *accepted)
{
    fer_greeting greeting;
    *accepted = false;
    if (fer_greeting_inspect(record, n, &greeting) == FER_OK) {
        *accepted = greeting_explain(&explain->view, explain->key, record, n, &greeting);
        return true;
    }
    if (n == 0 || record[0] >> 6 != FER_KIND_SESSION) {
        return false;
    }
    printf("2 context: a session's: its route and keys are in the memory of the device and of the "
           "gateway that answered its greeting, and nowhere else\n"
           "5 verdict: UNKNOWN: ask the running gateway (SIGUSR1 has it count)\n");
    return true;
}

static bool explain_record(struct explain *explain, const uint8_t *record, size_t n)
{
    fer_unverified header;
    fer_gateway_state state;
    bool accepted = false;
    const bool parses = fer_record_inspect(record, n, &header) == FER_OK;
    if (parses) {
        tell_header(&header, n);
    }
    if (explain_other(explain, record, n, &accepted)) {
        return accepted;
    }
    if (!parses) {
        tell_malformed(record, n);
        return try_open(explain, record, n);
    }
    if (header.kind != FER_KIND_PROVISIONED || header.direction != FER_UP) {
        printf("2 context: a gateway opens provisioned records on their way up only\n");
        return try_open(explain, record, n);
    }
    const struct device *device = tell_context(explain, &header);
    if (device != NULL &&
        fer_gateway_get_state(explain->view.contexts.core, device->context, &state) == FER_OK) {
        tell_generation(&header, &state);
        tell_sequence(&header, &state);
    }
    return try_open(explain, record, n);
}

static void explain_frame(void *context, const uint8_t *record, size_t n)
{
    struct explain *explain = context;
    if (!explain->explained) {
        explain->explained = true;
        explain->accepted = explain_record(explain, record, n);
    }
}

static bool read_record(const struct explain *explain, uint8_t **bytes, size_t *n,
                        struct fault *fault)
{
    if (explain->file != NULL) {
        return files_read(explain->file, 2 * RECORD_MAX, bytes, n, fault);
    }
    const size_t digits = strlen(explain->hex);
    *bytes = malloc(digits / 2 + 1);
    if (*bytes == NULL || !text_from_hex(explain->hex, digits, *bytes, digits / 2, n)) {
        FAULT(fault, "--hex: must be an even number of hex digits");
        return false;
    }
    return true;
}

int cli_explain(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct explain explain = {0};
    struct fault fault = {""};
    uint8_t *bytes = NULL;
    size_t n = 0;
    cli_parse(&argp, argc, argv, &explain);
    if (!read_record(&explain, &bytes, &n, &fault) ||
        !view_open(&explain.view, explain.registry, explain.database, &fault)) {
        SAY("%s", fault.text);
        free(bytes);
        return EXIT_FAILURE;
    }
    if (!explain.framed) {
        explain_frame(&explain, bytes, n);
    } else {
        (void)view_each(bytes, n, false, explain_frame, &explain);
        if (!explain.explained) {
            printf("1 header: there is no whole frame in these %zu bytes\n", n);
        }
    }
    view_close(&explain.view);
    free(bytes);
    return explain.accepted ? EXIT_SUCCESS : 2;
}
