/* opener: ONCE (windows, tickets), FIRST (what a drop leaves behind), every rejection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal/bytes.h"
#include "internal/record.h"
#include "internal/replay.h"
#include "record_fixture.h"

enum { WINDOW = 64, ROUTE = 4, GENERATION = 300 };

FER_ARENA(arena, 4u * FER_SEALER_SIZE + 4u * FER_OPENER_SIZE(WINDOW));

static struct fixture_entropy entropy;
static const uint8_t text[] = "valve open 37 %";

/* One record on the wire. */
struct wire {
    uint8_t bytes[sizeof text + FER_OVERHEAD_MAX];
    size_t length;
};

static fer_opener *opener;
static fer_sealer *live;
static fer_sealer *backlog;
static fer_sealer *down;
static fer_opener *down_opener;

static fer_sealer *make_sealer(fer_generation *keys, fer_direction direction, fer_lane lane)
{
    fer_sealer_config config = {direction, lane, FER_TWO_WAY, {&fixture_entropy_ops, &entropy}};
    fer_sealer *sealer = NULL;

    assert_int_equal(fer_sealer_create(&arena, keys, &config, &sealer), FER_OK);
    return sealer;
}

static fer_opener *make_opener(fer_generation *keys, fer_direction direction)
{
    fer_opener_config config = {direction, WINDOW};
    fer_opener *made = NULL;

    assert_int_equal(fer_opener_create(&arena, keys, &config, &made), FER_OK);
    return made;
}

static int setup(void **state)
{
    fer_generation device;
    fer_generation gateway;

    (void)state;
    memset(&entropy, 0, sizeof entropy);
    if (fer_arena_rewind(&arena, (fer_arena_position){0}) != FER_OK) {
        return -1;
    }
    fixture_generation(&device, 0, ROUTE, GENERATION);
    fixture_generation(&gateway, 0, ROUTE, GENERATION);
    live = make_sealer(&device, FER_UP, FER_LANE_LIVE);
    backlog = make_sealer(&device, FER_UP, FER_LANE_BACKLOG);
    opener = make_opener(&gateway, FER_UP);
    down = make_sealer(&gateway, FER_DOWN, FER_LANE_LIVE);
    down_opener = make_opener(&device, FER_DOWN);
    return 0;
}

static struct wire seal(fer_sealer *sealer)
{
    struct wire wire;

    assert_int_equal(
        fer_sealer_seal(sealer, text, sizeof text, wire.bytes, sizeof wire.bytes, &wire.length),
        FER_OK);
    return wire;
}

static struct wire seal_at(fer_sealer *sealer, uint32_t sequence)
{
    assert_int_equal(fer_sealer_advance(sealer, sequence), FER_OK);
    return seal(sealer);
}

static void expect_text(const uint8_t *out, const fer_opened *opened)
{
    assert_int_equal(opened->length, sizeof text);
    assert_memory_equal(out, text, sizeof text);
}

static fer_status receive(fer_opener *by, const struct wire *wire)
{
    uint8_t out[sizeof text];
    fer_opened opened;
    fer_status status = fer_opener_receive(by, wire->bytes, wire->length, out, sizeof out, &opened);

    if (status == FER_OK) {
        expect_text(out, &opened);
    }
    return status;
}

/* Opens bytes that must be dropped: zeros in out, nothing in *opened. */
static fer_status drop(fer_opener *by, const uint8_t *bytes, size_t n)
{
    uint8_t out[sizeof text + FER_OVERHEAD_MAX];
    fer_opened opened;
    fer_status status;
    size_t longest = n > FER_OVERHEAD_SHORT(0) ? n - FER_OVERHEAD_SHORT(0) : 0;
    size_t shortest = n > FER_OVERHEAD_MAX ? n - FER_OVERHEAD_MAX : 0;

    memset(out, 0xEE, sizeof out);
    memset(&opened, 0xEE, sizeof opened);
    status = fer_opener_open(by, bytes, n, out, sizeof out, &opened);
    assert_int_equal(fer_status_get_group(status), FER_GROUP_DROP_INPUT);
    assert_true(fixture_is_all(out, shortest, 0));
    assert_true(fixture_is_all(out + longest, sizeof out - longest, 0xEE));
    assert_int_equal(fer_opener_commit(by, &opened.ticket), FER_ERR_ORDER);
    assert_int_equal(opened.length, 0);
    return status;
}

static void opens_what_was_sealed(void **state)
{
    uint8_t out[sizeof text];
    fer_opened opened;
    struct wire wire;

    (void)state;
    (void)seal(live);
    wire = seal(live);
    assert_int_equal(fer_opener_receive(opener, wire.bytes, wire.length, out, sizeof out, &opened),
                     FER_OK);
    expect_text(out, &opened);
    assert_int_equal(opened.context, 0);
    assert_int_equal(opened.generation, GENERATION);
    assert_int_equal(opened.sequence, 1);
    assert_int_equal(opened.kind, FER_KIND_PROVISIONED);
    assert_int_equal(opened.lane, FER_LANE_LIVE);
    assert_int_equal(opened.form, FER_FORM_FULL);
    assert_int_equal(fer_sealer_acknowledge(live), FER_OK);
    wire = seal(live);
    assert_int_equal(fer_opener_receive(opener, wire.bytes, wire.length, out, sizeof out, &opened),
                     FER_OK);
    expect_text(out, &opened);
    assert_int_equal(opened.form, FER_FORM_SHORT);
    assert_int_equal(opened.sequence, 2);
}

static void opens_in_place(void **state)
{
    struct wire wire = seal(backlog);
    uint8_t *at = wire.bytes + FER_OVERHEAD_FULL(ROUTE) - FER_TAG_BYTES;
    fer_opened opened;

    (void)state;
    assert_int_equal(fer_opener_receive(opener, wire.bytes, wire.length, at, sizeof text, &opened),
                     FER_OK);
    expect_text(at, &opened);
    assert_int_equal(opened.lane, FER_LANE_BACKLOG);
}

static void opens_an_empty_plaintext(void **state)
{
    uint8_t wire[FER_OVERHEAD_FULL(ROUTE)];
    uint8_t out[1] = {0xEE};
    size_t length = 0;
    fer_opened opened;

    (void)state;
    assert_int_equal(fer_sealer_seal(live, NULL, 0, wire, sizeof wire, &length), FER_OK);
    assert_int_equal(fer_opener_receive(opener, wire, length, out, 0, &opened), FER_OK);
    assert_int_equal(opened.length, 0);
    assert_int_equal(out[0], 0xEE);
}

static void down_opens_down_only(void **state)
{
    struct wire up = seal(live);
    struct wire lower = seal(down);

    (void)state;
    assert_int_equal(drop(down_opener, up.bytes, up.length), FER_DROP_ROUTE);
    assert_int_equal(drop(opener, lower.bytes, lower.length), FER_DROP_ROUTE);
    assert_int_equal(receive(down_opener, &lower), FER_OK);
    assert_int_equal(receive(down_opener, &lower), FER_DROP_REPLAY);
}

static void each_record_is_accepted_once(void **state)
{
    struct wire wires[40];

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        wires[i] = seal(live);
    }
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(receive(opener, &wires[(i * 7) % 40]), FER_OK);
    }
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(receive(opener, &wires[i]), FER_DROP_REPLAY);
        assert_int_equal(drop(opener, wires[i].bytes, wires[i].length), FER_DROP_REPLAY);
    }
}

static void what_fell_behind_the_window_is_old(void **state)
{
    struct wire first = seal(live);
    struct wire second = seal(live);
    struct wire ahead = seal_at(live, WINDOW);

    (void)state;
    assert_int_equal(receive(opener, &ahead), FER_OK);
    assert_int_equal(drop(opener, first.bytes, first.length), FER_DROP_OLD);
    assert_int_equal(receive(opener, &second), FER_OK);
}

static void lanes_have_windows_of_their_own(void **state)
{
    struct wire one = seal(live);
    struct wire two = seal(backlog);
    struct wire far = seal_at(backlog, 100000);

    (void)state;
    assert_int_equal(receive(opener, &two), FER_OK);
    assert_int_equal(receive(opener, &far), FER_OK);
    assert_int_equal(receive(opener, &one), FER_OK);
}

static void opening_changes_nothing_until_commit(void **state)
{
    struct wire wire = seal(live);
    uint8_t out[sizeof text];
    fer_opened one;
    fer_opened two;
    fer_ticket copy;

    (void)state;
    assert_int_equal(fer_opener_open(opener, wire.bytes, wire.length, out, sizeof out, &one),
                     FER_OK);
    assert_int_equal(fer_opener_open(opener, wire.bytes, wire.length, out, sizeof out, &two),
                     FER_OK);
    copy = one.ticket;
    assert_int_equal(fer_opener_commit(opener, &one.ticket), FER_OK);
    assert_int_equal(fer_opener_commit(opener, &one.ticket), FER_ERR_ORDER);
    assert_int_equal(fer_opener_commit(opener, &copy), FER_DROP_REPLAY);
    assert_int_equal(fer_opener_commit(opener, &two.ticket), FER_DROP_REPLAY);
    assert_int_equal(drop(opener, wire.bytes, wire.length), FER_DROP_REPLAY);
}

static void an_aborted_record_stays_acceptable(void **state)
{
    struct wire wire = seal(live);
    uint8_t out[sizeof text];
    fer_opened opened;

    (void)state;
    fer_ticket_abort(NULL);
    assert_int_equal(fer_opener_open(opener, wire.bytes, wire.length, out, sizeof out, &opened),
                     FER_OK);
    fer_ticket_abort(&opened.ticket);
    assert_int_equal(fer_opener_commit(opener, &opened.ticket), FER_ERR_ORDER);
    assert_int_equal(receive(opener, &wire), FER_OK);
}

static void a_ticket_that_fell_behind_is_old(void **state)
{
    struct wire wire = seal(live);
    struct wire ahead = seal_at(live, 1000);
    uint8_t out[sizeof text];
    fer_opened opened;

    (void)state;
    assert_int_equal(fer_opener_open(opener, wire.bytes, wire.length, out, sizeof out, &opened),
                     FER_OK);
    assert_int_equal(receive(opener, &ahead), FER_OK);
    assert_int_equal(fer_opener_commit(opener, &opened.ticket), FER_DROP_OLD);
    assert_int_equal(fer_opener_commit(opener, &opened.ticket), FER_ERR_ORDER);
}

static void only_its_own_opener_takes_a_ticket(void **state)
{
    struct wire wire = seal(live);
    uint8_t out[sizeof text];
    fer_opened opened;

    (void)state;
    assert_int_equal(fer_opener_open(opener, wire.bytes, wire.length, out, sizeof out, &opened),
                     FER_OK);
    assert_int_equal(fer_opener_commit(down_opener, &opened.ticket), FER_ERR_ORDER);
    assert_int_equal(fer_opener_commit(opener, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_opener_commit(NULL, &opened.ticket), FER_ERR_HANDLE);
    assert_int_equal(fer_opener_commit(opener, &opened.ticket), FER_OK);
}

static void a_wrong_lane_in_a_ticket_is_refused(void **state)
{
    struct wire wire = seal(down);
    uint8_t out[sizeof text];
    fer_opened opened;

    (void)state;
    assert_int_equal(
        fer_opener_open(down_opener, wire.bytes, wire.length, out, sizeof out, &opened), FER_OK);
    for (unsigned cell = 0; cell < 3; cell++) {
        fer_ticket forged = opened.ticket;

        forged.opaque[cell] ^= 1u;
        assert_int_equal(fer_opener_commit(down_opener, &forged), FER_ERR_ORDER);
    }
    assert_int_equal(fer_opener_commit(down_opener, &opened.ticket), FER_OK);
}

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
        cmocka_unit_test_setup(opens_what_was_sealed, setup),
        cmocka_unit_test_setup(opens_in_place, setup),
        cmocka_unit_test_setup(opens_an_empty_plaintext, setup),
        cmocka_unit_test_setup(down_opens_down_only, setup),
        cmocka_unit_test_setup(each_record_is_accepted_once, setup),
        cmocka_unit_test_setup(what_fell_behind_the_window_is_old, setup),
        cmocka_unit_test_setup(lanes_have_windows_of_their_own, setup),
        cmocka_unit_test_setup(opening_changes_nothing_until_commit, setup),
        cmocka_unit_test_setup(an_aborted_record_stays_acceptable, setup),
        cmocka_unit_test_setup(a_ticket_that_fell_behind_is_old, setup),
        cmocka_unit_test_setup(only_its_own_opener_takes_a_ticket, setup),
        cmocka_unit_test_setup(a_wrong_lane_in_a_ticket_is_refused, setup),
        cmocka_unit_test_setup(every_flipped_bit_is_dropped, setup),
        cmocka_unit_test_setup(every_truncation_is_dropped, setup),
        cmocka_unit_test_setup(another_route_is_dropped, setup),
        cmocka_unit_test_setup(another_kind_is_dropped, setup),
        cmocka_unit_test_setup(another_key_is_forged, setup),
        cmocka_unit_test_setup(other_generations_are_old_or_far, setup),
        cmocka_unit_test_setup(short_numbers_are_followed_across_their_wrap, setup),
        cmocka_unit_test_setup(a_small_output_is_the_callers_mistake, setup),
        cmocka_unit_test_setup(wrong_arguments_are_refused, setup),
        cmocka_unit_test_setup(create_refuses_what_cannot_work, setup),
        cmocka_unit_test_setup(a_resumed_opener_takes_nothing_from_before, setup),
        cmocka_unit_test_setup(close_wipes_and_nulls, setup),
    };
    return cmocka_run_group_tests_name("opener", tests, NULL, NULL);
}
