/* Step 2: bytes leave. A frame goes out on the serial line; the host finds it whole. */
#include "ferrule/ferrule.h"
#include "uart.h"

int main(void)
{
    static const uint8_t text[] = {'h', 'e', 'l', 'l', 'o', 0, 0, 1};
    uint8_t frame[FER_FRAME_SIZE(sizeof text)];
    size_t n;

    uart_start();
    if (fer_frame_encode(text, sizeof text, frame, sizeof frame, &n) != FER_OK) {
        return 1;
    }
    uart_write(frame, n);
    return 0;
}
