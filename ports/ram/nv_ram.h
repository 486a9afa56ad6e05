/* Ferrule port: non-volatile memory that is not: NOR flash played in RAM, for examples and first
 * steps. It forgets when the program ends, and so does every generation it burned: a device on it
 * must be provisioned anew each time (NONCE). Never keep a credential elsewhere and install it
 * here twice.
 * Concurrency: one thread a memory; nothing blocks. */
#ifndef FERRULE_PORTS_NV_RAM_H
#define FERRULE_PORTS_NV_RAM_H

#include <stdint.h>

#include "ferrule/port.h"

/* The geometry: bytes in a block, blocks, bytes in a granule. */
#define NV_RAM_BLOCK 1024u
#define NV_RAM_BLOCKS 2u
#define NV_RAM_GRANULE 4u

/* The memory. */
typedef struct nv_ram {
    uint8_t bytes[NV_RAM_BLOCKS * NV_RAM_BLOCK]; /* what it holds */
} nv_ram;

/* Erases all of it and tells the port. The memory must outlive whatever uses the port. */
fer_nv nv_ram_start(nv_ram *memory);

#endif
