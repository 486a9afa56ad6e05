/* Ferrule: device, what comes back. Only the downlink of the generation in use is ever opened, so
 * that a recorded one is dead after a reboot without any receive state in flash (ONCE). */
#include <string.h>

#include "ferrule/device.h"
#include "internal/device_command.h"
#include "internal/record.h"
#include "internal/wipe.h"

static const fer_record_key *get_down_key(const fer_device *device)
{
    const uint8_t *end = (const uint8_t *)device->inner.base + device->inner.used;

    return (const fer_record_key *)(const void *)(end - sizeof(fer_record_key));
}

/* A generation of which only the down key is there: its other fields are the live sealer's. */
static void fill_generation(const fer_device *device, struct fer_generation_body *body)
{
    const fer_record_end *end = &device->sealers[FER_LANE_LIVE]->end;

    memset(body, 0, sizeof(fer_generation));
    body->generation = end->generation;
    body->kind = (uint8_t)(end->name.bytes[0] >> FER_FIRST_KIND_SHIFT);
    body->present = 1u << FER_BRANCH_DOWN;
    body->route_length = (uint8_t)(end->name.length - 1u);
    memcpy(body->route, end->name.bytes + 1, FER_ROUTE_MAX);
    body->keys[FER_BRANCH_DOWN] = *get_down_key(device);
    body->tag = fer_tag_make(body, FER_TAG_GENERATION);
}

/* The key gives way to the opener: both begin at one place of the inner arena, and rewinding wipes
 * it (WIPE). */
fer_status fer_device_ready_opener(fer_device *device)
{
    const fer_opener_config config = {FER_DOWN, FER_CONFIG_DEVICE_WINDOW};
    fer_arena_position start = {0};
    fer_generation generation;
    fer_status status;

    if (!device->keyed) {
        return FER_OK;
    }
    fill_generation(device, (struct fer_generation_body *)(void *)&generation);
    start.used = device->inner.used - sizeof(fer_record_key);
    device->keyed = false;
    status = fer_arena_rewind(&device->inner, start);
    if (status == FER_OK) {
        status = fer_opener_create(&device->inner, &generation, &config, &device->opener);
    }
    fer_generation_wipe(&generation);
    return status;
}

fer_status fer_device_open_provisioned(fer_device *device, const uint8_t *record, size_t n,
                                       uint8_t *out, size_t capacity, fer_opened *opened)
{
    fer_status status = FER_DROP_OLD;

    if (device->opener != NULL) {
        status = fer_opener_receive(device->opener, record, n, out, capacity, opened);
    }
    if (status == FER_OK) {
        (void)!fer_sealer_acknowledge(device->sealers[FER_LANE_LIVE]);
    }
    return status;
}

/* FER_OK: opened. FER_EMPTY: not, or not to be delivered, which is counted. Nothing tells a peer
 * which check failed. */
static fer_status open_record(fer_device *device, const uint8_t *record, size_t n, uint8_t *out,
                              size_t capacity, size_t *length)
{
    const fer_greeter_hooks *hooks = fer_greeter_get_hooks(device->greeter);
    fer_opened opened;
    fer_status status;

    if (n > device->config.inbound) {
        fer_device_count(device, &device->health.inbound_rejected);
        return FER_EMPTY;
    }
    fer_device_context context = fer_device_get_context(device);
    if (hooks != NULL) {
        status = hooks->open(device, record, n, out, capacity, &opened, &context);
    } else {
        status = fer_device_open_provisioned(device, record, n, out, capacity, &opened);
    }
    if (status == FER_OK) {
        /* cppcheck-suppress uninitStructMember ; FER_OK means that it was opened */
        const size_t length_opened = opened.length;
        if (!fer_device_admits(device, &context, out, length_opened)) {
            fer_wipe(out, length_opened);
            return FER_EMPTY;
        }
        *length = length_opened;
        return FER_OK;
    }
    if (fer_status_get_group(status) != FER_GROUP_DROP_INPUT) {
        return status;
    }
    fer_device_count(device, &device->health.inbound_rejected);
    return FER_EMPTY;
}

/* Tells the health what the decoder dropped: here, because a device that is never fed needs none of
 * it. Under the mask, because any thread may read the counts. */
static void tell_frames(fer_device *device)
{
    fer_frame_counts frames;

    if (fer_frame_decoder_get_counts(device->decoder, &frames) == FER_OK) {
        uintptr_t state = fer_device_mask(device);
        device->health.inbound_frames_dropped = frames.oversized + frames.malformed;
        fer_device_unmask(device, state);
    }
}

static fer_status feed_stream(fer_device *device, const uint8_t *in, size_t n, size_t *used,
                              uint8_t *out, size_t capacity, size_t *length)
{
    fer_status status = FER_EMPTY;
    while (status == FER_EMPTY) {
        uint8_t *frame;
        size_t frame_length;
        size_t step;
        status = fer_frame_decoder_feed(device->decoder, in + *used, n - *used, &step, &frame,
                                        &frame_length);
        if (status != FER_OK) {
            *used = n;
            break;
        }
        *used += step;
        status = open_record(device, frame, frame_length, out, capacity, length);
    }
    return status;
}

fer_status fer_device_feed(fer_device *device, const uint8_t *in, size_t n, size_t *used,
                           uint8_t *out, size_t capacity, size_t *length)
{
    if (!fer_device_is_open(device)) {
        return FER_ERR_HANDLE;
    }
    if ((in == NULL && n != 0) || used == NULL || out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *used = 0;
    *length = 0;
    if (capacity < device->config.inbound) {
        return FER_ERR_CAPACITY;
    }
    if (n == 0) {
        return FER_EMPTY;
    }
    fer_status status = fer_device_ready_opener(device);
    if (status != FER_OK) {
        return status;
    }
    if (device->config.inbound != 0 && device->seal == NULL) {
        device->seal = fer_device_seal_marked;
    }
    if (device->decoder != NULL) {
        status = feed_stream(device, in, n, used, out, capacity, length);
        tell_frames(device);
        return status;
    }
    *used = n;
    return open_record(device, in, n, out, capacity, length);
}
