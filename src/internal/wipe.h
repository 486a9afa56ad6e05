/* Ferrule: wipe (floor 0). Declared here so that every floor can wipe; defined by the crypto
 * backend, the only place that knows how (sodium_memzero). */
#ifndef FERRULE_INTERNAL_WIPE_H
#define FERRULE_INTERNAL_WIPE_H

#include <stddef.h>

/* Zeroes n bytes in a way the compiler cannot remove (WIPE). */
void fer_wipe(void *bytes, size_t n);

#endif
