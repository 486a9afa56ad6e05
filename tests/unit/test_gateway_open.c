/* gateway: steps 1 to 4 of the receiver, and what a forgery may cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_kit.h"

/* ---- steps 1 to 4 ------------------------------------------------------------------------- */

static void opens_both_lanes_and_forms(void **state)
{
    fer_opened opened;
    struct wire wire = make(0, FER_LANE_BACKLOG, 5);

    (void)state;
    assert_int_equal(receive_new(0, FER_LANE_LIVE, 0), FER_OK);
    opened = open_now(&wire);
    assert_int_equal(opened.lane, FER_LANE_BACKLOG);
    assert_int_equal(opened.form, FER_FORM_FULL);
    assert_int_equal(opened.sequence, 5);
    assert_int_equal(opened.generation, 0);
    assert_int_equal(fer_gateway_commit(gateway, &opened.ticket), FER_OK);
    wire = make_short(0, 1);
    opened = open_now(&wire);
    assert_int_equal(opened.form, FER_FORM_SHORT);
    assert_int_equal(opened.sequence, 1);
    assert_int_equal(fer_gateway_commit(gateway, &opened.ticket), FER_OK);
    assert_int_equal(get_state().next_live, 2);
    assert_int_equal(get_state().next_backlog, 6);
    assert_int_equal(get_counts().committed, 3);
    assert_int_equal(get_counts().opened, 3);
}

static void other_routes_kinds_and_directions_are_unknown(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    struct wire other = wire;

    (void)state;
    other.bytes[1] ^= 1;
    assert_int_equal(drop_wire(&other), FER_DROP_ROUTE);
    other = wire;
    other.bytes[0] ^= 0xC0; /* kind 2 */
    assert_int_equal(drop_wire(&other), FER_DROP_ROUTE);
    other = wire;
    other.bytes[0] |= FER_FIRST_DOWN;
    assert_int_equal(drop_wire(&other), FER_DROP_ROUTE);
    assert_int_equal(get_counts().unknown_route, 3);
    assert_int_equal(receive(&wire), FER_OK);
}

static void every_flipped_bit_is_dropped(void **state)
{
    struct wire wires[3];

    (void)state;
    assert_int_equal(receive_new(5, FER_LANE_LIVE, 0), FER_OK);
    wires[0] = make(6, FER_LANE_LIVE, 1);
    wires[1] = make_short(5, 2);
    wires[2] = make(4, FER_LANE_BACKLOG, 0);
    for (unsigned w = 0; w < 3; w++) {
        for (size_t bit = 0; bit < wires[w].length * 8u; bit++) {
            struct wire bad = wires[w];

            bad.bytes[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
            (void)drop_wire(&bad);
        }
        assert_int_equal(receive(&wires[w]), FER_OK);
    }
}

static void every_truncation_is_dropped(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    uint32_t malformed = 0;

    (void)state;
    for (size_t n = 0; n < wire.length; n++) {
        malformed += drop(wire.bytes, n) == FER_DROP_MALFORMED;
    }
    assert_int_equal(malformed, FER_OVERHEAD_FULL(ROUTE));
    assert_int_equal(get_counts().malformed, malformed);
    assert_int_equal(receive(&wire), FER_OK);
}

static void a_replay_is_refused_before_any_key(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    uint32_t steps;

    (void)state;
    assert_int_equal(receive(&wire), FER_OK);
    steps = get_steps();
    assert_int_equal(drop_wire(&wire), FER_DROP_REPLAY);
    /* Even with a tag that would not verify: the window came first. */
    wire.bytes[wire.length - 1] ^= 1;
    assert_int_equal(drop_wire(&wire), FER_DROP_REPLAY);
    assert_int_equal(get_steps(), steps);
    assert_int_equal(get_counts().replayed, 2);
    assert_int_equal(get_counts().tag_forged, 0);
}

static void short_forms_reach_eight_ahead(void **state)
{
    (void)state;
    assert_int_equal(receive_new(20, FER_LANE_LIVE, 0), FER_OK);
    for (uint32_t ahead = 1; ahead <= 8; ahead++) {
        struct wire wire = make_short(20 + ahead, 3);
        fer_opened opened = open_now(&wire);

        assert_int_equal(opened.generation, 20 + ahead);
    }
    /* 9 ahead means 247 behind. */
    struct wire wire = make_short(29, 3);

    assert_int_equal(drop_wire(&wire), FER_DROP_OLD);
}

static void short_forms_reach_back_to_the_floor(void **state)
{
    struct wire wire;

    (void)state;
    assert_int_equal(receive_new(300, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(get_state().floor, 300 - REACH);
    wire = make_short(300 - REACH, 3);
    assert_int_equal(receive(&wire), FER_OK);
    wire = make_short(300 - REACH - 1, 3);
    assert_int_equal(drop_wire(&wire), FER_DROP_OLD);
    wire = make(300 - REACH - 1, FER_LANE_LIVE, 0);
    assert_int_equal(drop_wire(&wire), FER_DROP_OLD);
    assert_int_equal(get_counts().old, 2);
}

static void far_generations_need_a_claim_and_a_limit(void **state)
{
    struct wire wire = make(SKIP + 1, FER_LANE_LIVE, 0);

    (void)state;
    assert_int_equal(drop_wire(&wire), FER_DROP_FAR);
    assert_int_equal(get_counts().far, 1);
    wire.bytes[1 + ROUTE + 8] ^= 1;
    assert_int_equal(drop_wire(&wire), FER_DROP_FORGED);
    assert_int_equal(get_counts().claim_forged, 1);
    assert_int_equal(get_steps(), 0);
    assert_int_equal(receive_new(SKIP, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(get_state().generation, SKIP);
    assert_int_equal(get_state().floor, SKIP - REACH);
}

static void a_forged_claim_does_not_ratchet(void **state)
{
    struct wire wire = make(500, FER_LANE_LIVE, 0);

    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        struct wire bad = wire;

        bad.bytes[1 + ROUTE + 8 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(drop_wire(&bad), FER_DROP_FORGED);
    }
    assert_int_equal(get_counts().claim_forged, 32);
    assert_int_equal(get_counts().tag_forged, 0);
    assert_int_equal(get_steps(), 0);
}

static void generation_and_number_2_to_the_32_less_1_are_malformed(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    struct wire bad = wire;

    (void)state;
    memset(bad.bytes + 1 + ROUTE, 0xFF, 4);
    assert_int_equal(drop_wire(&bad), FER_DROP_MALFORMED);
    bad = wire;
    memset(bad.bytes + 1 + ROUTE + 4, 0xFF, 4);
    assert_int_equal(drop_wire(&bad), FER_DROP_MALFORMED);
}

/* ---- what a forgery costs ----------------------------------------------------------------- */

/* Steps that one forged record costs. */
static uint32_t cost_of(struct wire wire)
{
    uint32_t before = get_steps();

    wire.bytes[wire.length - 1] ^= 1;
    assert_int_equal(drop_wire(&wire), FER_DROP_FORGED);
    return get_steps() - before;
}

static void a_forgery_costs_at_most_reach_and_eight_steps(void **state)
{
    (void)state;
    assert_int_equal(receive_new(100, FER_LANE_LIVE, 0), FER_OK);
    for (uint32_t generation = 100 - REACH; generation <= 108; generation++) {
        assert_true(cost_of(make_short(generation, 1)) <= REACH + 8);
        assert_true(cost_of(make(generation, FER_LANE_LIVE, 1)) <= REACH + 8);
        assert_true(cost_of(make(generation, FER_LANE_BACKLOG, 1)) <= REACH + 8);
    }
    /* The kept key of the current generation costs nothing. */
    assert_int_equal(cost_of(make_short(100, 1)), 0);
}

static void repeated_far_claims_cost_no_more(void **state)
{
    struct wire wire = make(900, FER_LANE_LIVE, 1);
    struct wire later = make(905, FER_LANE_BACKLOG, 0);
    uint32_t first;

    (void)state;
    first = cost_of(wire);
    assert_int_equal(first, 900);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(cost_of(wire) <= REACH + 8);
        assert_true(cost_of(later) <= REACH + 8);
    }
    /* And the record itself finds the chain kept. */
    first = get_steps();
    assert_int_equal(receive(&wire), FER_OK);
    assert_true(get_steps() - first <= REACH + 8);
}

static void forgeries_push_no_key_out(void **state)
{
    uint32_t before;

    (void)state;
    assert_int_equal(receive_new(40, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(40, FER_LANE_BACKLOG, 0), FER_OK);
    for (uint32_t generation = 40 - REACH; generation < 40; generation++) {
        (void)cost_of(make(generation, FER_LANE_BACKLOG, 0));
    }
    before = get_steps();
    assert_int_equal(receive_new(40, FER_LANE_BACKLOG, 1), FER_OK);
    assert_int_equal(receive_new(40, FER_LANE_LIVE, 1), FER_OK);
    assert_int_equal(get_steps(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(opens_both_lanes_and_forms, setup),
        cmocka_unit_test_setup(other_routes_kinds_and_directions_are_unknown, setup),
        cmocka_unit_test_setup(every_flipped_bit_is_dropped, setup),
        cmocka_unit_test_setup(every_truncation_is_dropped, setup),
        cmocka_unit_test_setup(a_replay_is_refused_before_any_key, setup),
        cmocka_unit_test_setup(short_forms_reach_eight_ahead, setup),
        cmocka_unit_test_setup(short_forms_reach_back_to_the_floor, setup),
        cmocka_unit_test_setup(far_generations_need_a_claim_and_a_limit, setup),
        cmocka_unit_test_setup(a_forged_claim_does_not_ratchet, setup),
        cmocka_unit_test_setup(generation_and_number_2_to_the_32_less_1_are_malformed, setup),
        cmocka_unit_test_setup(a_forgery_costs_at_most_reach_and_eight_steps, setup),
        cmocka_unit_test_setup(repeated_far_claims_cost_no_more, setup),
        cmocka_unit_test_setup(forgeries_push_no_key_out, setup),
    };
    return cmocka_run_group_tests_name("gateway_open", tests, NULL, NULL);
}
