/* Sessions of the example: the device's static key, from a file, and a greeter that uses it. */
#ifndef POSIX_DEVICE_SESSION_H
#define POSIX_DEVICE_SESSION_H

#include <stdbool.h>

#include "ferrule/ferrule.h"

enum { SESSION_WINDOW = 64 };

/* Key files: 64 hex digits on a line, as `ferrule keygen --static` writes them, readable by their
 * owner alone. False: it said why. */

/* Makes one with a fresh key, unless there is one. */
bool session_make_key(const char *path);

/* The caller wipes the secret. */
bool session_read_key(const char *path, fer_static_secret *secret, fer_static_public *own);

/* The public key of a gateway, likewise: enrolment keeps it, durably. */
bool session_keep_gateway(const char *path, const fer_static_public *gateway);
bool session_read_gateway(const char *path, fer_static_public *gateway);

/* The public key in an argument. */
bool session_parse_gateway(const char *hex, fer_static_public *gateway);

/* Makes a greeter from the gateway's public key and the file of the device's own secret one. It
 * takes `silence_ms` without an answer to what asked for one as the end of a session. */
bool session_open(fer_arena *arena, const fer_static_public *gateway, const char *key_file,
                  uint32_t silence_ms, fer_greeter **greeter);

#endif
