/* The UART of two_lines.c: stm32_usart of ports/cortex-m. */
#ifndef FERRULE_BOARDS_STM32_H
#define FERRULE_BOARDS_STM32_H

#include "stm32_usart.h"

typedef stm32_usart board_uart;
#define board_uart_start stm32_usart_start
#define board_uart_read stm32_usart_read
#define board_uart_write stm32_usart_write

#endif
