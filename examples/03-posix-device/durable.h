/* Small files of the example that survive a power failure: whole and new, or as they were. */
#ifndef POSIX_DEVICE_DURABLE_H
#define POSIX_DEVICE_DURABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Puts n bytes into a file that only its owner can read, in place of what was there, and returns
 * once that is on disk. False: errno says why. */
bool durable_write(const char *path, const void *bytes, size_t n);

#endif
