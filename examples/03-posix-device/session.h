/* Sessions of the example: the device's static key, from a file, and a greeter that uses it. */
#ifndef POSIX_DEVICE_SESSION_H
#define POSIX_DEVICE_SESSION_H

#include <stdbool.h>

#include "ferrule/ferrule.h"

enum { SESSION_WINDOW = 64 };

/* Makes a greeter from the gateway's public key, in hex, and the file of the device's own secret
 * one, as `ferrule keygen --static` writes it: 64 digits on a line, readable by its owner alone.
 * False: it said why. */
bool session_open(fer_arena *arena, const char *gateway, const char *key_file,
                  fer_greeter **greeter);

#endif
