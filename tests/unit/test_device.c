/* Device: what goes in and out. Nothing is lost but what is counted, and nothing is sent twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "device_kit.h"

/* ---- creation --------------------------------------------------------------------------- */

static void creation_touches_ram_only(void **state)
{
    (void)state;
    assert_int_equal(nv_changes, 0);
    fer_device_record(device, 1, 1.0);
    assert_int_equal(fer_device_event(device, FER_INFO, "up"), FER_OK);
    assert_int_equal(nv_changes, 0);
    fer_device_close(&device);
    assert_int_equal(nv_changes, 0);
    boot();
}

static void bad_configurations_are_refused(void **state)
{
    (void)state;
    const fer_device_config good = config;
    const struct fer_lock_ops half_mask = {lock_mask, NULL, NULL, NULL};
    const struct fer_lock_ops half_mutex = {NULL, NULL, NULL, lock_give};
    const struct fer_clock_ops no_clock = {NULL, clock_unix_ms};
    fer_device *other = NULL;
    fer_arena arena;
    static fer_arena_cell cells[sizeof device_storage / sizeof device_storage[0]];
    assert_int_equal(fer_arena_init(&arena, cells, sizeof cells / sizeof cells[0]), FER_OK);

    config.readings = 3;
    assert_int_equal(fer_device_create(&arena, &config, &other), FER_ERR_ARGUMENT);
    config = good;
    config.link = (fer_link)2;
    assert_int_equal(fer_device_create(&arena, &config, &other), FER_ERR_ARGUMENT);
    config = good;
    config.way = (fer_way)2;
    assert_int_equal(fer_device_create(&arena, &config, &other), FER_ERR_ARGUMENT);
    config = good;
    config.lock.ops = &half_mask;
    assert_int_equal(fer_device_create(&arena, &config, &other), FER_ERR_ARGUMENT);
    config.lock.ops = &half_mutex;
    assert_int_equal(fer_device_create(&arena, &config, &other), FER_ERR_ARGUMENT);
    config = good;
    config.clock.ops = &no_clock;
    assert_int_equal(fer_device_create(&arena, &config, &other), FER_ERR_ARGUMENT);
    config = good;
    config.nv.ops = NULL;
    assert_int_equal(fer_device_create(&arena, &config, &other), FER_ERR_ARGUMENT);
    config = good;
    assert_int_equal(fer_device_create(&arena, NULL, &other), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_create(&arena, &config, NULL), FER_ERR_ARGUMENT);
    assert_null(other);
    assert_int_equal(arena.used, 0);
    assert_int_equal(fer_device_create(&arena, &config, &other), FER_OK);
    fer_device_close(&other);
}

/* FER_DEVICE_SIZE is enough; whatever is less is refused whole. */
static void creation_is_all_or_nothing(void **state)
{
    (void)state;
    size_t cells = device_arena.used / FER_ARENA_ALIGN;
    fer_arena arena;
    fer_device_close(&device);
    for (size_t n = 1; n < cells; n++) {
        assert_int_equal(fer_arena_init(&arena, device_storage, n), FER_OK);
        assert_int_equal(fer_device_create(&arena, &config, &device), FER_ERR_ARENA);
        assert_int_equal(arena.used, 0);
    }
    assert_int_equal(fer_arena_init(&arena, device_storage, cells), FER_OK);
    assert_int_equal(fer_device_create(&arena, &config, &device), FER_OK);
    fer_device_record(device, 1, 1.0);
    take_ok();
}

static void without_way_back_less_is_carved(void **state)
{
    (void)state;
    size_t used = device_arena.used;
    fer_device_close(&device);
    config.inbound = 0;
    boot();
    assert_true(device_arena.used + FER_OPENER_SIZE(64) < used);
    assert_true(device_arena.used <= FER_DEVICE_SIZE(READINGS, MESSAGES, 0, NV_GRANULE));
    fer_device_record(device, 1, 1.0);
    take_ok();
    assert_int_equal(feed(taken_bytes, 50), FER_EMPTY);
    assert_int_equal(fed_used, 50);
    assert_int_equal(health_now().inbound_rejected, 1);
}

static void handles_are_checked(void **state)
{
    (void)state;
    uint8_t out[64];
    size_t n;
    fer_health health;
    fer_device *gone = device;
    assert_int_equal(fer_device_take(device, NULL, 64, &n), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_take(device, out, 64, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_take_backlog(device, NULL, 64, &n), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_take_backlog(device, out, 64, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_get_health(device, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_event(device, FER_INFO, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_describe(device, 1, NULL, ""), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_describe(device, 1, "", NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_feed(device, NULL, 1, &n, out, 64, &n), FER_ERR_ARGUMENT);
    fer_device_close(&device);
    assert_null(device);
    fer_device_close(&device);
    fer_device_close(NULL);
    (void)gone;
    assert_int_equal(fer_device_take(NULL, out, 64, &n), FER_ERR_HANDLE);
    assert_int_equal(fer_device_take_backlog(NULL, out, 64, &n), FER_ERR_HANDLE);
    assert_int_equal(fer_device_get_health(NULL, &health), FER_ERR_HANDLE);
    assert_int_equal(fer_device_event(NULL, FER_INFO, ""), FER_ERR_HANDLE);
    assert_int_equal(fer_device_raw(NULL, out, 1), FER_ERR_HANDLE);
    assert_int_equal(fer_device_describe(NULL, 1, "", ""), FER_ERR_HANDLE);
    assert_int_equal(fer_device_feed(NULL, out, 1, &n, out, 64, &n), FER_ERR_HANDLE);
    assert_int_equal(fer_device_get_room(NULL), 0);
    fer_device_record(NULL, 1, 1.0);
    fer_device_record_at(NULL, 1, 1, 1.0);
}

/* ---- out -------------------------------------------------------------------------------- */

static void nothing_waits_nothing_is_burned(void **state)
{
    (void)state;
    assert_int_equal(take_up_to(200), FER_EMPTY);
    assert_int_equal(nv_changes, 0);
}

static void health_comes_first_then_messages_then_readings(void **state)
{
    (void)state;
    clock_ms = 61000;
    fer_device_record(device, 3, 21.5);
    assert_int_equal(fer_device_event(device, FER_ERROR, "hot"), FER_OK);
    assert_int_equal(fer_device_describe(device, 3, "T", "K"), FER_OK);
    assert_int_equal(fer_device_raw(device, (const uint8_t *)"xyz", 3), FER_OK);
    take_ok();
    assert_int_equal(got.healths, 1);
    assert_int_equal(got.health.uptime_ms, 60000);
    assert_int_equal(opened.generation, 0);
    assert_int_equal(opened.sequence, 0);
    take_ok();
    assert_int_equal(got.events, 1);
    assert_int_equal(got.event.severity, FER_ERROR);
    assert_int_equal(got.event.time_ms, 61000);
    assert_int_equal(got.event.base, FER_TIME_BOOT);
    assert_slice(got.event.text, "hot");
    take_ok();
    assert_slice(got.series.name, "T");
    assert_slice(got.series.unit, "K");
    take_ok();
    assert_slice(got.raw, "xyz");
    take_ok();
    assert_int_equal(got.count, 1);
    assert_true(got.readings[0].value == 21.5);
    assert_int_equal(take_up_to(200), FER_EMPTY);
    assert_true(mutexes > 0 && masks > 0);
}

static void readings_carry_the_best_time_known(void **state)
{
    (void)state;
    clock_ms = 5000;
    fer_device_record(device, 1, 1.0);
    clock_unix = 1700000000000;
    fer_device_record(device, 1, 2.0);
    fer_device_record_at(device, 2, -77, 3.0);
    take_ok(); /* health */
    take_ok();
    assert_int_equal(got.count, 1);
    assert_int_equal(got.bases[0], FER_TIME_BOOT);
    assert_int_equal(got.readings[0].time_ms, 5000);
    take_ok();
    assert_int_equal(got.count, 2);
    assert_int_equal(got.bases[0], FER_TIME_UNIX);
    assert_int_equal(got.readings[0].time_ms, 1700000000000);
    assert_int_equal(got.readings[1].time_ms, -77);
}

static void without_clock_times_are_boot_zero(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.clock.ops = NULL;
    config.lock.ops = NULL;
    boot();
    fer_device_record(device, 1, 1.0);
    take_ok();
    assert_int_equal(got.health.uptime_ms, 0);
    take_ok();
    assert_int_equal(got.bases[0], FER_TIME_BOOT);
    assert_int_equal(got.readings[0].time_ms, 0);
}

static void both_lanes_come_from_one_generation(void **state)
{
    (void)state;
    uint8_t stored[300];
    size_t n;
    fer_device_record(device, 1, 1.0);
    assert_int_equal(fer_device_take_backlog(device, stored, sizeof stored, &n), FER_OK);
    peer_receive(stored, n);
    assert_int_equal(got.healths, 1);
    assert_int_equal(opened.lane, FER_LANE_BACKLOG);
    assert_int_equal(opened.form, FER_FORM_FULL);
    take_ok();
    assert_int_equal(got.count, 1);
    assert_int_equal(opened.lane, FER_LANE_LIVE);
    assert_int_equal(opened.sequence, 0);
    assert_int_equal(opened.generation, 0);
    assert_int_equal(fer_device_take_backlog(device, stored, sizeof stored, &n), FER_EMPTY);
}

static void a_busy_day(void **state)
{
    (void)state;
    unsigned received = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 1 + round % 40; i++) {
            clock_ms += 10;
            fer_device_record(device, (uint16_t)(i % 4), round + i / 8.0);
        }
        while (take_up_to((size_t)(60 + round * 7)) == FER_OK) {
            received += (unsigned)got.count;
        }
        acknowledge();
    }
    assert_int_equal(received, 50 + 39 * 40 / 2 + 9 * 10 / 2);
    assert_int_equal(health_now().readings_dropped, 0);
}

/* ---- drops ------------------------------------------------------------------------------ */

static void a_full_ring_counts_what_it_drops(void **state)
{
    (void)state;
    assert_int_equal(fer_device_get_room(device), READINGS);
    for (int i = 0; i < READINGS + 5; i++) {
        fer_device_record(device, 1, i);
    }
    assert_int_equal(fer_device_get_room(device), 0);
    fer_device_record_at(device, 1, FER_TIME_LIMIT, 1.0); /* no such time */
    take_ok();
    assert_int_equal(got.health.readings_dropped, 6);
    take_ok();
    assert_int_equal(got.count, READINGS);
    for (int i = 0; i < READINGS; i++) {
        assert_true(got.readings[i].value == i);
    }
    assert_int_equal(fer_device_get_room(device), READINGS);
}

static void a_device_without_ring_drops_and_counts(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.readings = 0;
    boot();
    fer_device_record(device, 1, 1.0);
    assert_int_equal(fer_device_get_room(device), 0);
    assert_int_equal(take_up_to(200), FER_EMPTY);
    assert_int_equal(health_now().readings_dropped, 1);
}

static void a_full_queue_says_so_and_counts(void **state)
{
    (void)state;
    uint8_t big[MESSAGES] = {0};
    char text[FER_TEXT_MAX + 2];
    memset(text, 'x', sizeof text);
    text[FER_TEXT_MAX + 1] = '\0';
    assert_int_equal(fer_device_event(device, FER_INFO, text), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_raw(device, big, sizeof big), FER_ERR_CAPACITY);
    assert_int_equal(fer_device_raw(device, big, MESSAGES - 5), FER_OK); /* 3 of tag, 2 of prefix */
    assert_int_equal(fer_device_raw(device, big, 1), FER_NOT_NOW);
    assert_int_equal(fer_device_event(device, FER_INFO, "x"), FER_NOT_NOW);
    assert_int_equal(health_now().messages_dropped, 3);
    assert_int_equal(take_up_to(3000), FER_OK);
    assert_int_equal(got.health.messages_dropped, 3);
    assert_int_equal(take_up_to(3000), FER_OK);
    assert_int_equal(got.raw.length, MESSAGES - 5);
    assert_int_equal(fer_device_raw(device, big, 1), FER_OK);
}

static void a_device_without_queue_takes_no_message(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.messages = 0;
    boot();
    assert_int_equal(fer_device_event(device, FER_INFO, "x"), FER_ERR_CAPACITY);
    fer_device_record(device, 1, 1.0);
    take_ok();
    take_ok();
    assert_int_equal(got.count, 1);
}

static void messages_of_every_length_keep_their_order(void **state)
{
    (void)state;
    uint8_t bytes[200];
    size_t next = 0, expected = 0;
    while (expected < 200) {
        memset(bytes, (int)next, sizeof bytes);
        if (next < 200 && fer_device_raw(device, bytes, next) == FER_OK) {
            next++;
            continue;
        }
        take_ok();
        if (got.raws == 1) {
            assert_int_equal(got.raw.length, expected);
            assert_true(fixture_is_all(got.raw.bytes, expected, (uint8_t)expected));
            expected++;
        }
    }
}

/* ---- health ----------------------------------------------------------------------------- */

static void health_returns_every_so_many_records(void **state)
{
    (void)state;
    unsigned healths = 0;
    fer_device_close(&device);
    config.health_every = 5;
    boot();
    for (int i = 0; i < 40; i++) {
        fer_device_record(device, 1, i);
        take_ok();
        healths += got.healths;
        if (got.healths != 0) {
            assert_int_equal(got.health.records_sealed, i);
            i++;
            take_ok();
            assert_int_equal(got.count, 1);
        }
    }
    assert_int_equal(healths, 8);
}

static void health_at_every_record_still_lets_data_through(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.health_every = 1;
    boot();
    for (int i = 0; i < 10; i++) {
        fer_device_record(device, 1, i);
        take_ok();
        assert_int_equal(got.healths, 1);
        take_ok();
        assert_int_equal(got.count, 1);
        assert_int_equal(take_up_to(200), FER_EMPTY);
    }
}

#define STREAM(test) cmocka_unit_test_setup_teardown(test, start_stream, stop)
#define DATAGRAM(test) cmocka_unit_test_setup_teardown(test, start_datagram, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(creation_touches_ram_only),
        STREAM(bad_configurations_are_refused),
        STREAM(creation_is_all_or_nothing),
        STREAM(without_way_back_less_is_carved),
        STREAM(handles_are_checked),
        STREAM(nothing_waits_nothing_is_burned),
        STREAM(health_comes_first_then_messages_then_readings),
        DATAGRAM(health_comes_first_then_messages_then_readings),
        STREAM(readings_carry_the_best_time_known),
        DATAGRAM(without_clock_times_are_boot_zero),
        STREAM(both_lanes_come_from_one_generation),
        STREAM(a_busy_day),
        DATAGRAM(a_busy_day),
        STREAM(a_full_ring_counts_what_it_drops),
        STREAM(a_device_without_ring_drops_and_counts),
        STREAM(a_full_queue_says_so_and_counts),
        STREAM(a_device_without_queue_takes_no_message),
        DATAGRAM(messages_of_every_length_keep_their_order),
        STREAM(health_returns_every_so_many_records),
        STREAM(health_at_every_record_still_lets_data_through),
    };
    return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
