#include "cortex_m.h"

/* Core registers at their architectural addresses (ARMv6-M and ARMv7-M reference manuals). */
struct systick {
    volatile uint32_t control;
    volatile uint32_t reload;
    volatile uint32_t current;
};
#define SYSTICK ((struct systick *)0xE000E010u)
#define NVIC_ENABLE ((volatile uint32_t *)0xE000E100u) /* a bit a line, 32 in a word */
#define NVIC_DISABLE ((volatile uint32_t *)0xE000E180u)

enum { SYSTICK_ON = 7 }; /* enabled, with interrupt, core clock */

static uint64_t ticks; /* written by the SysTick handler alone; two words: read it masked */

uintptr_t cortex_m_mask(void)
{
    uint32_t state;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(state) : : "memory");
    return state;
}

void cortex_m_unmask(uintptr_t state)
{
    __asm__ volatile("msr primask, %0" : : "r"(state) : "memory");
}

void cortex_m_wait(void)
{
    __asm__ volatile("dsb\n\twfi" : : : "memory");
}

static uintptr_t lock_mask(void *context)
{
    (void)context;
    return cortex_m_mask();
}

static void lock_unmask(void *context, uintptr_t state)
{
    (void)context;
    cortex_m_unmask(state);
}

const struct fer_lock_ops cortex_m_lock_ops = {lock_mask, lock_unmask, 0, 0};

void cortex_m_clock_start(uint32_t core_hz)
{
    SYSTICK->reload = core_hz / 1000u - 1u;
    SYSTICK->current = 0;
    SYSTICK->control = SYSTICK_ON;
}

void cortex_m_tick(void)
{
    ticks++;
}

static int clock_monotonic_ms(void *context, uint64_t *ms)
{
    (void)context;
    uintptr_t state = cortex_m_mask();
    *ms = ticks;
    cortex_m_unmask(state);
    return FER_PORT_OK;
}

const struct fer_clock_ops cortex_m_clock_ops = {clock_monotonic_ms, 0};

void cortex_m_interrupt_enable(unsigned number)
{
    NVIC_ENABLE[number / 32u] = 1u << number % 32u;
}

void cortex_m_interrupt_disable(unsigned number)
{
    NVIC_DISABLE[number / 32u] = 1u << number % 32u;
    __asm__ volatile("dsb\n\tisb" : : : "memory");
}
