/* opener: ONCE: windows, lanes, tickets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "opener_kit.h"

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
    };
    return cmocka_run_group_tests_name("opener", tests, NULL, NULL);
}
