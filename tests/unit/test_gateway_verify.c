/* gateway: records that were refused, looked at again: what tells a device that went backwards from
 * a replay. Never a ticket, never plaintext, and state stays as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_kit.h"

/* Verifies; state is as it was, and so much of scratch as a plaintext could have taken is zero. */
static fer_status verify(const struct wire *wire)
{
    struct image before = export();
    struct image after;
    uint8_t scratch[sizeof text + FER_OVERHEAD_MAX];
    fer_status status;

    memset(scratch, 0, sizeof scratch);
    status = fer_gateway_verify(gateway, wire->bytes, wire->length, scratch, sizeof scratch);
    assert_true(fixture_is_all(scratch, sizeof scratch, 0)); /* FIRST */
    after = export();
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
    return status;
}

/* A second record of the same numbers, as a device that went backwards would seal it. */
static struct wire make_again(uint32_t generation, fer_lane lane, uint32_t sequence)
{
    static const uint8_t changed[sizeof text] = "pressure 9.9 bar";
    fer_sealer *sealer = boot(generation, lane, FER_TWO_WAY);
    struct wire wire;

    assert_int_equal(fer_sealer_advance(sealer, sequence), FER_OK);
    assert_int_equal(fer_sealer_seal(sealer, changed, sizeof changed, wire.bytes, sizeof wire.bytes,
                                     &wire.length),
                     FER_OK);
    fer_sealer_close(&sealer);
    assert_int_equal(fer_arena_rewind(&device_arena, (fer_arena_position){0}), FER_OK);
    return wire;
}

static void what_was_accepted_verifies_again(void **state)
{
    struct wire live = make(5, FER_LANE_LIVE, 2);
    struct wire backlog = make(4, FER_LANE_BACKLOG, 0);

    (void)state;
    assert_int_equal(receive(&live), FER_OK);
    assert_int_equal(receive(&backlog), FER_OK);
    assert_int_equal(drop_wire(&live), FER_DROP_REPLAY);
    assert_int_equal(verify(&live), FER_OK);
    assert_int_equal(verify(&backlog), FER_OK);
    live = make_short(5, 2);
    assert_int_equal(verify(&live), FER_OK);
}

static void a_second_record_of_a_number_verifies(void **state)
{
    struct wire again = make_again(5, FER_LANE_LIVE, 2);

    (void)state;
    assert_int_equal(receive_new(5, FER_LANE_LIVE, 2), FER_OK);
    assert_int_equal(receive_new(7, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(drop_wire(&again), FER_DROP_REPLAY);
    assert_int_equal(verify(&again), FER_OK);
    again = make_again(6, FER_LANE_LIVE, 0); /* and one that nobody has seen */
    assert_int_equal(verify(&again), FER_OK);
}

/* Behind the window too, where open says old. */
static void what_fell_behind_the_window_verifies(void **state)
{
    struct wire wire = make_again(2, FER_LANE_LIVE, 0);

    (void)state;
    assert_int_equal(receive_new(2, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(2, FER_LANE_LIVE, WINDOW + 5), FER_OK);
    assert_int_equal(drop_wire(&wire), FER_DROP_OLD);
    assert_int_equal(verify(&wire), FER_OK);
}

/* An attacker has every byte that was sent, and can change each: none of it proves anything. */
static void no_change_of_what_was_sent_verifies(void **state)
{
    struct wire wires[3];

    (void)state;
    wires[0] = make(5, FER_LANE_LIVE, 2);
    wires[1] = make(4, FER_LANE_BACKLOG, 0);
    wires[2] = make_short(5, 3);
    for (unsigned w = 0; w < 3; w++) {
        assert_int_equal(receive(&wires[w]), FER_OK);
    }
    for (unsigned w = 0; w < 3; w++) {
        for (size_t bit = 0; bit < wires[w].length * 8u; bit++) {
            struct wire bad = wires[w];

            bad.bytes[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
            assert_int_not_equal(verify(&bad), FER_OK);
        }
    }
}

static void below_the_floor_the_claim_speaks(void **state)
{
    struct wire wire = make(3, FER_LANE_LIVE, 0);
    struct wire bad = wire;

    (void)state;
    assert_int_equal(receive_new(50, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(verify(&wire), FER_DROP_OLD);
    for (size_t bit = 0; bit < (1u + ROUTE + 12u) * 8u; bit++) {
        bad = wire;
        bad.bytes[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        assert_int_not_equal(verify(&bad), FER_DROP_OLD);
        assert_int_not_equal(verify(&bad), FER_OK);
    }
    /* The claim covers the header alone: it is a suspicion, no proof. */
    bad = wire;
    bad.bytes[bad.length - 1] ^= 1;
    assert_int_equal(verify(&bad), FER_DROP_OLD);
    /* A short form has none. */
    wire = make_short(30, 0);
    assert_int_equal(verify(&wire), FER_DROP_FORGED);
}

static void what_lies_ahead_is_not_its_business(void **state)
{
    struct wire wire = make(6, FER_LANE_LIVE, 0);

    (void)state;
    assert_int_equal(receive_new(5, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(verify(&wire), FER_DROP_FAR);
    wire = make_short(6, 0);
    assert_int_equal(verify(&wire), FER_DROP_FAR);
    assert_int_equal(get_counts().opened, 1);
}

static void a_look_costs_no_more_than_a_forgery(void **state)
{
    uint32_t before;

    (void)state;
    assert_int_equal(receive_new(100, FER_LANE_LIVE, 0), FER_OK);
    for (uint32_t generation = 80; generation <= 100; generation++) {
        struct wire wire = make(generation, FER_LANE_BACKLOG, 0);

        before = get_steps();
        (void)verify(&wire);
        assert_true(get_steps() - before <= REACH);
    }
}

static void arguments_are_checked(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    uint8_t scratch[sizeof text + FER_OVERHEAD_MAX];
    fer_unverified header;
    uint32_t number;

    (void)state;
    assert_int_equal(fer_gateway_verify(NULL, wire.bytes, wire.length, scratch, sizeof scratch),
                     FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_verify(gateway, NULL, wire.length, scratch, sizeof scratch),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_verify(gateway, wire.bytes, wire.length, NULL, sizeof scratch),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_verify(gateway, wire.bytes, wire.length, scratch, wire.length - 1),
                     FER_ERR_CAPACITY);
    for (size_t n = 0; n < FER_OVERHEAD_FULL(ROUTE); n++) {
        assert_int_equal(fer_gateway_verify(gateway, wire.bytes, n, scratch, sizeof scratch),
                         FER_DROP_MALFORMED);
    }
    wire.bytes[1] ^= 1;
    assert_int_equal(verify(&wire), FER_DROP_ROUTE);
    assert_int_equal(fer_gateway_inspect(NULL, wire.bytes, wire.length, &number, &header),
                     FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_inspect(gateway, wire.bytes, wire.length, NULL, &header),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_inspect(gateway, NULL, wire.length, &number, &header),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_inspect(gateway, wire.bytes, wire.length, &number, NULL),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_inspect(gateway, wire.bytes, wire.length, &number, &header),
                     FER_DROP_ROUTE);
    assert_int_equal(fer_gateway_inspect(gateway, wire.bytes, 3, &number, &header),
                     FER_DROP_MALFORMED);
}

static void inspect_makes_short_numbers_exact(void **state)
{
    struct wire wire = make_short(300, 70000);
    fer_unverified header;
    uint32_t number = 9;

    (void)state;
    assert_int_equal(receive_new(300, FER_LANE_LIVE, 69990), FER_OK);
    assert_int_equal(fer_gateway_inspect(gateway, wire.bytes, wire.length, &number, &header),
                     FER_OK);
    assert_int_equal(number, context);
    assert_int_equal(header.form, FER_FORM_SHORT);
    assert_int_equal(header.generation, 300);
    assert_int_equal(header.sequence, 70000);
    wire = make(2, FER_LANE_BACKLOG, 7); /* full: as it stands, below the floor too */
    assert_int_equal(fer_gateway_inspect(gateway, wire.bytes, wire.length, &number, &header),
                     FER_OK);
    assert_int_equal(header.generation, 2);
    assert_int_equal(header.sequence, 7);
    assert_int_equal(header.lane, FER_LANE_BACKLOG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_accepted_verifies_again, setup),
        cmocka_unit_test_setup(a_second_record_of_a_number_verifies, setup),
        cmocka_unit_test_setup(what_fell_behind_the_window_verifies, setup),
        cmocka_unit_test_setup(no_change_of_what_was_sent_verifies, setup),
        cmocka_unit_test_setup(below_the_floor_the_claim_speaks, setup),
        cmocka_unit_test_setup(what_lies_ahead_is_not_its_business, setup),
        cmocka_unit_test_setup(a_look_costs_no_more_than_a_forgery, setup),
        cmocka_unit_test_setup(arguments_are_checked, setup),
        cmocka_unit_test_setup(inspect_makes_short_numbers_exact, setup),
    };

    return cmocka_run_group_tests_name("gateway_verify", tests, NULL, NULL);
}
