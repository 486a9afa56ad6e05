/* opener: FIRST: every rejection and what it leaves behind; arguments; deep sleep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "opener_kit.h"

static void every_flipped_bit_is_dropped(void **state)
{
    struct wire wires[4];

    (void)state;
    wires[0] = seal(live);
    assert_int_equal(fer_sealer_acknowledge(live), FER_OK);
    wires[1] = seal(live);
    wires[2] = seal(backlog);
    wires[3] = seal(down);
    for (unsigned w = 0; w < 4; w++) {
        fer_opener *by = w == 3 ? down_opener : opener;

        for (size_t bit = 0; bit < wires[w].length * 8u; bit++) {
            struct wire bad = wires[w];

            bad.bytes[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
            (void)drop(by, bad.bytes, bad.length);
        }
        assert_int_equal(receive(by, &wires[w]), FER_OK);
    }
}

static void every_truncation_is_dropped(void **state)
{
    struct wire wires[2];

    (void)state;
    wires[0] = seal(live);
    assert_int_equal(fer_sealer_acknowledge(live), FER_OK);
    wires[1] = seal(live);
    for (unsigned w = 0; w < 2; w++) {
        for (size_t n = 0; n < wires[w].length; n++) {
            size_t overhead = w == 0 ? FER_OVERHEAD_FULL(ROUTE) : FER_OVERHEAD_SHORT(ROUTE);

            assert_int_equal(drop(opener, wires[w].bytes, n),
                             n < overhead ? FER_DROP_MALFORMED : FER_DROP_FORGED);
        }
        assert_int_equal(receive(opener, &wires[w]), FER_OK);
    }
}

static void another_route_is_dropped(void **state)
{
    struct wire wire = seal(live);

    (void)state;
    wire.bytes[ROUTE] ^= 0x80;
    assert_int_equal(drop(opener, wire.bytes, wire.length), FER_DROP_ROUTE);
}

static void another_kind_is_dropped(void **state)
{
    struct wire wire = seal(live);

    (void)state;
    wire.bytes[0] ^= 0xC0;
    assert_int_equal(drop(opener, wire.bytes, wire.length), FER_DROP_ROUTE);
}

/* Whether a record with this header could be of `by`. */
static bool is_of(const fer_opener *by, const fer_unverified *header)
{
    return header->kind == FER_KIND_PROVISIONED && header->route_length == ROUTE &&
           header->direction == (by == down_opener ? FER_DOWN : FER_UP);
}

static void every_other_first_byte_is_dropped(void **state)
{
    struct wire wires[4];

    (void)state;
    wires[0] = seal(live);
    assert_int_equal(fer_sealer_acknowledge(live), FER_OK);
    wires[1] = seal(live);
    wires[2] = seal(backlog);
    wires[3] = seal(down);
    for (unsigned i = 0; i < 4u * 255u; i++) {
        struct wire bad = wires[i / 255u];
        fer_opener *by = i / 255u == 3 ? down_opener : opener;
        fer_unverified header;

        bad.bytes[0] = (uint8_t)(bad.bytes[0] + 1u + i % 255u);
        fer_status claim = fer_record_inspect(bad.bytes, bad.length, &header);
        fer_status status = drop(by, bad.bytes, bad.length);
        if (claim != FER_OK || !is_of(by, &header)) {
            assert_int_equal(status, claim != FER_OK ? claim : FER_DROP_ROUTE);
        }
    }
}

/* Of every length, because a short text and a long one are cleared in two ways. */
static void a_refused_record_leaves_zeros(void **state)
{
    enum { LONGEST = 80 };
    static const uint8_t plaintext[LONGEST];
    uint8_t wire[LONGEST + FER_OVERHEAD_MAX];
    uint8_t out[LONGEST + 1];
    fer_opened opened;
    size_t length;

    (void)state;
    for (size_t n = 0; n <= LONGEST; n++) {
        assert_int_equal(fer_sealer_acknowledge(live), FER_OK);
        assert_int_equal(fer_sealer_seal(live, plaintext, n, wire, sizeof wire, &length), FER_OK);
        assert_int_equal(fer_opener_receive(opener, wire, length, out, n, &opened), FER_OK);
        memset(out, 0xEE, sizeof out);
        assert_int_equal(fer_opener_receive(opener, wire, length, out, n, &opened),
                         FER_DROP_REPLAY);
        assert_true(fixture_is_all(out, n, 0));
        assert_true(fixture_is_all(out + n, sizeof out - n, 0xEE));
        assert_int_equal(opened.length, 0);
    }
}

static void another_key_is_forged(void **state)
{
    fer_generation keys;
    fer_sealer *stranger;
    struct wire wire;

    (void)state;
    fixture_generation(&keys, 1, ROUTE, GENERATION);
    stranger = make_sealer(&keys, FER_UP, FER_LANE_LIVE);
    wire = seal(stranger);
    assert_int_equal(drop(opener, wire.bytes, wire.length), FER_DROP_FORGED);
    wire = seal(live);
    assert_int_equal(receive(opener, &wire), FER_OK);
}

static void other_generations_are_old_or_far(void **state)
{
    struct wire wire = seal(live);
    size_t at = 1 + ROUTE;

    (void)state;
    fer_store_u32(wire.bytes + at, GENERATION - 1);
    assert_int_equal(drop(opener, wire.bytes, wire.length), FER_DROP_OLD);
    fer_store_u32(wire.bytes + at, GENERATION + 1);
    assert_int_equal(drop(opener, wire.bytes, wire.length), FER_DROP_FAR);
    assert_int_equal(fer_sealer_acknowledge(live), FER_OK);
    wire = seal(live);
    wire.bytes[at]++;
    assert_int_equal(drop(opener, wire.bytes, wire.length), FER_DROP_OLD);
}

static void short_numbers_are_followed_across_their_wrap(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 400000; at += 30011) {
        assert_int_equal(fer_sealer_acknowledge(live), FER_OK);
        struct wire wire = seal_at(live, at);
        fer_unverified header;

        assert_int_equal(fer_record_inspect(wire.bytes, wire.length, &header), FER_OK);
        assert_int_equal(header.form, FER_FORM_SHORT);
        assert_int_equal(receive(opener, &wire), FER_OK);
    }
}

static void a_small_output_is_the_callers_mistake(void **state)
{
    struct wire wire = seal(live);
    uint8_t out[sizeof text];
    fer_opened opened;

    (void)state;
    memset(out, 0xEE, sizeof out);
    assert_int_equal(
        fer_opener_open(opener, wire.bytes, wire.length, out, sizeof text - 1, &opened),
        FER_ERR_CAPACITY);
    assert_true(fixture_is_all(out, sizeof out, 0xEE));
    assert_int_equal(fer_opener_commit(opener, &opened.ticket), FER_ERR_ORDER);
    assert_int_equal(receive(opener, &wire), FER_OK);
}

static void wrong_arguments_are_refused(void **state)
{
    struct wire wire = seal(live);
    uint8_t out[sizeof text];
    fer_opened opened;

    (void)state;
    assert_int_equal(fer_opener_open(NULL, wire.bytes, 1, out, 1, &opened), FER_ERR_HANDLE);
    assert_int_equal(fer_opener_open(opener, NULL, 1, out, 1, &opened), FER_ERR_ARGUMENT);
    assert_int_equal(fer_opener_open(opener, wire.bytes, 1, NULL, 1, &opened), FER_ERR_ARGUMENT);
    assert_int_equal(fer_opener_open(opener, wire.bytes, 1, out, 1, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_opener_receive(NULL, wire.bytes, 1, out, 1, &opened), FER_ERR_HANDLE);
    assert_int_equal(fer_opener_advance(NULL, 1), FER_ERR_HANDLE);
}

static void create_refuses_what_cannot_work(void **state)
{
    fer_generation keys;
    fer_generation half;
    fer_opener_config config = {FER_UP, WINDOW};
    fer_opener *made = NULL;
    size_t room = fer_arena_room(&arena);

    (void)state;
    fixture_generation(&keys, 0, ROUTE, 0);
    assert_int_equal(fer_opener_create(&arena, &keys, NULL, &made), FER_ERR_ARGUMENT);
    assert_int_equal(fer_opener_create(&arena, &keys, &config, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_opener_create(&arena, NULL, &config, &made), FER_ERR_HANDLE);
    assert_int_equal(fer_opener_create(NULL, &keys, &config, &made), FER_ERR_ARENA);
    for (uint32_t bits = 0; bits < 64; bits++) {
        config.window_bits = bits;
        assert_int_equal(fer_opener_create(&arena, &keys, &config, &made), FER_ERR_ARGUMENT);
    }
    config.window_bits = 16384;
    assert_int_equal(fer_opener_create(&arena, &keys, &config, &made), FER_ERR_ARGUMENT);
    config.window_bits = WINDOW;
    /* A generation whose live key is gone makes no opener, and keeps its backlog key. */
    fixture_generation(&half, 0, ROUTE, 0);
    (void)make_sealer(&half, FER_UP, FER_LANE_LIVE);
    room = fer_arena_room(&arena);
    assert_int_equal(fer_opener_create(&arena, &half, &config, &made), FER_ERR_ORDER);
    assert_int_equal(fer_arena_room(&arena), room);
    (void)make_sealer(&half, FER_UP, FER_LANE_BACKLOG);
    assert_null(made);
    assert_int_equal(fer_opener_create(&arena, &keys, &config, &made), FER_OK);
    assert_int_equal(fer_opener_create(&arena, &keys, &config, &made), FER_ERR_ORDER);
}

static void a_resumed_opener_takes_nothing_from_before(void **state)
{
    struct wire wires[10];
    fer_record_key keys[3];
    fer_credential credential;
    fer_generation again;
    uint32_t next = 0;

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        wires[i] = seal(down);
    }
    assert_int_equal(receive(down_opener, &wires[2]), FER_OK);
    assert_int_equal(receive(down_opener, &wires[5]), FER_OK);
    memset(keys, 0, sizeof keys);
    assert_true(fer_opener_suspend(&down_opener, &keys[FER_BRANCH_DOWN], &next));
    assert_null(down_opener);
    assert_false(fer_opener_suspend(&down_opener, &keys[FER_BRANCH_DOWN], &next));
    assert_int_equal(next, 6);
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_generation_rebuild(&again, &credential, GENERATION, keys), FER_OK);
    down_opener = make_opener(&again, FER_DOWN);
    assert_int_equal(fer_opener_advance(down_opener, next), FER_OK);
    assert_int_equal(fer_opener_advance(down_opener, next - 1), FER_ERR_ARGUMENT);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(receive(down_opener, &wires[i]), i < 6 ? FER_DROP_REPLAY : FER_OK);
    }
}

static void close_wipes_and_nulls(void **state)
{
    fer_opener *none = NULL;

    (void)state;
    fer_opener_close(NULL);
    fer_opener_close(&none);
    fer_opener_close(&opener);
    assert_null(opener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_flipped_bit_is_dropped, setup),
        cmocka_unit_test_setup(every_truncation_is_dropped, setup),
        cmocka_unit_test_setup(another_route_is_dropped, setup),
        cmocka_unit_test_setup(another_kind_is_dropped, setup),
        cmocka_unit_test_setup(every_other_first_byte_is_dropped, setup),
        cmocka_unit_test_setup(a_refused_record_leaves_zeros, setup),
        cmocka_unit_test_setup(another_key_is_forged, setup),
        cmocka_unit_test_setup(other_generations_are_old_or_far, setup),
        cmocka_unit_test_setup(short_numbers_are_followed_across_their_wrap, setup),
        cmocka_unit_test_setup(a_small_output_is_the_callers_mistake, setup),
        cmocka_unit_test_setup(wrong_arguments_are_refused, setup),
        cmocka_unit_test_setup(create_refuses_what_cannot_work, setup),
        cmocka_unit_test_setup(a_resumed_opener_takes_nothing_from_before, setup),
        cmocka_unit_test_setup(close_wipes_and_nulls, setup),
    };
    return cmocka_run_group_tests_name("opener_drops", tests, NULL, NULL);
}
