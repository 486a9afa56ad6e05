/* What the examples ask of a board, whichever it is. A folder of boards/ answers: board.conf says
 * which core, memory and emulator, board_map.h where its peripherals are. Applications that run on
 * one board call its port themselves. */
#ifndef FERRULE_BOARD_H
#define FERRULE_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board_map.h" /* BOARD_READINGS, BOARD_MESSAGES, BOARD_INBOUND: what its RAM allows */
#include "ferrule/port.h"

extern const fer_lock board_lock;
extern const fer_clock board_clock;

/* Starts the clock, which interrupts every millisecond, and the lines. */
void board_start(void);

/* Sleeps until an interrupt is pending. Call it masked; see cortex_m_wait. */
void board_wait(void);

/* The line to the gateway. `listen` lets its receive interrupt through, or keeps it pending. */
bool board_link_read(uint8_t *byte);
void board_link_write(const uint8_t *bytes, size_t n);
void board_link_listen(bool on);

/* The line of the sensor; on boards with one line shared/pattern.c plays it. */
bool board_sensor_read(uint8_t *byte);
void board_sensor_listen(bool on);

/* The application's, called in the interrupt of either line while a byte waits there. */
void on_link_byte(void);
void on_sensor_byte(void);

#endif
