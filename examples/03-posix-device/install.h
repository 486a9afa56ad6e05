/* Provisioning of the example: a credential goes into the state file, once. */
#ifndef POSIX_DEVICE_INSTALL_H
#define POSIX_DEVICE_INSTALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/ferrule.h"

struct install {
    const char *state; /* what messages call it */
    fer_nv nv;
    uint8_t hardware[FER_HARDWARE_MAX];
    size_t hardware_length; /* 0: this machine has no id; else blobs must be bound to it */
};

/* Whether the state file has no credential yet, but for an install that was cut short. False: it
 * said so. */
bool install_is_possible(const struct install *install);

/* Installs a blob that `source` gave, and wipes it if it was taken. False: it said why. */
bool install_blob(const struct install *install, const char *source, uint8_t *blob, size_t n);

/* Installs the blob in a file, which should be destroyed then. */
bool install_file(const struct install *install, const char *path);

#endif
