/* Tests of every public entry that takes a handle, with what is none: it answers FER_ERR_HANDLE and
 * touches nothing. Stands for a handle here: null; zeroed memory, which is what close leaves; an
 * open handle copied elsewhere; an open handle of another type. Null elsewhere: test_nulls.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "entry_kit.h"
#include "internal/poison.h"

/* ---- what is no handle ------------------------------------------------------------------ */

enum { COPIED = 64 };

static fer_arena_cell zeros[COPIED];
static fer_arena_cell copied[COPIED];

enum { FALSE_HANDLES = 4 };

/* The n-th thing that is no handle of the type of `open`; `other` is one of another type. */
static void *get_false_handle(unsigned n, const void *open, size_t size, void *other)
{
    void *const no[FALSE_HANDLES] = {NULL, zeros, copied, other};

    assert_true(size <= sizeof copied);
    memset(zeros, 0, sizeof zeros);
    memcpy(copied, open, size);
    return no[n];
}

/* At least the tag and what the first lines of a function read. */
enum { HEAD = 64 };

static void test_device_refuses_false_handles(void **state)
{
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_device *no = get_false_handle(n, device, sizeof *device, store);
        uint8_t image[FER_IMAGE_BYTES] = {1};
        fer_device *kept = no;
        fer_health health;

        fer_device_record(no, 1, 2.0);
        fer_device_record_at(no, 1, 2, 3.0);
        assert_int_equal(fer_device_get_room(no), 0);
        assert_handle(fer_device_event(no, FER_INFO, "x"));
        assert_handle(fer_device_raw(no, bytes, 1));
        assert_handle(fer_device_describe(no, 1, "x", "y"));
        assert_handle(fer_device_take(no, out, sizeof out, &length));
        assert_handle(fer_device_take_backlog(no, out, sizeof out, &length));
        assert_handle(fer_device_maintain(no));
        assert_handle(fer_device_feed(no, bytes, 1, &length, out, sizeof out, &length));
        assert_handle(fer_device_suspend(&kept, image));
        assert_handle(fer_device_resume(no, image));
        assert_handle(fer_device_get_health(no, &health));
        fer_device_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_device_close(NULL);
    (void)state;
}

static void test_sealer_refuses_false_handles(void **state)
{
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_sealer *no = get_false_handle(n, sealer, HEAD, opener);
        fer_sealer *kept = no;
        uint32_t next;

        assert_int_equal(fer_sealer_get_overhead(no), 0);
        assert_handle(fer_sealer_seal(no, bytes, 1, out, sizeof out, &length));
        assert_handle(fer_sealer_acknowledge(no));
        assert_handle(fer_sealer_get_next(no, &next));
        assert_handle(fer_sealer_advance(no, 9));
        fer_sealer_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_sealer_close(NULL);
    (void)state;
}

static void test_opener_refuses_false_handles(void **state)
{
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_opener *no = get_false_handle(n, opener, HEAD, sealer);
        fer_opener *kept = no;
        fer_ticket ticket = {{0}};

        assert_handle(fer_opener_open(no, bytes, sizeof bytes, out, sizeof out, &told));
        assert_handle(fer_opener_receive(no, bytes, sizeof bytes, out, sizeof out, &told));
        assert_handle(fer_opener_commit(no, &ticket));
        assert_handle(fer_opener_advance(no, 9));
        fer_opener_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_opener_close(NULL);
    fer_ticket_abort(NULL);
    (void)state;
}

static void test_gateway_refuses_false_handles(void **state)
{
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_gateway *no = get_false_handle(n, gateway, HEAD, store);
        fer_gateway *kept = no;
        fer_credential credential;
        fer_gateway_counts counts;
        fer_gateway_state where;
        fer_unverified header;
        fer_ticket ticket = {{0}};
        uint32_t number;

        fixture_mint(&credential, 0, fixture_route, ROUTE);
        assert_handle(fer_gateway_add(no, &credential, &number));
        assert_true(fixture_is_all(credential.bytes, sizeof credential.bytes, 0)); /* WIPE */
        assert_handle(fer_gateway_remove(no, 0));
        assert_handle(fer_gateway_open(no, bytes, 40, out, sizeof out, &told));
        assert_handle(fer_gateway_commit(no, &ticket));
        assert_handle(fer_gateway_receive(no, bytes, 40, out, sizeof out, &told));
        assert_handle(fer_gateway_seal(no, 0, bytes, 1, out, sizeof out, &length));
        assert_handle(fer_gateway_export(no, 0, out, sizeof out, &length));
        assert_handle(fer_gateway_import(no, bytes, sizeof bytes, &number));
        assert_handle(fer_gateway_inspect(no, bytes, 40, &number, &header));
        assert_handle(fer_gateway_verify(no, bytes, 40, out, sizeof out));
        assert_handle(fer_gateway_resync(no, 0, 1));
        assert_handle(fer_gateway_get_counts(no, &counts));
        assert_handle(fer_gateway_get_state(no, 0, &where));
        fer_gateway_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_gateway_close(NULL);
    (void)state;
}

static void test_store_refuses_false_handles_and_null(void **state)
{
    const fer_store_config of_store = {.nv = config.nv, .policy = config.policy};
    const fer_provision_config unbound = {NULL, 0, 0};
    fer_credential credential;
    fer_credential_info info;
    fer_store *made = NULL;
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_store *no = get_false_handle(n, store, HEAD, device);
        fer_store *kept = no;

        fixture_mint(&credential, 0, fixture_route, ROUTE);
        assert_handle(fer_store_install(no, &credential));
        assert_handle(fer_provision(no, &unbound, credential.bytes, sizeof credential.bytes));
        assert_handle(fer_store_get_info(no, &info));
        assert_handle(fer_store_burn(no, &credential));
        assert_handle(fer_store_maintain(no));
        fer_store_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_store_close(NULL);
    assert_refused(fer_store_create(NULL, &of_store, &made));
    assert_argument(fer_store_create(&arena, NULL, &made));
    assert_argument(fer_store_create(&arena, &of_store, NULL));
    assert_null(made);
    assert_argument(fer_store_install(store, NULL));
    assert_argument(fer_store_get_info(store, NULL));
    assert_argument(fer_store_burn(store, NULL));
    (void)state;
}

static void test_frame_refuses_false_handles_and_null(void **state)
{
    fer_frame_counts counts;
    fer_frame_decoder *made = NULL;
    uint8_t *frame;
    size_t used;
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_frame_decoder *no = get_false_handle(n, decoder, HEAD, window);
        fer_frame_decoder *kept = no;

        assert_handle(fer_frame_decoder_feed(no, bytes, 1, &used, &frame, &length));
        assert_handle(fer_frame_decoder_get_counts(no, &counts));
        fer_frame_decoder_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_frame_decoder_close(NULL);
    assert_argument(fer_frame_encode(NULL, 1, out, sizeof out, &length));
    assert_argument(fer_frame_encode(bytes, 1, NULL, sizeof out, &length));
    assert_argument(fer_frame_encode(bytes, 1, out, sizeof out, NULL));
    assert_refused(fer_frame_decoder_create(NULL, 64, &made));
    assert_argument(fer_frame_decoder_create(&arena, 64, NULL));
    assert_null(made);
    assert_argument(fer_frame_decoder_feed(decoder, NULL, 1, &used, &frame, &length));
    assert_argument(fer_frame_decoder_feed(decoder, bytes, 1, NULL, &frame, &length));
    assert_argument(fer_frame_decoder_feed(decoder, bytes, 1, &used, NULL, &length));
    assert_argument(fer_frame_decoder_feed(decoder, bytes, 1, &used, &frame, NULL));
    assert_argument(fer_frame_decoder_get_counts(decoder, NULL));
    (void)state;
}

static void test_replay_refuses_false_handles_and_null(void **state)
{
    fer_replay *made = NULL;
    uint32_t next;
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_replay *no = get_false_handle(n, window, 16, decoder);
        fer_replay *kept = no;

        assert_handle(fer_replay_check(no, 0));
        assert_handle(fer_replay_mark(no, 0));
        assert_handle(fer_replay_get_next(no, &next));
        fer_replay_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_replay_close(NULL);
    assert_refused(fer_replay_create(NULL, 64, &made));
    assert_argument(fer_replay_create(&arena, 64, NULL));
    assert_null(made);
    assert_argument(fer_replay_get_next(window, NULL));
    (void)state;
}

/* Under AddressSanitizer a closed handle is poisoned: there the program stops, which is better. */
static void test_handles_stay_closed(void **state)
{
    (void)state;
#ifndef FER_POISON_ON
    fer_device *was_device = device;
    fer_sealer *was_sealer = sealer;
    fer_opener *was_opener = opener;
    fer_gateway *was_gateway = gateway;
    fer_gateway_counts counts;

    fer_device_close(&device);
    fer_sealer_close(&sealer);
    fer_opener_close(&opener);
    fer_gateway_close(&gateway);
    assert_handle(fer_device_take(was_device, out, sizeof out, &length));
    assert_handle(fer_sealer_seal(was_sealer, bytes, 1, out, sizeof out, &length));
    assert_handle(fer_opener_receive(was_opener, bytes, 40, out, sizeof out, &told));
    assert_handle(fer_gateway_get_counts(was_gateway, &counts));
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_device_refuses_false_handles, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_sealer_refuses_false_handles, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_opener_refuses_false_handles, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_gateway_refuses_false_handles, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_store_refuses_false_handles_and_null, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_frame_refuses_false_handles_and_null, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_replay_refuses_false_handles_and_null, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_handles_stay_closed, open_world, close_world),
    };
    return cmocka_run_group_tests_name("handles", tests, NULL, NULL);
}
