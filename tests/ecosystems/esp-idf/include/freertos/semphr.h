/* See esp_err.h. */
#ifndef STAND_IN_SEMPHR_H
#define STAND_IN_SEMPHR_H

#include "freertos/FreeRTOS.h"

typedef struct {
    int held;
} StaticSemaphore_t;
typedef StaticSemaphore_t *SemaphoreHandle_t;

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory);
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait);
BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);

#endif
