/* Ferrule gateway: files, whole and durable. Everything written here may hold a secret, so it is
 * made for its owner alone (0600). */
#ifndef FERRULE_GATEWAY_FILES_H
#define FERRULE_GATEWAY_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "say.h"

/* Reads all of a file of up to max bytes; *bytes is terminated, and the caller's to free. */
bool files_read(const char *path, size_t max, uint8_t **bytes, size_t *n, struct fault *fault);

/* Refuses a file that anyone but its owner can read or write. */
bool files_check_private(const char *path, struct fault *fault);

/* Makes a new empty file; refuses where something has that name. Nothing secret is written until
 * the file is known to be writable. *fd is the caller's to give to files_finish. */
bool files_create(const char *path, int *fd, struct fault *fault);

/* Writes the bytes, makes file and name durable, closes fd: also on failure. */
bool files_finish(const char *path, int fd, const uint8_t *bytes, size_t n, struct fault *fault);

/* Puts a file in the place of another, atomically and durably; it keeps the former's mode. */
bool files_replace(const char *path, const char *text, struct fault *fault);

/* Takes the lock file PATH.SUFFIX; *fd holds it until closed. Waits for it, or answers false with
 * *busy set where another process has it. */
bool files_lock(const char *path, const char *suffix, bool wait, int *fd, bool *busy,
                struct fault *fault);

#endif
