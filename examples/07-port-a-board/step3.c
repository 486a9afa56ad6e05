/* Step 3: time passes and interrupts are masked. Ends with 0 when both were seen. */
#include "port.h"

static uint64_t now_ms(void)
{
    fer_clock clock = board_clock();
    uint64_t ms = 0;

    return clock.ops->monotonic_ms(clock.context, &ms) == FER_PORT_OK ? ms : 0;
}

/* Long enough for several ticks. */
static void wait(void)
{
    for (volatile uint32_t i = 0; i < 2000000; i++) {
    }
}

int main(void)
{
    fer_lock lock = board_lock();

    board_start();
    wait();
    uint64_t running = now_ms();
    uintptr_t outer = lock.ops->mask(lock.context);
    uintptr_t inner = lock.ops->mask(lock.context); /* it nests: one unmask does not let go */
    uint64_t before = now_ms();
    lock.ops->unmask(lock.context, inner);
    wait();
    uint64_t masked = now_ms();
    lock.ops->unmask(lock.context, outer);
    wait();
    return running > 0 && masked - before <= 1 && now_ms() > masked + 1 ? 0 : 1;
}
