#include "ns16550.h"

enum { INTERRUPT_RX = 1 << 0, FIFO_ON = 1 << 0, LINE_8_BITS = 3, LINE_LATCH = 1 << 7 };
enum { STATE_RX_FULL = 1 << 0, STATE_TX_EMPTY = 1 << 5 };

void ns16550_start(ns16550 *uart, uint32_t clock_hz, uint32_t baud)
{
    uint32_t divider = clock_hz / (16 * baud);
    uart->interrupt = 0;
    uart->line = LINE_LATCH;
    uart->data = (uint8_t)divider;
    uart->interrupt = (uint8_t)(divider >> 8);
    uart->line = LINE_8_BITS;
    uart->fifo = FIFO_ON;
    uart->interrupt = INTERRUPT_RX;
}

bool ns16550_read(ns16550 *uart, uint8_t *byte)
{
    if ((uart->state & STATE_RX_FULL) == 0) {
        return false;
    }
    *byte = uart->data;
    return true;
}

void ns16550_write(ns16550 *uart, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while ((uart->state & STATE_TX_EMPTY) == 0) {
        }
        uart->data = bytes[i];
    }
}
