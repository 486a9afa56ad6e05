/* Cortex-M boards with a UART for the link and one for the sensor: board_map.h says which, and where. */
#include "board.h"
#include "cortex_m_board.h"

enum { BAUD = 115200 };

CORTEX_M_VECTORS([CORTEX_M_SYSTICK] = {.handler = cortex_m_tick},
                 [CORTEX_M_EXTERNAL + BOARD_LINK_IRQ] = {.handler = on_link_byte},
                 [CORTEX_M_EXTERNAL + BOARD_SENSOR_IRQ] = {.handler = on_sensor_byte});

const fer_lock board_lock = {&cortex_m_lock_ops, 0};
const fer_clock board_clock = {&cortex_m_clock_ops, 0};

void board_start(void)
{
    cortex_m_clock_start(BOARD_CORE_HZ);
    board_uart_start(BOARD_LINK, BOARD_LINK_HZ, BAUD);
    board_uart_start(BOARD_SENSOR, BOARD_SENSOR_HZ, BAUD);
}

void board_wait(void)
{
    cortex_m_wait();
}

bool board_link_read(uint8_t *byte)
{
    return board_uart_read(BOARD_LINK, byte);
}

void board_link_write(const uint8_t *bytes, size_t n)
{
    board_uart_write(BOARD_LINK, bytes, n);
}

void board_link_listen(bool on)
{
    cortex_m_listen(BOARD_LINK_IRQ, on);
}

bool board_sensor_read(uint8_t *byte)
{
    return board_uart_read(BOARD_SENSOR, byte);
}

void board_sensor_listen(bool on)
{
    cortex_m_listen(BOARD_SENSOR_IRQ, on);
}
