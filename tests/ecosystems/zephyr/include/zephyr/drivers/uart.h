/* See kernel.h. */
#ifndef STAND_IN_ZEPHYR_UART_H
#define STAND_IN_ZEPHYR_UART_H

#include <zephyr/kernel.h>

int uart_poll_in(const struct device *dev, unsigned char *byte);
void uart_poll_out(const struct device *dev, unsigned char byte);

#endif
