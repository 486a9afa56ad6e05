/* Plays the part of FreeRTOS that the port uses: no threads, the test says who runs. */
#include "fake_kernel.h"

#include <string.h>

#include "FreeRTOS.h"
#include "semphr.h"
#include "stream_buffer.h"
#include "task.h"

fake_kernel kernel;

void fake_kernel_reset(void)
{
    memset(&kernel, 0, sizeof kernel);
}

static void hold(bool rule)
{
    kernel.misuses += !rule;
}

BaseType_t xPortIsInsideInterrupt(void)
{
    return kernel.in_interrupt ? pdTRUE : pdFALSE;
}

void fake_yield_from_isr(BaseType_t switch_required)
{
    hold(kernel.in_interrupt);
    kernel.yields += switch_required != pdFALSE;
}

/* ---- critical sections -------------------------------------------------------------------- */

void fake_enter_critical(void)
{
    hold(!kernel.in_interrupt);
    kernel.task_sections++;
}

void fake_exit_critical(void)
{
    hold(!kernel.in_interrupt && kernel.task_sections > 0);
    kernel.task_sections--;
}

/* Each answers the level before, so that a state which comes back in the wrong order shows. */
UBaseType_t fake_enter_critical_from_isr(void)
{
    hold(kernel.in_interrupt);
    kernel.isr_sections++;
    return kernel.isr_level++;
}

void fake_exit_critical_from_isr(UBaseType_t state)
{
    hold(kernel.in_interrupt && state + 1 == kernel.isr_level);
    kernel.isr_level = (unsigned)state;
}

/* ---- ticks -------------------------------------------------------------------------------- */

static TickType_t read_ticks(void)
{
    uint32_t ticks = kernel.ticks;
    void (*hook)(void) = kernel.before_ticks_are_read;

    kernel.before_ticks_are_read = NULL;
    if (hook != NULL && kernel.task_sections == 0) {
        hook(); /* an interrupt that nothing holds off */
    }
    return ticks;
}

TickType_t xTaskGetTickCount(void)
{
    hold(!kernel.in_interrupt);
    return read_ticks();
}

TickType_t xTaskGetTickCountFromISR(void)
{
    hold(kernel.in_interrupt);
    return read_ticks();
}

/* ---- mutex -------------------------------------------------------------------------------- */

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory)
{
    memory->held = 0;
    return memory;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait)
{
    hold(!kernel.in_interrupt && kernel.task_sections == 0 && wait == portMAX_DELAY);
    if (kernel.give_ups > 0) {
        kernel.give_ups--;
        return pdFALSE;
    }
    hold(semaphore->held == 0); /* nobody is there to give it back */
    semaphore->held = 1;
    kernel.mutex_held = true;
    return pdTRUE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    hold(!kernel.in_interrupt && semaphore->held == 1);
    semaphore->held = 0;
    kernel.mutex_held = false;
    return pdTRUE;
}

/* ---- stream buffer ------------------------------------------------------------------------ */

StreamBufferHandle_t xStreamBufferCreateStatic(size_t size, size_t trigger, uint8_t *storage,
                                               StaticStreamBuffer_t *memory)
{
    const StaticStreamBuffer_t empty = {storage, size, 0, 0};

    hold(trigger > 0 && trigger <= size);
    *memory = empty;
    return memory;
}

/* One byte less than its size, as most kernels. */
size_t xStreamBufferSendFromISR(StreamBufferHandle_t stream, const void *bytes, size_t n,
                                BaseType_t *higher_priority_task_woken)
{
    size_t taken = 0;

    hold(kernel.in_interrupt && *higher_priority_task_woken == pdFALSE);
    for (; taken < n && stream->count < stream->size - 1; taken++, stream->count++) {
        stream->storage[(stream->first + stream->count) % stream->size] =
            ((const uint8_t *)bytes)[taken];
    }
    if (taken > 0 && kernel.reader_waits) {
        kernel.reader_waits = false;
        *higher_priority_task_woken = pdTRUE;
    }
    return taken;
}

size_t xStreamBufferReceive(StreamBufferHandle_t stream, void *out, size_t capacity,
                            TickType_t wait)
{
    size_t taken = 0;

    hold(!kernel.in_interrupt && kernel.task_sections == 0);
    kernel.last_wait = wait;
    for (; taken < capacity && stream->count > 0; taken++, stream->count--) {
        ((uint8_t *)out)[taken] = stream->storage[stream->first];
        stream->first = (stream->first + 1) % stream->size;
    }
    return taken;
}
