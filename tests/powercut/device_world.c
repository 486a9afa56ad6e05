/* The world of one device: ports that fail, time, power, and the calls of its life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "internal/poison.h"
#include "powercut/device_world_body.h"
#include "record_fixture.h"

device_world world;
fer_device *world_device;
fer_gateway *world_gateway;
void (*world_explain)(const char *what);
void (*world_link)(const world_packet *packet);

static jmp_buf power;
static int locked; /* masks and mutexes held now */

void world_fail(const char *what)
{
    if (world_explain != NULL) {
        world_explain(what);
    }
    fail_msg("%s: %s", world.plan->name, what);
}

/* ---- ports -------------------------------------------------------------------------------- */

static void lose_power(void)
{
    world.flash.off = true;
    if (world.gone_at_once) {
        longjmp(power, 1);
    }
}

/* Whether this call is one that is to fail. */
static bool enter(port_kind kind)
{
    const world_fault *fault = &world.fault;
    uint32_t call = world.calls[kind]++;
    bool fails =
        kind == fault->kind && (call == fault->at || (fault->for_good && call > fault->at));

    WORLD_CHECK(locked == 0);
    if (world.all_calls++ == world.cut_call) {
        lose_power();
    }
    world.failed |= fails;
    world.fails += fails;
    world.blind |= fails && kind == PORT_MONOTONIC;
    return fails;
}

/* Makes the flash model fail the coming call, or not. */
static void enter_flash(port_kind kind)
{
    bool fails = enter(kind);

    world.flash.fail_at = fails ? world.flash.calls : (uint32_t)FLASH_NEVER;
    world.flash.fail_answer = world.fault.answer;
    world.flash.fail_midway = world.fault.midway;
}

static int leave_flash(int answer)
{
    if (world.flash.off) {
        lose_power();
    }
    return answer;
}

static int port_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const fer_nv model = flash_nv(&world.flash);

    (void)context;
    enter_flash(PORT_READ);
    return leave_flash(model.ops->read(model.context, block, offset, out, n));
}

static int port_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    const fer_nv model = flash_nv(&world.flash);

    (void)context;
    enter_flash(PORT_PROGRAM);
    return leave_flash(model.ops->program(model.context, block, offset, in, n));
}

static int port_erase(void *context, uint32_t block)
{
    const fer_nv model = flash_nv(&world.flash);

    (void)context;
    enter_flash(PORT_ERASE);
    return leave_flash(model.ops->erase(model.context, block));
}

static int port_is_blank(void *context, uint32_t block, uint32_t offset, size_t n)
{
    const fer_nv model = flash_nv(&world.flash);

    (void)context;
    enter_flash(PORT_BLANK);
    return leave_flash(model.ops->is_blank(model.context, block, offset, n));
}

static int port_monotonic(void *context, uint64_t *ms)
{
    (void)context;
    *ms = world.clock_ms;
    if (enter(PORT_MONOTONIC)) {
        *ms = UINT64_MAX / 3; /* what a failed call leaves is nobody's time */
        return world.fault.answer;
    }
    return world.flash.off ? FER_PORT_FAILED : FER_PORT_OK;
}

static int port_unix(void *context, int64_t *ms)
{
    (void)context;
    *ms = world.unix_ms;
    if (enter(PORT_UNIX)) {
        *ms = INT64_MIN;
        return world.fault.answer;
    }
    if (world.unix_ms == 0) {
        return FER_PORT_UNKNOWN;
    }
    return world.flash.off ? FER_PORT_FAILED : FER_PORT_OK;
}

static int port_fill(void *context, uint8_t *out, size_t n)
{
    bool fails = enter(PORT_ENTROPY);

    (void)context;
    for (size_t i = 0; i < n; i++) {
        out[i] = fails ? 0x5A : world.entropy++;
    }
    return fails ? world.fault.answer : FER_PORT_OK;
}

static uintptr_t port_mask(void *context)
{
    (void)context;
    return (uintptr_t)locked++;
}

static void port_unmask(void *context, uintptr_t state)
{
    (void)context;
    locked--;
    WORLD_CHECK(state == (uintptr_t)locked);
}

static void port_take(void *context)
{
    (void)context;
    WORLD_CHECK(locked == 0);
    locked++;
}

static void port_give(void *context)
{
    (void)context;
    locked--;
    WORLD_CHECK(locked == 0);
}

fer_nv world_nv(void)
{
    static const struct fer_nv_ops all = {port_read, port_program, port_erase, port_is_blank};
    static const struct fer_nv_ops no_blank = {port_read, port_program, port_erase, NULL};
    static const struct fer_nv_ops no_erase = {port_read, port_program, NULL, NULL};
    const flash_shape *shape = &world.plan->shape;
    const struct fer_nv_ops *ops = !shape->has_erase     ? &no_erase
                                   : shape->has_is_blank ? &all
                                                         : &no_blank;

    return (fer_nv){ops, &shape->geometry, NULL};
}

const struct fer_store_mirror *world_mirror(void)
{
    return world.plan->shape.geometry.block_count >= FER_STORE_MIRROR_BLOCKS ? &fer_store_mirror
                                                                             : NULL;
}

static int port_count(void *context, uint32_t *value)
{
    (void)context;
    *value = world.counter;
    if (enter(PORT_COUNT)) {
        *value = 0; /* as if nothing had been used */
        return world.fault.answer;
    }
    return world.flash.off ? FER_PORT_FAILED : FER_PORT_OK;
}

static int port_raise(void *context, uint32_t value)
{
    bool fails = enter(PORT_RAISE);

    (void)context;
    if (world.flash.off || (fails && !world.fault.midway)) {
        return fails ? world.fault.answer : FER_PORT_FAILED;
    }
    world.counter = value > world.counter ? value : world.counter;
    return fails ? world.fault.answer : FER_PORT_OK;
}

const fer_counter *world_counter(void)
{
    static const struct fer_counter_ops ops = {port_count, port_raise};
    static const fer_counter counter = {&ops, NULL};

    return world.plan->has_counter ? &counter : NULL;
}

/* ---- memory ------------------------------------------------------------------------------- */

enum { EARLIER = 24, REACH = 40, CACHE = 8 };

FER_ARENA(gateway_arena, FER_GATEWAY_SIZE(1, EARLIER, 64, CACHE));

static fer_arena_cell
    device_storage[(FER_DEVICE_SIZE(WORLD_READINGS, WORLD_MESSAGES, WORLD_INBOUND, WORLD_GRANULE) +
                    FER_STORE_MIRROR_SIZE) /
                   FER_ARENA_ALIGN];
static fer_arena device_arena;

struct world_save {
    device_world world;
    fer_device *handle;
    fer_arena arenas[2];
    fer_arena_cell gateway[sizeof gateway_arena_storage / sizeof(fer_arena_cell)];
    fer_arena_cell device[sizeof device_storage / sizeof(fer_arena_cell)];
};

world_save *world_get_save(unsigned place)
{
    static world_save saves[WORLD_SAVES];

    assert_true(place < WORLD_SAVES);
    return &saves[place];
}

/* What is closed is copied too, so AddressSanitizer forgets what was poisoned. */
void world_keep(world_save *save)
{
    FER_UNPOISON(gateway_arena_storage, sizeof gateway_arena_storage);
    FER_UNPOISON(device_storage, sizeof device_storage);
    save->world = world;
    save->handle = world_device;
    save->arenas[0] = gateway_arena;
    save->arenas[1] = device_arena;
    memcpy(save->gateway, gateway_arena_storage, sizeof save->gateway);
    memcpy(save->device, device_storage, sizeof save->device);
}

/* Everything lies where it lay, so that handles hold. */
void world_go_back(const world_save *save)
{
    FER_UNPOISON(gateway_arena_storage, sizeof gateway_arena_storage);
    FER_UNPOISON(device_storage, sizeof device_storage);
    world = save->world;
    world_device = save->handle;
    gateway_arena = save->arenas[0];
    device_arena = save->arenas[1];
    memcpy(gateway_arena_storage, save->gateway, sizeof save->gateway);
    memcpy(device_storage, save->device, sizeof save->device);
}

/* ---- time and power ----------------------------------------------------------------------- */

void world_restart_gateway(void)
{
    static const struct fer_entropy_ops entropy = {port_fill};
    fer_gateway_config config = fer_gateway_config_default();

    config.earlier = EARLIER;
    config.reach = REACH;
    config.cache = CACHE;
    config.entropy.ops = &entropy;
    assert_int_equal(fer_arena_rewind(&gateway_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_gateway_create(&gateway_arena, &config, &world_gateway), FER_OK);
}

static void add_device(void)
{
    fer_credential credential;
    uint32_t context;

    fixture_mint(&credential, world.who, fixture_route, WORLD_ROUTE);
    assert_int_equal(fer_gateway_add(world_gateway, &credential, &context), FER_OK);
}

void world_begin_as(uint8_t who, const world_plan *plan, uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.who = who;
    world_device = NULL;
    world.plan = plan;
    flash_make(&world.flash, &plan->shape, seed);
    world.fault.at = WORLD_NEVER;
    world.highest = -1;
    world_power_on(FLASH_OLD);
    world_restart_gateway();
    add_device();
}

void world_begin(const world_plan *plan, uint64_t seed)
{
    world_begin_as(0, plan, seed);
}

void world_power_on(flash_look look)
{
    flash_boot(&world.flash, look);
    memset(world.calls, 0, sizeof world.calls);
    world.all_calls = 0;
    world.cut_call = WORLD_NEVER;
    world.clock_ms = 500;
    world.unix_ms = 0;
    world.fault.at = WORLD_NEVER;
    world.failed = false;
    world.fails = 0;
    world.chances++;
    locked = 0;
}

bool world_live(void (*what)(void))
{
    if (setjmp(power) == 0) {
        what();
    }
    return !world.flash.off;
}

void world_wait(uint32_t ms)
{
    world.clock_ms += ms;
}

/* ---- provisioning ------------------------------------------------------------------------- */

static fer_store *open_store(fer_arena *arena)
{
    static fer_arena_cell
        storage[(FER_STORE_SIZE(WORLD_GRANULE) + FER_STORE_MIRROR_SIZE) / FER_ARENA_ALIGN];
    const fer_store_config config = {.nv = world_nv(),
                                     .policy = world.plan->policy,
                                     .counter = world_counter(),
                                     .mirror = world_mirror()};
    fer_store *store = NULL;

    assert_int_equal(fer_arena_init(arena, storage, sizeof storage / sizeof storage[0]), FER_OK);
    assert_int_equal(fer_store_create(arena, &config, &store), FER_OK);
    return store;
}

fer_status world_install(void)
{
    static const fer_credential wiped;
    fer_arena arena;
    fer_credential credential, minted;
    fer_store *store = open_store(&arena);

    fixture_mint(&credential, world.who, fixture_route, WORLD_ROUTE);
    minted = credential;
    fer_status status = fer_store_install(store, &credential);
    WORLD_CHECK(memcmp(&credential, status == FER_OK ? &wiped : &minted, sizeof minted) == 0);
    world.installed |= status == FER_OK;
    fer_store_close(&store);
    return status;
}

bool world_provision(void)
{
    fer_arena arena;
    fer_credential_info info;
    fer_store *store = open_store(&arena);
    fer_status found = fer_store_get_info(store, &info);

    fer_store_close(&store);
    if (found == FER_OK) {
        world.installed = true;
    }
    if (found == FER_OK || world.flash.off || world.failed) {
        WORLD_CHECK(found == FER_OK || world.flash.off || world_is_told(found));
        return found == FER_OK;
    }
    WORLD_CHECK(found == FER_RENEW_MISSING || found == FER_TROUBLE_STATE);
    fer_status status = world_install();
    if (status == FER_ERR_ORDER) { /* nothing that verifies, and not blank: not to be lost */
        WORLD_CHECK(found == FER_TROUBLE_STATE || world.fault.answer == FER_PORT_UNCORRECTABLE);
    } else {
        WORLD_CHECK(status == FER_OK || world.flash.off || (world.failed && world_is_told(status)));
    }
    return status == FER_OK;
}

/* ---- the device --------------------------------------------------------------------------- */

fer_device_config world_config(void)
{
    static const struct fer_clock_ops clock = {port_monotonic, port_unix};
    static const struct fer_lock_ops lock = {port_mask, port_unmask, port_take, port_give};
    fer_device_config config = fer_device_config_default();

    config.nv = world_nv();
    config.policy = world.plan->policy;
    config.mirror = world_mirror();
    config.counter = world_counter();
    config.clock.ops = &clock;
    config.lock.ops = &lock;
    config.link = world.plan->link;
    config.way = world.plan->way;
    config.readings = WORLD_READINGS;
    config.messages = WORLD_MESSAGES;
    config.inbound = world.plan->inbound;
    config.health_every = 5;
    config.burn_records = world.plan->burn_records;
    config.burn_ms = WORLD_BURN_MS;
    config.burn_backoff_ms = WORLD_BACKOFF;
    return config;
}

fer_status world_create(void)
{
    const fer_device_config config = world_config();

    world_device = NULL;
    world.readings_waiting = 0;
    world.messages_waiting = 0;
    world.dropped = 0;
    world.sealed = 0;
    world.delayed = 0;
    world.rejected = 0;
    world.blind = false;
    assert_int_equal(fer_arena_init(&device_arena, device_storage,
                                    sizeof device_storage / sizeof device_storage[0]),
                     FER_OK);
    return fer_device_create(&device_arena, &config, &world_device);
}

void world_record(void)
{
    size_t room = fer_device_get_room(world_device);

    fer_device_record(world_device, (uint16_t)(world.serial % 2), world.serial);
    WORLD_CHECK(room == WORLD_READINGS - world.readings_waiting);
    if (world.readings_waiting < WORLD_READINGS) {
        world.readings[world.readings_waiting++] = world.serial;
    } else {
        world.dropped++;
    }
    world.serial++;
}

void world_event(void)
{
    char text[WORLD_TEXT + 1];

    world_write_text(world.serial, text);
    fer_status status = fer_device_event(world_device, FER_INFO, text);
    WORLD_CHECK(status == FER_OK || status == FER_NOT_NOW);
    if (status == FER_OK) {
        world.messages[world.messages_waiting++] = world.serial;
    }
    world.serial++;
}

fer_status world_suspend(void)
{
    uint8_t before[FER_IMAGE_BYTES];

    memcpy(before, world.image, sizeof before);
    fer_status status = fer_device_suspend(&world_device, world.image);
    WORLD_CHECK((status == FER_OK) == (world_device == NULL));
    WORLD_CHECK(status == FER_OK || memcmp(before, world.image, sizeof before) == 0);
    return status;
}

fer_status world_resume(void)
{
    fer_status status = fer_device_resume(world_device, world.image);

    WORLD_CHECK(fixture_is_all(world.image, sizeof world.image, 0));
    return status;
}
