/* See esp_err.h. */
#ifndef STAND_IN_ESP_RANDOM_H
#define STAND_IN_ESP_RANDOM_H

#include <stddef.h>

void esp_fill_random(void *out, size_t n);

#endif
