/* NOR flash in RAM: what a device under measurement stores to. */
#ifndef FERRULE_BENCH_NV_RAM_H
#define FERRULE_BENCH_NV_RAM_H

#include "ferrule/port.h"

#define NV_RAM_GRANULE 4u

extern const fer_nv nv_ram;
void nv_ram_clear(void);

#endif
