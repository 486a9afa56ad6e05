/* Ferrule port: the USART of STM32F1, F2 and F4. Single bytes, no FIFO. Clocks and pins are the
 * business of the vendor's start-up; an emulator needs neither. */
#ifndef FERRULE_PORTS_STM32_USART_H
#define FERRULE_PORTS_STM32_USART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The registers of a USART. */
typedef struct stm32_usart {
    volatile uint32_t status;  /* empty, full, overrun */
    volatile uint32_t data;    /* the byte that came, or that shall go */
    volatile uint32_t divider; /* of the clock */
    volatile uint32_t control; /* which directions and interrupts are on */
} stm32_usart;

/* Both directions on, receive interrupt on (its NVIC line is the caller's business). `clock_hz` is
 * that of the bus the USART is on, divided down to `baud`. */
void stm32_usart_start(stm32_usart *usart, uint32_t clock_hz, uint32_t baud);

/* Takes the byte that was received, if there is one. Any thread or ISR. */
bool stm32_usart_read(stm32_usart *usart, uint8_t *byte);

/* Sends n bytes, waiting for the line. One thread. */
void stm32_usart_write(stm32_usart *usart, const uint8_t *bytes, size_t n);

#endif
