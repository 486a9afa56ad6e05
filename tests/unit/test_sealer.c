/* sealer: numbers (NONCE), forms, capacities, failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal/bytes.h"
#include "internal/record.h"
#include "internal/replay.h"
#include "record_fixture.h"

FER_ARENA(arena, 8u * FER_SEALER_SIZE + 4u * FER_OPENER_SIZE(64));

static struct fixture_entropy entropy;
static const uint8_t text[] = "temperature 21.5";

static int setup(void **state)
{
    (void)state;
    memset(&entropy, 0, sizeof entropy);
    return fer_arena_rewind(&arena, (fer_arena_position){0}) == FER_OK ? 0 : -1;
}

static fer_sealer *make(fer_direction direction, fer_lane lane, fer_way way, size_t route_length,
                        uint32_t generation)
{
    fer_generation keys;
    fer_sealer_config config = {direction, lane, way, {&fixture_entropy_ops, &entropy}};
    fer_sealer *sealer = NULL;

    fixture_generation(&keys, 0, route_length, generation);
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_OK);
    fer_generation_wipe(&keys);
    return sealer;
}

/* Seals `text` and tells the record's header. */
static fer_unverified seal(fer_sealer *sealer)
{
    uint8_t record[sizeof text + FER_OVERHEAD_MAX];
    size_t length = 0;
    size_t overhead = fer_sealer_get_overhead(sealer);
    fer_unverified header;

    assert_int_equal(
        fer_sealer_seal(sealer, text, sizeof text, record, sizeof text + overhead, &length),
        FER_OK);
    assert_int_equal(length, sizeof text + overhead);
    assert_int_equal(fer_record_inspect(record, length, &header), FER_OK);
    return header;
}

static void numbers_start_at_zero_and_advance(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 0, 5);
    uint32_t next = 99;

    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(fer_sealer_get_next(sealer, &next), FER_OK);
        assert_int_equal(next, i);
        fer_unverified header = seal(sealer);
        assert_int_equal(header.sequence, i);
        assert_int_equal(header.generation, 5);
        assert_int_equal(header.kind, FER_KIND_PROVISIONED);
        assert_int_equal(header.direction, FER_UP);
    }
}

static void two_way_is_full_until_acknowledged(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 0);

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(seal(sealer).form, FER_FORM_FULL);
    }
}

static void two_way_is_full_every_64_without_news(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 0);

    (void)state;
    assert_int_equal(seal(sealer).form, FER_FORM_FULL);
    assert_int_equal(fer_sealer_acknowledge(sealer), FER_OK);
    for (unsigned i = 1; i <= 256; i++) {
        assert_int_equal(seal(sealer).form, i % 64 == 0 ? FER_FORM_FULL : FER_FORM_SHORT);
    }
    for (unsigned i = 1; i <= 40; i++) {
        (void)seal(sealer);
    }
    assert_int_equal(fer_sealer_acknowledge(sealer), FER_OK);
    for (unsigned i = 1; i <= 63; i++) {
        assert_int_equal(seal(sealer).form, FER_FORM_SHORT);
    }
    assert_int_equal(seal(sealer).form, FER_FORM_FULL);
}

static void one_way_is_full_first_four_then_every_32nd(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_ONE_WAY, 4, 0);

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        fer_form expected = i < 4 || i % 32 == 0 ? FER_FORM_FULL : FER_FORM_SHORT;
        fer_unverified header = seal(sealer);
        assert_int_equal(header.form, expected);
        assert_int_equal(header.sequence, i);
        if (i == 100) {
            assert_int_equal(fer_sealer_acknowledge(sealer), FER_OK);
        }
    }
}

static void backlog_is_always_full(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_BACKLOG, FER_TWO_WAY, 8, 0);

    (void)state;
    assert_int_equal(fer_sealer_acknowledge(sealer), FER_OK);
    for (unsigned i = 0; i < 130; i++) {
        fer_unverified header = seal(sealer);
        assert_int_equal(header.form, FER_FORM_FULL);
        assert_int_equal(header.lane, FER_LANE_BACKLOG);
    }
}

static void down_is_full_with_a_fresh_salt(void **state)
{
    fer_sealer *sealer = make(FER_DOWN, FER_LANE_LIVE, FER_TWO_WAY, 8, 0);
    uint64_t before = 0;

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        fer_unverified header = seal(sealer);
        assert_int_equal(header.direction, FER_DOWN);
        assert_int_equal(header.form, FER_FORM_FULL);
        assert_int_equal(header.sequence, i);
        assert_true(header.salt != before);
        before = header.salt;
    }
    assert_int_equal(entropy.value, 160);
}

static void failing_entropy_seals_nothing_and_loses_the_number(void **state)
{
    fer_sealer *sealer = make(FER_DOWN, FER_LANE_LIVE, FER_TWO_WAY, 8, 0);
    uint8_t record[sizeof text + FER_OVERHEAD_MAX];
    size_t length = 77;
    uint32_t next = 0;

    (void)state;
    entropy.fail_at = 1;
    memset(record, 0xEE, sizeof record);
    assert_int_equal(fer_sealer_seal(sealer, text, sizeof text, record, sizeof record, &length),
                     FER_TROUBLE_ENTROPY);
    assert_int_equal(length, 77);
    assert_true(fixture_is_all(record, sizeof record, 0));
    assert_int_equal(fer_sealer_get_next(sealer, &next), FER_OK);
    assert_int_equal(next, 1);
    assert_int_equal(seal(sealer).sequence, 1);
}

static void too_small_an_output_uses_no_number(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 0);
    uint8_t record[sizeof text + FER_OVERHEAD_MAX];
    size_t length = 77;
    uint32_t next = 9;

    (void)state;
    memset(record, 0xEE, sizeof record);
    for (size_t capacity = 0; capacity < sizeof text + FER_OVERHEAD_FULL(2); capacity++) {
        assert_int_equal(fer_sealer_seal(sealer, text, sizeof text, record, capacity, &length),
                         FER_ERR_CAPACITY);
    }
    assert_true(fixture_is_all(record, sizeof record, 0xEE));
    assert_int_equal(fer_sealer_get_next(sealer, &next), FER_OK);
    assert_int_equal(next, 0);
}

static void wrong_arguments_are_refused(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 0);
    uint8_t record[64];
    size_t length;
    uint32_t next;

    (void)state;
    assert_int_equal(fer_sealer_seal(NULL, text, 1, record, 64, &length), FER_ERR_HANDLE);
    assert_int_equal(fer_sealer_seal(sealer, NULL, 1, record, 64, &length), FER_ERR_ARGUMENT);
    assert_int_equal(fer_sealer_seal(sealer, text, 1, NULL, 64, &length), FER_ERR_ARGUMENT);
    assert_int_equal(fer_sealer_seal(sealer, text, 1, record, 64, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(
        fer_sealer_seal(sealer, text, FER_PLAINTEXT_MAX + 1u, record, SIZE_MAX, &length),
        FER_ERR_ARGUMENT);
    assert_int_equal(fer_sealer_get_next(sealer, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_sealer_get_next(NULL, &next), FER_ERR_HANDLE);
    assert_int_equal(fer_sealer_acknowledge(NULL), FER_ERR_HANDLE);
    assert_int_equal(fer_sealer_advance(NULL, 1), FER_ERR_HANDLE);
    assert_int_equal(fer_sealer_get_overhead(NULL), 0);
    assert_int_equal(fer_sealer_seal(sealer, NULL, 0, record, 64, &length), FER_OK);
    assert_int_equal(length, FER_OVERHEAD_FULL(2));
}

static void a_copied_handle_is_refused(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 0);
    struct fer_sealer copy = *sealer;
    uint8_t record[64];
    size_t length;

    (void)state;
    assert_int_equal(fer_sealer_seal(&copy, text, 1, record, 64, &length), FER_ERR_HANDLE);
}

static void a_key_is_taken_once(void **state)
{
    fer_generation keys;
    fer_sealer_config config = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    fer_sealer *sealer = NULL;
    size_t room;

    (void)state;
    fixture_generation(&keys, 0, 2, 0);
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_OK);
    room = fer_arena_room(&arena);
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_ERR_ORDER);
    assert_int_equal(fer_arena_room(&arena), room);
    config.lane = FER_LANE_BACKLOG;
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_OK);
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_ERR_ORDER);
}

static void create_refuses_what_cannot_work(void **state)
{
    fer_generation keys;
    fer_generation copy;
    fer_sealer_config config = {FER_DOWN, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    fer_sealer *sealer = NULL;
    fer_arena_cell cells[2];
    fer_arena small;

    (void)state;
    fixture_generation(&keys, 0, 2, 0);
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_ERR_ARGUMENT);
    config.entropy.ops = &fixture_entropy_ops;
    config.lane = FER_LANE_BACKLOG;
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_ERR_ARGUMENT);
    config.direction = FER_UP;
    assert_int_equal(fer_sealer_create(&arena, &keys, NULL, &sealer), FER_ERR_ARGUMENT);
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_sealer_create(&arena, NULL, &config, &sealer), FER_ERR_HANDLE);
    assert_int_equal(fer_sealer_create(NULL, &keys, &config, &sealer), FER_ERR_ARENA);
    memcpy(&copy, &keys, sizeof copy);
    assert_int_equal(fer_sealer_create(&arena, &copy, &config, &sealer), FER_ERR_HANDLE);
    assert_int_equal(fer_arena_init(&small, cells, 2), FER_OK);
    assert_int_equal(fer_sealer_create(&small, &keys, &config, &sealer), FER_ERR_ARENA);
    assert_null(sealer);
    /* The key survived all of that. */
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_OK);
}

static void the_last_number_is_never_used(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 0);
    uint8_t record[sizeof text + FER_OVERHEAD_MAX];
    size_t length = 0;
    uint32_t next = 0;

    (void)state;
    assert_int_equal(fer_sealer_advance(sealer, FER_SEQUENCE_END - 1u), FER_OK);
    assert_int_equal(seal(sealer).sequence, FER_SEQUENCE_END - 1u);
    memset(record, 0xEE, sizeof record);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fer_sealer_seal(sealer, text, sizeof text, record, sizeof record, &length),
                         FER_RENEW_EXHAUSTED);
    }
    assert_true(fixture_is_all(record, sizeof record, 0xEE));
    assert_int_equal(fer_sealer_get_next(sealer, &next), FER_OK);
    assert_int_equal(next, FER_SEQUENCE_END);
}

static void numbers_move_forward_only(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 0);
    uint32_t next = 0;

    (void)state;
    assert_int_equal(fer_sealer_advance(sealer, 10), FER_OK);
    assert_int_equal(fer_sealer_advance(sealer, 10), FER_OK);
    assert_int_equal(fer_sealer_advance(sealer, 9), FER_ERR_ARGUMENT);
    assert_int_equal(fer_sealer_get_next(sealer, &next), FER_OK);
    assert_int_equal(next, 10);
}

static void sealing_in_place_gives_the_same_bytes(void **state)
{
    fer_sealer *apart = make(FER_UP, FER_LANE_LIVE, FER_ONE_WAY, 4, 0);
    fer_sealer *place = make(FER_UP, FER_LANE_LIVE, FER_ONE_WAY, 4, 0);

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        uint8_t one[sizeof text + FER_OVERHEAD_MAX];
        uint8_t two[sizeof text + FER_OVERHEAD_MAX];
        uint8_t *at = two + fer_sealer_get_overhead(place) - FER_TAG_BYTES;
        size_t length = 0;
        size_t same = 0;

        memcpy(at, text, sizeof text);
        assert_int_equal(fer_sealer_seal(apart, text, sizeof text, one, sizeof one, &length),
                         FER_OK);
        assert_int_equal(fer_sealer_seal(place, at, sizeof text, two, sizeof two, &same), FER_OK);
        assert_int_equal(length, same);
        assert_memory_equal(one, two, length);
    }
}

static void close_wipes_and_nulls(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 0);
    fer_sealer *none = NULL;

    (void)state;
    fer_sealer_close(NULL);
    fer_sealer_close(&none);
    fer_sealer_close(&sealer);
    assert_null(sealer);
}

static void suspended_keys_go_on_where_they_stopped(void **state)
{
    fer_sealer *sealer = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 7);
    fer_sealer_config config = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    fer_record_key keys[3];
    fer_credential credential;
    fer_generation again;
    uint8_t expected[sizeof text + FER_OVERHEAD_MAX];
    uint8_t got[sizeof text + FER_OVERHEAD_MAX];
    uint32_t next = 0;
    size_t length = 0;
    fer_sealer *twin = make(FER_UP, FER_LANE_LIVE, FER_TWO_WAY, 2, 7);

    (void)state;
    (void)seal(sealer);
    (void)seal(sealer);
    assert_int_equal(fer_sealer_advance(twin, 2), FER_OK);
    memset(keys, 0, sizeof keys);
    assert_true(fer_sealer_suspend(&sealer, &keys[FER_BRANCH_UP], &next));
    assert_null(sealer);
    assert_false(fer_sealer_suspend(&sealer, &keys[FER_BRANCH_UP], &next));
    assert_int_equal(next, 2);

    fixture_mint(&credential, 0, fixture_route, 2);
    assert_int_equal(fer_generation_rebuild(&again, &credential, 7, keys), FER_OK);
    assert_true(fixture_is_all((const uint8_t *)keys, sizeof keys, 0));
    assert_int_equal(fer_sealer_create(&arena, &again, &config, &sealer), FER_OK);
    assert_int_equal(fer_sealer_advance(sealer, next), FER_OK);
    assert_int_equal(fer_sealer_seal(sealer, text, sizeof text, got, sizeof got, &length), FER_OK);
    assert_int_equal(fer_sealer_seal(twin, text, sizeof text, expected, sizeof expected, &length),
                     FER_OK);
    assert_memory_equal(got, expected, length);
}

static void rebuilding_from_a_bad_credential_yields_nothing(void **state)
{
    fer_record_key keys[3];
    fer_credential credential;
    fer_generation again;
    fer_sealer_config config = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    fer_sealer *sealer = NULL;

    (void)state;
    memset(keys, 7, sizeof keys);
    memset(&credential, 0, sizeof credential);
    assert_int_equal(fer_generation_rebuild(&again, &credential, 7, keys), FER_DROP_MALFORMED);
    assert_true(fixture_is_all((const uint8_t *)keys, sizeof keys, 0));
    assert_int_equal(fer_sealer_create(&arena, &again, &config, &sealer), FER_ERR_HANDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers_start_at_zero_and_advance, setup),
        cmocka_unit_test_setup(two_way_is_full_until_acknowledged, setup),
        cmocka_unit_test_setup(two_way_is_full_every_64_without_news, setup),
        cmocka_unit_test_setup(one_way_is_full_first_four_then_every_32nd, setup),
        cmocka_unit_test_setup(backlog_is_always_full, setup),
        cmocka_unit_test_setup(down_is_full_with_a_fresh_salt, setup),
        cmocka_unit_test_setup(failing_entropy_seals_nothing_and_loses_the_number, setup),
        cmocka_unit_test_setup(too_small_an_output_uses_no_number, setup),
        cmocka_unit_test_setup(wrong_arguments_are_refused, setup),
        cmocka_unit_test_setup(a_copied_handle_is_refused, setup),
        cmocka_unit_test_setup(a_key_is_taken_once, setup),
        cmocka_unit_test_setup(create_refuses_what_cannot_work, setup),
        cmocka_unit_test_setup(the_last_number_is_never_used, setup),
        cmocka_unit_test_setup(numbers_move_forward_only, setup),
        cmocka_unit_test_setup(sealing_in_place_gives_the_same_bytes, setup),
        cmocka_unit_test_setup(close_wipes_and_nulls, setup),
        cmocka_unit_test_setup(suspended_keys_go_on_where_they_stopped, setup),
        cmocka_unit_test_setup(rebuilding_from_a_bad_credential_yields_nothing, setup),
    };
    return cmocka_run_group_tests_name("sealer", tests, NULL, NULL);
}
