/* Ferrule port: entropy, clock and lock of a POSIX system.
 * Concurrency: any thread; no signal handler. */
#ifndef FERRULE_PORTS_POSIX_H
#define FERRULE_PORTS_POSIX_H

#include <pthread.h>

#include "ferrule/port.h"

/* The kernel's generator, by getentropy. Fails rather than yield weak bytes; may block only early
 * in the boot of the machine. */
fer_entropy posix_entropy(void);

/* CLOCK_BOOTTIME where there is one (it counts sleep too), else CLOCK_MONOTONIC; and the time of
 * day, which is unknown before 2020. */
fer_clock posix_clock(void);

/* Two mutexes: threads stand in for interrupts. Both are the caller's and must outlive the device.
 */
typedef struct posix_lock {
    pthread_mutex_t mask;  /* of the intake */
    pthread_mutex_t mutex; /* of handles that threads share */
} posix_lock;

/* Readies the mutexes, once, before any thread uses them. mask nests, as port.h asks. Ops are null
 * where the system has no mutex to give. */
fer_lock posix_lock_port(posix_lock *lock);

#endif
