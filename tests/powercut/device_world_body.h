/* What the two files of the device's world share. */
#ifndef FERRULE_TESTS_POWERCUT_DEVICE_WORLD_BODY_H
#define FERRULE_TESTS_POWERCUT_DEVICE_WORLD_BODY_H

#include "powercut/device_world.h"

enum { WORLD_ROUTE = 2, WORLD_TEXT = 16, WORLD_FILL = 0xA5 };

/* The text of an event: 16 letters that no ciphertext holds by chance, and that name it. */
void world_write_text(uint32_t serial, char text[WORLD_TEXT + 1]);

#endif
