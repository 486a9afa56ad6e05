/* The core has no SysTick, so TIMER0 keeps the time; the one UART is the link. */
#include "board.h"
#include "cortex_m_board.h"
#include "nrf51.h"
#include "pattern.h"

static void on_timer(void)
{
    nrf51_timer_clear();
    cortex_m_tick();
    pattern_tick();
}

CORTEX_M_VECTORS([CORTEX_M_EXTERNAL + NRF51_UART0_IRQ] = {.handler = on_link_byte},
                 [CORTEX_M_EXTERNAL + NRF51_TIMER0_IRQ] = {.handler = on_timer});

const fer_lock board_lock = {&cortex_m_lock_ops, 0};
const fer_clock board_clock = {&cortex_m_clock_ops, 0};

void board_start(void)
{
    nrf51_timer_start();
    cortex_m_interrupt_enable(NRF51_TIMER0_IRQ);
    nrf51_uart_start(BOARD_TX_PIN, BOARD_RX_PIN);
}

void board_wait(void)
{
    cortex_m_wait();
}

bool board_link_read(uint8_t *byte)
{
    return nrf51_uart_read(byte);
}

void board_link_write(const uint8_t *bytes, size_t n)
{
    nrf51_uart_write(bytes, n);
}

void board_link_listen(bool on)
{
    cortex_m_listen(NRF51_UART0_IRQ, on);
}
