/* What Cortex-M boards share. Their vector table stands in for picolibc's, which has no external
 * interrupts. Faults end in picolibc's register dump over semihosting. No interrupt is enabled but those that
 * the board lists: CORTEX_M_VECTORS([CORTEX_M_EXTERNAL + 2] = {.handler = on_link_byte}); */
#ifndef FERRULE_CORTEX_M_BOARD_H
#define FERRULE_CORTEX_M_BOARD_H

#include "board.h"
#include "cortex_m.h"

void _start(void);            /* picolibc's crt0 */
void arm_hardfault_isr(void); /* picolibc's dump */
extern const char __stack[];  /* the initial stack pointer, named by cmake/board.cmake */

typedef union cortex_m_vector {
    const char *stack;
    void (*handler)(void);
} cortex_m_vector;

enum { CORTEX_M_SYSTICK = 15, CORTEX_M_EXTERNAL = 16 };

extern const cortex_m_vector __interrupt_vector[];

#define CORTEX_M_VECTORS(...)                                                                   \
    __attribute__((section(".data.init.enter"), used)) const cortex_m_vector                    \
        __interrupt_vector[] = {                                                                \
            {.stack = __stack},                                                                 \
            {.handler = _start},                                                                \
            {.handler = arm_hardfault_isr}, /* NMI */                                           \
            {.handler = arm_hardfault_isr}, /* HardFault, memory management, bus, usage */      \
            {.handler = arm_hardfault_isr},                                                     \
            {.handler = arm_hardfault_isr},                                                     \
            {.handler = arm_hardfault_isr},                                                     \
            [11] = {.handler = arm_hardfault_isr}, /* SVCall, debug monitor, PendSV */          \
            [12] = {.handler = arm_hardfault_isr},                                              \
            [14] = {.handler = arm_hardfault_isr},                                              \
            __VA_ARGS__,                                                                        \
    }

static inline void cortex_m_listen(unsigned interrupt, bool on)
{
    if (on) {
        cortex_m_interrupt_enable(interrupt);
    } else {
        cortex_m_interrupt_disable(interrupt);
    }
}

#endif
