/* The world of one device: what leaves it, what must not, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "powercut/device_world_body.h"
#include "unframe.h"

static uint8_t out[WORLD_CAPACITY];

/* ---- what failed calls leave -------------------------------------------------------------- */

bool world_is_clean(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != WORLD_FILL && bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

bool world_is_told(fer_status status)
{
    if (status == FER_NOT_NOW) {
        return world.fault.answer == FER_PORT_NOT_NOW;
    }
    return status == FER_TROUBLE_STORAGE ||
           (world.fault.answer == FER_PORT_UNCORRECTABLE &&
            (status == FER_TROUBLE_STATE || status == FER_RENEW_MISSING));
}

/* Nothing recorded stands open in the caller's buffer, whether the call succeeded or not. */
static bool holds_text(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i + 5 <= n; i++) {
        if (memcmp(bytes + i, "plain", 5) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- plaintexts --------------------------------------------------------------------------- */

void world_write_text(uint32_t serial, char text[WORLD_TEXT + 1])
{
    (void)snprintf(text, WORLD_TEXT + 1, "plain%08lx", (unsigned long)serial);
}

/* What one record held. */
static struct {
    uint32_t readings;
    uint32_t seen; /* bit by place in what waits */
    uint32_t messages;
    uint32_t healths;
} held;

static void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    (void)context;
    if (base == FER_TIME_UNIX) {
        WORLD_CHECK(world.unix_ms != 0 && reading->time_ms == world.unix_ms);
    } else { /* what is not known is not told */
        WORLD_CHECK(world.unix_ms == 0 || world.fault.kind == PORT_UNIX);
        WORLD_CHECK(reading->time_ms >= 0 && (uint64_t)reading->time_ms <= world.clock_ms);
    }
    for (uint32_t i = 0; i < world.readings_waiting; i++) {
        if (world.readings[i] == (uint32_t)reading->value && (held.seen >> i & 1u) == 0) {
            WORLD_CHECK(reading->series == world.readings[i] % 2);
            held.seen |= 1u << i;
            held.readings++;
            return;
        }
    }
    world_fail("a reading that does not wait");
}

static void on_event(void *context, const fer_event *event)
{
    char text[WORLD_TEXT + 1];

    (void)context;
    WORLD_CHECK(world.messages_waiting > 0);
    world_write_text(world.messages[0], text);
    WORLD_CHECK(event->text.length == strlen(text));
    WORLD_CHECK(memcmp(event->text.bytes, text, event->text.length) == 0);
    held.messages++;
}

static void on_health(void *context, const fer_health *health)
{
    (void)context;
    WORLD_CHECK(health->readings_dropped == world.dropped);
    WORLD_CHECK(health->records_sealed == world.sealed);
    WORLD_CHECK(health->burns_delayed == world.delayed);
    WORLD_CHECK(health->inbound_rejected == world.rejected);
    WORLD_CHECK(health->inbound_frames_dropped == 0);
    WORLD_CHECK(health->uptime_ms <= world.clock_ms);
    held.healths++;
}

static void on_other(void *context, fer_slice raw)
{
    (void)context;
    (void)raw;
    world_fail("raw bytes that nobody sent");
}

static void on_unknown(void *context, uint32_t field)
{
    (void)context;
    (void)field;
    world_fail("a field that is not known");
}

static void drop_readings(uint32_t n)
{
    world.readings_waiting -= n;
    memmove(world.readings, world.readings + n, world.readings_waiting * sizeof world.readings[0]);
}

/* The oldest that waited, and nothing else, is in the record: it waits no longer. */
static void check_plaintext(const uint8_t *plain, size_t n)
{
    const fer_telemetry_visitor visitor = {.on_reading = on_reading,
                                           .on_event = on_event,
                                           .on_health = on_health,
                                           .on_raw = on_other,
                                           .on_unknown = on_unknown};

    memset(&held, 0, sizeof held);
    WORLD_CHECK(fer_telemetry_decode(plain, n, &visitor) == FER_OK);
    WORLD_CHECK(held.messages + held.healths + (held.readings != 0) <= 1);
    WORLD_CHECK(held.seen == (1u << held.readings) - 1u);
    drop_readings(held.readings);
    world.messages_waiting -= held.messages;
    memmove(world.messages, world.messages + held.messages,
            world.messages_waiting * sizeof world.messages[0]);
    world.sealed++;
}

/* ---- records that leave ------------------------------------------------------------------- */

static uint32_t slots_in_block(void)
{
    const fer_nv_geometry *geometry = &world.plan->shape.geometry;

    return geometry->block_size / (FER_CREDENTIAL_BYTES + 2u * 8u);
}

/* The burn of what is sealed is in the medium already: a store that looks now goes on after it. */
static void check_burned(uint32_t generation)
{
    static fer_arena_cell
        storage[(FER_STORE_SIZE(WORLD_GRANULE) + FER_STORE_MIRROR_SIZE) / FER_ARENA_ALIGN];
    const fer_store_config config = {
        .nv = flash_nv(&world.flash), .policy = world.plan->policy, .mirror = world_mirror()};
    fer_arena arena;
    fer_store *store;
    fer_credential_info info;
    bool off = world.flash.off;

    world.flash.fail_at = FLASH_NEVER;
    world.flash.off = false;
    assert_int_equal(fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]), FER_OK);
    assert_int_equal(fer_store_create(&arena, &config, &store), FER_OK);
    WORLD_CHECK(fer_store_get_info(store, &info) == FER_OK && info.generation > generation);
    fer_store_close(&store);
    world.flash.off = off;
}

/* NONCE, from the bytes alone and the order of sealing. */
static uint32_t check_header(const uint8_t *record, size_t n, fer_lane lane)
{
    fer_unverified header;
    fer_health health;

    WORLD_CHECK(fer_record_inspect(record, n, &header) == FER_OK);
    WORLD_CHECK(fer_device_get_health(world_device, &health) == FER_OK);
    uint32_t generation = health.generation;
    WORLD_CHECK(generation >= world.highest);
    if (generation > world.highest) {
        memset(world.next, 0, sizeof world.next);
        world.chances++;
        check_burned(generation);
        WORLD_CHECK(generation < world.chances * (slots_in_block() + 1));
    }
    world.highest = generation;
    uint32_t number = world.next[lane]++;
    bool is_short = header.form == FER_FORM_SHORT;
    WORLD_CHECK(header.lane == lane && header.direction == FER_UP);
    WORLD_CHECK(header.generation == (is_short ? generation & 0xFFu : generation));
    WORLD_CHECK(header.sequence == (is_short ? number & 0xFFFFu : number));
    WORLD_CHECK(world.plan->burn_records == 0 ||
                world.next[FER_LANE_LIVE] + world.next[FER_LANE_BACKLOG] <=
                    world.plan->burn_records);
    world.departed++;
    return number;
}

/* The gateway takes it once. */
static void commit(const uint8_t *record, size_t n, fer_ticket *ticket)
{
    uint8_t plain[WORLD_CAPACITY];
    fer_opened opened;

    WORLD_CHECK(fer_gateway_commit(world_gateway, ticket) == FER_OK);
    memset(plain, WORLD_FILL, sizeof plain);
    WORLD_CHECK(fer_gateway_receive(world_gateway, record, n, plain, sizeof plain, &opened) ==
                FER_DROP_REPLAY);
    WORLD_CHECK(world_is_clean(plain, sizeof plain));
}

static void spool(const uint8_t *record, size_t n, const uint8_t *plain, size_t plain_length)
{
    spooled *place = &world.spool[world.spool_used++];

    place->length = n;
    place->plain_length = plain_length;
    memcpy(place->bytes, record, n);
    memcpy(place->plain, plain, plain_length);
}

static void hand_over(const uint8_t *record, size_t n, fer_lane lane, uint32_t number)
{
    world_packet packet = {(uint32_t)world.highest, lane, number, 0, {0}, n, {0}};

    packet.count =
        world.readings_waiting - (WORLD_READINGS - (uint32_t)fer_device_get_room(world_device));
    memcpy(packet.readings, world.readings, packet.count * sizeof packet.readings[0]);
    memcpy(packet.bytes, record, n);
    drop_readings(packet.count);
    world.sealed++;
    world_link(&packet);
}

static void depart(const uint8_t *record, size_t n, fer_lane lane)
{
    uint8_t plain[WORLD_CAPACITY];
    fer_opened opened;
    uint32_t number = check_header(record, n, lane);

    WORLD_CHECK(!holds_text(record, n));
    if (world_link != NULL) {
        hand_over(record, n, lane, number);
        return;
    }
    WORLD_CHECK(fer_gateway_open(world_gateway, record, n, plain, sizeof plain, &opened) == FER_OK);
    WORLD_CHECK(opened.generation == world.highest && opened.sequence == number);
    WORLD_CHECK(opened.lane == lane);
    check_plaintext(plain, opened.length);
    if (lane == FER_LANE_BACKLOG && world.spool_used < WORLD_SPOOL) {
        fer_ticket_abort(&opened.ticket);
        spool(record, n, plain, opened.length);
    } else {
        commit(record, n, &opened.ticket);
    }
}

void world_send_spool(void)
{
    for (uint32_t i = 0; i < world.spool_used; i++) {
        const spooled *kept = &world.spool[i];
        uint8_t plain[WORLD_CAPACITY];
        fer_opened opened;

        WORLD_CHECK(fer_gateway_open(world_gateway, kept->bytes, kept->length, plain, sizeof plain,
                                     &opened) == FER_OK);
        WORLD_CHECK(opened.length == kept->plain_length);
        WORLD_CHECK(memcmp(plain, kept->plain, opened.length) == 0);
        commit(kept->bytes, kept->length, &opened.ticket);
    }
    world.spool_used = 0;
}

/* ---- taking ------------------------------------------------------------------------------- */

/* Calls of the medium that any one call of the device may make. */
static uint32_t call_bound(void)
{
    const fer_nv_geometry *geometry = &world.plan->shape.geometry;

    return 16 * (geometry->block_size / 32 + 8) * geometry->block_count + 64;
}

fer_status world_take(fer_lane lane)
{
    uint32_t calls = world.all_calls;
    uint32_t fails = world.fails;
    size_t n = 77;

    memset(out, WORLD_FILL, sizeof out);
    fer_status status = lane == FER_LANE_BACKLOG
                            ? fer_device_take_backlog(world_device, out, sizeof out, &n)
                            : fer_device_take(world_device, out, sizeof out, &n);
    WORLD_CHECK(world.all_calls - calls <= call_bound());
    WORLD_CHECK(world.flash.violations == 0);
    WORLD_CHECK(!holds_text(out, sizeof out));
    if (status != FER_OK) {
        WORLD_CHECK(n == 0 && world_is_clean(out, sizeof out));
        world.chances += status != FER_EMPTY;
        world.delayed +=
            status == FER_NOT_NOW && (world.fails == fails || world.fault.kind >= PORT_MONOTONIC);
        return status;
    }
    /* A port that failed is told: nothing is sealed in that call. */
    WORLD_CHECK(world.fails == fails || world.fault.kind >= PORT_MONOTONIC ||
                world.fault.answer == FER_PORT_UNCORRECTABLE);
    if (lane == FER_LANE_LIVE && world.plan->link == FER_LINK_STREAM) {
        n = unframe(out, n);
    }
    depart(out, n, lane);
    return status;
}

bool world_maintain(void)
{
    fer_status status = FER_OK;

    for (unsigned tries = 0; status != FER_EMPTY && !world.flash.off && tries < 24; tries++) {
        uint32_t fails = world.fails;

        status = fer_device_maintain(world_device);
        world.chances++;
        WORLD_CHECK(world.flash.violations == 0);
        WORLD_CHECK(status == FER_OK || status == FER_EMPTY || world.flash.off ||
                    (world.fails > fails && world_is_told(status)));
    }
    WORLD_CHECK(status == FER_EMPTY || world.flash.off || world.fault.for_good);
    return status == FER_EMPTY;
}

/* Everything that waits is sent, unless a fault that was ordered keeps on coming: then the answer
 * is what it ends in. */
fer_status world_drain(fer_lane lane)
{
    enum { PATIENCE = 6 };
    fer_status status = FER_OK;

    for (unsigned failures = 0; status != FER_EMPTY && !world.flash.off; failures++) {
        world.failed = false;
        status = world_take(lane);
        if (status == FER_OK) {
            failures = 0;
        } else if (status != FER_EMPTY) {
            WORLD_CHECK(world.flash.off || status == FER_NOT_NOW ||
                        (world.failed && world_is_told(status)));
            if (failures > PATIENCE) {
                WORLD_CHECK(world.fault.for_good && world.fails > 0);
                return status;
            }
            world_wait(WORLD_BACKOFF);
        }
    }
    WORLD_CHECK(world.flash.off || (world.readings_waiting == 0 && world.messages_waiting == 0));
    return status;
}

/* ---- the way back ------------------------------------------------------------------------- */

static bool feed(bool opens)
{
    static const uint8_t message[] = {'m', 's', 'g'};
    uint8_t heard[WORLD_INBOUND];
    size_t used, length;

    memset(heard, WORLD_FILL, sizeof heard);
    fer_status status = fer_device_feed(world_device, world.down, world.down_length, &used, heard,
                                        sizeof heard, &length);
    WORLD_CHECK(status == (opens ? FER_OK : FER_EMPTY));
    world.rejected += !opens;
    WORLD_CHECK(opens ? length == sizeof message && memcmp(heard, message, length) == 0
                      : length == 0 && world_is_clean(heard, sizeof heard));
    return status == FER_OK;
}

void world_answer(void)
{
    static const uint8_t message[] = {'m', 's', 'g'};
    uint8_t record[96];
    size_t n;

    assert_int_equal(
        fer_gateway_seal(world_gateway, 0, message, sizeof message, record, sizeof record, &n),
        FER_OK);
    if (world.plan->link == FER_LINK_STREAM) {
        assert_int_equal(
            fer_frame_encode(record, n, world.down, sizeof world.down, &world.down_length), FER_OK);
    } else {
        memcpy(world.down, record, n);
        world.down_length = n;
    }
    (void)feed(world.plan->inbound != 0);
    (void)feed(false);
}

void world_replay_answer(void)
{
    if (world.down_length != 0) {
        (void)feed(false);
    }
}
