/* The board's first serial line. */
#ifndef WALK_UART_H
#define WALK_UART_H

#include <stddef.h>
#include <stdint.h>

void uart_start(void);
/* Waits while the line is busy. */
void uart_write(const uint8_t *bytes, size_t n);

#endif
