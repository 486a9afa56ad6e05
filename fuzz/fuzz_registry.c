/* Fuzz: registry_parse, which reads what people write. Input: the text.
 *
 * Asserted: what parses has ids, routes and names in range, none twice, on lines that exist, each
 * found by id and by route, and is written to text that parses to the same; what does not parse
 * leaves an empty registry and one line that says why. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static unsigned count_lines(const char *text, size_t n)
{
    unsigned lines = 1;
    for (size_t i = 0; i < n; i++) {
        lines += text[i] == '\n';
    }
    return lines;
}

static void check_device(const struct registry *registry, const struct registry_device *device,
                         unsigned lines)
{
    must(text_is_identity(device->id, strlen(device->id)));
    must(text_is_printable(device->name, strlen(device->name)));
    must(device->route_length == 0 || device->route_length == 2 || device->route_length == 4 ||
         device->route_length == 8);
    must(device->has_static || !device->session_required);
    must(device->line >= 1 && device->line <= lines);
    must(registry_find(registry, device->id) == device);
    must(registry_find_route(registry, device->route, device->route_length) == device);
}

/* No two devices greet with one key. */
static void check_statics(const struct registry *registry)
{
    for (size_t i = 0; i < registry->count && i < 64; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct registry_device *a = &registry->devices[i];
            const struct registry_device *b = &registry->devices[j];
            must(!a->has_static || !b->has_static ||
                 memcmp(&a->static_key, &b->static_key, sizeof a->static_key) != 0);
        }
    }
}

static bool same(const struct registry_device *a, const struct registry_device *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->name, b->name) == 0 && a->epoch == b->epoch &&
           a->route_length == b->route_length && memcmp(a->route, b->route, sizeof a->route) == 0 &&
           a->enabled == b->enabled && a->acks == b->acks && a->has_static == b->has_static &&
           memcmp(&a->static_key, &b->static_key, sizeof a->static_key) == 0 &&
           a->session_required == b->session_required;
}

static void check_comes_back(const struct registry *registry)
{
    struct registry again;
    struct fault fault = {""};
    char *text = registry_format(registry);
    must(text != NULL);
    must(registry_parse(text, strlen(text), &again, &fault));
    must(again.count == registry->count);
    for (size_t i = 0; i < again.count; i++) {
        must(same(&registry->devices[i], &again.devices[i]));
        must(again.devices[i].line == i + 2);
    }
    registry_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct registry registry;
    struct fault fault = {""};
    const char *text = (const char *)data;
    if (!registry_parse(text, n, &registry, &fault)) {
        must(registry.devices == NULL && registry.count == 0);
        must(fault.text[0] != '\0' && text_is_printable(fault.text, strlen(fault.text)));
        return 0;
    }
    const unsigned lines = count_lines(text, n);
    for (size_t i = 0; i < registry.count; i++) {
        check_device(&registry, &registry.devices[i], lines);
    }
    check_statics(&registry);
    check_comes_back(&registry);
    registry_free(&registry);
    return 0;
}
