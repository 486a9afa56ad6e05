/* One UART, which is the link. */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>

#include "pattern.h"
#include "riscv.h"

enum { BAUD = 115200 };

static riscv_timer timer = {BOARD_TIME, BOARD_TIME_COMPARE, BOARD_TIME_PER_MS};

/* Completed before it is served: what serves it may disable the line, and a completion of a line
 * that is disabled is ignored (RISC-V PLIC specification, interrupt completion). */
static void on_line(void)
{
    uint32_t line = *BOARD_PLIC_CLAIM;
    *BOARD_PLIC_CLAIM = line;
    if (line == BOARD_LINK_IRQ) {
        on_link_byte();
    }
}

__attribute__((interrupt("machine"), aligned(4))) static void on_trap(void)
{
    uint32_t cause = riscv_cause();
    if (cause == RISCV_CAUSE_TIMER) {
        riscv_timer_next(&timer);
        pattern_tick();
    } else if (cause == RISCV_CAUSE_EXTERNAL) {
        on_line();
    } else {
        printf("trap: mcause %#lx\n", (unsigned long)cause);
        _Exit(1);
    }
}

const fer_lock board_lock = {&riscv_lock_ops, 0};
const fer_clock board_clock = {&riscv_clock_ops, &timer};

void board_start(void)
{
    ns16550_start(BOARD_LINK, BOARD_LINK_HZ, BAUD);
    BOARD_PLIC_PRIORITY[BOARD_LINK_IRQ] = 1;
    riscv_timer_next(&timer);
    riscv_interrupts_start(on_trap);
}

void board_wait(void)
{
    riscv_wait();
}

bool board_link_read(uint8_t *byte)
{
    return ns16550_read(BOARD_LINK, byte);
}

void board_link_write(const uint8_t *bytes, size_t n)
{
    ns16550_write(BOARD_LINK, bytes, n);
}

void board_link_listen(bool on)
{
    *BOARD_PLIC_ENABLE = on ? UINT32_C(1) << BOARD_LINK_IRQ : 0;
}
