/* Ferrule port: the UART of Arm's Cortex-M System Design Kit, as on the MPS2 boards and in QEMU's
 * emulation of them. Single bytes, no FIFO.
 * Concurrency: one thread a direction of a UART. */
#ifndef FERRULE_PORTS_CMSDK_UART_H
#define FERRULE_PORTS_CMSDK_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The registers of a UART. */
typedef struct cmsdk_uart {
    volatile uint32_t data;      /* the byte that came, or that shall go */
    volatile uint32_t state;     /* full, empty, overrun */
    volatile uint32_t control;   /* which directions and interrupts are on */
    volatile uint32_t interrupt; /* pending; written, cleared */
    volatile uint32_t divider;   /* of the clock */
} cmsdk_uart;

/* Both directions on at `baud`, divided from a clock of clock_hz, receive interrupt on (its NVIC
 * line is the caller's business). */
void cmsdk_uart_start(cmsdk_uart *uart, uint32_t clock_hz, uint32_t baud);

/* Takes the byte that was received, if there is one. Any thread or ISR. */
bool cmsdk_uart_read(cmsdk_uart *uart, uint8_t *byte);

/* Sends n bytes, waiting for the line. */
void cmsdk_uart_write(cmsdk_uart *uart, const uint8_t *bytes, size_t n);

#endif
