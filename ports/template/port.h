/* Ferrule port: a beginning for your board. Copy this folder, rename `template_`, and fill in each
 * function of port.c. Until then every function fails, and the device stays closed (CLOSED).
 * Concurrency: any thread. */
#ifndef FERRULE_PORTS_TEMPLATE_H
#define FERRULE_PORTS_TEMPLATE_H

#include "ferrule/port.h"

/* The tables of port.c, one each. */
fer_entropy template_entropy(void);
fer_clock template_clock(void);
fer_lock template_lock(void);
fer_nv template_nv(void);

#endif
