/* Ferrule port: a UART compatible with National's 16550, with byte-wide registers side by side. */
#ifndef FERRULE_PORTS_NS16550_H
#define FERRULE_PORTS_NS16550_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The registers of a UART. */
typedef struct ns16550 {
    volatile uint8_t data;      /* the divider's low byte while the latch is open */
    volatile uint8_t interrupt; /* which are on */
    volatile uint8_t fifo;      /* on, and cleared */
    volatile uint8_t line;      /* bits, parity, and the latch */
    volatile uint8_t modem;     /* outputs */
    volatile uint8_t state;     /* full, empty, overrun */
} ns16550;

/* 8 bits without parity at `baud`, divided from clock_hz; receive interrupt on (the interrupt
 * controller is the caller's business).
 */
void ns16550_start(ns16550 *uart, uint32_t clock_hz, uint32_t baud);

/* Takes the byte that was received, if there is one. Any thread or ISR. */
bool ns16550_read(ns16550 *uart, uint8_t *byte);

/* Sends n bytes, waiting for the line. One thread. */
void ns16550_write(ns16550 *uart, const uint8_t *bytes, size_t n);

#endif
