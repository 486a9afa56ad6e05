/* See FreeRTOS.h beside it. */
#ifndef FAKE_SEMPHR_H
#define FAKE_SEMPHR_H

#include "FreeRTOS.h"

typedef struct StaticSemaphore {
    int held;
} StaticSemaphore_t;
typedef StaticSemaphore_t *SemaphoreHandle_t;

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory);
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait);
BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);

#endif
