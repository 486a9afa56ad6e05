/* ports/template, filled in for the LM3S6965: clock, lock and flash.
 *
 * Its flash is programmed by 4 bytes and erased by blocks of 1 KB; programmed words take more
 * zeros. QEMU has no model of the controller, so that the region lies in RAM here, and what the
 * controller does to flash is done to it by hand. On the part, the two lines marked below are its
 * registers. */
#include "port.h"

#include <stdbool.h>
#include <string.h>

/* ---- clock: SysTick, a millisecond a tick ------------------------------------------------- */

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_CURRENT (*(volatile uint32_t *)0xE000E018u)

enum { CORE_HZ = 12500000, SYSTICK_ON = 7 };

static uint64_t ticks; /* two words: the handler writes them, everybody else masks it to read */

void arm_systick_isr(void); /* its name in picolibc's vector table */
void arm_systick_isr(void)
{
    ticks++;
}

void board_start(void)
{
    SYSTICK_RELOAD = CORE_HZ / 1000 - 1;
    SYSTICK_CURRENT = 0;
    SYSTICK_CONTROL = SYSTICK_ON;
}

/* ---- lock: PRIMASK, which nests because what was is put back -------------------------------- */

static uintptr_t mask(void *context)
{
    uint32_t before;

    (void)context;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(before) : : "memory");
    return before;
}

static void unmask(void *context, uintptr_t before)
{
    (void)context;
    __asm__ volatile("msr primask, %0" : : "r"(before) : "memory");
}

static int monotonic_ms(void *context, uint64_t *ms)
{
    uintptr_t before = mask(context);

    *ms = ticks;
    unmask(context, before);
    return FER_PORT_OK;
}

/* ---- flash ---------------------------------------------------------------------------------- */

static const fer_nv_geometry geometry = {BOARD_BLOCK, BOARD_BLOCKS, BOARD_GRANULE, 0xFF,
                                         FER_NV_OVERWRITE};
static uint8_t flash[BOARD_BLOCKS][BOARD_BLOCK];

static bool is_inside(uint32_t block, uint32_t offset, size_t n)
{
    return block < BOARD_BLOCKS && offset <= BOARD_BLOCK && n <= BOARD_BLOCK - offset;
}

static int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context;
    if (!is_inside(block, offset, n)) {
        return FER_PORT_FAILED;
    }
    memcpy(out, &flash[block][offset], n);
    return FER_PORT_OK;
}

static int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    (void)context;
    if (!is_inside(block, offset, n) || offset % BOARD_GRANULE != 0 || n % BOARD_GRANULE != 0) {
        return FER_PORT_FAILED;
    }
    for (size_t i = 0; i < n; i++) {
        flash[block][offset + i] &= in[i]; /* on the part: FMA, FMD, then FMC = WRITE, and wait */
    }
    return FER_PORT_OK;
}

static int nv_erase(void *context, uint32_t block)
{
    (void)context;
    if (!is_inside(block, 0, BOARD_BLOCK)) {
        return FER_PORT_FAILED;
    }
    memset(flash[block], 0xFF, BOARD_BLOCK); /* on the part: FMA, then FMC = ERASE, and wait */
    return FER_PORT_OK;
}

/* ---- tables --------------------------------------------------------------------------------- */

fer_clock board_clock(void)
{
    static const struct fer_clock_ops ops = {monotonic_ms, 0}; /* it does not know the date */

    return (fer_clock){&ops, 0};
}

fer_lock board_lock(void)
{
    static const struct fer_lock_ops ops = {mask, unmask, 0, 0}; /* interrupts, but no tasks */

    return (fer_lock){&ops, 0};
}

fer_nv board_nv(void)
{
    static const struct fer_nv_ops ops = {nv_read, nv_program, nv_erase, 0};

    return (fer_nv){&ops, &geometry, 0};
}
