/* An image in memory that cannot be overwritten, wholly or in part: the device does not go on from
 * it, for it could be resumed again (NONCE). The wipe of src/device_sleep.c is replaced by one that
 * such memory makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define fer_wipe wipe_in_stubborn_memory
#include "device_sleep.c"
#undef fer_wipe

#include "device_kit.h"

void fer_wipe(void *memory, size_t n);

static uint8_t kept[FER_IMAGE_BYTES];
static size_t stuck_at, stuck; /* bytes of `kept` that hold what they hold */

void wipe_in_stubborn_memory(void *memory, size_t n)
{
    uint8_t before[FER_IMAGE_BYTES];

    memcpy(before, kept, sizeof before);
    fer_wipe(memory, n);
    memcpy(kept + stuck_at, before + stuck_at, stuck);
}

static void sleep_after_one(void)
{
    boot();
    fer_device_record(device, 1, 1.0);
    take_ok();
    take_ok();
    assert_int_equal(fer_device_suspend(&device, kept), FER_OK);
    boot();
}

static void check_refused(void)
{
    uint32_t before = opened.generation;

    assert_int_equal(fer_device_resume(device, kept), FER_TROUBLE_STATE);
    assert_null(device->sealers[FER_LANE_LIVE]);
    assert_null(device->sealers[FER_LANE_BACKLOG]);
    assert_null(device->opener);
    fer_device_record(device, 1, 2.0);
    take_ok();
    assert_int_equal(opened.generation, before + 1); /* not locked out */
}

static void memory_that_keeps_all_is_not_resumed_from(void **state)
{
    (void)state;
    fer_device_close(&device);
    sleep_after_one();
    stuck_at = 0;
    stuck = sizeof kept;
    check_refused();
    fer_device_close(&device);
    stuck = 0; /* it gives way; the store has gone on */
    boot();
    assert_int_equal(fer_device_resume(device, kept), FER_DROP_FORGED);
}

static void memory_that_keeps_one_byte_is_not_resumed_from(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof kept; at += 9) {
        fer_device_close(&device);
        stuck = 0;
        sleep_after_one();
        stuck_at = at;
        stuck = kept[at] != 0;
        if (stuck != 0) {
            check_refused();
        }
    }
}

/* What cannot be overwritten now, and can later, serves once all the same. */
static void nothing_was_sealed_so_it_serves_later(void **state)
{
    (void)state;
    fer_device_close(&device);
    sleep_after_one();
    stuck_at = 0;
    stuck = sizeof kept;
    assert_int_equal(fer_device_resume(device, kept), FER_TROUBLE_STATE);
    fer_device_close(&device);
    stuck = 0;
    boot();
    uint32_t last = opened.sequence;
    assert_int_equal(fer_device_resume(device, kept), FER_OK);
    fer_device_record(device, 1, 2.0);
    take_ok();
    assert_int_equal(opened.sequence, last + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_that_keeps_all_is_not_resumed_from, start_datagram,
                                        stop),
        cmocka_unit_test_setup_teardown(memory_that_keeps_one_byte_is_not_resumed_from,
                                        start_datagram, stop),
        cmocka_unit_test_setup_teardown(nothing_was_sealed_so_it_serves_later, start_datagram,
                                        stop),
    };

    return cmocka_run_group_tests_name("device_image", tests, NULL, NULL);
}
