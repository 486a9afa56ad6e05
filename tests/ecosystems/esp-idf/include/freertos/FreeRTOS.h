/* See esp_err.h. ESP-IDF's FreeRTOS has spinlocks, because there are two cores. */
#ifndef STAND_IN_FREERTOS_H
#define STAND_IN_FREERTOS_H

#include <stdint.h>

typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t StackType_t;

#define pdTRUE ((BaseType_t)1)
#define pdFALSE ((BaseType_t)0)
#define portMAX_DELAY ((TickType_t)0xffffffffu)
#define pdMS_TO_TICKS(ms) ((TickType_t)((ms) / 10))
#define tskIDLE_PRIORITY ((UBaseType_t)0)

typedef struct {
    uint32_t owner, count;
} portMUX_TYPE;
void stand_in_initialize(portMUX_TYPE *mux);
void stand_in_enter(portMUX_TYPE *mux);
void stand_in_exit(portMUX_TYPE *mux);
#define portMUX_INITIALIZE(mux) stand_in_initialize(mux)
#define portENTER_CRITICAL_SAFE(mux) stand_in_enter(mux)
#define portEXIT_CRITICAL_SAFE(mux) stand_in_exit(mux)

#endif
