/* Ferrule port: FreeRTOS (10.4 and later; on Cortex-M0 10.6). A lock of critical sections and a
 * mutex, a clock of ticks, and a stream buffer that carries bytes from an interrupt to the task
 * that feeds the device. Every object is the caller's memory: nothing is allocated (HEAPLESS).
 *
 * An interrupt that calls any of these, or fer_device_record, must have a priority at which the
 * kernel may be called: not above configMAX_SYSCALL_INTERRUPT_PRIORITY. */
#ifndef FERRULE_PORTS_FREERTOS_PORT_H
#define FERRULE_PORTS_FREERTOS_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "FreeRTOS.h"
#include "semphr.h"
#include "stream_buffer.h"

#include "ferrule/port.h"

/* ---- lock ------------------------------------------------------------------------------- */

typedef struct freertos_lock {
    StaticSemaphore_t memory;
    SemaphoreHandle_t mutex;
} freertos_lock;

/* mask is a critical section, of a task or of an interrupt, whichever calls; take and give are a
 * mutex, which lends its holder the priority of who waits. The lock must outlive the port, and one
 * lock is for one device. */
fer_lock freertos_lock_start(freertos_lock *lock);

/* ---- clock ------------------------------------------------------------------------------ */

typedef struct freertos_clock {
    uint32_t last; /* ticks when it was last read */
    uint32_t wraps;
} freertos_clock;

/* Milliseconds since the scheduler started, from ticks of 32 bits, whose wraps it counts: it must
 * be read once in each 2^32 ticks (49 days at 1 kHz), which a device that takes now and then does.
 * The time of day is unknown. Tasks and interrupts. */
fer_clock freertos_clock_start(freertos_clock *clock);

/* ---- bytes from an interrupt ------------------------------------------------------------- */

typedef struct freertos_inbox {
    StaticStreamBuffer_t memory;
    StreamBufferHandle_t stream;
    volatile uint32_t lost; /* bytes that found no room */
} freertos_inbox;

/* `storage` holds the bytes under way: size - 1 of them in some kernels. Both must outlive the use.
 */
void freertos_inbox_start(freertos_inbox *inbox, uint8_t *storage, size_t size);

/* From one interrupt: puts n bytes in, counts those that find no room, and asks for a switch where
 * a task that waits for them is more urgent than the one interrupted. */
void freertos_inbox_put(freertos_inbox *inbox, const uint8_t *bytes, size_t n);

/* From one task: waits up to `wait_ms` for a byte, takes what is there, up to `capacity`; how many.
 */
size_t freertos_inbox_get(freertos_inbox *inbox, uint8_t *out, size_t capacity, uint32_t wait_ms);

#endif
