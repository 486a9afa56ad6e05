/* Ferrule gateway: registry. Which devices there are: a JSON file that people read and edit. It
 * holds nothing secret; keys and receive state are in the database beside it.
 *
 *     {"ferrule_registry": 1, "devices": [
 *       {"id": "pump-7", "epoch": 2271560481, "route": "a1b2c3d4", "name": "Pump, hall 7"}
 *     ]}
 *
 * id      1 to 32 of A-Z a-z 0-9 . _ : -                unique, required
 * epoch   number of its provisioning                    required
 * route   0, 2, 4 or 8 bytes in hex                     unique, required
 * name    up to 64 bytes of printable UTF-8             optional
 * enabled false: its records are dropped                optional, true
 * acks    false: it is never answered                   optional, true
 * static  public key that it greets with, 64 hex digits unique, optional: without it no sessions
 * session "allowed", or "required": live records count  optional, "allowed"; only with `static`
 *         in a session alone
 *
 * Parsed strictly: anything else is an error that names the line. */
#ifndef FERRULE_GATEWAY_REGISTRY_H
#define FERRULE_GATEWAY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/config.h"
#include "ferrule/handshake.h"
#include "say.h"

#define REGISTRY_VERSION 1
#define REGISTRY_NAME_MAX 64u
#define REGISTRY_DEVICES_MAX 65536u
#define REGISTRY_BYTES_MAX (16u << 20)

struct registry_device {
    char id[FER_IDENTITY_MAX + 1];
    char name[REGISTRY_NAME_MAX + 1];
    uint8_t route[FER_ROUTE_MAX];
    uint8_t route_length;
    bool enabled;
    bool acks;
    bool has_static;       /* it may greet, with this key */
    bool session_required; /* its live records are accepted in a session alone */
    fer_static_public static_key;
    uint32_t epoch;
    unsigned line; /* where its object begins */
};

struct registry {
    struct registry_device *devices;
    size_t count;
};

/* Parses n bytes. False: *fault says what and where, and the registry is empty. */
bool registry_parse(const char *text, size_t n, struct registry *registry, struct fault *fault);

/* Reads a file; the fault names it. */
bool registry_load(const char *path, struct registry *registry, struct fault *fault);

/* The text of a registry, one device a line; the caller's to free. Null: no memory. */
char *registry_format(const struct registry *registry);

/* Adds one device, or takes the place of the one with its id. False: no memory, or a route or
 * static key that another device has. */
bool registry_put(struct registry *registry, const struct registry_device *device,
                  struct fault *fault);

/* False, with the fault: nothing is changed. */
typedef bool registry_change_call(struct registry_device *device, const void *context,
                                  struct fault *fault);

/* Changes one device in the file, whole and durably, under the lock that all who write it take. */
bool registry_change(const char *path, const char *id, registry_change_call *change,
                     const void *context, struct fault *fault);

const struct registry_device *registry_find(const struct registry *registry, const char *id);
const struct registry_device *registry_find_route(const struct registry *registry,
                                                  const uint8_t *route, size_t length);

void registry_free(struct registry *registry);

#endif
