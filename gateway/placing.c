#include "accepted.h"

#define PLACING_RANGE ((int64_t)1 << 53) /* so that no sum overflows */

static void see_time(struct placing *placing, int64_t time_ms, fer_time_base base)
{
    if (base == FER_TIME_BOOT && time_ms > placing->newest_boot_ms && time_ms < PLACING_RANGE) {
        placing->newest_boot_ms = time_ms;
    }
}

static void see_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    see_time(context, reading->time_ms, base);
}

static void see_event(void *context, const fer_event *event)
{
    see_time(context, event->time_ms, event->base);
}

static void see_unknown(void *context, uint32_t field)
{
    bool *unknown = context;
    (void)field;
    *unknown = true;
}

void accepted_judge(struct accepted *record)
{
    bool unknown = false;
    const fer_telemetry_visitor visitor = {.on_unknown = see_unknown, .context = &unknown};
    record->malformed =
        fer_telemetry_decode(record->bytes, record->opened.length, &visitor) != FER_OK;
    record->keep = record->malformed || unknown;
}

/* A session's own generation is always 0, so its greeting stands for it. */
struct record_key accepted_key(const struct accepted *record)
{
    const fer_opened *opened = &record->opened;
    const bool in_session = opened->kind == FER_KIND_SESSION;
    return (struct record_key){.id = record->device->registered.id,
                               .epoch = record->device->registered.epoch,
                               .kind = opened->kind,
                               .generation =
                                   in_session ? record->session.generation : opened->generation,
                               .session = in_session ? record->session.attempt : 0,
                               .lane = opened->lane,
                               .sequence = opened->sequence};
}

struct placing placing_of(const struct accepted *record)
{
    struct placing placing = {.received_ms = record->received_ms,
                              .newest_boot_ms = 0,
                              .can_place = record->opened.lane == FER_LANE_LIVE};
    const fer_telemetry_visitor visitor = {
        .on_reading = see_reading, .on_event = see_event, .context = &placing};
    if (fer_telemetry_decode(record->bytes, record->opened.length, &visitor) != FER_OK) {
        placing.can_place = false;
    }
    return placing;
}

bool placing_find(const struct placing *placing, int64_t time_ms, fer_time_base base,
                  int64_t *unix_ms)
{
    if (base == FER_TIME_UNIX) {
        *unix_ms = time_ms;
        return true;
    }
    if (!placing->can_place || time_ms > PLACING_RANGE || time_ms < -PLACING_RANGE) {
        return false;
    }
    *unix_ms = placing->received_ms - placing->newest_boot_ms + time_ms;
    return true;
}
