/* Ferrule port: RISC-V in machine mode. A lock that masks interrupts, a clock that reads mtime, and
 * the few registers that firmware without a vendor's header needs. */
#ifndef FERRULE_PORTS_RISCV_H
#define FERRULE_PORTS_RISCV_H

#include <stdint.h>

#include "ferrule/port.h"

/* Masks every interrupt (MIE). Nests. The context is unused. For one hart and its interrupts; take
 * and give are absent. */
extern const struct fer_lock_ops riscv_lock_ops;

/* Where the hart's timer is, and how fast it counts. */
typedef struct riscv_timer {
    volatile uint32_t *time;    /* mtime: low word, high word */
    volatile uint32_t *compare; /* mtimecmp: the same */
    uint32_t per_ms;            /* counts in a millisecond */
} riscv_timer;

/* Milliseconds since the timer started; the time of day is unknown. The context is a riscv_timer.
 * Callable from any interrupt. */
extern const struct fer_clock_ops riscv_clock_ops;

/* Has the timer interrupt a millisecond from now. */
void riscv_timer_next(const riscv_timer *timer);

/* Makes `handler` (aligned to 4) that of every trap, and lets timer and external interrupts
 * through. */
void riscv_interrupts_start(void (*handler)(void));

/* Why the trap under way came: mcause. In its handler, an ISR. */
uint32_t riscv_cause(void);
/* Its values for the timer's interrupt, and for the interrupt controller's. */
#define RISCV_CAUSE_TIMER 0x80000007u
#define RISCV_CAUSE_EXTERNAL 0x8000000Bu

/* Sleeps until an interrupt is pending. Call it masked, after having looked for work: what comes
 * in between wakes it and is served at unmask, so that no wake-up is lost. */
void riscv_wait(void);

#endif
