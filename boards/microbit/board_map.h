/* micro:bit: the pins of its one UART, which leads to the USB chip. */
#ifndef FERRULE_BOARD_MAP_H
#define FERRULE_BOARD_MAP_H

enum { BOARD_CORE_HZ = 16000000 };
enum { BOARD_TX_PIN = 24, BOARD_RX_PIN = 25 };

/* What its RAM allows example 02. */
enum { BOARD_READINGS = 32, BOARD_MESSAGES = 64, BOARD_INBOUND = 96 };

#endif
