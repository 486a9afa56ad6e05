/* The MPS2 board (QEMU's mps2-an385): its vector table, with the handlers of FreeRTOS's port for
 * the Cortex-M3, in place of picolibc's. Faults end in picolibc's register dump over semihosting.
 */
#include "board.h"

#include "FreeRTOS.h"
#include "cmsdk_uart.h"
#include "cortex_m.h"
#include "nv_image.h"
#include "task.h"

void _start(void);            /* picolibc's crt0 */
void arm_hardfault_isr(void); /* picolibc's dump */
extern const char __stack[];  /* the initial stack pointer, named by picolibc's linker script */
void vPortSVCHandler(void);   /* FreeRTOS */
void xPortPendSVHandler(void);
void xPortSysTickHandler(void);

typedef union entry {
    const char *stack;
    void (*handler)(void);
} entry;

enum { EXTERNAL = 16, CORE_HZ = 25000000, BAUD = 115200 };

/* The kernel may be called from interrupts at this priority: it is
 * configMAX_SYSCALL_INTERRUPT_PRIORITY and less urgent. Without a priority they would have the most
 * urgent. */
enum { PRIORITY = 200 };
#define NVIC_PRIORITY ((volatile uint8_t *)0xE000E400u)

extern const entry __interrupt_vector[];
__attribute__((section(".data.init.enter"), used)) const entry __interrupt_vector[] = {
    {.stack = __stack},
    {.handler = _start},
    {.handler = arm_hardfault_isr}, /* NMI */
    {.handler = arm_hardfault_isr}, /* HardFault, memory management, bus, usage */
    {.handler = arm_hardfault_isr},
    {.handler = arm_hardfault_isr},
    {.handler = arm_hardfault_isr},
    [11] = {.handler = vPortSVCHandler},
    [12] = {.handler = arm_hardfault_isr},
    [14] = {.handler = xPortPendSVHandler},
    [15] = {.handler = xPortSysTickHandler},
    [EXTERNAL + 0] = {.handler = on_link_byte}, /* UART0 receive */
    [EXTERNAL + 1] = {.handler = arm_hardfault_isr},
    [EXTERNAL + 2] = {.handler = on_contact}, /* UART1 receive */
    [EXTERNAL + 3] = {.handler = arm_hardfault_isr},
};

static nv_image flash;

void vApplicationStackOverflowHook(TaskHandle_t task, char *name)
{
    (void)task;
    (void)name;
    arm_hardfault_isr();
}

bool board_start(const char *nv_path, fer_nv *nv)
{
    *nv = (fer_nv){&nv_image_ops, &nv_image_geometry, &flash};
    cmsdk_uart_start(CMSDK_UART0, CORE_HZ, BAUD);
    cmsdk_uart_start(CMSDK_UART1, CORE_HZ, BAUD);
    NVIC_PRIORITY[CMSDK_UART0_RX_IRQ] = PRIORITY;
    NVIC_PRIORITY[CMSDK_UART1_RX_IRQ] = PRIORITY;
    return nv_image_open(&flash, nv_path);
}

void board_listen(void)
{
    cortex_m_interrupt_enable(CMSDK_UART0_RX_IRQ);
    cortex_m_interrupt_enable(CMSDK_UART1_RX_IRQ);
}

void board_send(const uint8_t *bytes, size_t n)
{
    cmsdk_uart_write(CMSDK_UART0, bytes, n);
}

bool board_receive(uint8_t *byte)
{
    return cmsdk_uart_read(CMSDK_UART0, byte);
}

/* Each byte on the second line stands for an edge. */
bool board_contact(void)
{
    uint8_t edge;
    return cmsdk_uart_read(CMSDK_UART1, &edge);
}
