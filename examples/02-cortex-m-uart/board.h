/* The interrupt handlers that main.c gives to the vector table in board.c. */
#ifndef EXAMPLE_BOARD_H
#define EXAMPLE_BOARD_H

void on_link_byte(void);
void on_sensor_byte(void);

#endif
