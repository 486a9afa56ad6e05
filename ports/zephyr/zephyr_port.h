/* Ferrule port: Zephyr. A flash partition through the flash map, the uptime as a clock, a lock of
 * irq_lock and a mutex, entropy of the system's generator. */
#ifndef FERRULE_PORTS_ZEPHYR_PORT_H
#define FERRULE_PORTS_ZEPHYR_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/kernel.h>
#include <zephyr/storage/flash_map.h>

#include "ferrule/port.h"

typedef struct zephyr_nv {
    const struct flash_area *area;
    fer_nv_geometry geometry;
} zephyr_nv;

/* The memory of the partition `id`, as in FIXED_PARTITION_ID(ferrule_partition), all of it. `flags`
 * is FER_NV_OVERWRITE where its flash may be programmed again with zeros (nRF52, STM32F4, most
 * external NOR), else 0: Zephyr does not say. False: there is no such partition, or its pages
 * differ in size, are fewer than two, or have a write block above 512 bytes. Needs
 * CONFIG_FLASH_PAGE_LAYOUT. */
bool zephyr_nv_start(zephyr_nv *nv, uint8_t id, uint8_t flags, fer_nv *port);

/* Milliseconds of uptime; the time of day is unknown. Threads and interrupts. */
fer_clock zephyr_clock(void);

typedef struct zephyr_lock {
    struct k_mutex mutex;
} zephyr_lock;

/* mask is irq_lock, take and give a mutex. The lock must outlive the port. */
fer_lock zephyr_lock_start(zephyr_lock *lock);

/* The system's generator for keys; needs CONFIG_FERRULE_ENTROPY. Threads only. */
fer_entropy zephyr_entropy(void);

#endif
