#include "freertos_port.h"

#include "task.h"

_Static_assert(sizeof(TickType_t) >= sizeof(uint32_t), "ticks of 16 bits wrap within minutes");

/* ---- lock ------------------------------------------------------------------------------- */

/* The kernel has two kinds of critical section, and neither may be entered where the other belongs:
 * on some cores the one of interrupts masks nothing in a task. */
static uintptr_t mask(void *context)
{
    (void)context;
    if (xPortIsInsideInterrupt() != pdFALSE) {
        return (uintptr_t)taskENTER_CRITICAL_FROM_ISR();
    }
    taskENTER_CRITICAL();
    return 0;
}

static void unmask(void *context, uintptr_t state)
{
    (void)context;
    if (xPortIsInsideInterrupt() != pdFALSE) {
        taskEXIT_CRITICAL_FROM_ISR((UBaseType_t)state);
    } else {
        taskEXIT_CRITICAL();
    }
}

/* Again where a kernel without INCLUDE_vTaskSuspend gives up after its longest wait. */
static void take(void *context)
{
    const freertos_lock *lock = context;

    while (xSemaphoreTake(lock->mutex, portMAX_DELAY) != pdTRUE) {
    }
}

static void give(void *context)
{
    const freertos_lock *lock = context;

    (void)xSemaphoreGive(lock->mutex);
}

fer_lock freertos_lock_start(freertos_lock *lock)
{
    static const struct fer_lock_ops ops = {mask, unmask, take, give};
    const fer_lock port = {&ops, lock};

    lock->mutex = xSemaphoreCreateMutexStatic(&lock->memory);
    return port;
}

/* ---- clock ------------------------------------------------------------------------------ */

static uint32_t read_ticks(void)
{
    return (uint32_t)(xPortIsInsideInterrupt() != pdFALSE ? xTaskGetTickCountFromISR()
                                                          : xTaskGetTickCount());
}

/* Masked from reading to noting: a reader that comes between must not take the older count for a
 * wrap. */
static uint64_t extend(freertos_clock *clock)
{
    uintptr_t state = mask(NULL);
    uint32_t now = read_ticks();
    uint64_t ticks;

    clock->wraps += now < clock->last;
    clock->last = now;
    ticks = (uint64_t)clock->wraps << 32 | now;
    unmask(NULL, state);
    return ticks;
}

static int monotonic_ms(void *context, uint64_t *ms)
{
    uint64_t ticks = extend(context);

    *ms = configTICK_RATE_HZ == 1000 ? ticks : ticks * 1000u / configTICK_RATE_HZ;
    return FER_PORT_OK;
}

fer_clock freertos_clock_start(freertos_clock *clock)
{
    static const struct fer_clock_ops ops = {monotonic_ms, NULL};
    const fer_clock port = {&ops, clock};

    clock->last = 0;
    clock->wraps = 0;
    return port;
}

/* ---- bytes from an interrupt ------------------------------------------------------------- */

void freertos_inbox_start(freertos_inbox *inbox, uint8_t *storage, size_t size)
{
    inbox->lost = 0;
    inbox->stream = xStreamBufferCreateStatic(size, 1, storage, &inbox->memory);
}

void freertos_inbox_put(freertos_inbox *inbox, const uint8_t *bytes, size_t n)
{
    BaseType_t urgent = pdFALSE;
    size_t taken = xStreamBufferSendFromISR(inbox->stream, bytes, n, &urgent);

    inbox->lost += (uint32_t)(n - taken);
    portYIELD_FROM_ISR(urgent);
}

/* At least one tick where any wait was asked for. */
static TickType_t to_ticks(uint32_t ms)
{
    return (TickType_t)(((uint64_t)ms * configTICK_RATE_HZ + 999u) / 1000u);
}

size_t freertos_inbox_get(freertos_inbox *inbox, uint8_t *out, size_t capacity, uint32_t wait_ms)
{
    return xStreamBufferReceive(inbox->stream, out, capacity, to_ticks(wait_ms));
}
