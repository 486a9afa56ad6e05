/* STM32F405 at 168 MHz: USART1 on APB2, USART2 on APB1. No emulator checks clocks and pins; set them up on the board. */
#ifndef FERRULE_BOARD_MAP_H
#define FERRULE_BOARD_MAP_H

#include "stm32.h"

#define BOARD_LINK ((board_uart *)0x40011000u)
#define BOARD_SENSOR ((board_uart *)0x40004400u)
enum { BOARD_LINK_IRQ = 37, BOARD_SENSOR_IRQ = 38 };
enum { BOARD_CORE_HZ = 168000000, BOARD_LINK_HZ = 84000000, BOARD_SENSOR_HZ = 42000000 };

/* What its RAM allows example 02. */
enum { BOARD_READINGS = 64, BOARD_MESSAGES = 64, BOARD_INBOUND = 128 };

#endif
