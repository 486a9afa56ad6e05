#include "stm32_usart.h"

/* RM0041 and RM0090, universal synchronous asynchronous receiver transmitter. */
enum { STATUS_OVERRUN = 1 << 3, STATUS_RX_FULL = 1 << 5, STATUS_TX_EMPTY = 1 << 7 };
enum { CONTROL_RX = 1 << 2, CONTROL_TX = 1 << 3, CONTROL_RX_INTERRUPT = 1 << 5 };
enum { CONTROL_ON = 1 << 13 };

void stm32_usart_start(stm32_usart *usart, uint32_t clock_hz, uint32_t baud)
{
    usart->divider = (clock_hz + baud / 2) / baud;
    usart->control = CONTROL_ON | CONTROL_TX | CONTROL_RX | CONTROL_RX_INTERRUPT;
}

bool stm32_usart_read(stm32_usart *usart, uint8_t *byte)
{
    uint32_t status = usart->status;
    if ((status & (STATUS_RX_FULL | STATUS_OVERRUN)) == 0) {
        return false;
    }
    /* Clears both: an overrun alone interrupts too, and would for ever. The byte that it cost is
     * for the frame's tag to find. */
    *byte = (uint8_t)usart->data;
    return (status & STATUS_RX_FULL) != 0;
}

void stm32_usart_write(stm32_usart *usart, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while ((usart->status & STATUS_TX_EMPTY) == 0) {
        }
        usart->data = bytes[i];
    }
}
