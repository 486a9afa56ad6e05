/* What libsodium wipes with on bare targets: by words, see wipe.c. The name and the type are
 * NetBSD's. */
#ifndef FERRULE_TRIMMED_SODIUM_WIPE_H
#define FERRULE_TRIMMED_SODIUM_WIPE_H

#include <stddef.h>

void *explicit_memset(void *bytes, int value, size_t n);

#endif
