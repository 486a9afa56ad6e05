/* Bench: instructions and stack on an emulated board. Runs under QEMU with `-icount shift=6`, where
 * every instruction takes 64 ns of virtual time. A Cortex-M's SysTick counts the board's clock in
 * it; RISC-V tells that time where it counts instructions. Repeatable to the instruction. */
#ifndef FERRULE_BENCH_COUNTING_H
#define FERRULE_BENCH_COUNTING_H

#include <stdint.h>
#include <stdio.h>

#ifndef __riscv
#include "board_map.h"
#endif

/* One figure: name, value, unit, bound, ok or short; see bench/README.md. */
static inline void report(const char *name, uint32_t value, const char *unit, uint32_t bound)
{
    printf("%s\t%lu\t%s\t%lu\t%s\n", name, (unsigned long)value, unit, (unsigned long)bound,
           value <= bound ? "ok" : "short");
}

/* ---- instructions ----------------------------------------------------------------------- */

#ifdef __riscv
enum { COUNTED_HZ = 1000000000 };

static inline uint32_t now(void)
{
    uint32_t ns;
    __asm__ volatile("rdinstret %0" : "=r"(ns));
    return ns;
}

static inline uint32_t ticks_since(uint32_t start)
{
    return now() - start;
}

static inline void start_clock(void)
{
}
#else
struct systick {
    volatile uint32_t control;
    volatile uint32_t reload;
    volatile uint32_t current;
};
#define SYSTICK ((struct systick *)0xE000E010u)
enum { COUNTED_HZ = BOARD_CORE_HZ, SYSTICK_MASK = 0xFFFFFF, SYSTICK_ON = 5 };

/* SysTick counts down, in 24 bits: good for 10 million instructions at 25 MHz. QEMU gives one to
 * the micro:bit too, whose core has none. */
static inline uint32_t now(void)
{
    return SYSTICK->current;
}

static inline uint32_t ticks_since(uint32_t start)
{
    return (start - now()) & SYSTICK_MASK;
}

static inline void start_clock(void)
{
    SYSTICK->reload = SYSTICK_MASK;
    SYSTICK->current = 0;
    SYSTICK->control = SYSTICK_ON;
}
#endif

enum { INSTRUCTION_NS = 64, SECOND_NS = 1000000000 };

static uint32_t overhead_of_reading; /* in ticks */

/* Instructions since now() answered `start`. */
static inline uint32_t instructions(uint32_t start)
{
    const uint64_t ticks = ticks_since(start) - overhead_of_reading;
    return (uint32_t)(ticks * SECOND_NS / ((uint64_t)COUNTED_HZ * INSTRUCTION_NS));
}

static inline void start_counting(void)
{
    start_clock();
    overhead_of_reading = ticks_since(now());
}

/* ---- stack ------------------------------------------------------------------------------ */

#ifdef BENCH_SMALL
enum { PAINTED = 2048 };
#else
enum { PAINTED = 6144 };
#endif
enum { PAINT = 0xA5, SPARED = 128 };

/* The region lies below the painter's own frame, where only what is called next can reach. */
static __attribute__((noinline, unused)) void paint(uint8_t *top)
{
    for (volatile uint8_t *p = top - PAINTED; p < top - SPARED; p++) {
        *p = PAINT;
    }
}

/* The deepest byte below `top` that was written since paint. */
static __attribute__((noinline, unused)) uint32_t depth(uint8_t *top)
{
    const volatile uint8_t *painted = top - PAINTED;
    uint32_t untouched = 0;
    while (painted[untouched] == PAINT) {
        untouched++;
    }
    return PAINTED - untouched;
}

static inline uint8_t *stack_top(void)
{
    uint8_t *top;
#ifdef __riscv
    __asm__ volatile("mv %0, sp" : "=r"(top));
#else
    __asm__ volatile("mov %0, sp" : "=r"(top));
#endif
    return top;
}

#endif
