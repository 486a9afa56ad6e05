/* libsodium's compare and wipe, unmodified. Upstream takes explicit_memset from a C library that
 * declares it; here it is our own. */
#include "wipe.h"

#include "sodium/utils.c"
