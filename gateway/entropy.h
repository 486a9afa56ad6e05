/* Ferrule gateway: the host's entropy. */
#ifndef FERRULE_GATEWAY_ENTROPY_H
#define FERRULE_GATEWAY_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/port.h"

fer_entropy host_entropy(void);

/* n bytes fit for keys; false: the system has none to give. */
bool host_random(void *out, size_t n);

#endif
