#include "nrf51.h"

/* nRF51 Series Reference Manual 3.0: UART and TIMER. */
#define UART0(offset) (*(volatile uint32_t *)(0x40002000u + (offset)))
#define TIMER0(offset) (*(volatile uint32_t *)(0x40008000u + (offset)))
enum { TASK_START_RX = 0x000, TASK_START_TX = 0x008, EVENT_RX = 0x108, EVENT_TX = 0x11C };
enum { UART_ENABLE = 0x500, PIN_TX = 0x50C, PIN_RX = 0x514, RXD = 0x518, TXD = 0x51C };
enum { BAUD = 0x524, BAUD_115200 = 0x01D7E000, UART_ON = 4, NO_PIN = -1, PIN_RTS = 0x508 };
enum { PIN_CTS = 0x510, INTERRUPT_SET = 0x304, INTERRUPT_RX = 1 << 2 };
enum { TASK_START = 0x000, EVENT_COMPARE0 = 0x140, SHORTS = 0x200, COMPARE0_CLEAR = 1 << 0 };
enum { INTERRUPT_COMPARE0 = 1 << 16, MODE = 0x504, BIT_MODE = 0x508, BITS_32 = 3 };
enum { PRESCALER = 0x510, COMPARE0 = 0x540, MEGAHERTZ = 4 /* 16 MHz / 2^4 */ };

void nrf51_uart_start(uint32_t transmit_pin, uint32_t receive_pin)
{
    UART0(PIN_TX) = transmit_pin;
    UART0(PIN_RX) = receive_pin;
    UART0(PIN_RTS) = (uint32_t)NO_PIN;
    UART0(PIN_CTS) = (uint32_t)NO_PIN;
    UART0(BAUD) = BAUD_115200;
    UART0(UART_ENABLE) = UART_ON;
    UART0(EVENT_RX) = 0;
    UART0(INTERRUPT_SET) = INTERRUPT_RX;
    UART0(TASK_START_RX) = 1;
    UART0(TASK_START_TX) = 1;
}

bool nrf51_uart_read(uint8_t *byte)
{
    if (UART0(EVENT_RX) == 0) {
        return false;
    }
    /* Before the byte is taken: the event of the byte that follows must not be cleared. */
    UART0(EVENT_RX) = 0;
    *byte = (uint8_t)UART0(RXD);
    return true;
}

void nrf51_uart_write(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        UART0(EVENT_TX) = 0;
        UART0(TXD) = bytes[i];
        while (UART0(EVENT_TX) == 0) {
        }
    }
}

void nrf51_timer_start(void)
{
    TIMER0(MODE) = 0;
    TIMER0(BIT_MODE) = BITS_32;
    TIMER0(PRESCALER) = MEGAHERTZ;
    TIMER0(COMPARE0) = 1000;
    TIMER0(SHORTS) = COMPARE0_CLEAR;
    TIMER0(INTERRUPT_SET) = INTERRUPT_COMPARE0;
    TIMER0(TASK_START) = 1;
}

void nrf51_timer_clear(void)
{
    TIMER0(EVENT_COMPARE0) = 0;
}
