/* Ferrule: device, what goes out. A plaintext is encoded where the sealer wants it in the caller's
 * buffer, sealed in place and framed in place: there is no buffer in between. What was sealed
 * leaves its queue, and nothing else does. */
#include "ferrule/device.h"
#include "internal/device.h"
#include "internal/frame.h"
#include "internal/wipe.h"

typedef enum fer_item_kind {
    FER_ITEM_HELLO, /* an empty envelope */
    FER_ITEM_HEALTH,
    FER_ITEM_MESSAGE,
    FER_ITEM_READINGS
} fer_item_kind;

typedef struct fer_item {
    fer_item_kind kind;
    size_t length;
    size_t readings;
} fer_item;

/* The longest record whose frame fits: n bytes grow by one in each started 254, and the delimiter.
 * It starts as far into the buffer as framing in place needs. */
static fer_slot get_slot(fer_sealer *sealer, fer_lane lane, uint8_t *out, size_t capacity,
                         bool framed)
{
    fer_slot slot = {out, capacity, sealer, lane};
    if (framed) {
        size_t encoded = capacity == 0 ? 0 : capacity - 1;
        size_t codes = encoded / 255u + (encoded % 255u != 0);
        slot.limit = encoded - codes;
        slot.record = codes == 0 ? out : out + codes;
    }
    return slot;
}

/* Small links have no room for what the record's header tells anyhow. */
static bool put_health(const fer_device *device, uint8_t *out, size_t room, fer_item *item)
{
    fer_health health;
    item->kind = FER_ITEM_HEALTH;
    fer_device_fill_health(device, &health);
    for (bool whole = true;; whole = false) {
        fer_status status = fer_telemetry_encode_health(&health, out, room, &item->length);
        if (status == FER_OK || !whole) {
            return status == FER_OK;
        }
        health.uptime_ms = 0;
        health.generation = 0;
        health.records_sealed = 0;
    }
}

static bool put_message(const fer_device *device, uint8_t *out, size_t room, fer_item *item)
{
    item->kind = FER_ITEM_MESSAGE;
    item->length = fer_device_copy_message(device, out, room);
    return item->length != 0;
}

/* The tail moves in take alone, which is here. */
FER_NOT_ANALYSED static bool put_readings(const fer_device *device, uint8_t *out, size_t room,
                                          fer_item *item)
{
    const fer_reading_ring ring = {device->ring, device->config.readings,
                                   device->tail & (device->config.readings - 1u),
                                   fer_device_count_readings(device)};
    item->kind = FER_ITEM_READINGS;
    return fer_telemetry_encode_readings(&ring, out, room, &item->readings, &item->length) ==
           FER_OK;
}

/* Encodes the first item that fits in a record with this overhead, where it will be sealed. */
static bool pick(const fer_device *device, const fer_slot *slot, size_t overhead, fer_item *item)
{
    if (slot->limit < overhead) {
        return false;
    }
    uint8_t *out = slot->record + (overhead - FER_TAG_BYTES);
    size_t room = slot->limit - overhead;
    return (device->health_due && put_health(device, out, room, item)) ||
           put_message(device, out, room, item) || put_readings(device, out, room, item);
}

/* Whether an empty record in full form brings the short form nearer that something waits for. On a
 * two-way link it asks the gateway, which takes a while: so once, then the caller hears
 * FER_ERR_CAPACITY, and a lost one is repeated in the caller's next round. On a one-way link the
 * short form comes by itself after at most 4. */
static bool pick_hello(const fer_device *device, const fer_slot *slot, size_t overhead,
                       fer_item *item)
{
    const size_t saved = FER_OVERHEAD_FULL(0) - FER_OVERHEAD_SHORT(0);
    bool full = overhead > FER_OVERHEAD_SHORT(FER_ROUTE_MAX);

    if (!full || slot->limit < overhead || (device->greeted && device->config.way == FER_TWO_WAY) ||
        !pick(device, slot, overhead - saved, item)) {
        return false;
    }
    fer_wipe(slot->record, slot->limit);
    item->kind = FER_ITEM_HELLO;
    item->length = 0;
    return true;
}

/* The item is in a record now: it leaves its queue. */
static void settle(fer_device *device, const fer_item *item)
{
    fer_device_count(device, &device->health.records_sealed);
    device->records++;
    device->greeted = item->kind == FER_ITEM_HELLO;
    if (item->kind == FER_ITEM_HEALTH) {
        device->health_due = false;
    } else if (item->kind == FER_ITEM_MESSAGE) {
        fer_device_drop_message(device);
    } else if (item->kind == FER_ITEM_READINGS) {
        fer_device_drop_readings(device, item->readings);
    }
    if (item->kind >= FER_ITEM_MESSAGE && device->config.health_every != 0 &&
        device->records % device->config.health_every == 0) {
        device->health_due = true;
    }
}

fer_status fer_device_seal_next(fer_device *device, const fer_slot *slot, size_t *length)
{
    size_t overhead = fer_sealer_get_overhead(slot->sealer);
    fer_item item;
    fer_status status;

    if (!pick(device, slot, overhead, &item) &&
        (slot->lane != FER_LANE_LIVE || !pick_hello(device, slot, overhead, &item))) {
        device->greeted = false;
        return FER_ERR_CAPACITY;
    }
    status = fer_sealer_seal(slot->sealer, slot->record + (overhead - FER_TAG_BYTES), item.length,
                             slot->record, slot->limit, length);
    if (status == FER_OK) {
        settle(device, &item);
    } else {
        fer_wipe(slot->record, slot->limit);
    }
    return status;
}

static fer_status take(fer_device *device, fer_lane lane, bool framed, uint8_t *out,
                       size_t capacity, size_t *length)
{
    size_t sealed = 0;
    fer_status status;

    *length = 0;
    if (fer_device_is_idle(device)) {
        return FER_EMPTY;
    }
    status = fer_device_ready_generation(device);
    if (status != FER_OK) {
        return status;
    }
    const fer_slot slot = get_slot(device->sealers[lane], lane, out, capacity, framed);
    if (device->seal != NULL) {
        status = device->seal(device, &slot, &sealed);
    } else {
        status = fer_device_seal_next(device, &slot, &sealed);
    }
    if (status == FER_OK && framed) {
        sealed = (size_t)(fer_frame_write(slot.record, sealed, out) - out);
    }
    *length = sealed;
    return status;
}

fer_status fer_device_take(fer_device *device, uint8_t *out, size_t capacity, size_t *length)
{
    if (!fer_device_is_open(device)) {
        return FER_ERR_HANDLE;
    }
    if (out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    return take(device, FER_LANE_LIVE, device->config.link == FER_LINK_STREAM, out, capacity,
                length);
}

fer_status fer_device_take_backlog(fer_device *device, uint8_t *out, size_t capacity,
                                   size_t *length)
{
    if (!fer_device_is_open(device)) {
        return FER_ERR_HANDLE;
    }
    if (out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    return take(device, FER_LANE_BACKLOG, false, out, capacity, length);
}
