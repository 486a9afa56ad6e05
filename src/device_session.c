/* Ferrule: device, sessions. Live records go in a session while there is one in which somebody
 * listens; backlog, and what is sent without one, stays on the provisioned chain. A file of its
 * own, reached by the greeter's table: firmware that names no greeter does not link it. */
#include "ferrule/device.h"
#include "internal/device_command.h"
#include "internal/greeter.h"
#include "internal/header.h"
#include "internal/record.h"

static fer_greeter *get_greeter(const fer_device *device)
{
    return device->greeter;
}

static fer_device_context get_session(const fer_device *device)
{
    fer_greeter *greeter = get_greeter(device);
    const fer_device_context context = {greeter->sealer, &greeter->marks, greeter->began, 0};

    return context;
}

/* ---- out -------------------------------------------------------------------------------- */

/* The next record is full: it asks for an answer, by which the device learns that the gateway still
 * knows the session. */
static void ask(fer_sealer *sealer)
{
    if (sealer->left > 1) {
        sealer->left = 1;
    }
}

static fer_status seal_session(fer_device *device, uint64_t now, const fer_slot *slot,
                               size_t *length)
{
    fer_greeter *greeter = get_greeter(device);
    const fer_device_context session = get_session(device);
    const fer_slot mine = {slot->record, slot->limit, session.sealer, slot->lane};

    if (fer_greeter_doubts(greeter, now)) {
        ask(session.sealer);
    }
    const size_t overhead = fer_sealer_get_overhead(session.sealer);
    fer_device_mark_time(device, &session);
    fer_status status = fer_device_seal_next(device, &mine, length);
    if (status == FER_OK && overhead > FER_OVERHEAD_SHORT(session.sealer->end.name.length - 1u)) {
        fer_greeter_sent(greeter, now);
    }
    return status;
}

/* A greeting first, where one is due and fits. What keeps one from being made stops nothing but a
 * device that must have a session. */
static fer_status seal_live(fer_device *device, const fer_slot *slot, size_t *length)
{
    const uint64_t now = fer_device_get_uptime(device);
    fer_status status =
        fer_greeter_take(get_greeter(device), now, slot->record, slot->limit, length);

    if (status == FER_OK) {
        return status;
    }
    if (status == FER_ERR_ORDER || status == FER_RENEW_EXHAUSTED) {
        device->records =
            device->config.burn_records; /* the next generation brings keys for more */
    }
    if (fer_greeter_get_live(get_greeter(device), now) != NULL) {
        return seal_session(device, now, slot, length);
    }
    if (device->session_required) {
        return status == FER_ERR_CAPACITY || status == FER_TROUBLE_ENTROPY ? status : FER_NOT_NOW;
    }
    return fer_device_seal_marked(device, slot, length);
}

static fer_status seal(fer_device *device, const fer_slot *slot, size_t *length)
{
    return slot->lane == FER_LANE_LIVE ? seal_live(device, slot, length)
                                       : fer_device_seal_next(device, slot, length);
}

/* Where it fails there are no keys: the next take that greets says so. */
static void begin(fer_device *device, const fer_credential *credential)
{
    (void)!fer_greeter_rekey(get_greeter(device), credential);
}

/* A greeter waits by the clock, and hears answers of this length. */
static bool can_greet(const fer_device_config *config)
{
    return config->clock.ops != NULL && config->way == FER_TWO_WAY &&
           config->inbound >= FER_GREETING_SECOND_SIZE(FER_ROUTE_MAX, FER_ROUTE_MAX);
}

fer_status fer_device_join(fer_device *device, fer_greeter *greeter, bool session_required)
{
    if (!fer_device_is_open(device) || fer_greeter_get_hooks(greeter) == NULL) {
        return FER_ERR_HANDLE;
    }
    if (!can_greet(&device->config)) {
        return FER_ERR_ARGUMENT;
    }
    if (device->tried || device->sealers[FER_LANE_LIVE] != NULL) {
        return FER_ERR_ORDER;
    }
    device->greeter = greeter;
    device->session_required = session_required;
    device->seal = seal;
    device->begin = begin;
    return FER_OK;
}

/* ---- back ------------------------------------------------------------------------------- */

static fer_status open_session(fer_device *device, const uint8_t *record, size_t n, uint8_t *out,
                               size_t capacity, fer_opened *opened)
{
    fer_greeter *greeter = get_greeter(device);

    if (greeter->opener == NULL) {
        return FER_DROP_ROUTE;
    }
    fer_status status = fer_opener_receive(greeter->opener, record, n, out, capacity, opened);
    if (status == FER_OK) {
        (void)!fer_sealer_acknowledge(greeter->sealer);
        fer_greeter_heard(greeter, fer_device_get_uptime(device));
    }
    return status;
}

/* A command that comes outside the session that is in use is stale: its reference tells nothing of
 * the time since live records went into the session. */
static fer_status open_provisioned(fer_device *device, const uint8_t *record, size_t n,
                                   uint8_t *out, size_t capacity, fer_opened *opened,
                                   fer_device_context *context)
{
    if (fer_greeter_get_live(get_greeter(device), fer_device_get_uptime(device)) != NULL) {
        context->sealer = NULL;
    }
    return fer_device_open_provisioned(device, record, n, out, capacity, opened);
}

/* A session that has begun is told of by the next record: the gateway uses it from then on. */
static fer_status feed_greeter(fer_device *device, const uint8_t *packet, size_t n)
{
    fer_status status =
        fer_greeter_feed(get_greeter(device), fer_device_get_uptime(device), packet, n);

    if (status == FER_OK) {
        device->health_due = true;
        return FER_EMPTY;
    }
    return status;
}

static fer_status open(fer_device *device, const uint8_t *record, size_t n, uint8_t *out,
                       size_t capacity, fer_opened *opened, fer_device_context *context)
{
    switch (record[0] >> FER_FIRST_KIND_SHIFT) {
    case FER_KIND_PROVISIONED:
        return open_provisioned(device, record, n, out, capacity, opened, context);
    case FER_KIND_SESSION:
        *context = get_session(device);
        return open_session(device, record, n, out, capacity, opened);
    default:
        return feed_greeter(device, record, n);
    }
}

/* ---- deep sleep ------------------------------------------------------------------------- */

static void sleep(fer_device *device)
{
    fer_greeter_suspend(get_greeter(device));
}

const fer_greeter_hooks fer_device_session_hooks = {open, sleep};
