#include "registry.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "text.h"

/* cJSON keeps no positions, so the text is walked once more for the lines where devices begin. */
struct lines {
    const char *text;
    size_t size;
    size_t at;
    unsigned line;
    unsigned depth;
    bool quoted;
};

/* The line of the next object inside a list inside the top object. */
static unsigned next_device_line(struct lines *lines)
{
    while (lines->at < lines->size) {
        const char c = lines->text[lines->at++];
        if (c == '\n') {
            lines->line++;
        } else if (lines->quoted) {
            lines->at += c == '\\';
            lines->quoted = c != '"';
        } else if (c == '"') {
            lines->quoted = true;
        } else if (c == '{' || c == '[') {
            lines->depth++;
            if (c == '{' && lines->depth == 3) {
                return lines->line;
            }
        } else if (c == '}' || c == ']') {
            lines->depth--;
        }
    }
    return lines->line;
}

static unsigned line_at(const char *text, const char *at)
{
    unsigned line = 1;
    for (; text < at; text++) {
        line += *text == '\n';
    }
    return line;
}

/* Every key is one of `keys` and stands once; cJSON accepts both faults. */
static bool check_keys(const cJSON *object, const char *const *keys, size_t count, unsigned line,
                       struct fault *fault)
{
    uint32_t seen = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, object)
    {
        size_t i = 0;
        while (i < count && strcmp(item->string, keys[i]) != 0) {
            i++;
        }
        char name[64];
        const size_t length = strnlen(item->string, sizeof name - 1);
        text_clean((const uint8_t *)item->string, length, name);
        if (i == count) {
            FAULT(fault, "line %u: unknown key \"%s\"", line, name);
            return false;
        }
        if ((seen >> i & 1u) != 0) {
            FAULT(fault, "line %u: the key \"%s\" stands twice", line, name);
            return false;
        }
        seen |= 1u << i;
    }
    return true;
}

static bool take_id(const cJSON *item, struct registry_device *device, struct fault *fault)
{
    if (!cJSON_IsString(item) || !text_is_identity(item->valuestring, strlen(item->valuestring))) {
        FAULT(fault, "line %u: \"id\" must be 1 to %d of A-Z a-z 0-9 . _ : -", device->line,
              FER_IDENTITY_MAX);
        return false;
    }
    strcpy(device->id, item->valuestring);
    return true;
}

static bool take_epoch(const cJSON *item, struct registry_device *device, struct fault *fault)
{
    const double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(value >= 0 && value <= UINT32_MAX) || value != floor(value)) {
        FAULT(fault, "line %u: device %s: \"epoch\" must be a whole number below 2^32",
              device->line, device->id);
        return false;
    }
    device->epoch = (uint32_t)value;
    return true;
}

static bool take_route(const cJSON *item, struct registry_device *device, struct fault *fault)
{
    size_t length = 0;
    if (!cJSON_IsString(item) ||
        !text_from_hex(item->valuestring, strlen(item->valuestring), device->route,
                       sizeof device->route, &length) ||
        (length != 0 && length != 2 && length != 4 && length != 8)) {
        FAULT(fault, "line %u: device %s: \"route\" must be 0, 2, 4 or 8 bytes in hex",
              device->line, device->id);
        return false;
    }
    device->route_length = (uint8_t)length;
    return true;
}

static bool take_name(const cJSON *item, struct registry_device *device, struct fault *fault)
{
    if (item == NULL) {
        return true;
    }
    const size_t length = cJSON_IsString(item) ? strlen(item->valuestring) : SIZE_MAX;
    if (length > REGISTRY_NAME_MAX || !text_is_printable(item->valuestring, length)) {
        FAULT(fault, "line %u: device %s: \"name\" must be up to %u bytes of printable text",
              device->line, device->id, REGISTRY_NAME_MAX);
        return false;
    }
    strcpy(device->name, item->valuestring);
    return true;
}

static bool take_flag(const cJSON *object, const char *key, bool *flag,
                      const struct registry_device *device, struct fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    *flag = true;
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsBool(item)) {
        FAULT(fault, "line %u: device %s: \"%s\" must be true or false", device->line, device->id,
              key);
        return false;
    }
    *flag = cJSON_IsTrue(item);
    return true;
}

static bool take_static(const cJSON *item, struct registry_device *device, struct fault *fault)
{
    uint8_t *key = device->static_key.bytes;
    size_t length = 0;
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsString(item) ||
        !text_from_hex(item->valuestring, strlen(item->valuestring), key, FER_NOISE_KEY_BYTES,
                       &length) ||
        length != FER_NOISE_KEY_BYTES) {
        FAULT(fault, "line %u: device %s: \"static\" must be a public key, %u hex digits",
              device->line, device->id, 2 * FER_NOISE_KEY_BYTES);
        return false;
    }
    device->has_static = true;
    return true;
}

static bool take_session(const cJSON *item, struct registry_device *device, struct fault *fault)
{
    if (item == NULL) {
        return true;
    }
    device->session_required = cJSON_IsString(item) && strcmp(item->valuestring, "required") == 0;
    if (!device->session_required &&
        !(cJSON_IsString(item) && strcmp(item->valuestring, "allowed") == 0)) {
        FAULT(fault, "line %u: device %s: \"session\" must be \"allowed\" or \"required\"",
              device->line, device->id);
        return false;
    }
    if (!device->has_static) {
        FAULT(fault,
              "line %u: device %s: \"session\" needs \"static\", the key that it greets with",
              device->line, device->id);
        return false;
    }
    return true;
}

static bool take_device(const cJSON *object, struct registry_device *device, struct fault *fault)
{
    static const char *const keys[] = {"id",      "epoch", "route",  "name",
                                       "enabled", "acks",  "static", "session"};
    return check_keys(object, keys, sizeof keys / sizeof *keys, device->line, fault) &&
           take_id(cJSON_GetObjectItemCaseSensitive(object, "id"), device, fault) &&
           take_epoch(cJSON_GetObjectItemCaseSensitive(object, "epoch"), device, fault) &&
           take_route(cJSON_GetObjectItemCaseSensitive(object, "route"), device, fault) &&
           take_name(cJSON_GetObjectItemCaseSensitive(object, "name"), device, fault) &&
           take_flag(object, "enabled", &device->enabled, device, fault) &&
           take_flag(object, "acks", &device->acks, device, fault) &&
           take_static(cJSON_GetObjectItemCaseSensitive(object, "static"), device, fault) &&
           take_session(cJSON_GetObjectItemCaseSensitive(object, "session"), device, fault);
}

static int compare_routes(const struct registry_device *a, const struct registry_device *b)
{
    if (a->route_length != b->route_length) {
        return a->route_length < b->route_length ? -1 : 1;
    }
    return memcmp(a->route, b->route, sizeof a->route);
}

/* For qsort over pointers to devices; equal keys stay in the file's order. */
static int by_id(const void *a, const void *b)
{
    const struct registry_device *one = *(const struct registry_device *const *)a;
    const struct registry_device *two = *(const struct registry_device *const *)b;
    const int order = strcmp(one->id, two->id);
    return order != 0 ? order : (one > two) - (one < two);
}

static int by_route(const void *a, const void *b)
{
    const struct registry_device *one = *(const struct registry_device *const *)a;
    const struct registry_device *two = *(const struct registry_device *const *)b;
    const int order = compare_routes(one, two);
    return order != 0 ? order : (one > two) - (one < two);
}

/* Those without a key come first. */
static int compare_statics(const struct registry_device *a, const struct registry_device *b)
{
    return a->has_static != b->has_static
               ? a->has_static - b->has_static
               : memcmp(&a->static_key, &b->static_key, sizeof a->static_key);
}

static int by_static(const void *a, const void *b)
{
    const struct registry_device *one = *(const struct registry_device *const *)a;
    const struct registry_device *two = *(const struct registry_device *const *)b;
    const int order = compare_statics(one, two);
    return order != 0 ? order : (one > two) - (one < two);
}

static bool check_unique(const struct registry *registry, struct fault *fault)
{
    const size_t count = registry->count;
    const struct registry_device **sorted = calloc(count + 1, sizeof *sorted);
    if (sorted == NULL) {
        FAULT(fault, "out of memory");
        return false;
    }
    bool unique = true;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &registry->devices[i];
    }
    qsort(sorted, count, sizeof *sorted, by_id);
    for (size_t i = 1; i < count && unique; i++) {
        unique = strcmp(sorted[i - 1]->id, sorted[i]->id) != 0;
        if (!unique) {
            FAULT(fault, "line %u: the id \"%s\" stands in line %u already", sorted[i]->line,
                  sorted[i]->id, sorted[i - 1]->line);
        }
    }
    qsort(sorted, count, sizeof *sorted, by_route);
    for (size_t i = 1; i < count && unique; i++) {
        unique = compare_routes(sorted[i - 1], sorted[i]) != 0;
        if (!unique) {
            FAULT(fault, "line %u: device %s has the route of %s in line %u%s", sorted[i]->line,
                  sorted[i]->id, sorted[i - 1]->id, sorted[i - 1]->line,
                  sorted[i]->route_length == 0 ? " (only one may be without)" : "");
        }
    }
    qsort(sorted, count, sizeof *sorted, by_static);
    for (size_t i = 1; i < count && unique; i++) {
        unique = !sorted[i]->has_static || compare_statics(sorted[i - 1], sorted[i]) != 0;
        if (!unique) {
            FAULT(fault, "line %u: device %s has the static key of %s in line %u", sorted[i]->line,
                  sorted[i]->id, sorted[i - 1]->id, sorted[i - 1]->line);
        }
    }
    free(sorted);
    return unique;
}

static bool take_devices(const cJSON *list, struct lines lines, struct registry *registry,
                         struct fault *fault)
{
    const int count = cJSON_GetArraySize(list);
    if (count < 0 || (unsigned)count > REGISTRY_DEVICES_MAX) {
        FAULT(fault, "more than %u devices", REGISTRY_DEVICES_MAX);
        return false;
    }
    registry->devices = calloc((size_t)count + 1, sizeof *registry->devices);
    if (registry->devices == NULL) {
        FAULT(fault, "out of memory");
        return false;
    }
    const cJSON *object = NULL;
    cJSON_ArrayForEach(object, list)
    {
        struct registry_device *device = &registry->devices[registry->count];
        if (!cJSON_IsObject(object)) {
            FAULT(fault, "device number %zu is not an object", registry->count + 1);
            return false;
        }
        device->line = next_device_line(&lines);
        if (!take_device(object, device, fault)) {
            return false;
        }
        registry->count++;
    }
    return check_unique(registry, fault);
}

static bool take_top(const cJSON *top, struct lines lines, struct registry *registry,
                     struct fault *fault)
{
    static const char *const keys[] = {"ferrule_registry", "devices"};
    if (!cJSON_IsObject(top)) {
        FAULT(fault, "line 1: must be one object with \"ferrule_registry\" and \"devices\"");
        return false;
    }
    if (!check_keys(top, keys, 2, 1, fault)) {
        return false;
    }
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(top, keys[0]);
    const cJSON *devices = cJSON_GetObjectItemCaseSensitive(top, keys[1]);
    if (!cJSON_IsNumber(version) || version->valuedouble != REGISTRY_VERSION) {
        FAULT(fault, "line 1: \"ferrule_registry\" must be %d: the version of this format",
              REGISTRY_VERSION);
        return false;
    }
    if (!cJSON_IsArray(devices)) {
        FAULT(fault, "line 1: \"devices\" must be a list");
        return false;
    }
    return take_devices(devices, lines, registry, fault);
}

/* cJSON would silently end strings and texts at these. */
static bool check_zeros(const char *text, size_t n, struct fault *fault)
{
    const char *zero = memchr(text, '\0', n);
    const char *escaped = memmem(text, n, "\\u0000", 6);
    if (zero != NULL || escaped != NULL) {
        FAULT(fault, "line %u: a zero character", line_at(text, zero != NULL ? zero : escaped));
        return false;
    }
    return true;
}

bool registry_parse(const char *text, size_t n, struct registry *registry, struct fault *fault)
{
    const struct lines lines = {.text = text, .size = n, .line = 1};
    *registry = (struct registry){0};
    if (n > REGISTRY_BYTES_MAX) {
        FAULT(fault, "longer than %u bytes", REGISTRY_BYTES_MAX);
        return false;
    }
    if (!check_zeros(text, n, fault)) {
        return false;
    }
    const char *end = text;
    cJSON *top = cJSON_ParseWithLengthOpts(text, n, &end, 0);
    if (top == NULL) {
        FAULT(fault, "line %u: not valid JSON", line_at(text, end));
        return false;
    }
    while (end < text + n && strchr(" \t\r\n", *end) != NULL) {
        end++;
    }
    bool taken = end == text + n;
    if (!taken) {
        FAULT(fault, "line %u: something follows the object", line_at(text, end));
    } else {
        taken = take_top(top, lines, registry, fault);
    }
    cJSON_Delete(top);
    if (!taken) {
        registry_free(registry);
    }
    return taken;
}

bool registry_load(const char *path, struct registry *registry, struct fault *fault)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct fault inner;
    *registry = (struct registry){0};
    if (!files_read(path, REGISTRY_BYTES_MAX, &bytes, &n, fault)) {
        return false;
    }
    const bool parsed = registry_parse((const char *)bytes, n, registry, &inner);
    if (!parsed) {
        FAULT(fault, "%s: %.300s", path, inner.text);
    }
    free(bytes);
    return parsed;
}

void registry_free(struct registry *registry)
{
    free(registry->devices);
    *registry = (struct registry){0};
}
