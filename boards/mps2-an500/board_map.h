/* AN500: as AN385. */
#ifndef FERRULE_BOARD_MAP_H
#define FERRULE_BOARD_MAP_H

#include "cmsdk.h"

#define BOARD_LINK ((board_uart *)0x40004000u)
#define BOARD_SENSOR ((board_uart *)0x40005000u)
enum { BOARD_LINK_IRQ = 0, BOARD_SENSOR_IRQ = 2 };
enum { BOARD_CORE_HZ = 25000000, BOARD_LINK_HZ = 25000000, BOARD_SENSOR_HZ = 25000000 };

/* What its RAM allows example 02. */
enum { BOARD_READINGS = 64, BOARD_MESSAGES = 64, BOARD_INBOUND = 128 };

#endif
