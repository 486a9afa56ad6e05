/* Bench: instructions and stack on an emulated Cortex-M. Runs under `qemu-system-arm -icount
 * shift=6`, where every instruction takes 64 ns of virtual time and SysTick counts the board's
 * clock, 25 MHz, 20 on the one with a Cortex-M33: repeatable to the instruction. */
#ifndef FERRULE_BENCH_COUNTING_H
#define FERRULE_BENCH_COUNTING_H

#include <stdint.h>
#include <stdio.h>

/* One figure: name, value, unit, bound, ok or short; see bench/README.md. */
static inline void report(const char *name, uint32_t value, const char *unit, uint32_t bound)
{
    printf("%s\t%lu\t%s\t%lu\t%s\n", name, (unsigned long)value, unit, (unsigned long)bound,
           value <= bound ? "ok" : "short");
}

/* ---- instructions ----------------------------------------------------------------------- */

struct systick {
    volatile uint32_t control;
    volatile uint32_t reload;
    volatile uint32_t current;
};
#define SYSTICK ((struct systick *)0xE000E010u)
#ifdef __ARM_ARCH_8M_MAIN__
enum { TICK_NS = 50 };
#else
enum { TICK_NS = 40 };
#endif
enum { SYSTICK_MASK = 0xFFFFFF, SYSTICK_ON = 5, INSTRUCTION_NS = 64 };

static uint32_t overhead_of_reading; /* in ticks */

/* At most 10 million instructions: SysTick has 24 bits. */
static inline uint32_t since(uint32_t start)
{
    return (start - SYSTICK->current) & SYSTICK_MASK;
}

static inline uint32_t instructions(uint32_t ticks)
{
    return (uint32_t)((uint64_t)(ticks - overhead_of_reading) * TICK_NS / INSTRUCTION_NS);
}

static inline void start_counting(void)
{
    SYSTICK->reload = SYSTICK_MASK;
    SYSTICK->current = 0;
    SYSTICK->control = SYSTICK_ON;
    uint32_t start = SYSTICK->current;
    overhead_of_reading = since(start);
}

/* ---- stack ------------------------------------------------------------------------------ */

enum { PAINT = 0xA5, PAINTED = 6144, SPARED = 128 };

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
    __asm__ volatile("mov %0, sp" : "=r"(top));
    return top;
}

#endif
