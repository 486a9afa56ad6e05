/* See esp_err.h. */
#ifndef STAND_IN_UART_H
#define STAND_IN_UART_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"

typedef int uart_port_t;
typedef struct stand_in_queue *QueueHandle_t;
#define UART_NUM_1 1

esp_err_t uart_driver_install(uart_port_t port, int receive, int send, int events,
                              QueueHandle_t *queue, int flags);
int uart_read_bytes(uart_port_t port, void *out, uint32_t n, TickType_t wait);
int uart_write_bytes(uart_port_t port, const void *in, size_t n);

#endif
