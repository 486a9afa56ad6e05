/* Ferrule port: entropy of the debugging host (semihosting), for emulators, which have none of
 * their own: the numbers are as good as the host's random device. Never for a product: there, and
 * on a board under a debugger, the driver of the chip's true random number generator belongs in its
 * place (docs/PORTING.md). */
#ifndef FERRULE_PORTS_ENTROPY_HOST_H
#define FERRULE_PORTS_ENTROPY_HOST_H

#include "ferrule/port.h"

/* Fails where the host gives no bytes; they are never invented (CLOSED). The context is unused. */
extern const struct fer_entropy_ops entropy_host_ops;

#endif
