#include "cmsdk_uart.h"

/* Arm DDI 0479, APB UART. */
enum { STATE_TX_FULL = 1 << 0, STATE_RX_FULL = 1 << 1 };
enum { CONTROL_TX = 1 << 0, CONTROL_RX = 1 << 1, CONTROL_RX_INTERRUPT = 1 << 3 };
enum { INTERRUPT_RX = 1 << 1 };

void cmsdk_uart_start(cmsdk_uart *uart, uint32_t clock_hz, uint32_t baud)
{
    uart->divider = clock_hz / baud;
    uart->control = CONTROL_TX | CONTROL_RX | CONTROL_RX_INTERRUPT;
}

bool cmsdk_uart_read(cmsdk_uart *uart, uint8_t *byte)
{
    if ((uart->state & STATE_RX_FULL) == 0) {
        return false;
    }
    /* Before the byte is taken: the interrupt of the byte that follows must not be cleared. */
    uart->interrupt = INTERRUPT_RX;
    *byte = (uint8_t)uart->data;
    return true;
}

void cmsdk_uart_write(cmsdk_uart *uart, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while ((uart->state & STATE_TX_FULL) != 0) {
        }
        uart->data = bytes[i];
    }
}
