/* Ferrule port: the UART of Arm's Cortex-M System Design Kit, as on the MPS2 boards and in QEMU's
 * emulation of them. Single bytes, no FIFO. */
#ifndef FERRULE_PORTS_CMSDK_UART_H
#define FERRULE_PORTS_CMSDK_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cmsdk_uart {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupt;
    volatile uint32_t divider;
} cmsdk_uart;

#define CMSDK_UART0 ((cmsdk_uart *)0x40004000u)
#define CMSDK_UART1 ((cmsdk_uart *)0x40005000u)
enum { CMSDK_UART0_RX_IRQ = 0, CMSDK_UART1_RX_IRQ = 2 };

/* Both directions on, receive interrupt on (its NVIC line is the caller's business). */
void cmsdk_uart_start(cmsdk_uart *uart, uint32_t clock_hz, uint32_t baud);

/* Takes the byte that was received, if there is one. Any thread or ISR. */
bool cmsdk_uart_read(cmsdk_uart *uart, uint8_t *byte);

/* Sends n bytes, waiting for the line. */
void cmsdk_uart_write(cmsdk_uart *uart, const uint8_t *bytes, size_t n);

#endif
