/* Ferrule gateway: registry, the part that looks up, changes and writes. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "registry.h"
#include "text.h"

const struct registry_device *registry_find(const struct registry *registry, const char *id)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strcmp(registry->devices[i].id, id) == 0) {
            return &registry->devices[i];
        }
    }
    return NULL;
}

const struct registry_device *registry_find_route(const struct registry *registry,
                                                  const uint8_t *route, size_t length)
{
    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_device *device = &registry->devices[i];
        if (device->route_length == length && memcmp(device->route, route, length) == 0) {
            return device;
        }
    }
    return NULL;
}

/* The device other than this one that has its static key; null: none. */
static const struct registry_device *find_static(const struct registry *registry,
                                                 const struct registry_device *device)
{
    for (size_t i = 0; i < registry->count && device->has_static; i++) {
        const struct registry_device *other = &registry->devices[i];
        if (other->has_static && strcmp(other->id, device->id) != 0 &&
            memcmp(&other->static_key, &device->static_key, sizeof other->static_key) == 0) {
            return other;
        }
    }
    return NULL;
}

bool registry_put(struct registry *registry, const struct registry_device *device,
                  struct fault *fault)
{
    size_t place = registry->count;
    for (size_t i = 0; i < registry->count; i++) {
        if (strcmp(registry->devices[i].id, device->id) == 0) {
            place = i;
        }
    }
    const struct registry_device *holder =
        registry_find_route(registry, device->route, device->route_length);
    if (holder != NULL && strcmp(holder->id, device->id) != 0) {
        FAULT(fault, "device %s has this route already: choose another", holder->id);
        return false;
    }
    const struct registry_device *same_key = find_static(registry, device);
    if (same_key != NULL) {
        FAULT(fault, "device %s has this static key already: keys are never shared", same_key->id);
        return false;
    }
    if (place == registry->count) {
        struct registry_device *more =
            realloc(registry->devices, (registry->count + 1) * sizeof *more);
        if (more == NULL || registry->count == REGISTRY_DEVICES_MAX) {
            registry->devices = more != NULL ? more : registry->devices;
            FAULT(fault, "the registry has no room for another device");
            return false;
        }
        registry->devices = more;
        registry->count++;
    }
    registry->devices[place] = *device;
    return true;
}

static cJSON *device_object(const struct registry_device *device)
{
    char route[2 * FER_ROUTE_MAX + 1];
    cJSON *object = cJSON_CreateObject();
    text_to_hex(device->route, device->route_length, route);
    cJSON_AddStringToObject(object, "id", device->id);
    cJSON_AddNumberToObject(object, "epoch", device->epoch);
    cJSON_AddStringToObject(object, "route", route);
    if (device->name[0] != '\0') {
        cJSON_AddStringToObject(object, "name", device->name);
    }
    if (!device->enabled) {
        cJSON_AddFalseToObject(object, "enabled");
    }
    if (!device->acks) {
        cJSON_AddFalseToObject(object, "acks");
    }
    if (device->has_static) {
        char key[2 * FER_NOISE_KEY_BYTES + 1];
        text_to_hex(device->static_key.bytes, FER_NOISE_KEY_BYTES, key);
        cJSON_AddStringToObject(object, "static", key);
    }
    if (device->session_required) {
        cJSON_AddStringToObject(object, "session", "required");
    }
    return object;
}

char *registry_format(const struct registry *registry)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    fprintf(out, "{\"ferrule_registry\": %d, \"devices\": [", REGISTRY_VERSION);
    bool whole = true;
    for (size_t i = 0; i < registry->count; i++) {
        cJSON *object = device_object(&registry->devices[i]);
        char *line = cJSON_PrintUnformatted(object);
        whole = whole && line != NULL;
        fprintf(out, "%s\n  %s", i == 0 ? "" : ",", line != NULL ? line : "");
        cJSON_free(line);
        cJSON_Delete(object);
    }
    fputs("\n]}\n", out);
    whole = !ferror(out) && whole;
    if (fclose(out) != 0 || !whole) {
        free(text);
        return NULL;
    }
    return text;
}

static bool change_locked(const char *path, const char *id, registry_change_call *change,
                          const void *context, struct fault *fault)
{
    struct registry registry;
    if (!registry_load(path, &registry, fault)) {
        return false;
    }
    const struct registry_device *found = registry_find(&registry, id);
    bool done = found != NULL;
    if (!done) {
        FAULT(fault, "device %.64s is not in the registry", id);
    } else {
        struct registry_device device = *found;
        done = change(&device, context, fault) && registry_put(&registry, &device, fault);
    }
    char *text = done ? registry_format(&registry) : NULL;
    if (done && text == NULL) {
        FAULT(fault, "out of memory");
    }
    done = text != NULL && files_replace(path, text, fault);
    free(text);
    registry_free(&registry);
    return done;
}

bool registry_change(const char *path, const char *id, registry_change_call *change,
                     const void *context, struct fault *fault)
{
    int lock = -1;
    bool busy = false;
    if (!files_lock(path, "lock", true, &lock, &busy, fault)) {
        return false;
    }
    const bool done = change_locked(path, id, change, context, fault);
    close(lock);
    return done;
}
