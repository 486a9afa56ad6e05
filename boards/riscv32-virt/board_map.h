/* The "virt" machine: timer (CLINT), interrupt controller (PLIC) and its one UART. */
#ifndef FERRULE_BOARD_MAP_H
#define FERRULE_BOARD_MAP_H

#include <stdint.h>

#include "ns16550.h"

#define BOARD_TIME ((volatile uint32_t *)0x0200BFF8u)
#define BOARD_TIME_COMPARE ((volatile uint32_t *)0x02004000u)
enum { BOARD_TIME_PER_MS = 10000 };

#define BOARD_LINK ((ns16550 *)0x10000000u)
enum { BOARD_LINK_IRQ = 10, BOARD_LINK_HZ = 3686400 };

/* Of hart 0 in machine mode. */
#define BOARD_PLIC_PRIORITY ((volatile uint32_t *)0x0C000000u)
#define BOARD_PLIC_ENABLE ((volatile uint32_t *)0x0C002000u)
#define BOARD_PLIC_CLAIM ((volatile uint32_t *)0x0C200004u)

/* What its RAM allows example 02. */
enum { BOARD_READINGS = 64, BOARD_MESSAGES = 64, BOARD_INBOUND = 128 };

#endif
