/* The board as Ferrule sees it. */
#ifndef WALK_PORT_H
#define WALK_PORT_H

#include "ferrule/port.h"

enum { BOARD_BLOCKS = 4, BOARD_BLOCK = 1024, BOARD_GRANULE = 4 };

void board_start(void);
fer_clock board_clock(void);
fer_lock board_lock(void);
fer_nv board_nv(void);

#endif
