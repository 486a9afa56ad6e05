/* Ferrule: device (floor 5). Creation, the generation's life, health. Composes store, record,
 * frame and telemetry; owns no cryptography. */
#include "ferrule/device.h"

#include "ferrule/replay.h"
#include "internal/arena.h"
#include "internal/device.h"

_Static_assert(sizeof(fer_device) <= FER_DEVICE_BODY_SIZE, "FER_DEVICE_SIZE is too small");
_Static_assert(FER_DEVICE_BODY_SIZE < sizeof(fer_device) + 48u, "FER_DEVICE_SIZE is wasteful");

uint64_t fer_device_get_uptime(const fer_device *device)
{
    uint64_t now = 0;
    if (device->config.clock.ops == NULL ||
        device->config.clock.ops->monotonic_ms(device->config.clock.context, &now) != FER_PORT_OK) {
        return 0;
    }
    return now;
}

/* ---- creation --------------------------------------------------------------------------- */

static bool is_valid(const fer_device_config *config)
{
    return (config->readings & (config->readings - 1u)) == 0 &&
           (unsigned)config->link <= FER_LINK_DATAGRAM && (unsigned)config->way <= FER_ONE_WAY &&
           (config->clock.ops == NULL || config->clock.ops->monotonic_ms != NULL) &&
           (config->lock.ops == NULL ||
            ((config->lock.ops->mask == NULL) == (config->lock.ops->unmask == NULL) &&
             (config->lock.ops->take == NULL) == (config->lock.ops->give == NULL)));
}

/* The device, its queues and its commands are one piece of the arena; the generation's own arena
 * follows. */
static size_t measure(const fer_device_config *config)
{
    return FER_ARENA_ROUND(sizeof(fer_device)) + config->readings * sizeof(fer_queued_reading) +
           FER_DEVICE_COMMANDS_SIZE(config->inbound) + FER_ARENA_ROUND(config->messages);
}

static void *get_part(fer_device *device, size_t at)
{
    return (uint8_t *)device + at;
}

static fer_status build(fer_arena *arena, const fer_device_config *config, fer_device *device)
{
    const fer_store_config store = {config->nv, config->policy, config->counter, config->mirror};
    const size_t end = measure(config);
    fer_status status;

    device->config = *config;
    device->created_ms = fer_device_get_uptime(device);
    if (config->burn_records == 0) { /* both lanes count together: neither can run out of numbers */
        device->config.burn_records = FER_SEQUENCE_END - 1u;
    }
    device->ring = (fer_queued_reading *)get_part(device, FER_ARENA_ROUND(sizeof *device));
    device->messages = (uint8_t *)get_part(device, end - FER_ARENA_ROUND(config->messages));
    status = fer_arena_init(&device->inner, (fer_arena_cell *)get_part(device, end),
                            FER_DEVICE_GENERATION_SIZE(config->inbound) / FER_ARENA_ALIGN);
    if (status == FER_OK && config->inbound != 0 && config->link == FER_LINK_STREAM) {
        status = fer_frame_decoder_create(arena, config->inbound, &device->decoder);
    }
    return status == FER_OK ? fer_store_create(arena, &store, &device->store) : status;
}

fer_status fer_device_create(fer_arena *arena, const fer_device_config *config, fer_device **device)
{
    fer_arena_position start;
    fer_device *made;
    fer_status status;

    if (config == NULL || device == NULL || !is_valid(config) ||
        fer_arena_mark(arena, &start) != FER_OK) {
        return FER_ERR_ARGUMENT;
    }
    made = (fer_device *)fer_arena_carve(arena, measure(config) +
                                                    FER_DEVICE_GENERATION_SIZE(config->inbound));
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    status = build(arena, config, made);
    if (status != FER_OK) {
        return fer_arena_rewind(arena, start) == FER_OK ? status : FER_ERR_ARENA;
    }
    made->tag = fer_tag_make(made, FER_TAG_DEVICE);
    *device = made;
    return FER_OK;
}

/* ---- the generation --------------------------------------------------------------------- */

/* Rewinding wipes the handles, tags included: nothing of them is left to close (WIPE). */
FER_COLD void fer_device_close_generation(fer_device *device)
{
    const fer_arena_position start = {0};
    device->sealers[FER_LANE_LIVE] = NULL;
    device->sealers[FER_LANE_BACKLOG] = NULL;
    device->opener = NULL;
    device->keyed = false;
    (void)!fer_arena_rewind(&device->inner, start);
}

static fer_status create_sealer(fer_device *device, fer_generation *generation, fer_lane lane)
{
    const fer_sealer_config config = {FER_UP, lane, (fer_way)device->config.way, {NULL, NULL}};
    return fer_sealer_create(&device->inner, generation, &config, &device->sealers[lane]);
}

/* Keeps the down key, last in the inner arena, until there is something to open: a device that is
 * never fed links no opener. */
static fer_status keep_down_key(fer_device *device, struct fer_generation_body *body)
{
    fer_record_key *key;

    if (device->config.inbound == 0) {
        return FER_OK;
    }
    key = fer_arena_carve(&device->inner, sizeof *key);
    device->keyed = key != NULL && fer_generation_take_key(body, FER_BRANCH_DOWN, key);
    return device->keyed ? FER_OK : FER_ERR_ORDER;
}

fer_status fer_device_open_generation(fer_device *device, fer_generation *generation)
{
    struct fer_generation_body *body = fer_generation_get_body(generation);
    fer_status status;

    fer_device_close_generation(device);
    if (body == NULL) {
        return FER_ERR_HANDLE;
    }
    const uint32_t number = body->generation;
    status = create_sealer(device, generation, FER_LANE_LIVE);
    if (status == FER_OK) {
        status = create_sealer(device, generation, FER_LANE_BACKLOG);
    }
    if (status == FER_OK) {
        status = keep_down_key(device, body);
    }
    fer_generation_wipe(generation);
    if (status != FER_OK) {
        fer_device_close_generation(device);
        return status;
    }
    device->health.generation = number;
    device->records = 0;
    device->greeted = false;
    device->burned_ms = fer_device_get_uptime(device);
    return FER_OK;
}

/* Only what a completed burn yields is ever used (NONCE); until then the one before stays, and
 * still opens downlink. */
static fer_status burn(fer_device *device)
{
    fer_credential credential;
    fer_generation generation;
    fer_status status = fer_store_burn(device->store, &credential);

    if (status != FER_OK) {
        return status;
    }
    if (device->begin != NULL) {
        device->begin(device, &credential);
    }
    if (fer_keychain_expand(&credential, &generation) != FER_OK) {
        return FER_TROUBLE_STATE;
    }
    return fer_device_open_generation(device, &generation);
}

/* Signed: a clock that fails tells 0, and must not make everything look old, for each burn wears
 * the flash. */
static int64_t get_age(uint64_t now, uint64_t since)
{
    return (int64_t)(now - since);
}

static bool is_burn_due(const fer_device *device, uint64_t now)
{
    return device->sealers[FER_LANE_LIVE] == NULL ||
           device->records >= device->config.burn_records ||
           (device->config.burn_ms != 0 &&
            get_age(now, device->burned_ms) >= device->config.burn_ms);
}

fer_status fer_device_ready_generation(fer_device *device)
{
    uint64_t now = fer_device_get_uptime(device);
    fer_status status;

    if (!is_burn_due(device, now)) {
        return FER_OK;
    }
    /* A clock that fails is none: it must not keep the next burn away for ever. */
    if (device->tried && now != 0 &&
        get_age(now, device->tried_ms) < device->config.burn_backoff_ms) {
        fer_device_count(device, &device->health.burns_delayed);
        return FER_NOT_NOW;
    }
    device->tried = true;
    device->tried_ms = now;
    status = burn(device);
    if (status == FER_OK) {
        device->health_due = true;
    }
    return status;
}

fer_status fer_device_maintain(fer_device *device)
{
    return fer_device_is_open(device) ? fer_store_maintain(device->store) : FER_ERR_HANDLE;
}

/* ---- health and end --------------------------------------------------------------------- */

void fer_device_fill_health(const fer_device *device, fer_health *health)
{
    uintptr_t state = fer_device_mask(device);

    *health = device->health;
    fer_device_unmask(device, state);
    const int64_t age = get_age(fer_device_get_uptime(device), device->created_ms);
    health->uptime_ms = age < 0 ? 0 : (uint64_t)age;
}

fer_status fer_device_get_health(const fer_device *device, fer_health *health)
{
    if (!fer_device_is_open(device)) {
        return FER_ERR_HANDLE;
    }
    if (health == NULL) {
        return FER_ERR_ARGUMENT;
    }
    fer_device_fill_health(device, health);
    return FER_OK;
}

void fer_device_close(fer_device **device)
{
    if (device == NULL || !fer_device_is_open(*device)) {
        return;
    }
    fer_device *closed = *device;
    fer_device_close_generation(closed);
    fer_frame_decoder_close(&closed->decoder);
    fer_store_close(&closed->store);
    fer_arena_retire(closed, measure(&closed->config));
    *device = NULL;
}
