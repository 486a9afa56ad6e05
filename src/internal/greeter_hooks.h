/* Ferrule: how the device facade and a greeter meet (floor 5). What every device includes, so that
 * the greeter's body is not in it: link-time optimisation of firmware that only seals is worse
 * where a type of its configuration is whole in one file and not in another. */
#ifndef FERRULE_INTERNAL_GREETER_HOOKS_H
#define FERRULE_INTERNAL_GREETER_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/greeter.h"
#include "internal/handle.h"

struct fer_device;
struct fer_device_context;

/* What the device facade does where it has a greeter (device_session.c). The greeter names it, so
 * that firmware without a greeter links neither this nor any curve code. */
typedef struct fer_greeter_hooks {
    /* What came down, of any kind: as fer_opener_receive, and *context is that of its references.
     * FER_EMPTY: it was a greeting's. */
    fer_status (*open)(struct fer_device *device, const uint8_t *record, size_t n, uint8_t *out,
                       size_t capacity, fer_opened *opened, struct fer_device_context *context);
    /* Deep sleep: the session ends, and no greeting is made before the next generation. */
    void (*sleep)(struct fer_device *device);
} fer_greeter_hooks;

extern const fer_greeter_hooks fer_device_session_hooks;

/* What a greeter begins with. */
typedef struct fer_greeter_head {
    fer_tag tag;
    const fer_greeter_hooks *hooks;
} fer_greeter_head;

/* Null: no greeter, or none that is open. */
static inline const fer_greeter_hooks *fer_greeter_get_hooks(const fer_greeter *greeter)
{
    return fer_tag_is((const fer_tag *)(const void *)greeter, FER_TAG_GREETER)
               ? ((const fer_greeter_head *)(const void *)greeter)->hooks
               : NULL;
}

#endif
