/* The vector table of the MPS2 board, in place of picolibc's, which has no external interrupts.
 * Faults and whatever nobody expects end in picolibc's register dump over semihosting. */
#include "board.h"

#include "cortex_m.h"

void _start(void);            /* picolibc's crt0 */
void arm_hardfault_isr(void); /* picolibc's dump */
extern const char __stack[];  /* the initial stack pointer, named by picolibc's linker script */

typedef union entry {
    const char *stack;
    void (*handler)(void);
} entry;

enum { EXTERNAL = 16 };

extern const entry __interrupt_vector[];
__attribute__((section(".data.init.enter"), used)) const entry __interrupt_vector[] = {
    {.stack = __stack},
    {.handler = _start},
    {.handler = arm_hardfault_isr}, /* NMI */
    {.handler = arm_hardfault_isr}, /* HardFault, memory management, bus, usage */
    {.handler = arm_hardfault_isr},
    {.handler = arm_hardfault_isr},
    {.handler = arm_hardfault_isr},
    [11] = {.handler = arm_hardfault_isr}, /* SVCall, debug monitor, PendSV */
    [12] = {.handler = arm_hardfault_isr},
    [14] = {.handler = arm_hardfault_isr},
    [15] = {.handler = cortex_m_tick},
    [EXTERNAL + 0] = {.handler = on_link_byte}, /* UART0 receive */
    [EXTERNAL + 1] = {.handler = arm_hardfault_isr},
    [EXTERNAL + 2] = {.handler = on_sensor_byte}, /* UART1 receive */
    [EXTERNAL + 3] = {.handler = arm_hardfault_isr},
};
