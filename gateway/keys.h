/* Ferrule gateway: keys. Files of one secret of 32 bytes, in hex on one line, for their owner
 * alone; public keys, and the fingerprints by which people compare them. */
#ifndef FERRULE_GATEWAY_KEYS_H
#define FERRULE_GATEWAY_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "ferrule/handshake.h"
#include "say.h"

#define KEYS_BYTES 32u

/* `what` says in the fault what such a file is called. */
bool keys_read(const char *path, const char *what, uint8_t secret[KEYS_BYTES], struct fault *fault);

/* Makes the file; refuses where something has that name. */
bool keys_write(const char *path, const uint8_t secret[KEYS_BYTES], struct fault *fault);

/* A static key file: the secret, and its public key. The caller wipes the secret. */
bool keys_read_static(const char *path, fer_static_secret *secret, fer_static_public *own,
                      struct fault *fault);

/* Whether this is the fingerprint of a key, as people type it: in either case, grouped at will by
 * hyphens, colons and spaces, but whole. */
bool keys_matches(const fer_static_public *key, const char *typed);

#endif
