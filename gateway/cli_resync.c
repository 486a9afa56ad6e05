/* ferrule resync. Moves one device's receive state forward, never back, in one transaction and
 * under the lock that a running gateway holds: its memory would overwrite what is written here. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "entropy.h"
#include "files.h"
#include "option.h"
#include "server.h"
#include "text.h"

enum { KEY_GENERATION = 256, KEY_CLAIMED };

/* The least that a gateway can be told to follow by itself: what lies further needs a claim here.
 */
#define LEAST_SKIP 8u

struct resync {
    const char *registry;
    const char *database;
    const char *identity;
    const char *claimed; /* a record in hex */
    uint32_t generation;
    uint32_t from; /* where it was */
    bool generation_given;
};

static const struct argp_option argp_options[] = {
    {"registry", 'r', "FILE", 0, "The registry", 0},
    {"db", 'd', "FILE", 0, "The database with the device's state", 0},
    {"identity", 'i', "ID", 0, "The device", 0},
    {"generation", KEY_GENERATION, "N", 0, "The generation to go on from, as the gateway told it",
     0},
    {"claimed", KEY_CLAIMED, "HEX", 0,
     "Or: the record that was rejected as too far ahead; its claim must verify", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Follow a device that was restarted more often, unheard, than the gateway follows by itself."
    "\vGoes forward only. Records of earlier generations that are still on the way are lost: give "
    "the "
    "lowest generation that you still want. Stop ferrule-gateway first; it says in a line of its "
    "own "
    "what to run here.\n"
    "Examples:\n"
    "  ferrule resync -r devices.json -d ferrule.db -i pump-7 --generation 300123\n"
    "  ferrule resync -r devices.json -d ferrule.db -i pump-7 --claimed 54a1b2c3d4…";

static error_t check_whole(const struct resync *want, struct argp_state *state)
{
    if (want->registry == NULL || want->database == NULL || want->identity == NULL) {
        argp_error(state, "--registry, --db and --identity are needed");
    } else if (want->generation_given == (want->claimed != NULL)) {
        argp_error(state, "one of --generation and --claimed is needed");
    }
    return 0;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct resync *want = state->input;
    switch (key) {
    case 'r':
        want->registry = text;
        return 0;
    case 'd':
        want->database = text;
        return 0;
    case 'i':
        want->identity = text;
        return 0;
    case KEY_GENERATION:
        want->generation = option_number(text, 1, UINT32_MAX - 1, "generation", state);
        want->generation_given = true;
        return 0;
    case KEY_CLAIMED:
        want->claimed = text;
        return 0;
    case ARGP_KEY_END:
        return check_whole(want, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The generation of a record that the core refuses as too far ahead: so its claim has verified. */
static bool read_claim(const struct contexts *contexts, const char *hex, uint32_t *generation,
                       struct fault *fault)
{
    uint8_t *record = malloc(2 * (size_t)RECORD_MAX);
    fer_unverified header;
    fer_opened opened;
    size_t n = 0;
    if (record == NULL) {
        FAULT(fault, "out of memory");
        return false;
    }
    if (!text_from_hex(hex, strlen(hex), record, RECORD_MAX, &n) ||
        fer_record_inspect(record, n, &header) != FER_OK) {
        FAULT(fault, "--claimed: is not a record in hex");
        free(record);
        return false;
    }
    uint8_t *out = record + RECORD_MAX;
    const fer_status status = fer_gateway_open(contexts->core, record, n, out, RECORD_MAX, &opened);
    explicit_bzero(out, RECORD_MAX);
    free(record);
    *generation = header.generation;
    if (status != FER_DROP_FAR) {
        FAULT(fault, "--claimed: is no record from far ahead: %s",
              status == FER_OK ? "every gateway accepts it" : fer_status_text(status));
    }
    return status == FER_DROP_FAR;
}

/* In the core's memory; the new state goes to *state. */
static bool move(struct resync *want, struct contexts *contexts, struct device_state *state,
                 struct fault *fault)
{
    const struct device *device = &contexts->devices[0];
    fer_gateway_state before;
    if (want->claimed != NULL && !read_claim(contexts, want->claimed, &want->generation, fault)) {
        return false;
    }
    fer_status status = fer_gateway_get_state(contexts->core, device->context, &before);
    want->from = before.generation;
    if (status == FER_OK && want->generation <= before.generation) {
        FAULT(fault,
              "device %s is at generation %" PRIu32 " already: state goes forward only, never back "
              "to %" PRIu32,
              want->identity, before.generation, want->generation);
        return false;
    }
    if (status == FER_OK) {
        status = fer_gateway_resync(contexts->core, device->context, want->generation);
    }
    state->snapshot = malloc(CONTEXTS_SNAPSHOT_MAX);
    if (status == FER_OK && state->snapshot != NULL) {
        status = fer_gateway_export(contexts->core, device->context, state->snapshot,
                                    CONTEXTS_SNAPSHOT_MAX, &state->snapshot_length);
    }
    if (status != FER_OK || state->snapshot == NULL) {
        FAULT(fault, "device %s is not moved: %s", want->identity,
              state->snapshot == NULL ? "out of memory" : fer_status_text(status));
        return false;
    }
    return true;
}

static bool save(const struct resync *want, const struct registry_device *device,
                 struct database *db, const struct device_state *state, struct fault *fault)
{
    bool superseded = false;
    int rc = database_save_state(db, want->identity, device->epoch, state->snapshot,
                                 state->snapshot_length, (int64_t)time(NULL) * 1000, &superseded);
    if (rc == SQLITE_OK) {
        rc = database_run(db, "COMMIT");
    }
    if (rc != SQLITE_OK) {
        database_explain(db, rc, "store the device's state", fault);
    }
    return rc == SQLITE_OK;
}

/* From reading the state to writing it, in one transaction. */
static bool move_stored(struct resync *want, struct registry_device *device, struct database *db,
                        struct fault *fault)
{
    const struct registry alone = {.devices = device, .count = 1};
    struct contexts contexts;
    struct device_state state = {0};
    const int rc = database_run(db, "BEGIN IMMEDIATE");
    if (rc != SQLITE_OK) {
        database_explain(db, rc, "begin", fault);
        return false;
    }
    bool done = contexts_load(&contexts, &alone, db, LEAST_SKIP, host_entropy(), fault);
    if (done && contexts.open != 1) {
        FAULT(fault, "device %s has no state that could be moved", want->identity);
        done = false;
    }
    done = done && move(want, &contexts, &state, fault) && save(want, device, db, &state, fault);
    if (!done) {
        (void)database_run(db, "ROLLBACK");
    }
    contexts_free(&contexts);
    device_state_free(&state);
    return done;
}

static bool resync(struct resync *want, struct fault *fault)
{
    struct registry registry;
    struct database db;
    int lock = -1; /* held until the process ends */
    bool busy = false;
    if (!registry_load(want->registry, &registry, fault)) {
        return false;
    }
    const struct registry_device *found = registry_find(&registry, want->identity);
    bool done = found != NULL;
    if (!done) {
        FAULT(fault, "device %.64s is not in the registry", want->identity);
    }
    if (done && !files_lock(want->database, "lock", false, &lock, &busy, fault)) {
        if (busy) {
            FAULT(fault, "database %.200s: a ferrule-gateway is using it: stop it first",
                  want->database);
        }
        done = false;
    }
    if (done && database_open(&db, want->database, DATABASE_WRITE, fault)) {
        struct registry_device device = *found;
        device.enabled = true; /* its state is moved all the same */
        done = move_stored(want, &device, &db, fault);
        database_close(&db);
    } else {
        done = false;
    }
    registry_free(&registry);
    return done;
}

int cli_resync(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct resync want = {0};
    struct fault fault = {""};
    cli_parse(&argp, argc, argv, &want);
    if (!resync(&want, &fault)) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    SAY("device %s goes on from generation %" PRIu32 "; it was at %" PRIu32, want.identity,
        want.generation, want.from);
    return EXIT_SUCCESS;
}
