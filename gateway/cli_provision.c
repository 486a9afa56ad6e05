/* ferrule provision. The order is what makes it safe at every crash:
 *
 *     1. the blob's file is made, empty          a name or folder that cannot work is told first
 *     2. the state is committed to the database  from here on the identity counts as issued
 *     3. the registry takes the device in
 *     4. the blob is written
 *
 * So a blob is never out in the world without state for it (ONCE, CLOSED), and an identity is never
 * issued twice by accident: whatever was cut short is done again with --reissue, under a new epoch
 * that replaces the state. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "entropy.h"
#include "ferrule/keychain.h"
#include "ferrule/provision.h"
#include "files.h"
#include "keys.h"
#include "option.h"
#include "text.h"

enum { KEY_ROUTE_BYTES = 256, KEY_ROOT, KEY_NAME, KEY_REISSUE, KEY_HARDWARE, KEY_GENERATION };

/* A key step for each takes the tool some 20 s at most; no flash lasts for so many starts. */
#define GENERATION_MAX (1u << 24)

struct provision {
    const char *identity;
    const char *registry;
    const char *database;
    const char *out;
    const char *root;
    const char *name;
    uint8_t route[FER_ROUTE_MAX];
    uint8_t hardware[FER_HARDWARE_MAX];
    size_t hardware_length; /* 0: the blob is not bound */
    uint32_t generation;
    uint32_t route_bytes;
    bool route_given;
    bool reissue;
};

static const struct argp_option argp_options[] = {
    {"identity", 'i', "ID", 0, "The device: 1 to 32 of A-Z a-z 0-9 . _ : -", 0},
    {"registry", 'r', "FILE", 0, "The registry to enter it in (made if missing)", 0},
    {"db", 'd', "FILE", 0, "The database to enter its state in (made if missing)", 0},
    {"out", 'o', "BLOB", 0, "Where to write the device's credential (secret)", 0},
    {"route", 'R', "HEX", 0, "Its route on the wire: 0, 2, 4 or 8 bytes", 0},
    {"route-bytes", KEY_ROUTE_BYTES, "N", 0, "Choose a free route of this length (4)", 0},
    {"hardware", KEY_HARDWARE, "HEX", 0,
     "Bind the blob to the chip with this unique id: 1 to 64 bytes", 0},
    {"generation", KEY_GENERATION, "N", 0,
     "Begin at this generation: where a monotonic counter of the chip stands already (0)", 0},
    {"name", KEY_NAME, "TEXT", 0, "A name for people", 0},
    {"root", KEY_ROOT, "FILE", 0, "Derive from this root ('ferrule keygen') instead of a fresh one",
     0},
    {"reissue", KEY_REISSUE, 0, 0, "Replace what was issued before, under a new epoch", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Issue a credential for a device and enter the device in the gateway's registry and database."
    "\vExamples:\n"
    "  ferrule provision -i pump-7 -r devices.json -d ferrule.db -o pump-7.blob\n"
    "  ferrule provision -i pump-7 -r devices.json -d ferrule.db -o pump-7b.blob --reissue\n"
    "  ferrule provision -i pump-8 -r devices.json -d ferrule.db -o pump-8.blob"
    " --hardware 300041000c51363934373233\n"
    "\nThe blob is for one device and is installed once: see 'ferrule flash'. Erase it afterwards."
    " A running ferrule-gateway learns of the device by SIGHUP.";

static error_t check_whole(const struct provision *want, struct argp_state *state)
{
    if (want->identity == NULL || want->registry == NULL || want->database == NULL ||
        want->out == NULL) {
        argp_error(state, "--identity, --registry, --db and --out are needed");
    } else if (!text_is_identity(want->identity, strlen(want->identity))) {
        argp_error(state, "--identity: must be 1 to 32 of A-Z a-z 0-9 . _ : -");
    } else if (want->name != NULL && (strlen(want->name) > REGISTRY_NAME_MAX ||
                                      !text_is_printable(want->name, strlen(want->name)))) {
        argp_error(state, "--name: must be up to %u bytes of printable text", REGISTRY_NAME_MAX);
    }
    return 0;
}

static bool is_route_length(size_t n)
{
    return n == 0 || n == 2 || n == 4 || n == 8;
}

static error_t parse_route(int key, const char *text, struct provision *want,
                           struct argp_state *state)
{
    size_t length = 0;
    if (key == KEY_ROUTE_BYTES) {
        if (!text_to_u32(text, FER_ROUTE_MAX, &want->route_bytes) ||
            !is_route_length(want->route_bytes)) {
            argp_error(state, "--route-bytes: must be 0, 2, 4 or 8");
        }
        return 0;
    }
    if (!text_from_hex(text, strlen(text), want->route, sizeof want->route, &length) ||
        !is_route_length(length)) {
        argp_error(state, "--route: must be 0, 2, 4 or 8 bytes in hex");
    }
    want->route_bytes = (uint32_t)length;
    want->route_given = true;
    return 0;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct provision *want = state->input;
    switch (key) {
    case 'i':
        want->identity = text;
        return 0;
    case 'r':
        want->registry = text;
        return 0;
    case 'd':
        want->database = text;
        return 0;
    case 'o':
        want->out = text;
        return 0;
    case 'R':
    case KEY_ROUTE_BYTES:
        return parse_route(key, text, want, state);
    case KEY_HARDWARE:
        option_bytes(text, want->hardware, sizeof want->hardware, &want->hardware_length,
                     "hardware", state);
        return 0;
    case KEY_GENERATION:
        want->generation = option_number(text, 0, GENERATION_MAX, "generation", state);
        return 0;
    case KEY_NAME:
        want->name = text;
        return 0;
    case KEY_ROOT:
        want->root = text;
        return 0;
    case KEY_REISSUE:
        want->reissue = true;
        return 0;
    case ARGP_KEY_END:
        return check_whole(want, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A missing registry is an empty one. */
static bool load_registry(const struct provision *want, struct registry *registry,
                          struct fault *fault)
{
    *registry = (struct registry){0};
    if (access(want->registry, F_OK) != 0 && errno == ENOENT) {
        return true;
    }
    return registry_load(want->registry, registry, fault);
}

static bool choose_route(const struct provision *want, const struct registry *registry,
                         struct registry_device *device, struct fault *fault)
{
    const size_t length = want->route_bytes;
    device->route_length = (uint8_t)length;
    memcpy(device->route, want->route, sizeof device->route);
    if (want->route_given) {
        return true;
    }
    for (int tries = 0; tries < 64; tries++) {
        if (!host_random(device->route, length)) {
            FAULT(fault, "the system gives no random bytes");
            return false;
        }
        if (length == 0 || registry_find_route(registry, device->route, length) == NULL) {
            return true;
        }
    }
    FAULT(fault, "no free route of %zu bytes was found: give --route, or more --route-bytes",
          length);
    return false;
}

/* What the device will be in the registry. Nothing is written yet. */
static bool plan(const struct provision *want, struct registry *registry,
                 struct registry_device *device, struct fault *fault)
{
    const struct registry_device *before = registry_find(registry, want->identity);
    if (before != NULL && !want->reissue) {
        FAULT(fault,
              "device %s is in the registry already: nothing is issued twice; give --reissue to "
              "replace what it has",
              want->identity);
        return false;
    }
    memset(device, 0, sizeof *device);
    device->enabled = true;
    device->acks = true;
    if (before != NULL) {
        *device = *before;
    }
    strcpy(device->id, want->identity);
    if (want->name != NULL) {
        strcpy(device->name, want->name);
    }
    if (before == NULL || want->route_given) {
        if (!choose_route(want, registry, device, fault)) {
            return false;
        }
    }
    return registry_put(registry, device, fault);
}

/* A number that this identity never had. */
static bool choose_epoch(struct database *db, struct registry_device *device, struct fault *fault)
{
    bool issued = true;
    while (issued) {
        if (!host_random(&device->epoch, sizeof device->epoch)) {
            FAULT(fault, "the system gives no random bytes");
            return false;
        }
        const int rc = database_was_issued(db, device->id, device->epoch, &issued);
        if (rc != SQLITE_OK) {
            database_explain(db, rc, "look up what was issued", fault);
            return false;
        }
    }
    return true;
}

static bool mint(const struct provision *want, const struct registry_device *device,
                 fer_credential *credential, struct fault *fault)
{
    fer_root_key root;
    if (want->root != NULL) {
        if (!keys_read(want->root, "root", root.bytes, fault)) {
            return false;
        }
    } else if (!host_random(root.bytes, sizeof root.bytes)) {
        FAULT(fault, "the system gives no random bytes");
        return false;
    }
    const fer_identity identity = {.epoch = device->epoch,
                                   .identity = (const uint8_t *)device->id,
                                   .identity_length = strlen(device->id),
                                   .route = device->route,
                                   .route_length = device->route_length};
    fer_status status = fer_keychain_mint(&root, &identity, credential);
    if (status == FER_OK) {
        status = fer_keychain_forward(credential, want->generation);
    }
    if (status != FER_OK) {
        FAULT(fault, "no credential was made: %s", fer_status_text(status));
    }
    return status == FER_OK;
}

/* The state that the gateway begins with; the core wipes its copy of the credential. */
static bool make_state(const fer_credential *credential, const struct registry_device *device,
                       struct device_state *state, struct fault *fault)
{
    struct contexts contexts;
    fer_credential copy = *credential;
    uint32_t context = 0;
    *state = (struct device_state){.epoch = device->epoch, .route_length = device->route_length};
    memcpy(state->route, device->route, sizeof state->route);
    state->snapshot = malloc(CONTEXTS_SNAPSHOT_MAX);
    if (state->snapshot == NULL ||
        !contexts_create(&contexts, 1, CONTEXTS_MAX_SKIP, host_entropy(), fault)) {
        FAULT(fault, "out of memory");
        fer_credential_wipe(&copy);
        return false;
    }
    fer_status status = fer_gateway_add(contexts.core, &copy, &context);
    if (status == FER_OK) {
        status = fer_gateway_export(contexts.core, context, state->snapshot, CONTEXTS_SNAPSHOT_MAX,
                                    &state->snapshot_length);
    }
    contexts_free(&contexts);
    fer_credential_wipe(&copy);
    if (status != FER_OK) {
        FAULT(fault, "the gateway does not take the credential: %s", fer_status_text(status));
    }
    return status == FER_OK;
}

/* Inside the transaction: the database's own word on whether this identity was issued. */
static bool check_unissued(const struct provision *want, struct database *db, struct fault *fault)
{
    struct device_state state;
    const int rc = database_get_state(db, want->identity, &state);
    device_state_free(&state);
    if (rc == SQLITE_ROW && !want->reissue) {
        FAULT(fault,
              "device %s was issued already: nothing is issued twice; give --reissue to replace it",
              want->identity);
        return false;
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        database_explain(db, rc, "look up the device", fault);
        return false;
    }
    return true;
}

/* Steps 2 and 3, under the lock: two runs of this program must not undo each other's registry. */
static bool enter(const struct provision *want, struct database *db, fer_credential *credential,
                  struct fault *fault)
{
    struct registry registry = {0};
    struct registry_device device;
    struct device_state state = {0};
    int rc = database_run(db, "BEGIN IMMEDIATE");
    if (rc != SQLITE_OK) {
        database_explain(db, rc, "begin", fault);
        return false;
    }
    bool done = load_registry(want, &registry, fault) && check_unissued(want, db, fault) &&
                plan(want, &registry, &device, fault) && choose_epoch(db, &device, fault) &&
                registry_put(&registry, &device, fault) && mint(want, &device, credential, fault) &&
                make_state(credential, &device, &state, fault);
    char *text = done ? registry_format(&registry) : NULL;
    done = text != NULL;
    if (done) {
        rc = database_put_device(db, device.id, &state, (int64_t)time(NULL) * 1000);
        if (rc == SQLITE_OK) {
            rc = database_run(db, "COMMIT");
        }
        if (rc != SQLITE_OK) {
            database_explain(db, rc, "store the device", fault);
        }
        done = rc == SQLITE_OK;
    }
    if (!done) {
        (void)database_run(db, "ROLLBACK");
    } else {
        done = files_replace(want->registry, text, fault);
    }
    device_state_free(&state);
    registry_free(&registry);
    free(text);
    return done;
}

/* The blob, bound if that is wanted. */
static bool finish_blob(const struct provision *want, int fd, const fer_credential *credential,
                        struct fault *fault)
{
    uint8_t blob[FER_BLOB_BYTES];
    size_t n = sizeof credential->bytes;
    memcpy(blob, credential->bytes, n);
    if (want->hardware_length > 0) {
        n = sizeof blob;
        const fer_status status =
            fer_provision_bind(credential, want->hardware, want->hardware_length, blob);
        if (status != FER_OK) {
            FAULT(fault, "the blob is not bound: %s", fer_status_text(status));
            close(fd);
            explicit_bzero(blob, sizeof blob);
            return false;
        }
    }
    const bool done = files_finish(want->out, fd, blob, n, fault);
    explicit_bzero(blob, sizeof blob);
    return done;
}

static bool provision(const struct provision *want, struct fault *fault)
{
    struct database db;
    fer_credential credential;
    int lock = -1; /* held until the process ends */
    int fd = -1;
    bool busy = false;
    memset(&credential, 0, sizeof credential);
    if (!files_lock(want->registry, "lock", true, &lock, &busy, fault) ||
        !files_create(want->out, &fd, fault)) {
        return false;
    }
    if (!database_open(&db, want->database, DATABASE_CREATE, fault)) {
        close(fd);
        (void)unlink(want->out);
        return false;
    }
    bool done = enter(want, &db, &credential, fault);
    database_close(&db);
    if (done) {
        done = finish_blob(want, fd, &credential, fault);
        if (!done) {
            SAY("the device is entered but its blob is not whole: destroy it and give --reissue");
        }
    } else {
        close(fd);
        (void)unlink(want->out);
    }
    fer_credential_wipe(&credential);
    return done;
}

int cli_provision(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct provision want = {.route_bytes = 4};
    struct fault fault = {""};
    cli_parse(&argp, argc, argv, &want);
    if (!provision(&want, &fault)) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
