/* See FreeRTOS.h beside it. */
#ifndef FAKE_TASK_H
#define FAKE_TASK_H

#include "FreeRTOS.h"

typedef struct fake_task *TaskHandle_t;
typedef void (*TaskFunction_t)(void *parameters);
typedef struct StaticTask {
    void *room[24];
} StaticTask_t;

void fake_enter_critical(void);
void fake_exit_critical(void);
UBaseType_t fake_enter_critical_from_isr(void);
void fake_exit_critical_from_isr(UBaseType_t state);
#define taskENTER_CRITICAL() fake_enter_critical()
#define taskEXIT_CRITICAL() fake_exit_critical()
#define taskENTER_CRITICAL_FROM_ISR() fake_enter_critical_from_isr()
#define taskEXIT_CRITICAL_FROM_ISR(state) fake_exit_critical_from_isr(state)

TickType_t xTaskGetTickCount(void);
TickType_t xTaskGetTickCountFromISR(void);
void vTaskDelay(TickType_t ticks);
BaseType_t xTaskDelayUntil(TickType_t *previous_wake, TickType_t period);
TaskHandle_t xTaskCreateStatic(TaskFunction_t code, const char *name, uint32_t stack_depth,
                               void *parameters, UBaseType_t priority, StackType_t *stack,
                               StaticTask_t *task);
void vTaskStartScheduler(void);
void vApplicationStackOverflowHook(TaskHandle_t task, char *name); /* the application's */

#endif
