/* Ferrule: device, what goes in: a ring of readings filled from any context, and a queue of encoded
 * messages filled by threads. Drops are counted (HONEST). */
#include <string.h>

#include "ferrule/device.h"
#include "internal/bytes.h"
#include "internal/device.h"

enum { PREFIX = 2 };

/* ---- locks ------------------------------------------------------------------------------ */

FER_NOT_ANALYSED uintptr_t fer_device_mask(const fer_device *device)
{
    const fer_lock *lock = &device->config.lock;
    return lock->ops == NULL || lock->ops->mask == NULL ? 0 : lock->ops->mask(lock->context);
}

FER_NOT_ANALYSED void fer_device_unmask(const fer_device *device, uintptr_t state)
{
    const fer_lock *lock = &device->config.lock;
    if (lock->ops != NULL && lock->ops->unmask != NULL) {
        lock->ops->unmask(lock->context, state);
    }
}

void fer_device_count(const fer_device *device, uint32_t *count)
{
    uintptr_t state = fer_device_mask(device);

    *count += *count != UINT32_MAX;
    fer_device_unmask(device, state);
}

FER_NOT_ANALYSED void fer_device_lock(const fer_device *device)
{
    const fer_lock *lock = &device->config.lock;
    if (lock->ops != NULL && lock->ops->take != NULL) {
        lock->ops->take(lock->context);
    }
}

FER_NOT_ANALYSED void fer_device_unlock(const fer_device *device)
{
    const fer_lock *lock = &device->config.lock;
    if (lock->ops != NULL && lock->ops->give != NULL) {
        lock->ops->give(lock->context);
    }
}

/* ---- readings --------------------------------------------------------------------------- */

static fer_time_base get_now(const fer_device *device, int64_t *ms)
{
    const fer_clock *clock = &device->config.clock;
    *ms = 0;
    if (clock->ops != NULL && clock->ops->unix_ms != NULL &&
        clock->ops->unix_ms(clock->context, ms) == FER_PORT_OK) {
        return FER_TIME_UNIX;
    }
    *ms = (int64_t)(fer_device_get_uptime(device) % (uint64_t)FER_TIME_LIMIT);
    return FER_TIME_BOOT;
}

/* The entry is 16 bytes, so it is copied under the mask: nothing is ever reserved but unwritten,
 * and a producer interrupted by another needs no second index. */
static void put_reading(fer_device *device, const fer_reading *reading, fer_time_base base)
{
    fer_queued_reading queued;
    bool good = fer_reading_pack(reading, base, &queued) == FER_OK;
    uintptr_t state = fer_device_mask(device);

    if (good && (uint16_t)(device->head - device->tail) < device->config.readings) {
        device->ring[device->head & (device->config.readings - 1u)] = queued;
        device->head++;
    } else {
        fer_device_count(device, &device->health.readings_dropped);
    }
    fer_device_unmask(device, state);
}

void fer_device_record(fer_device *device, uint16_t series, double value)
{
    fer_reading reading = {0, value, series};
    if (fer_device_is_open(device)) {
        fer_time_base base = get_now(device, &reading.time_ms);
        put_reading(device, &reading, base);
    }
}

void fer_device_record_at(fer_device *device, uint16_t series, int64_t unix_ms, double value)
{
    const fer_reading reading = {unix_ms, value, series};
    if (fer_device_is_open(device)) {
        put_reading(device, &reading, FER_TIME_UNIX);
    }
}

uint16_t fer_device_count_readings(const fer_device *device)
{
    uintptr_t state = fer_device_mask(device);
    uint16_t count = (uint16_t)(device->head - device->tail);
    fer_device_unmask(device, state);
    return count;
}

size_t fer_device_get_room(const fer_device *device)
{
    return fer_device_is_open(device)
               ? (size_t)device->config.readings - fer_device_count_readings(device)
               : 0;
}

void fer_device_drop_readings(fer_device *device, size_t n)
{
    uintptr_t state = fer_device_mask(device);
    device->tail = (uint16_t)(device->tail + n);
    fer_device_unmask(device, state);
}

/* ---- messages --------------------------------------------------------------------------- */

uint8_t *fer_device_begin_message(fer_device *device, size_t *capacity)
{
    fer_device_lock(device);
    size_t used = (size_t)device->messages_used + PREFIX;
    *capacity = device->config.messages > used ? device->config.messages - used : 0;
    return *capacity == 0 ? NULL : device->messages + used;
}

fer_status fer_device_end_message(fer_device *device, fer_status status, size_t length)
{
    if (status == FER_OK) {
        fer_store_u16(device->messages + device->messages_used, (uint16_t)length);
        device->messages_used = (uint16_t)(device->messages_used + PREFIX + length);
    } else if (status == FER_ERR_CAPACITY) {
        fer_device_count(device, &device->health.messages_dropped);
        status = length + PREFIX <= device->config.messages ? FER_NOT_NOW : FER_ERR_CAPACITY;
    }
    fer_device_unlock(device);
    return status;
}

/* A terminated text; one that is too long gets a length that the encoder refuses. */
static fer_slice get_slice(const char *text)
{
    fer_slice slice = {(const uint8_t *)text, 0};
    while (slice.length <= FER_TEXT_MAX && text[slice.length] != '\0') {
        slice.length++;
    }
    return slice;
}

fer_status fer_device_event(fer_device *device, fer_severity severity, const char *text)
{
    fer_event event;
    size_t capacity;
    size_t length = 0;

    if (!fer_device_is_open(device)) {
        return FER_ERR_HANDLE;
    }
    if (text == NULL) {
        return FER_ERR_ARGUMENT;
    }
    event.base = get_now(device, &event.time_ms);
    event.severity = severity;
    event.text = get_slice(text);
    uint8_t *out = fer_device_begin_message(device, &capacity);
    fer_status status = fer_telemetry_encode_event(&event, out, capacity, &length);
    return fer_device_end_message(device, status, length);
}

fer_status fer_device_raw(fer_device *device, const uint8_t *bytes, size_t n)
{
    const fer_slice raw = {bytes, n};
    size_t capacity;
    size_t length = 0;

    if (!fer_device_is_open(device)) {
        return FER_ERR_HANDLE;
    }
    uint8_t *out = fer_device_begin_message(device, &capacity);
    fer_status status = fer_telemetry_encode_raw(raw, out, capacity, &length);
    return fer_device_end_message(device, status, length);
}

fer_status fer_device_describe(fer_device *device, uint16_t series, const char *name,
                               const char *unit)
{
    fer_series description;
    size_t capacity;
    size_t length = 0;

    if (!fer_device_is_open(device)) {
        return FER_ERR_HANDLE;
    }
    if (name == NULL || unit == NULL) {
        return FER_ERR_ARGUMENT;
    }
    description.series = series;
    description.name = get_slice(name);
    description.unit = get_slice(unit);
    uint8_t *out = fer_device_begin_message(device, &capacity);
    fer_status status = fer_telemetry_encode_series(&description, out, capacity, &length);
    return fer_device_end_message(device, status, length);
}

size_t fer_device_copy_message(const fer_device *device, uint8_t *out, size_t capacity)
{
    size_t length = 0;
    fer_device_lock(device);
    if (device->messages_used != 0) {
        length = fer_load_u16(device->messages);
        length = length <= capacity ? length : 0;
        memcpy(out, device->messages + PREFIX, length);
    }
    fer_device_unlock(device);
    return length;
}

void fer_device_drop_message(fer_device *device)
{
    fer_device_lock(device);
    size_t n = (size_t)fer_load_u16(device->messages) + PREFIX;
    device->messages_used = (uint16_t)(device->messages_used - n);
    memmove(device->messages, device->messages + n, device->messages_used);
    fer_device_unlock(device);
}

bool fer_device_is_idle(const fer_device *device)
{
    fer_device_lock(device);
    bool none = device->messages_used == 0;
    fer_device_unlock(device);
    return none && fer_device_count_readings(device) == 0;
}
