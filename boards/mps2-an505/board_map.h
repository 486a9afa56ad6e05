/* AN505: UART0 and UART1 by their secure addresses; interrupts 32 and 34 are theirs of receiving. */
#ifndef FERRULE_BOARD_MAP_H
#define FERRULE_BOARD_MAP_H

#include "cmsdk.h"

#define BOARD_LINK ((board_uart *)0x50200000u)
#define BOARD_SENSOR ((board_uart *)0x50201000u)
enum { BOARD_LINK_IRQ = 32, BOARD_SENSOR_IRQ = 34 };
enum { BOARD_CORE_HZ = 20000000, BOARD_LINK_HZ = 20000000, BOARD_SENSOR_HZ = 20000000 };

/* What its RAM allows example 02. */
enum { BOARD_READINGS = 64, BOARD_MESSAGES = 64, BOARD_INBOUND = 128 };

#endif
