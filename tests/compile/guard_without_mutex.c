/* Misuse: the queue of messages is read without its mutex (clang's analysis).
 * Expect: requires holding mutex 'fer_device_mutex' */
#include "internal/device.h"

uint16_t get_used(const fer_device *device)
{
#ifdef MISUSE
    return device->messages_used;
#else
    fer_device_lock(device);
    uint16_t used = device->messages_used;
    fer_device_unlock(device);
    return used;
#endif
}
