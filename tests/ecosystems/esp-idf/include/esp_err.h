/* Declarations of ESP-IDF that Ferrule's port and example use, in our own words, after its
 * reference; port.c plays what is behind them. */
#ifndef STAND_IN_ESP_ERR_H
#define STAND_IN_ESP_ERR_H

typedef int esp_err_t;
#define ESP_OK 0
#define ESP_FAIL (-1)

#endif
