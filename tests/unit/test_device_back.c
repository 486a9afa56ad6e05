/* Device: what comes back, sleep, and the one property that matters most: no (generation, lane,
 * number) is ever sealed twice, whatever is done in whatever order (NONCE). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "device_kit.h"
#include "internal/device.h"
#include "random.h"

static uint8_t image[FER_IMAGE_BYTES];

static void send_one(void)
{
    fer_device_record(device, 1, 1.0);
    while (take_up_to(200) == FER_OK) {
    }
}

static void wake(void)
{
    assert_null(device);
    boot();
}

/* ---- downlink --------------------------------------------------------------------------- */

static void downlink_opens_once(void **state)
{
    (void)state;
    send_one();
    size_t n = answer((const uint8_t *)"abc", 3);
    assert_int_equal(feed(down_bytes, n), FER_OK);
    assert_int_equal(fed_used, n);
    assert_int_equal(fed_length, 3);
    assert_memory_equal(fed, "abc", 3);
    assert_int_equal(feed(down_bytes, n), FER_EMPTY);
    assert_int_equal(fed_length, 0);
    assert_int_equal(health_now().inbound_rejected, 1);
}

static void downlink_allows_the_short_form(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(opened.form, FER_FORM_FULL);
    acknowledge();
    send_one();
    assert_int_equal(opened.form, FER_FORM_SHORT);
}

static void streams_come_in_any_pieces(void **state)
{
    (void)state;
    uint8_t all[600];
    size_t total = 0;
    send_one();
    all[total++] = 0x11; /* noise, then a delimiter */
    all[total++] = 0;
    for (uint8_t i = 0; i < 5; i++) {
        size_t n = answer(&i, 1);
        memcpy(all + total, down_bytes, n);
        total += n;
    }
    for (size_t piece = 1; piece < total; piece += 7) {
        uint8_t expected = 0;
        /* the same five again would be replays: a fresh device of the same generation */
        fer_device_close(&device);
        boot();
        send_one();
        total = 2;
        for (uint8_t i = 0; i < 5; i++) {
            size_t n = answer(&i, 1);
            memcpy(all + total, down_bytes, n);
            total += n;
        }
        for (size_t at = 0; at < total;) {
            size_t n = total - at < piece ? total - at : piece;
            fer_status status = feed(all + at, n);
            at += fed_used;
            if (status == FER_OK) {
                assert_int_equal(fed_length, 1);
                assert_int_equal(fed[0], expected++);
            } else {
                assert_int_equal(status, FER_EMPTY);
                assert_int_equal(fed_used, n);
            }
        }
        assert_int_equal(expected, 5);
        assert_int_equal(health_now().inbound_frames_dropped, 1);
    }
}

static void forgeries_are_counted_and_silent(void **state)
{
    (void)state;
    send_one();
    size_t n = answer((const uint8_t *)"abc", 3);
    for (size_t i = 0; i < n; i++) {
        down_bytes[i] ^= 1;
        memset(fed, 0xA5, sizeof fed);
        assert_int_equal(feed(down_bytes, n), FER_EMPTY);
        assert_int_equal(fed_length, 0);
        assert_false(memcmp(fed, "abc", 3) == 0);
        down_bytes[i] ^= 1;
    }
    assert_int_equal(health_now().inbound_rejected, n);
    assert_int_equal(feed(down_bytes, n), FER_OK);
}

static void downlink_before_uplink_is_rejected(void **state)
{
    (void)state;
    peer_meet(0);
    opened.generation = 0;
    size_t n = answer(NULL, 0);
    assert_int_equal(feed(down_bytes, n), FER_EMPTY);
    assert_int_equal(health_now().inbound_rejected, 1);
    assert_int_equal(nv_changes, 0);
}

static void downlink_without_a_generation_is_rejected(void **state)
{
    (void)state;
    send_one();
    size_t n = answer((const uint8_t *)"abc", 3);
    fer_device_close_generation(device);
    assert_int_equal(feed(down_bytes, n), FER_EMPTY);
    assert_int_equal(health_now().inbound_rejected, 1);
}

static void downlink_of_an_earlier_generation_is_dead(void **state)
{
    (void)state;
    send_one();
    size_t n = answer(NULL, 0);
    fer_device_close(&device);
    boot();
    send_one();
    assert_int_equal(opened.generation, 1);
    assert_int_equal(feed(down_bytes, n), FER_EMPTY);
    assert_int_equal(health_now().inbound_rejected, 1);
}

static void oversized_downlink_is_counted(void **state)
{
    (void)state;
    uint8_t big[INBOUND + 1] = {1};
    uint8_t small[INBOUND - 1];
    size_t n, used;
    send_one();
    assert_int_equal(feed(big, sizeof big), FER_EMPTY);
    assert_int_equal(health_now().inbound_rejected, 1);
    assert_int_equal(fer_device_feed(device, big, 4, &used, small, sizeof small, &n),
                     FER_ERR_CAPACITY);
    assert_int_equal(used, 0);
    assert_int_equal(feed(big, 0), FER_EMPTY);
    assert_int_equal(health_now().inbound_rejected, 1);
}

/* ---- sleep ------------------------------------------------------------------------------ */

static void sleep_costs_no_burn(void **state)
{
    (void)state;
    send_one();
    size_t n = answer(NULL, 0);
    assert_int_equal(feed(down_bytes, n), FER_OK);
    uint32_t last = opened.sequence;
    unsigned before = nv_changes;
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    assert_null(device);
    wake();
    assert_int_equal(fer_device_resume(device, image), FER_OK);
    assert_true(fixture_is_all(image, sizeof image, 0));
    assert_int_equal(feed(down_bytes, n), FER_EMPTY); /* ONCE, across sleep */
    fer_device_record(device, 1, 2.0);
    take_ok();
    assert_int_equal(got.count, 1);
    assert_int_equal(opened.generation, 0);
    assert_int_equal(opened.sequence, last + 1);
    acknowledge();
    assert_int_equal(nv_changes, before);
}

static void sleep_refuses_what_would_lose(void **state)
{
    (void)state;
    assert_int_equal(fer_device_suspend(&device, image), FER_EMPTY);
    send_one();
    fer_device_record(device, 1, 2.0);
    assert_int_equal(fer_device_suspend(&device, image), FER_ERR_ORDER);
    take_ok();
    assert_int_equal(fer_device_event(device, FER_INFO, "x"), FER_OK);
    assert_int_equal(fer_device_suspend(&device, image), FER_ERR_ORDER);
    take_ok();
    nv_read_answer = FER_PORT_FAILED;
    assert_int_equal(fer_device_suspend(&device, image), FER_TROUBLE_STORAGE);
    nv_read_answer = FER_PORT_OK;
    send_one(); /* still open, same generation */
    assert_int_equal(opened.generation, 0);
    assert_int_equal(fer_device_suspend(NULL, image), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_suspend(&device, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    assert_int_equal(fer_device_suspend(&device, image), FER_ERR_HANDLE);
    wake();
}

static void an_image_serves_once(void **state)
{
    (void)state;
    uint8_t copy[FER_IMAGE_BYTES];
    send_one();
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    memcpy(copy, image, sizeof copy);
    wake();
    assert_int_equal(fer_device_resume(device, image), FER_OK);
    assert_int_equal(fer_device_resume(device, image), FER_ERR_ORDER);
    fer_device_close(&device);
    boot();
    assert_int_equal(fer_device_resume(device, image), FER_DROP_FORGED); /* all zeros */
    send_one();
    assert_int_equal(opened.generation, 1);
    fer_device_close(&device);
    boot();
    assert_int_equal(fer_device_resume(device, copy), FER_DROP_FORGED); /* the store went on */
    assert_true(fixture_is_all(copy, sizeof copy, 0));
    send_one();
    assert_int_equal(opened.generation, 2);
}

static void every_changed_bit_of_an_image_is_noticed(void **state)
{
    (void)state;
    uint8_t copy[FER_IMAGE_BYTES], changed[FER_IMAGE_BYTES];
    send_one();
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    memcpy(copy, image, sizeof copy);
    for (size_t bit = 0; bit < 8 * sizeof copy; bit++) {
        memcpy(changed, copy, sizeof changed);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        wake();
        assert_int_equal(fer_device_resume(device, changed), FER_DROP_FORGED);
        assert_true(fixture_is_all(changed, sizeof changed, 0));
        assert_null(device->sealers[FER_LANE_LIVE]);
        fer_device_close(&device);
    }
    wake();
    assert_int_equal(fer_device_resume(device, copy), FER_OK);
}

static void an_image_is_consumed_even_where_it_cannot_serve(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    assert_int_equal(fer_device_resume(NULL, image), FER_ERR_HANDLE);
    assert_true(fixture_is_all(image, sizeof image, 0));
    wake();
    send_one();
    memset(image, 1, sizeof image);
    assert_int_equal(fer_device_resume(device, image), FER_ERR_ORDER);
    assert_true(fixture_is_all(image, sizeof image, 0));
    assert_int_equal(fer_device_resume(device, NULL), FER_ERR_ARGUMENT);
}

/* A downlink sealed under keys of zeros, in generation 0. */
static size_t seal_under_zeros(void)
{
    FER_ARENA(arena, FER_SEALER_SIZE);
    const fer_sealer_config down = {
        FER_DOWN, FER_LANE_LIVE, FER_TWO_WAY, {&fixture_entropy_ops, &peer_entropy}};
    fer_record_key keys[3];
    fer_credential credential;
    fer_generation generation;
    fer_sealer *sealer;
    size_t n;
    arena.used = 0;
    memset(keys, 0, sizeof keys);
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_generation_rebuild(&generation, &credential, 0, keys), FER_OK);
    assert_int_equal(fer_sealer_create(&arena, &generation, &down, &sealer), FER_OK);
    assert_int_equal(fer_sealer_seal(sealer, NULL, 0, down_bytes, sizeof down_bytes, &n), FER_OK);
    fer_sealer_close(&sealer);
    fer_generation_wipe(&generation);
    return n;
}

/* What a failed burn left in the store is not known: nothing of before it goes on. */
static void an_image_does_not_serve_after_a_burn_was_tried(void **state)
{
    (void)state;
    send_one();
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    wake();
    nv_answer = FER_PORT_FAILED;
    fer_device_record(device, 1, 1.0);
    assert_int_equal(take_up_to(2000), FER_TROUBLE_STORAGE);
    nv_answer = FER_PORT_OK;
    assert_int_equal(fer_device_resume(device, image), FER_ERR_ORDER);
    assert_true(fixture_is_all(image, sizeof image, 0));
}

static void sleep_does_not_stretch_a_generation(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.burn_records = 3;
    config.burn_backoff_ms = 0;
    boot();
    for (uint32_t i = 0; i < 6; i++) {
        send_one();
        assert_int_equal(opened.generation, i / 2); /* health, reading; reading; next */
        assert_int_equal(fer_device_suspend(&device, image), FER_OK);
        wake();
        assert_int_equal(fer_device_resume(device, image), FER_OK);
    }
}

/* Suspended without a way back, resumed with one: nothing is opened, under the key that is not
 * there or under the zeros that stand in its place. */
static void an_image_without_down_key_opens_nothing(void **state)
{
    (void)state;
    fer_device_close(&device);
    config.inbound = 0;
    boot();
    send_one();
    assert_int_equal(fer_device_suspend(&device, image), FER_OK);
    config.inbound = INBOUND;
    wake();
    assert_int_equal(fer_device_resume(device, image), FER_OK);
    size_t n = answer(NULL, 0);
    assert_int_equal(feed(down_bytes, n), FER_EMPTY);
    n = seal_under_zeros();
    assert_int_equal(feed(down_bytes, n), FER_EMPTY);
    assert_int_equal(health_now().inbound_rejected, 2);
    send_one();
}

/* ---- the property ----------------------------------------------------------------------- */

/* The peer's openers accept each number once and have windows wider than any run here, so that
 * take_up_to fails the test if a number ever comes twice. */
static void no_number_is_ever_used_twice(void **state)
{
    (void)state;
    test_random random = test_random_start("no_number_is_ever_used_twice");
    uint8_t kept[FER_IMAGE_BYTES] = {0}, bytes[300];
    size_t n;
    unsigned records = 0;
    while (health_now().generation < GENERATIONS - 2) {
        fer_device_record(device, (uint16_t)test_random_below(&random, 5), records);
        switch (test_random_below(&random, 9)) {
        case 0: /* a reset */
            fer_device_close(&device);
            boot();
            break;
        case 1: /* sleep, and wake or not */
            while (take_up_to(300) == FER_OK) {
            }
            if (fer_device_suspend(&device, image) == FER_OK) {
                memcpy(kept, image, sizeof kept);
                boot();
                (void)!(test_random_below(&random, 4) == 0 ? FER_OK
                                                           : fer_device_resume(device, image));
            }
            break;
        case 2: /* an old image, unless it is still the newest generation's */
            if (opened.generation < health_now().generation) {
                fer_device_close(&device);
                boot();
                assert_int_not_equal(fer_device_resume(device, kept), FER_OK);
            }
            break;
        case 3:
            nv_answer = test_random_below(&random, 2) == 0 ? FER_PORT_FAILED : FER_PORT_OK;
            break;
        case 4:
            if (fer_device_take_backlog(device, bytes, sizeof bytes, &n) == FER_OK) {
                peer_receive(bytes, n);
                records++;
            }
            break;
        case 5:
            if (device->sealers[FER_LANE_LIVE] != NULL &&
                opened.generation == device->health.generation && downs[opened.generation]) {
                acknowledge();
            }
            break;
        default:
            clock_ms += 300;
            records += take_up_to(60 + test_random_below(&random, 200)) == FER_OK;
        }
        nv_answer = test_random_below(&random, 3) == 0 ? nv_answer : FER_PORT_OK;
    }
    assert_true(records > 30);
}

#define STREAM(test) cmocka_unit_test_setup_teardown(test, start_stream, stop)
#define DATAGRAM(test) cmocka_unit_test_setup_teardown(test, start_datagram, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(downlink_opens_once),
        DATAGRAM(downlink_opens_once),
        DATAGRAM(downlink_allows_the_short_form),
        STREAM(streams_come_in_any_pieces),
        DATAGRAM(forgeries_are_counted_and_silent),
        DATAGRAM(downlink_before_uplink_is_rejected),
        STREAM(downlink_without_a_generation_is_rejected),
        STREAM(downlink_of_an_earlier_generation_is_dead),
        DATAGRAM(oversized_downlink_is_counted),
        DATAGRAM(sleep_costs_no_burn),
        DATAGRAM(sleep_refuses_what_would_lose),
        STREAM(an_image_serves_once),
        DATAGRAM(every_changed_bit_of_an_image_is_noticed),
        DATAGRAM(an_image_is_consumed_even_where_it_cannot_serve),
        DATAGRAM(an_image_does_not_serve_after_a_burn_was_tried),
        DATAGRAM(sleep_does_not_stretch_a_generation),
        DATAGRAM(an_image_without_down_key_opens_nothing),
        DATAGRAM(no_number_is_ever_used_twice),
        STREAM(no_number_is_ever_used_twice),
    };
    return cmocka_run_group_tests_name("device_back", tests, NULL, NULL);
}
