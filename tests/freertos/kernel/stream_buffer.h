/* See FreeRTOS.h beside it. */
#ifndef FAKE_STREAM_BUFFER_H
#define FAKE_STREAM_BUFFER_H

#include "FreeRTOS.h"

typedef struct StaticStreamBuffer {
    uint8_t *storage;
    size_t size, first, count;
} StaticStreamBuffer_t;
typedef StaticStreamBuffer_t *StreamBufferHandle_t;

StreamBufferHandle_t xStreamBufferCreateStatic(size_t size, size_t trigger, uint8_t *storage,
                                               StaticStreamBuffer_t *memory);
size_t xStreamBufferSendFromISR(StreamBufferHandle_t stream, const void *bytes, size_t n,
                                BaseType_t *higher_priority_task_woken);
size_t xStreamBufferReceive(StreamBufferHandle_t stream, void *out, size_t capacity,
                            TickType_t wait);

#endif
