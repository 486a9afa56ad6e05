/* Ferrule port: ESP-IDF, 5.1 and later. A flash partition, esp_timer as a clock, a spinlock and a
 * mutex, the chip's random source. Every object is the caller's memory. */
#ifndef FERRULE_PORTS_ESP_PORT_H
#define FERRULE_PORTS_ESP_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_partition.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

#include "ferrule/port.h"

typedef struct esp_nv {
    const esp_partition_t *partition;
    fer_nv_geometry geometry;
} esp_nv;

/* The memory of the data partition `label` of the partition table, all of it. False: there is none,
 * it has fewer than two sectors, or is encrypted: erased bytes of an encrypted one do not read as
 * erased, and words that were written cannot be destroyed by writing. */
bool esp_nv_start(esp_nv *nv, const char *label, fer_nv *port);

/* Milliseconds since the boot; the time of day is unknown. Tasks and interrupts. */
fer_clock esp_clock(void);

typedef struct esp_lock {
    portMUX_TYPE spin;
    StaticSemaphore_t memory;
    SemaphoreHandle_t mutex;
} esp_lock;

/* mask is a critical section over both cores; take and give a mutex. The lock must outlive the
 * port. */
fer_lock esp_lock_start(esp_lock *lock);

/* The chip's source. It is fit for keys only while Wi-Fi, Bluetooth or bootloader_random feeds it:
 * see ESP-IDF's page on random numbers, and start one of them first. Tasks only. */
fer_entropy esp_entropy(void);

#endif
