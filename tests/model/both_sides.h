/* A device on the flash model, a link, and a gateway whose rows and snapshot are one transaction:
 * what the models of both sides share. Whatever comes is accepted exactly where a set of rows and
 * the newest generation say so (ONCE). Include after cmocka.h; a single file each. */
#ifndef FERRULE_TESTS_MODEL_BOTH_SIDES_H
#define FERRULE_TESTS_MODEL_BOTH_SIDES_H

#include <string.h>

#include "powercut/device_world.h"
#include "random.h"
#include "record_fixture.h"

enum {
    REACH = 16,
    WINDOW = 128,
    MAX_SKIP = 6000,
    ROUTE = 2,
    FLIGHT = 64, /* packets under way, or kept */
    NUMBERS = 64,
    GENERATIONS = 40000,
    SNAPSHOT = FER_SNAPSHOT_SIZE(REACH, WINDOW)
};

static const world_plan plans[] = {
    {"two way",
     {"nor", {432, 2, 4, 0xFF, FER_NV_OVERWRITE}, true, false, false},
     FER_STORE_STRICT,
     FER_LINK_DATAGRAM,
     FER_TWO_WAY,
     WORLD_INBOUND,
     50,
     false},
    {"one way",
     {"eeprom", {160, 4, 1, 0xFF, FER_NV_REWRITE}, false, false, false},
     FER_STORE_STRICT,
     FER_LINK_STREAM,
     FER_ONE_WAY,
     WORLD_INBOUND,
     40,
     true},
};

FER_ARENA(receiver_arena, FER_GATEWAY_SIZE(1, REACH, WINDOW, 8));

/* What is in the gateway's database, and what it has in memory only. */
typedef struct rows {
    uint64_t numbers[GENERATIONS][2]; /* accepted ones, by bit */
    uint32_t newest;
    bool heard;
} rows;

static rows durable, volatile_rows;
static uint8_t snapshot[SNAPSHOT];
static size_t snapshot_length;
static fer_gateway *receiver;
static uint8_t salt;

static world_packet flight[FLIGHT];
static bool flying[FLIGHT];
static test_random chance;
static uint32_t accepted, refused, restarts, far;
static unsigned loss; /* of 10 packets */

static inline uint32_t below(uint32_t limit)
{
    return test_random_below(&chance, limit);
}

/* ---- the gateway -------------------------------------------------------------------------- */

static inline int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 0, n);
    out[0] = salt++;
    return FER_PORT_OK;
}

static inline void create_receiver(void)
{
    static const struct fer_entropy_ops entropy = {fill};
    fer_gateway_config config = fer_gateway_config_default();

    config.window_bits = WINDOW;
    config.earlier = config.reach = REACH;
    config.max_skip = MAX_SKIP;
    config.entropy.ops = &entropy;
    assert_int_equal(fer_arena_rewind(&receiver_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_gateway_create(&receiver_arena, &config, &receiver), FER_OK);
}

/* The transaction: rows and receive state become durable together. */
static inline void transact(void)
{
    assert_int_equal(fer_gateway_export(receiver, 0, snapshot, sizeof snapshot, &snapshot_length),
                     FER_OK);
    durable = volatile_rows;
}

/* The gateway is killed, and comes back from its database. */
static inline void restart_receiver(void)
{
    uint32_t context = 9;

    create_receiver();
    assert_int_equal(fer_gateway_import(receiver, snapshot, snapshot_length, &context), FER_OK);
    volatile_rows = durable;
    restarts++;
}

static inline void begin_receiver(void)
{
    fer_credential credential;
    uint32_t context;

    create_receiver();
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(receiver, &credential, &context), FER_OK);
    memset(&volatile_rows, 0, sizeof volatile_rows);
    transact();
}

/* ---- what must be accepted ---------------------------------------------------------------- */

static inline bool is_row(const rows *in, const world_packet *packet)
{
    return (in->numbers[packet->generation][packet->lane] >> packet->number & 1u) != 0;
}

static inline bool is_short(const world_packet *packet)
{
    return (packet->bytes[0] & 0x10u) == 0;
}

/* A short form tells 8 bits of its generation: the gateway must not have fallen behind. */
static inline bool is_understood(const world_packet *packet)
{
    int64_t ahead = (int64_t)packet->generation - volatile_rows.newest;

    return is_short(packet) ? ahead <= 8 && ahead > -248 : ahead <= MAX_SKIP;
}

static inline bool must_be_accepted(const world_packet *packet)
{
    return !is_row(&volatile_rows, packet) && is_understood(packet) &&
           packet->generation + REACH >= volatile_rows.newest;
}

static uint32_t seen; /* readings of one record, and whether they are its own */

static inline void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    const world_packet *packet = context;
    bool found = false;

    (void)base;
    for (uint32_t i = 0; i < packet->count; i++) {
        found |= packet->readings[i] == (uint32_t)reading->value;
    }
    assert_true(found);
    seen++;
}

static inline void check_content(const world_packet *packet, const uint8_t *plain, size_t n)
{
    const fer_telemetry_visitor visitor = {.on_reading = on_reading,
                                           .context = (void *)(uintptr_t)packet};

    seen = 0;
    assert_int_equal(fer_telemetry_decode(plain, n, &visitor), FER_OK);
    assert_int_equal(seen, packet->count);
}

static inline void add_row(const world_packet *packet)
{
    assert_false(is_row(&durable, packet)); /* ONCE, in the database itself */
    assert_false(is_row(&volatile_rows, packet));
    volatile_rows.numbers[packet->generation][packet->lane] |= (uint64_t)1 << packet->number;
    volatile_rows.heard = true;
    if (packet->generation > volatile_rows.newest) {
        volatile_rows.newest = packet->generation;
    }
    accepted++;
}

/* ---- the link ----------------------------------------------------------------------------- */

static inline bool device_is_current(void)
{
    fer_gateway_state state;
    fer_health health;

    assert_int_equal(fer_gateway_get_state(receiver, 0, &state), FER_OK);
    return world_device != NULL && world.highest >= 0 && state.heard &&
           fer_device_get_health(world_device, &health) == FER_OK && health.records_sealed > 0 &&
           health.generation == state.generation;
}

/* An acknowledgement of what is durable; it may be lost. */
static inline void acknowledge(void)
{
    uint8_t record[64], framed[80], out[WORLD_INBOUND];
    size_t n, used, length;

    if (!volatile_rows.heard || below(3) == 0) {
        return;
    }
    assert_int_equal(fer_gateway_seal(receiver, 0, NULL, 0, record, sizeof record, &n), FER_OK);
    transact(); /* the number it used is durable before it leaves */
    if (!device_is_current() || below(4) == 0) {
        return;
    }
    if (world.plan->link == FER_LINK_STREAM) {
        assert_int_equal(fer_frame_encode(record, n, framed, sizeof framed, &n), FER_OK);
    } else {
        memcpy(framed, record, n);
    }
    assert_int_equal(fer_device_feed(world_device, framed, n, &used, out, sizeof out, &length),
                     FER_OK);
    assert_int_equal(fer_device_feed(world_device, framed, n, &used, out, sizeof out, &length),
                     FER_EMPTY);
    world.rejected++;
}

/* It comes to the gateway, which may be killed at any step. */
static inline void arrive(const world_packet *packet)
{
    uint8_t plain[WORLD_CAPACITY];
    fer_opened opened;
    fer_status status =
        fer_gateway_open(receiver, packet->bytes, packet->length, plain, sizeof plain, &opened);

    assert_int_equal(status == FER_OK, must_be_accepted(packet));
    if (status != FER_OK) {
        assert_int_equal(fer_status_get_group(status), FER_GROUP_DROP_INPUT);
        size_t overhead = is_short(packet) ? FER_OVERHEAD_SHORT(ROUTE) : FER_OVERHEAD_FULL(ROUTE);
        assert_true(fixture_is_all(plain, packet->length - overhead, 0)); /* FIRST */
        refused++;
        return;
    }
    check_content(packet, plain, opened.length);
    if (below(12) == 0) { /* killed before commit */
        restart_receiver();
        return;
    }
    assert_int_equal(fer_gateway_commit(receiver, &opened.ticket), FER_OK);
    add_row(packet);
    if (below(12) == 0) { /* killed before the transaction */
        restart_receiver();
    } else if (below(3) != 0) {
        transact();
        acknowledge();
    }
}

/* Kept in a place that is free, or in that of another, which is lost then. */
static inline void send(const world_packet *packet)
{
    uint32_t place = below(FLIGHT);

    assert_true(packet->number < NUMBERS && packet->generation < GENERATIONS);
    if (below(10) >= loss) {
        flight[place] = *packet;
        flying[place] = true;
    }
}

/* One that is under way arrives; now and then it stays, to come again. */
static inline void deliver(void)
{
    uint32_t place = below(FLIGHT);

    if (flying[place]) {
        flying[place] = below(4) == 0;
        arrive(&flight[place]);
    }
}

static inline void deliver_all(void)
{
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < FLIGHT; i++) {
            if (flying[i]) {
                world_packet packet = flight[i];

                arrive(&packet);
            }
        }
    }
}

/* ---- the device --------------------------------------------------------------------------- */

static inline void boot(void)
{
    assert_int_equal(world_create(), FER_OK);
}

/* Many boots, of each of which one record leaves and is lost. */
static inline void boot_unheard(uint32_t boots)
{
    unsigned before = loss;

    loss = 10;
    for (; boots > 0 && world.highest + 200 < GENERATIONS; boots--) {
        boot();
        world_record();
        (void)world_take(FER_LANE_LIVE);
    }
    loss = before;
    far++;
}

static inline void begin(const world_plan *plan, uint64_t seed)
{
    world_link = send;
    memset(flying, 0, sizeof flying);
    world_begin(plan, seed);
    assert_int_equal(world_install(), FER_OK);
    begin_receiver();
    loss = 2;
    boot();
}

#endif
