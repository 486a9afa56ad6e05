/* Restarts of either side, case by case: what was kept opens generations later, once; a gateway
 * that is killed between commit and transaction, or comes back from an old snapshot, locks nobody
 * out (ONCE). model_both_sides does the same at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/both_sides.h"

static void begin_quiet(void)
{
    chance.state = 7;
    begin(&plans[0], 7);
    loss = 0;
}

/* One record of a boot; it is always in full form. */
static world_packet keep_one(fer_lane lane)
{
    memset(flying, 0, sizeof flying);
    boot();
    world_record();
    assert_int_equal(world_take(lane), FER_OK);
    for (uint32_t i = 0; i < FLIGHT; i++) {
        if (flying[i]) {
            return flight[i];
        }
    }
    fail();
    return flight[0];
}

static fer_status receive(const world_packet *packet)
{
    uint8_t plain[WORLD_CAPACITY];
    fer_opened opened;
    fer_status status =
        fer_gateway_receive(receiver, packet->bytes, packet->length, plain, sizeof plain, &opened);

    if (status == FER_OK) {
        check_content(packet, plain, opened.length);
        add_row(packet);
    }
    return status;
}

static void thousands_of_unheard_boots(void **state)
{
    (void)state;
    begin_quiet();
    boot_unheard(5000);
    world_packet packet = keep_one(FER_LANE_LIVE);
    assert_int_equal(packet.generation, 5000);
    assert_int_equal(receive(&packet), FER_OK);
    assert_int_equal(receive(&packet), FER_DROP_REPLAY);
}

/* The spool of the last R generations opens, each record once, in any order; one more is too old.
 */
static void a_spool_opens_generations_later(void **state)
{
    world_packet kept[REACH + 2];

    (void)state;
    begin_quiet();
    for (uint32_t i = 0; i < REACH + 2; i++) {
        kept[i] = keep_one(FER_LANE_BACKLOG);
    }
    assert_int_equal(receive(&kept[REACH + 1]), FER_OK);
    transact();
    for (uint32_t i = REACH + 1; i-- > 0;) {
        uint32_t at = (i * 5) % (REACH + 1);
        restart_receiver();
        assert_int_equal(receive(&kept[at]), at == 0 ? FER_DROP_OLD : FER_OK);
        transact();
    }
    for (uint32_t i = 1; i < REACH + 2; i++) {
        restart_receiver();
        assert_int_equal(receive(&kept[i]), FER_DROP_REPLAY);
    }
}

/* Killed after commit and before the transaction: the record opens again, and is a row once. */
static void a_gateway_killed_between_commit_and_transaction(void **state)
{
    (void)state;
    begin_quiet();
    world_packet packet = keep_one(FER_LANE_LIVE);
    assert_int_equal(receive(&packet), FER_OK);
    restart_receiver();
    assert_int_equal(receive(&packet), FER_OK);
    transact();
    restart_receiver();
    assert_int_equal(receive(&packet), FER_DROP_REPLAY);
}

/* A snapshot from before what the device has sent since: nothing is refused that is new. */
static void an_old_snapshot_locks_nobody_out(void **state)
{
    (void)state;
    begin_quiet();
    world_packet first = keep_one(FER_LANE_LIVE);
    assert_int_equal(receive(&first), FER_OK);
    transact();
    boot_unheard(300);
    world_packet later = keep_one(FER_LANE_LIVE);
    assert_int_equal(receive(&later), FER_OK);
    restart_receiver();
    assert_int_equal(receive(&first), FER_DROP_REPLAY);
    assert_int_equal(receive(&later), FER_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_of_unheard_boots),
        cmocka_unit_test(a_spool_opens_generations_later),
        cmocka_unit_test(a_gateway_killed_between_commit_and_transaction),
        cmocka_unit_test(an_old_snapshot_locks_nobody_out),
    };

    return cmocka_run_group_tests_name("model_restarts", tests, NULL, NULL);
}
