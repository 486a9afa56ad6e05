/* See esp_err.h. */
#ifndef STAND_IN_TASK_H
#define STAND_IN_TASK_H

#include "freertos/FreeRTOS.h"

typedef struct stand_in_task *TaskHandle_t;
typedef void (*TaskFunction_t)(void *parameters);
typedef struct {
    void *room[32];
} StaticTask_t;

void vTaskDelay(TickType_t ticks);
TaskHandle_t xTaskCreateStatic(TaskFunction_t code, const char *name, uint32_t stack_depth,
                               void *parameters, UBaseType_t priority, StackType_t *stack,
                               StaticTask_t *task);
void app_main(void);

#endif
