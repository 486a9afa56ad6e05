/* Misuse: interrupts stay masked on one way out (clang's analysis).
 * Expect: 'fer_device_masked' is not held on every path */
#include "internal/device.h"

bool has_readings(const fer_device *device)
{
    uintptr_t state = fer_device_mask(device);
    bool some = device->head != device->tail;

#ifdef MISUSE
    if (some) {
        return true;
    }
#endif
    fer_device_unmask(device, state);
    return some;
}
