/* FreeRTOS for example 05: static allocation alone, one millisecond a tick. */
#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#define configCPU_CLOCK_HZ 25000000UL
#define configTICK_RATE_HZ 1000
#define configTICK_TYPE_WIDTH_IN_BITS TICK_TYPE_WIDTH_32_BITS
#define configUSE_PREEMPTION 1
#define configUSE_TIME_SLICING 1
#define configUSE_IDLE_HOOK 0
#define configUSE_TICK_HOOK 0
#define configMAX_PRIORITIES 5
#define configMINIMAL_STACK_SIZE 128
#define configMAX_TASK_NAME_LEN 8

/* HEAPLESS */
#define configSUPPORT_STATIC_ALLOCATION 1
#define configSUPPORT_DYNAMIC_ALLOCATION 0
#define configKERNEL_PROVIDED_STATIC_MEMORY 1
#define configUSE_MUTEXES 1
#define configUSE_TIMERS 0
#define configUSE_CO_ROUTINES 0

/* QEMU's controller has all 8 bits of priority, and the kernel then wants the lowest of this to be
 * 0. Most chips have 3 or 4 of them, at the upper end. */
#define configKERNEL_INTERRUPT_PRIORITY 255
#define configMAX_SYSCALL_INTERRUPT_PRIORITY 190

#define INCLUDE_vTaskDelay 1
#define INCLUDE_vTaskSuspend 1
#define INCLUDE_xTaskDelayUntil 1

/* A stack that overflows, and a broken assumption of the kernel's, end in picolibc's register dump.
 */
#define configCHECK_FOR_STACK_OVERFLOW 2
#define configASSERT(holds)           \
    do {                              \
        if (!(holds)) {               \
            __asm volatile("udf #0"); \
        }                             \
    } while (0)

#endif
