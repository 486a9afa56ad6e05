/* Ferrule port: Cortex-M. A lock that masks interrupts, a clock that counts SysTick, and the few
 * core registers that firmware without a vendor's header needs. ARMv6-M and later.
 * Concurrency: one core; any thread or interrupt, but that the clock is started once, by a thread.
 */
#ifndef FERRULE_PORTS_CORTEX_M_H
#define FERRULE_PORTS_CORTEX_M_H

#include <stdint.h>

#include "ferrule/port.h"

/* Masks every interrupt of configurable priority (PRIMASK). Nests. The context is unused. For one
 * thread of execution and its interrupts; take and give are absent. */
extern const struct fer_lock_ops cortex_m_lock_ops;

/* Milliseconds since cortex_m_clock_start; the time of day is unknown. The context is unused;
 * there is one SysTick. Callable from any interrupt. */
extern const struct fer_clock_ops cortex_m_clock_ops;

/* Starts SysTick at 1 kHz. `core_hz` is the frequency of the core clock, at most 2^24 kHz. */
void cortex_m_clock_start(uint32_t core_hz);

/* The SysTick handler: put it into entry 15 of the vector table. Without a SysTick, have the
 * handler of another timer call it every millisecond. */
void cortex_m_tick(void);

/* Lets an external interrupt of this number (0 to 31) through, or keeps it pending. */
void cortex_m_interrupt_enable(unsigned number);
void cortex_m_interrupt_disable(unsigned number);

/* What the lock's mask and unmask do, for firmware of your own: mask returns the former state. */
uintptr_t cortex_m_mask(void);
void cortex_m_unmask(uintptr_t state);

/* Sleeps until an interrupt is pending. Call it masked, after having looked for work: what comes
 * in between wakes it and is served at unmask, so that no wake-up is lost. */
void cortex_m_wait(void);

#endif
