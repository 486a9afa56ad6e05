/* The declarations of FreeRTOS that Ferrule's port and example use, in our own words, after its API
 * reference: the tests compile both against them, and fake_kernel.c plays the kernel behind them.
 */
#ifndef FAKE_FREERTOS_H
#define FAKE_FREERTOS_H

#include <stddef.h>
#include <stdint.h>

typedef long BaseType_t;
typedef unsigned long UBaseType_t;
typedef uint32_t TickType_t;
typedef uint32_t StackType_t;

#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS pdTRUE
#define portMAX_DELAY ((TickType_t)0xFFFFFFFFu)
#ifndef configTICK_RATE_HZ
#define configTICK_RATE_HZ ((TickType_t)1000)
#endif
#define pdMS_TO_TICKS(ms) ((TickType_t)((uint64_t)(ms)*configTICK_RATE_HZ / 1000u))
#define configMINIMAL_STACK_SIZE ((uint16_t)128)
#define configMAX_PRIORITIES 5
#define tskIDLE_PRIORITY ((UBaseType_t)0)

BaseType_t xPortIsInsideInterrupt(void);
void fake_yield_from_isr(BaseType_t switch_required);
#define portYIELD_FROM_ISR(switch_required) fake_yield_from_isr(switch_required)

#endif
