/* Ferrule gateway: registry, the part that looks up, changes and writes. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
