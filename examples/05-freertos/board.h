/* What main.c asks of the board, and gives to its vector table. */
#ifndef EXAMPLE_BOARD_H
#define EXAMPLE_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/port.h"

/* Serial lines and flash (a file of the debugging host). False: there is no flash. Interrupts come
 * from board_listen on. */
bool board_start(const char *nv_path, fer_nv *nv);
void board_listen(void);

/* The link: sends, waiting for the line; takes a byte that was received, in the interrupt. */
void board_send(const uint8_t *bytes, size_t n);
bool board_receive(uint8_t *byte);

/* Whether the contact has closed again, in the interrupt. */
bool board_contact(void);

/* Handlers, of main.c. */
void on_link_byte(void);
void on_contact(void);

#endif
