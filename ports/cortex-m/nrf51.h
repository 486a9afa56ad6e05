/* Ferrule port: the UART and a timer of Nordic's nRF51, whose Cortex-M0 has no SysTick. */
#ifndef FERRULE_PORTS_NRF51_H
#define FERRULE_PORTS_NRF51_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Their interrupts. */
enum {
    NRF51_UART0_IRQ = 2, /* the UART has received */
    NRF51_TIMER0_IRQ = 8 /* a millisecond has passed */
};

/* 115,200 baud on transmit_pin and receive_pin, receive interrupt known to the peripheral (its NVIC
 * line is the caller's business). */
void nrf51_uart_start(uint32_t transmit_pin, uint32_t receive_pin);

/* Takes the byte that was received, if there is one. Any thread or ISR. */
bool nrf51_uart_read(uint8_t *byte);

/* Sends n bytes, waiting for the line. One thread. */
void nrf51_uart_write(const uint8_t *bytes, size_t n);

/* Has TIMER0 interrupt every millisecond; its handler calls nrf51_timer_clear. */
void nrf51_timer_start(void);
void nrf51_timer_clear(void);

#endif
