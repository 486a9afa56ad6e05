#include "riscv.h"

/* The extension of the control registers is part of every hart with interrupts, but compilers of
 * this generation have it in no name that their libraries are built for. */
#define CSR ".option push\n\t.option arch, +zicsr\n\t"
#define END "\n\t.option pop"
enum { STATUS_MIE = 1 << 3, ENABLE_TIMER = 1 << 7, ENABLE_EXTERNAL = 1 << 11 };

static uintptr_t lock_mask(void *context)
{
    (void)context;
    uintptr_t state;
    __asm__ volatile(CSR "csrrci %0, mstatus, 8" END : "=r"(state) : : "memory");
    return state & STATUS_MIE;
}

static void lock_unmask(void *context, uintptr_t state)
{
    (void)context;
    __asm__ volatile(CSR "csrs mstatus, %0" END : : "r"(state) : "memory");
}

const struct fer_lock_ops riscv_lock_ops = {lock_mask, lock_unmask, 0, 0};

/* Two words that go on counting: the high one is read again. */
static uint64_t read_time(const riscv_timer *timer)
{
    uint32_t high, low;
    do {
        high = timer->time[1];
        low = timer->time[0];
    } while (high != timer->time[1]);
    return (uint64_t)high << 32 | low;
}

static int clock_monotonic_ms(void *context, uint64_t *ms)
{
    const riscv_timer *timer = context;
    *ms = read_time(timer) / timer->per_ms;
    return FER_PORT_OK;
}

const struct fer_clock_ops riscv_clock_ops = {clock_monotonic_ms, 0};

void riscv_timer_next(const riscv_timer *timer)
{
    uint64_t next = read_time(timer) + timer->per_ms;
    timer->compare[0] = UINT32_MAX; /* no moment between the two words may look like the past */
    timer->compare[1] = (uint32_t)(next >> 32);
    timer->compare[0] = (uint32_t)next;
}

void riscv_interrupts_start(void (*handler)(void))
{
    __asm__ volatile(CSR "csrw mtvec, %0" END : : "r"(handler) : "memory");
    __asm__ volatile(CSR "csrs mie, %0" END : : "r"(ENABLE_TIMER | ENABLE_EXTERNAL) : "memory");
    __asm__ volatile(CSR "csrsi mstatus, 8" END : : : "memory");
}

uint32_t riscv_cause(void)
{
    uint32_t cause;
    __asm__ volatile(CSR "csrr %0, mcause" END : "=r"(cause));
    return cause;
}

void riscv_wait(void)
{
    __asm__ volatile("wfi" : : : "memory");
}
