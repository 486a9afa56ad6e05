#include "contexts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

fer_gateway_config contexts_config(size_t count, uint32_t max_skip, fer_entropy entropy)
{
    fer_gateway_config config = fer_gateway_config_default();
    config.contexts = (uint32_t)(count > 0 ? count : 1);
    config.window_bits = CONTEXTS_WINDOW_BITS;
    config.earlier = CONTEXTS_EARLIER;
    config.cache = count < 16 ? 32 : count > 2048 ? 4096 : (uint32_t)(2 * count);
    config.max_skip = max_skip;
    config.entropy = entropy;
    return config;
}

bool contexts_create(struct contexts *contexts, size_t count, uint32_t max_skip,
                     fer_entropy entropy, struct fault *fault)
{
    const fer_gateway_config config = contexts_config(count, max_skip, entropy);
    const size_t size = FER_GATEWAY_SIZE((size_t)config.contexts, (size_t)config.earlier,
                                         (size_t)config.window_bits, (size_t)config.cache);
    memset(contexts, 0, sizeof *contexts);
    const size_t cells = FER_ARENA_ROUND(size) / FER_ARENA_ALIGN;
    contexts->storage = calloc(cells, sizeof *contexts->storage);
    contexts->by_context = calloc(config.contexts, sizeof *contexts->by_context);
    contexts->devices = calloc(config.contexts, sizeof *contexts->devices);
    contexts->by_id = calloc(config.contexts, sizeof *contexts->by_id);
    contexts->by_route = calloc(config.contexts, sizeof *contexts->by_route);
    if (contexts->storage == NULL || contexts->by_context == NULL || contexts->devices == NULL ||
        contexts->by_id == NULL || contexts->by_route == NULL) {
        FAULT(fault, "out of memory for %zu devices", count);
        contexts_free(contexts);
        return false;
    }
    fer_status status = fer_arena_init(&contexts->arena, contexts->storage, cells);
    if (status == FER_OK) {
        status = fer_gateway_create(&contexts->arena, &config, &contexts->core);
    }
    if (status != FER_OK) {
        FAULT(fault, "the receiving core does not start: %s", fer_status_text(status));
        contexts_free(contexts);
        return false;
    }
    return true;
}

/* Reads a device's state into the core. False: it stays closed, for the reason in *fault. */
static bool import_state(struct contexts *contexts, struct device *device,
                         const struct device_state *state, struct fault *fault)
{
    const struct registry_device *registered = &device->registered;
    if (state->epoch != registered->epoch) {
        FAULT(fault, "the registry says epoch %" PRIu32 ", its state is of epoch %" PRIu32,
              registered->epoch, state->epoch);
        return false;
    }
    if (state->route_length != registered->route_length ||
        memcmp(state->route, registered->route, state->route_length) != 0) {
        FAULT(fault, "its route in the registry is not the one it was issued with");
        return false;
    }
    const fer_status status = fer_gateway_import(contexts->core, state->snapshot,
                                                 state->snapshot_length, &device->context);
    if (status != FER_OK) {
        FAULT(fault, "its state cannot be read: %s", fer_status_text(status));
        return false;
    }
    return true;
}

static bool open_device(struct contexts *contexts, struct device *device, struct database *db,
                        struct fault *fault)
{
    struct device_state state;
    struct fault why;
    const int rc = database_get_state(db, device->registered.id, &state);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        database_explain(db, rc, "read the state of devices", fault);
        return false;
    }
    bool imported = false;
    if (rc == SQLITE_DONE) {
        FAULT(&why, "the database has no state of it");
    } else {
        imported = import_state(contexts, device, &state, &why);
    }
    device->greeted = state.greeted;
    device_state_free(&state);
    if (!imported) {
        SAY("device %s stays closed: %s; issue it again with 'ferrule provision --reissue'",
            device->registered.id, why.text);
        return true;
    }
    device->open = true;
    contexts->by_context[device->context] = device;
    contexts->open++;
    return true;
}

/* ---- looking ---------------------------------------------------------------------------- */

struct route {
    const uint8_t *bytes;
    size_t length;
};

/* For bsearch over places of devices; the others for qsort. */
static int compare_id(const void *id, const void *place)
{
    return strcmp(id, (*(struct device *const *)place)->registered.id);
}

static int order_ids(const void *a, const void *b)
{
    return compare_id((*(struct device *const *)a)->registered.id, b);
}

static int compare_route(const void *key, const void *place)
{
    const struct route *route = key;
    const struct registry_device *device = &(*(struct device *const *)place)->registered;
    if (route->length != device->route_length) {
        return route->length < device->route_length ? -1 : 1;
    }
    return memcmp(route->bytes, device->route, route->length);
}

static int order_routes(const void *a, const void *b)
{
    const struct registry_device *device = &(*(struct device *const *)a)->registered;
    const struct route route = {device->route, device->route_length};
    return compare_route(&route, b);
}

static void sort(struct contexts *contexts)
{
    for (size_t i = 0; i < contexts->count; i++) {
        contexts->by_id[i] = &contexts->devices[i];
        contexts->by_route[i] = &contexts->devices[i];
    }
    qsort(contexts->by_id, contexts->count, sizeof *contexts->by_id, order_ids);
    qsort(contexts->by_route, contexts->count, sizeof *contexts->by_route, order_routes);
}

bool contexts_load(struct contexts *contexts, const struct registry *registry, struct database *db,
                   uint32_t max_skip, fer_entropy entropy, struct fault *fault)
{
    if (!contexts_create(contexts, registry->count, max_skip, entropy, fault)) {
        return false;
    }
    for (size_t i = 0; i < registry->count; i++) {
        struct device *device = &contexts->devices[contexts->count++];
        device->registered = registry->devices[i];
        if (device->registered.enabled && !open_device(contexts, device, db, fault)) {
            contexts_free(contexts);
            return false;
        }
    }
    sort(contexts);
    return true;
}

struct device *contexts_device(const struct contexts *contexts, uint32_t context)
{
    return context < contexts->count ? contexts->by_context[context] : NULL;
}

struct device *contexts_find(const struct contexts *contexts, const char *id)
{
    struct device **place =
        bsearch(id, contexts->by_id, contexts->count, sizeof *contexts->by_id, compare_id);
    return place != NULL ? *place : NULL;
}

const struct device *contexts_closed(const struct contexts *contexts, const uint8_t *bytes,
                                     size_t length)
{
    const struct route route = {bytes, length};
    struct device **place = bsearch(&route, contexts->by_route, contexts->count,
                                    sizeof *contexts->by_route, compare_route);
    return place != NULL && !(*place)->open ? *place : NULL;
}

void contexts_close_device(struct contexts *contexts, struct device *device)
{
    if (device->open && fer_gateway_remove(contexts->core, device->context) == FER_OK) {
        contexts->by_context[device->context] = NULL;
        contexts->open--;
    }
    device->open = false;
}

void contexts_free(struct contexts *contexts)
{
    fer_gateway_close(&contexts->core);
    free(contexts->storage);
    free(contexts->by_context);
    free(contexts->devices);
    free(contexts->by_id);
    free(contexts->by_route);
    memset(contexts, 0, sizeof *contexts);
}
