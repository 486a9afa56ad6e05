/* snapshot: a context goes out and comes back, forward only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "snapshot_kit.h"

/* ---- round trips -------------------------------------------------------------------------- */

static void a_new_context_goes_out_and_comes_back(void **state)
{
    struct image image = export(create_known());
    struct image again;
    fer_gateway *other = create_empty();

    (void)state;
    assert_int_equal(import(other, &image), FER_OK);
    again = export(other);
    assert_int_equal(image.length, again.length);
    assert_memory_equal(image.bytes, again.bytes, image.length);
    assert_int_equal(receive(other, 2, FER_LANE_LIVE, 0), FER_OK);
}

static void a_busy_context_goes_out_and_comes_back(void **state)
{
    struct image image = export(create_busy());
    struct image again;
    fer_gateway *other = create_empty();
    uint8_t out[sizeof text + FER_OVERHEAD_MAX];
    size_t length;
    fer_unverified header;

    (void)state;
    assert_int_equal(import(other, &image), FER_OK);
    again = export(other);
    assert_int_equal(image.length, again.length);
    assert_memory_equal(image.bytes, again.bytes, image.length);
    /* What was accepted stays accepted (ONCE), and the rest is still welcome. */
    assert_int_equal(receive(other, 3, FER_LANE_LIVE, 100), FER_DROP_REPLAY);
    assert_int_equal(receive(other, 5, FER_LANE_BACKLOG, 2), FER_DROP_REPLAY);
    assert_int_equal(receive(other, 9, FER_LANE_LIVE, 4), FER_DROP_REPLAY);
    assert_int_equal(receive(other, 9, FER_LANE_BACKLOG, 90), FER_DROP_REPLAY);
    assert_int_equal(receive(other, 9, FER_LANE_LIVE, 5), FER_OK);
    assert_int_equal(receive(other, 5, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(fer_gateway_seal(other, 0, text, sizeof text, out, sizeof out, &length),
                     FER_OK);
    assert_int_equal(fer_record_inspect(out, length, &header), FER_OK);
    assert_int_equal(header.sequence, 2);
}

static void the_macro_bounds_every_snapshot(void **state)
{
    fer_gateway *gateway = create_busy();

    (void)state;
    assert_int_equal(receive(gateway, 10, FER_LANE_LIVE, 0), FER_OK);
    struct image image = export(gateway);

    assert_int_equal(image.bytes[AT_SLOTS], EARLIER);
    assert_true(image.length <= FER_SNAPSHOT_SIZE(EARLIER, WINDOW));
    assert_true(image.length + 8 > FER_SNAPSHOT_SIZE(EARLIER, WINDOW));
}

static void export_checks_its_arguments(void **state)
{
    fer_gateway *gateway = create_busy();
    struct image image = export(gateway);
    size_t length = 7;

    (void)state;
    assert_int_equal(fer_gateway_export(NULL, 0, image.bytes, 1000, &length), FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_export(gateway, 1, image.bytes, 1000, &length), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_export(gateway, 0, NULL, 1000, &length), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_export(gateway, 0, image.bytes, 1000, NULL), FER_ERR_ARGUMENT);
    for (size_t n = 0; n < image.length; n++) {
        assert_int_equal(fer_gateway_export(gateway, 0, image.bytes, n, &length), FER_ERR_CAPACITY);
    }
    assert_int_equal(length, 7);
    assert_int_equal(fer_gateway_export(gateway, 0, image.bytes, image.length, &length), FER_OK);
}

/* ---- order -------------------------------------------------------------------------------- */

static void the_same_context_is_brought_forward_only(void **state)
{
    fer_gateway *gateway = create_known();
    fer_gateway *behind = create_known();
    struct image images[4];

    (void)state;
    images[0] = export(gateway);
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(receive(gateway, i, FER_LANE_LIVE, 0), FER_OK);
        images[i] = export(gateway);
    }
    assert_int_equal(import(behind, &images[1]), FER_OK);
    assert_int_equal(import(behind, &images[1]), FER_OK);
    assert_int_equal(import(behind, &images[3]), FER_OK);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(import(behind, &images[i]), FER_DROP_OLD);
    }
    assert_int_equal(receive(behind, 3, FER_LANE_LIVE, 0), FER_DROP_REPLAY);
    assert_int_equal(receive(behind, 4, FER_LANE_LIVE, 0), FER_OK);
}

static void revisions_wrap_but_state_never_goes_back(void **state)
{
    fer_gateway *gateway = create_busy();
    struct image image = export(gateway);
    struct image bad = image;

    (void)state;
    fer_store_u32(bad.bytes + AT_REVISION, 0x80000000u);
    repair(&bad);
    assert_int_equal(import(gateway, &bad), FER_OK);
    fer_store_u32(bad.bytes + AT_REVISION, 1u);
    repair(&bad);
    assert_int_equal(import(gateway, &bad), FER_DROP_OLD);
    fer_store_u32(bad.bytes + AT_REVISION, 0xFFFFFFFFu);
    repair(&bad);
    assert_int_equal(import(gateway, &bad), FER_OK);
    fer_store_u32(bad.bytes + AT_REVISION, 0u);
    repair(&bad);
    assert_int_equal(import(gateway, &bad), FER_OK);

    /* Newer by its revision, older by what it says. */
    fer_store_u32(bad.bytes + AT_REVISION, 9u);
    fer_store_u32(bad.bytes + AT_DOWN, 1);
    repair(&bad);
    assert_int_equal(import(gateway, &bad), FER_DROP_OLD);
    assert_int_equal(receive(gateway, 9, FER_LANE_LIVE, 8), FER_OK);
    bad = image;
    fer_store_u32(bad.bytes + AT_REVISION, 100u);
    repair(&bad);
    assert_int_equal(import(gateway, &bad), FER_DROP_OLD);
    assert_int_equal(receive(gateway, 10, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(import(gateway, &bad), FER_DROP_OLD);
}

static void a_late_record_makes_older_snapshots_old(void **state)
{
    fer_gateway *gateway = create_busy();
    struct image image = export(gateway);

    (void)state;
    /* Only bits behind the tops change: the revision alone tells. */
    assert_int_equal(receive(gateway, 9, FER_LANE_LIVE, 5), FER_OK);
    assert_int_equal(import(gateway, &image), FER_DROP_OLD);
    assert_int_equal(receive(gateway, 9, FER_LANE_LIVE, 5), FER_DROP_REPLAY);
}

static void another_identity_at_the_route_is_refused(void **state)
{
    fer_gateway *gateway = create_empty();
    struct image image = export(create_busy());
    fer_credential credential;
    uint32_t context;

    (void)state;
    fixture_mint_as(&credential, 0, "pump-8", fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
    assert_int_equal(import(gateway, &image), FER_ERR_ORDER);
}

static void a_full_gateway_refuses(void **state)
{
    fer_gateway *gateway = create_empty();
    struct image image = export(create_busy());
    fer_credential credential;
    uint32_t context;

    (void)state;
    for (uint8_t i = 1; i < 3; i++) {
        fixture_mint(&credential, i, fixture_route + i, ROUTE);
        assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
    }
    assert_int_equal(import(gateway, &image), FER_ERR_ARENA);
}

static void other_windows_or_fewer_slots_are_refused(void **state)
{
    struct image image = export(create_busy());

    (void)state;
    assert_int_equal(import(create(1, REACH, WINDOW), &image), FER_ERR_ARGUMENT);
    assert_int_equal(fer_arena_rewind(&arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(import(create(2, REACH, WINDOW), &image), FER_OK);
    assert_int_equal(fer_arena_rewind(&arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(import(create(2, REACH, 128), &image), FER_ERR_ARGUMENT);
}

static void a_shorter_reach_raises_the_floor(void **state)
{
    fer_gateway *gateway = create_busy();
    struct image image = export(gateway);
    fer_gateway_state standing;

    (void)state;
    gateway = create(3, 4, WINDOW);
    assert_int_equal(import(gateway, &image), FER_OK);
    assert_int_equal(fer_gateway_get_state(gateway, 0, &standing), FER_OK);
    assert_int_equal(standing.floor, 5);
    assert_int_equal(standing.earlier, 1);
    assert_int_equal(receive(gateway, 3, FER_LANE_LIVE, 101), FER_DROP_OLD);
    assert_int_equal(receive(gateway, 5, FER_LANE_BACKLOG, 2), FER_DROP_REPLAY);
    assert_int_equal(receive(gateway, 5, FER_LANE_BACKLOG, 3), FER_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_context_goes_out_and_comes_back, setup),
        cmocka_unit_test_setup(a_busy_context_goes_out_and_comes_back, setup),
        cmocka_unit_test_setup(the_macro_bounds_every_snapshot, setup),
        cmocka_unit_test_setup(export_checks_its_arguments, setup),
        cmocka_unit_test_setup(the_same_context_is_brought_forward_only, setup),
        cmocka_unit_test_setup(revisions_wrap_but_state_never_goes_back, setup),
        cmocka_unit_test_setup(a_late_record_makes_older_snapshots_old, setup),
        cmocka_unit_test_setup(another_identity_at_the_route_is_refused, setup),
        cmocka_unit_test_setup(a_full_gateway_refuses, setup),
        cmocka_unit_test_setup(other_windows_or_fewer_slots_are_refused, setup),
        cmocka_unit_test_setup(a_shorter_reach_raises_the_floor, setup),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
