/* The UART of two_lines.c: cmsdk_uart of ports/cortex-m. */
#ifndef FERRULE_BOARDS_CMSDK_H
#define FERRULE_BOARDS_CMSDK_H

#include "cmsdk_uart.h"

typedef cmsdk_uart board_uart;
#define board_uart_start cmsdk_uart_start
#define board_uart_read cmsdk_uart_read
#define board_uart_write cmsdk_uart_write

#endif
