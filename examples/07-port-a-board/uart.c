/* UART0 of the LM3S6965, an ARM PL011; registers as in its data sheet, section 12. */
#include "uart.h"

#define CLOCK_GATES (*(volatile uint32_t *)0x400FE104u) /* RCGC1 */
#define UART_DATA (*(volatile uint32_t *)0x4000C000u)
#define UART_FLAGS (*(volatile uint32_t *)0x4000C018u)
#define UART_DIVISOR (*(volatile uint32_t *)0x4000C024u)
#define UART_FRACTION (*(volatile uint32_t *)0x4000C028u)
#define UART_LINE (*(volatile uint32_t *)0x4000C02Cu)
#define UART_CONTROL (*(volatile uint32_t *)0x4000C030u)

enum { TX_FULL = 1 << 5, EIGHT_BITS = 3 << 5, FIFO = 1 << 4, ON = 1 << 0 | 1 << 8 };

void uart_start(void)
{
    CLOCK_GATES |= 1;
    UART_CONTROL = 0;
    UART_DIVISOR = 6; /* 12.5 MHz / (16 * 115200) = 6.78 */
    UART_FRACTION = 50;
    UART_LINE = EIGHT_BITS | FIFO;
    UART_CONTROL = ON;
}

void uart_write(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while ((UART_FLAGS & TX_FULL) != 0) {
        }
        UART_DATA = bytes[i];
    }
}
