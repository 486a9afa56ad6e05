/* snapshot: whatever receiving cannot have made is refused, and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "snapshot_kit.h"

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
    for (unsigned i = 0; i < 2; i++) {
        static const uint8_t places[] = {AT_CUR, AT_DOWN};
        struct image bad = image;

        bad.bytes[places[i]] = 1;
        repair(&bad);
        assert_int_equal(refuse(&bad), FER_DROP_MALFORMED);
        assert_int_equal(setup(NULL), 0);
    }
}

/* Of a generation that a session proved, no record need have come; but not the other way round. */
static void heard_without_a_record_and_not_without_being_heard(void **state)
{
    struct image proved = export(create_known());
    struct image unheard = make_busy_image();
    uint32_t context;

    (void)state;
    assert_int_equal(setup(NULL), 0);
    proved.bytes[AT_FLAGS] = 1;
    repair(&proved);
    assert_int_equal(fer_gateway_import(create_empty(), proved.bytes, proved.length, &context),
                     FER_OK);
    assert_int_equal(setup(NULL), 0);
    unheard.bytes[AT_FLAGS] = 0;
    repair(&unheard);
    assert_int_equal(refuse(&unheard), FER_DROP_MALFORMED);
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
        cmocka_unit_test_setup(every_flipped_bit_is_refused, setup),
        cmocka_unit_test_setup(every_length_but_its_own_is_refused, setup),
        cmocka_unit_test_setup(a_later_version_is_named, setup),
        cmocka_unit_test_setup(states_that_cannot_be_are_refused, setup),
        cmocka_unit_test_setup(a_slot_without_anything_accepted_is_refused, setup),
        cmocka_unit_test_setup(a_context_not_heard_has_no_past, setup),
        cmocka_unit_test_setup(heard_without_a_record_and_not_without_being_heard, setup),
        cmocka_unit_test_setup(import_checks_its_arguments, setup),
    };
    return cmocka_run_group_tests_name("snapshot_malformed", tests, NULL, NULL);
}
