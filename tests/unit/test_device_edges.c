/* Device at its edges: every capacity down to the smallest datagram, burns and their back-off, and
 * storage that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "device_kit.h"

static void reboot(void)
{
    fer_device_close(&device);
    boot();
}

/* ---- capacity --------------------------------------------------------------------------- */

/* At each capacity the device either yields what fits or says that nothing does, and nothing is
 * lost on the way: the next capacity goes on where this one stopped. */
static void every_capacity_yields_or_refuses(void **state)
{
    (void)state;
    size_t readings = 0;
    for (size_t capacity = 1; capacity <= 700; capacity++) {
        for (int i = 0; i < 3; i++) {
            if (fer_device_get_room(device) > 0) {
                fer_device_record(device, (uint16_t)i, i / 3.0);
                readings++;
            }
        }
        fer_status status = take_up_to(capacity);
        assert_true(status == FER_OK || (status == FER_ERR_CAPACITY && capacity < 70));
        readings -= got.count * (status == FER_OK);
        if (status == FER_OK) {
            assert_true(taken_length <= capacity);
        }
        if (capacity % 16 == 0 && capacity > 60) {
            acknowledge();
        }
        got.count = 0;
    }
    while (take_up_to(700) == FER_OK) {
        readings -= got.count;
    }
    assert_int_equal(readings, 0);
}

/* A record never leaves room for one more reading: 4 bytes, one more in each of three lengths that
 * grow beyond 127, and one of framing. */
static void records_fill_the_capacity(void **state)
{
    (void)state;
    fer_device_record(device, 1, 0);
    take_ok();
    take_ok();
    acknowledge();
    device->config.health_every = 0;
    for (size_t capacity = 60; capacity < 220; capacity++) {
        for (int i = 0; i < READINGS; i++) {
            clock_ms += 10;
            fer_device_record(device, 1, i);
        }
        assert_int_equal(take_up_to(capacity), FER_OK);
        assert_true(got.count >= READINGS || capacity - taken_length < 4 + 3 + 1);
        while (take_up_to(2000) == FER_OK) {
        }
        acknowledge();
    }
}

/* The smallest datagram: 32 bytes, no clock, empty route. */
static void start_smallest(fer_way way)
{
    fer_device_close(&device);
    start_world(FER_LINK_DATAGRAM, 0);
    config.clock.ops = NULL;
    config.way = way;
    boot();
}

static void two_way_at_32_bytes(void **state)
{
    (void)state;
    start_smallest(FER_TWO_WAY);
    unsigned received = 0;
    fer_device_record(device, 5, 21.5);
    assert_int_equal(take_up_to(32), FER_OK); /* health without news takes 2 bytes */
    assert_int_equal(got.healths, 1);
    assert_int_equal(take_up_to(32), FER_OK); /* hello */
    assert_int_equal(opened.length, 0);
    assert_int_equal(opened.form, FER_FORM_FULL);
    assert_int_equal(take_up_to(32), FER_ERR_CAPACITY); /* once; not for ever */
    assert_int_equal(take_up_to(32), FER_OK);           /* in the next round, again */
    assert_int_equal(opened.length, 0);
    assert_int_equal(take_up_to(32), FER_ERR_CAPACITY);
    acknowledge();
    assert_int_equal(take_up_to(32), FER_OK);
    assert_int_equal(got.count, 1);
    assert_true(got.readings[0].value == 21.5);
    assert_int_equal(opened.form, FER_FORM_SHORT);
    for (int i = 0; i < 300; i++) { /* beyond the 64 after which full form returns */
        fer_device_record(device, 127, i);
        unsigned rounds = 0;
        while (take_up_to(32) == FER_OK) {
            received += (unsigned)got.count;
            assert_true(rounds++ < 4);
        }
    }
    assert_int_equal(received, 300);
}

static void one_way_at_32_bytes(void **state)
{
    (void)state;
    start_smallest(FER_ONE_WAY);
    unsigned received = 0;
    for (int i = 0; i < 200; i++) {
        fer_device_record(device, 127, i);
        unsigned rounds = 0;
        while (take_up_to(32) == FER_OK) {
            received += (unsigned)got.count;
            assert_true(rounds++ < 6);
        }
        assert_int_equal(received, i + 1);
    }
}

static void what_never_fits_is_refused_and_kept(void **state)
{
    (void)state;
    start_smallest(FER_ONE_WAY);
    uint8_t big[40] = {7};
    assert_int_equal(fer_device_raw(device, big, sizeof big), FER_OK);
    assert_int_equal(take_up_to(32), FER_OK); /* health */
    assert_int_equal(take_up_to(32), FER_ERR_CAPACITY);
    assert_int_equal(take_up_to(28), FER_ERR_CAPACITY); /* less than any record in full form */
    assert_int_equal(take_up_to(1), FER_ERR_CAPACITY);
    fer_device_record(device, 5, 1.0); /* passes what does not fit */
    unsigned readings = 0;
    while (take_up_to(32) == FER_OK) {
        readings += (unsigned)got.count;
    }
    assert_int_equal(readings, 1);
    assert_int_equal(take_up_to(100), FER_OK);
    assert_int_equal(got.raw.length, sizeof big);
    assert_int_equal(take_up_to(100), FER_EMPTY);
}

static void small_health_leaves_out_what_the_header_tells(void **state)
{
    (void)state;
    start_smallest(FER_ONE_WAY);
    for (int i = 0; i < READINGS + 3; i++) {
        fer_device_record(device, 5, i);
    }
    device->health.records_sealed = 1000000;
    device->health.generation = 0;
    assert_int_equal(take_up_to(33), FER_OK); /* 29 and 4: readings_dropped takes 2 + 2 */
    assert_int_equal(got.healths, 1);
    assert_int_equal(got.health.readings_dropped, 3);
    assert_int_equal(got.health.records_sealed, 0);
}

/* Nothing of the plaintext that was tried for a shorter form stays in the caller's buffer: the
 * message reaches beyond the empty record that goes instead. */
static void no_plaintext_is_left_behind(void **state)
{
    (void)state;
    start_smallest(FER_TWO_WAY);
    uint8_t message[38], out[64];
    size_t n;
    memset(message, 0x77, sizeof message);
    assert_int_equal(fer_device_raw(device, message, sizeof message), FER_OK);
    assert_int_equal(fer_device_take(device, out, sizeof out, &n), FER_OK); /* health */
    for (int i = 0; i < 2; i++) {
        memset(out, 0, sizeof out);
        assert_int_equal(fer_device_take(device, out, sizeof out, &n),
                         i == 0 ? FER_OK : FER_ERR_CAPACITY);
        assert_int_equal(n, i == 0 ? 29 : 0);
        assert_true(fixture_is_all(out + n, sizeof out - n, 0));
    }
}

/* ---- burns ------------------------------------------------------------------------------ */

static void each_boot_that_sends_burns_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        unsigned before = nv_changes;
        reboot();
        reboot();
        assert_int_equal(nv_changes, before);
        fer_device_record(device, 1, 1.0);
        take_ok();
        assert_int_equal(opened.generation, i);
        assert_true(nv_changes > before);
        before = nv_changes;
        take_ok();
        assert_int_equal(nv_changes, before);
    }
}

static void a_count_of_records_burns(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.burn_records = 4;
    config.burn_backoff_ms = 0;
    boot();
    for (uint32_t i = 0; i < 12; i++) { /* health, three readings; health, … */
        fer_device_record(device, 1, i);
        fer_device_record(device, 2, i);
        assert_int_equal(take_up_to(2000), FER_OK);
        assert_int_equal(opened.generation, i / 4);
        assert_int_equal(opened.sequence, i % 4);
        assert_int_equal(got.healths, i % 4 == 0);
    }
}

static void age_burns(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.burn_ms = 60000;
    boot();
    fer_device_record(device, 1, 1.0);
    take_ok();
    clock_ms += 59999;
    take_ok();
    assert_int_equal(opened.generation, 0);
    clock_ms += 1;
    assert_int_equal(take_up_to(200), FER_EMPTY); /* nothing to send: no burn */
    fer_device_record(device, 1, 1.0);
    take_ok();
    assert_int_equal(opened.generation, 1);
    assert_int_equal(got.healths, 1);
    assert_int_equal(got.health.generation, 1);
}

/* A clock that fails must not make each take burn: the flash would wear out, and the generations
 * would run away from the gateway. */
static void a_clock_that_fails_burns_nothing(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.burn_ms = 60000;
    boot();
    fer_device_record(device, 1, 1.0);
    take_ok();
    unsigned before = nv_changes;
    clock_ms = 30000;
    clock_answer = FER_PORT_FAILED;
    for (unsigned i = 0; i < 5; i++) {
        fer_device_record(device, 1, 2.0);
        take_ok();
        assert_int_equal(opened.generation, 0);
    }
    assert_int_equal(nv_changes, before);
    clock_answer = FER_PORT_OK;
    clock_ms = 61000;
    fer_device_record(device, 1, 3.0);
    take_ok();
    assert_int_equal(opened.generation, 1);
}

/* It must not keep them away either: a back-off that never ends would be a lockout. */
static void a_clock_that_fails_delays_no_burn(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.burn_records = 2;
    boot();
    clock_answer = FER_PORT_FAILED;
    for (uint32_t i = 0; i < 6; i++) {
        fer_device_record(device, 1, i);
        fer_device_record(device, 2, i);
        take_ok();
        assert_int_equal(opened.generation, i / 2);
    }
}

/* HONEST: what is not known is not told. */
static void a_clock_that_fails_tells_no_uptime(void **state)
{
    (void)state;
    clock_ms += 250;
    assert_int_equal(health_now().uptime_ms, 250);
    clock_answer = FER_PORT_FAILED;
    assert_int_equal(health_now().uptime_ms, 0);
}

static void burns_keep_their_distance(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.burn_records = 1;
    config.burn_backoff_ms = 500;
    boot();
    fer_device_record(device, 1, 1.0);
    take_ok();
    unsigned before = nv_changes;
    assert_int_equal(take_up_to(200), FER_NOT_NOW);
    clock_ms += 499;
    assert_int_equal(take_up_to(200), FER_NOT_NOW);
    assert_int_equal(nv_changes, before);
    assert_int_equal(health_now().burns_delayed, 2);
    clock_ms += 1;
    take_ok();
    assert_int_equal(opened.generation, 1);
    assert_int_equal(got.health.burns_delayed, 2);
}

static void without_clock_there_is_no_back_off(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.clock.ops = NULL;
    config.burn_records = 1;
    boot();
    fer_device_record(device, 1, 1.0);
    for (uint32_t i = 0; i < 3; i++) {
        take_ok();
        assert_int_equal(opened.generation, i);
    }
}

/* ---- storage that fails ----------------------------------------------------------------- */

static void a_failed_burn_sends_nothing_and_loses_nothing(void **state)
{
    (void)state;
    fer_device_record(device, 1, 7.0);
    assert_int_equal(fer_device_event(device, FER_INFO, "kept"), FER_OK);
    nv_answer = FER_PORT_FAILED;
    assert_int_equal(take_up_to(200), FER_TROUBLE_STORAGE);
    assert_true(fixture_is_all(taken_bytes, sizeof taken_bytes, 0xA5));
    unsigned before = nv_changes;
    assert_int_equal(take_up_to(200), FER_NOT_NOW); /* failed ones keep their distance too */
    assert_int_equal(nv_changes, before);
    clock_ms += 1000;
    assert_int_equal(take_up_to(200), FER_TROUBLE_STORAGE);
    nv_answer = FER_PORT_OK;
    clock_ms += 1000;
    take_ok();
    assert_int_equal(got.healths, 1);
    take_ok();
    assert_slice(got.event.text, "kept");
    take_ok();
    assert_true(got.readings[0].value == 7.0);
}

static void a_busy_port_is_asked_again(void **state)
{
    (void)state;
    fer_device_record(device, 1, 7.0);
    nv_answer = FER_PORT_NOT_NOW;
    assert_int_equal(take_up_to(200), FER_NOT_NOW);
    nv_answer = FER_PORT_OK;
    clock_ms += 1000;
    take_ok();
    take_ok();
    assert_true(got.readings[0].value == 7.0);
}

static void a_failed_second_burn_stops_sealing(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.burn_records = 2;
    config.burn_backoff_ms = 0;
    boot();
    fer_device_record(device, 1, 7.0);
    take_ok();
    take_ok();
    fer_device_record(device, 1, 8.0);
    nv_answer = FER_PORT_FAILED;
    assert_int_equal(take_up_to(200), FER_TROUBLE_STORAGE);
    acknowledge(); /* what was sent may still be answered */
    assert_int_equal(take_up_to(200), FER_TROUBLE_STORAGE);
    nv_answer = FER_PORT_OK;
    take_ok();
    assert_true(opened.generation > 0);
    take_ok();
    assert_true(got.readings[0].value == 8.0);
}

static void without_credential_nothing_is_sealed(void **state)
{
    (void)state;
    memset(nv_bytes, 0xFF, sizeof nv_bytes);
    reboot();
    fer_device_record(device, 1, 1.0);
    assert_int_equal(take_up_to(200), FER_RENEW_MISSING);
    memset(nv_bytes, 0x5A, sizeof nv_bytes);
    clock_ms += 1000;
    assert_int_equal(take_up_to(200), FER_TROUBLE_STATE);
    assert_int_equal(fer_device_get_room(device), READINGS - 1);
}

/* A lane that has used up its numbers fails closed, and what waits stays. */
static void a_seal_that_fails_keeps_the_item(void **state)
{
    (void)state;
    fer_device_record(device, 1, 7.0);
    take_ok();
    assert_int_equal(fer_sealer_advance(device->sealers[FER_LANE_LIVE], 0xFFFFFFFFu), FER_OK);
    assert_int_equal(take_up_to(200), FER_RENEW_EXHAUSTED);
    assert_int_equal(take_up_to(200), FER_RENEW_EXHAUSTED);
    assert_int_equal(fer_device_get_room(device), READINGS - 1);
    uint8_t stored[200];
    size_t n;
    assert_int_equal(fer_device_take_backlog(device, stored, sizeof stored, &n), FER_OK);
    peer_receive(stored, n);
    assert_true(got.readings[0].value == 7.0);
}

#define STREAM(test) cmocka_unit_test_setup_teardown(test, start_stream, stop)
#define DATAGRAM(test) cmocka_unit_test_setup_teardown(test, start_datagram, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(every_capacity_yields_or_refuses),
        DATAGRAM(every_capacity_yields_or_refuses),
        DATAGRAM(records_fill_the_capacity),
        STREAM(records_fill_the_capacity),
        DATAGRAM(two_way_at_32_bytes),
        DATAGRAM(one_way_at_32_bytes),
        DATAGRAM(what_never_fits_is_refused_and_kept),
        DATAGRAM(small_health_leaves_out_what_the_header_tells),
        DATAGRAM(no_plaintext_is_left_behind),
        STREAM(each_boot_that_sends_burns_one),
        STREAM(a_count_of_records_burns),
        STREAM(age_burns),
        STREAM(a_clock_that_fails_burns_nothing),
        STREAM(a_clock_that_fails_delays_no_burn),
        STREAM(a_clock_that_fails_tells_no_uptime),
        STREAM(burns_keep_their_distance),
        STREAM(without_clock_there_is_no_back_off),
        STREAM(a_failed_burn_sends_nothing_and_loses_nothing),
        STREAM(a_busy_port_is_asked_again),
        STREAM(a_failed_second_burn_stops_sealing),
        STREAM(without_credential_nothing_is_sealed),
        STREAM(a_seal_that_fails_keeps_the_item),
    };
    return cmocka_run_group_tests_name("device_edges", tests, NULL, NULL);
}
