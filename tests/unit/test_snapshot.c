/* snapshot: a context goes out and comes back; everything else is refused, and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferrule/gateway.h"
#include "internal/bytes.h"
#include "internal/gateway.h"
#include "internal/record.h"
#include "record_fixture.h"

enum { WINDOW = 64, EARLIER = 3, REACH = 16, ROUTE = 4 };
/* Offsets in a snapshot. */
enum {
    AT_VERSION = 2,
    AT_FLAGS = 3,
    AT_ROUTE_LENGTH = 4,
    AT_ZERO = 5,
    AT_SLOTS = 6,
    AT_BITS = 8,
    AT_REVISION = 12,
    AT_FINGERPRINT = 16,
    AT_ROUTE = 24,
    AT_FLOOR = 32,
    AT_CUR = 36,
    AT_DOWN = 40,
    AT_LIVE = 108,
    AT_BACKLOG = 120,
    AT_SLOT = 132,
    SLOT_BYTES = 28
};

FER_ARENA(arena, 3u * FER_GATEWAY_SIZE(2, EARLIER, WINDOW, 4));
FER_ARENA(device_arena, 2u * FER_SEALER_SIZE);

static const uint8_t text[] = "rpm 2950";
static struct fixture_entropy entropy;

struct wire {
    uint8_t bytes[sizeof text + FER_OVERHEAD_MAX];
    size_t length;
};

struct image {
    uint8_t bytes[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    size_t length;
};

static fer_gateway *create(uint32_t earlier, uint32_t reach, uint32_t window)
{
    fer_gateway_config config = fer_gateway_config_default();
    fer_gateway *gateway = NULL;

    config.contexts = 2;
    config.window_bits = window;
    config.earlier = earlier;
    config.reach = reach;
    config.max_skip = 1000;
    config.cache = 4;
    config.entropy.ops = &fixture_entropy_ops;
    config.entropy.context = &entropy;
    assert_int_equal(fer_gateway_create(&arena, &config, &gateway), FER_OK);
    return gateway;
}

static fer_gateway *create_empty(void)
{
    return create(EARLIER, REACH, WINDOW);
}

static fer_gateway *create_known(void)
{
    fer_gateway *gateway = create_empty();
    fer_credential credential;
    uint32_t context;

    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
    assert_int_equal(context, 0);
    return gateway;
}

static int setup(void **state)
{
    (void)state;
    memset(&entropy, 0, sizeof entropy);
    return fer_arena_rewind(&arena, (fer_arena_position){0}) == FER_OK ? 0 : -1;
}

static struct wire make(uint32_t generation, fer_lane lane, uint32_t sequence)
{
    fer_generation keys;
    fer_sealer_config config = {FER_UP, lane, FER_TWO_WAY, {NULL, NULL}};
    fer_sealer *sealer = NULL;
    struct wire wire;

    fixture_generation(&keys, 0, ROUTE, generation);
    assert_int_equal(fer_arena_rewind(&device_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_sealer_create(&device_arena, &keys, &config, &sealer), FER_OK);
    assert_int_equal(fer_sealer_advance(sealer, sequence), FER_OK);
    assert_int_equal(
        fer_sealer_seal(sealer, text, sizeof text, wire.bytes, sizeof wire.bytes, &wire.length),
        FER_OK);
    return wire;
}

static fer_status receive(fer_gateway *gateway, uint32_t generation, fer_lane lane,
                          uint32_t sequence)
{
    struct wire wire = make(generation, lane, sequence);
    uint8_t out[sizeof text];
    fer_opened opened;

    return fer_gateway_receive(gateway, wire.bytes, wire.length, out, sizeof out, &opened);
}

static struct image export(const fer_gateway *gateway)
{
    struct image image;

    memset(&image, 0, sizeof image);
    assert_int_equal(fer_gateway_export(gateway, 0, image.bytes, sizeof image.bytes, &image.length),
                     FER_OK);
    return image;
}

static fer_status import(fer_gateway *gateway, const struct image *image)
{
    uint32_t context = 7;
    fer_status status = fer_gateway_import(gateway, image->bytes, image->length, &context);

    assert_int_equal(context, status == FER_OK ? 0 : 7);
    return status;
}

/* Makes the check right again after a change, so that what is inside gets looked at. */
static void repair(struct image *image)
{
    uint8_t hash[FER_HASH_BYTES];

    fer_crypto_hash(image->bytes, image->length - 8, hash);
    memcpy(image->bytes + image->length - 8, hash, 8);
}

/* A gateway that heard generations 3, 5 and 9 on both lanes, and sent twice. */
static fer_gateway *create_busy(void)
{
    fer_gateway *gateway = create_known();
    uint8_t out[sizeof text + FER_OVERHEAD_MAX];
    size_t length;

    assert_int_equal(receive(gateway, 3, FER_LANE_LIVE, 100), FER_OK);
    assert_int_equal(receive(gateway, 5, FER_LANE_BACKLOG, 2), FER_OK);
    assert_int_equal(receive(gateway, 9, FER_LANE_LIVE, 4), FER_OK);
    assert_int_equal(receive(gateway, 9, FER_LANE_LIVE, 7), FER_OK);
    assert_int_equal(receive(gateway, 9, FER_LANE_BACKLOG, 90), FER_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fer_gateway_seal(gateway, 0, text, sizeof text, out, sizeof out, &length),
                         FER_OK);
    }
    return gateway;
}

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

/* ---- what is malformed -------------------------------------------------------------------- */

/* Imports into a gateway that knows the context and into one that does not; neither changes. */
static fer_status refuse(const struct image *image)
{
    fer_gateway *known = create_known();
    fer_gateway *empty = create_empty();
    struct image before = export(known);
    struct image after;
    fer_gateway_state standing;
    fer_status status = import(known, image);

    assert_int_not_equal(status, FER_OK);
    assert_int_equal(import(empty, image), status);
    assert_int_equal(fer_gateway_get_state(empty, 0, &standing), FER_ERR_ARGUMENT);
    after = export(known);
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
    return status;
}

static struct image make_busy_image(void)
{
    struct image image = export(create_busy());

    assert_int_equal(setup(NULL), 0);
    return image;
}

static void every_flipped_bit_is_refused(void **state)
{
    struct image image = make_busy_image();

    (void)state;
    for (size_t bit = 0; bit < image.length * 8u; bit++) {
        struct image bad = image;

        bad.bytes[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        assert_int_equal(refuse(&bad), FER_DROP_MALFORMED);
        assert_int_equal(setup(NULL), 0);
    }
}

static void every_length_but_its_own_is_refused(void **state)
{
    struct image image = make_busy_image();
    struct image bad = image;

    (void)state;
    for (size_t n = 0; n < sizeof image.bytes; n++) {
        if (n == image.length) {
            continue;
        }
        bad = image;
        bad.length = n;
        assert_int_equal(refuse(&bad), FER_DROP_MALFORMED);
        assert_int_equal(setup(NULL), 0);
        if (n >= 8) {
            repair(&bad);
            assert_int_equal(refuse(&bad), FER_DROP_MALFORMED);
            assert_int_equal(setup(NULL), 0);
        }
    }
}

static void a_later_version_is_named(void **state)
{
    struct image image = make_busy_image();

    (void)state;
    image.bytes[AT_VERSION] = 2;
    assert_int_equal(refuse(&image), FER_DROP_MALFORMED);
    repair(&image);
    assert_int_equal(setup(NULL), 0);
    assert_int_equal(refuse(&image), FER_DROP_VERSION);
}

/* Each breaks one rule of what receiving can have made. The busy image has cur 9, floor 0, slots 3
 * and 5; live next 8 (4 and 7 accepted), backlog next 91 (90), slot 3 live next 101. */
static const struct {
    uint16_t at;
    uint8_t bytes;
    uint32_t value;
} breakages[] = {
    {0, 1, 'G'},
    {1, 1, 'F'},
    {AT_FLAGS, 1, 0},
    {AT_FLAGS, 1, 3},
    {AT_FLAGS, 1, 0x81},
    {AT_ROUTE_LENGTH, 1, 1},
    {AT_ROUTE_LENGTH, 1, 2},
    {AT_ROUTE_LENGTH, 1, 3},
    {AT_ROUTE_LENGTH, 1, 9},
    {AT_ROUTE_LENGTH, 1, 255},
    {AT_ZERO, 1, 1},
    {AT_SLOTS, 2, 1},
    {AT_SLOTS, 2, 3},
    {AT_SLOTS, 2, 0xFFFF},
    {AT_BITS, 4, 0},
    {AT_BITS, 4, 32},
    {AT_BITS, 4, 96},
    {AT_BITS, 4, 128},
    {AT_BITS, 4, 16384},
    {AT_BITS, 4, 0x80000000u},
    {AT_ROUTE + ROUTE, 1, 1},
    {AT_ROUTE + 7, 1, 1},
    {AT_FLOOR, 4, 4},
    {AT_FLOOR, 4, 10},
    {AT_CUR, 4, 0xFFFFFFFFu},
    {AT_CUR, 4, 248},
    {AT_CUR, 4, 5},
    {AT_LIVE, 4, 0},
    {AT_LIVE, 4, 7},
    {AT_LIVE, 4, 9},
    {AT_LIVE + 4, 4, 0},
    {AT_LIVE + 4, 4, 0x190},
    {AT_LIVE + 8, 4, 1},
    {AT_BACKLOG, 4, 0},
    {AT_BACKLOG, 4, 90},
    {AT_SLOT, 4, 9},
    {AT_SLOT, 4, 5},
    {AT_SLOT, 4, 6},
    {AT_SLOT + 4, 4, 0},
    {AT_SLOT + 4, 4, 100},
    {AT_SLOT + SLOT_BYTES, 4, 3},
    {AT_SLOT + SLOT_BYTES, 4, 0xFFFFFFFFu},
};

static void states_that_cannot_be_are_refused(void **state)
{
    struct image image = make_busy_image();

    (void)state;
    for (size_t i = 0; i < sizeof breakages / sizeof breakages[0]; i++) {
        struct image bad = image;
        uint8_t value[4];

        fer_store_u32(value, breakages[i].value);
        memcpy(bad.bytes + breakages[i].at, value, breakages[i].bytes);
        assert_memory_not_equal(bad.bytes, image.bytes, image.length);
        repair(&bad);
        if (refuse(&bad) != FER_DROP_MALFORMED) {
            fail_msg("breakage %u was not found malformed", (unsigned)i);
        }
        assert_int_equal(setup(NULL), 0);
    }
}

static void a_slot_without_anything_accepted_is_refused(void **state)
{
    struct image image = make_busy_image();

    (void)state;
    memset(image.bytes + AT_SLOT + 4, 0, SLOT_BYTES - 4);
    repair(&image);
    assert_int_equal(refuse(&image), FER_DROP_MALFORMED);
}

static void a_context_not_heard_has_no_past(void **state)
{
    struct image image = export(create_known());

    (void)state;
    assert_int_equal(setup(NULL), 0);
    for (unsigned i = 0; i < 3; i++) {
        static const uint8_t places[] = {AT_CUR, AT_DOWN, AT_FLAGS};
        struct image bad = image;

        bad.bytes[places[i]] = 1;
        repair(&bad);
        assert_int_equal(refuse(&bad), FER_DROP_MALFORMED);
        assert_int_equal(setup(NULL), 0);
    }
}

static void import_checks_its_arguments(void **state)
{
    struct image image = make_busy_image();
    fer_gateway *gateway = create_empty();
    uint32_t context;

    (void)state;
    assert_int_equal(fer_gateway_import(NULL, image.bytes, image.length, &context), FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_import(gateway, NULL, image.length, &context), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_import(gateway, image.bytes, image.length, NULL),
                     FER_ERR_ARGUMENT);
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
        cmocka_unit_test_setup(every_flipped_bit_is_refused, setup),
        cmocka_unit_test_setup(every_length_but_its_own_is_refused, setup),
        cmocka_unit_test_setup(a_later_version_is_named, setup),
        cmocka_unit_test_setup(states_that_cannot_be_are_refused, setup),
        cmocka_unit_test_setup(a_slot_without_anything_accepted_is_refused, setup),
        cmocka_unit_test_setup(a_context_not_heard_has_no_past, setup),
        cmocka_unit_test_setup(import_checks_its_arguments, setup),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
