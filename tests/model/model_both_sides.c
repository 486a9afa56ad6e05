/* A device on the flash model, a link that loses, repeats, reorders and keeps, and a gateway whose
 * rows and snapshot are one transaction. Either side restarts from its durable state at any moment:
 * the device by reset, in sleep or by a power cut in a burn, after thousands of boots that nobody
 * heard too; the gateway between opening, committing and the transaction.
 *
 * A record stands in the durable rows at most once (ONCE); whatever comes is accepted exactly where
 * a set of rows and the newest generation say so, so that each record of the last R generations is
 * accepted once when it comes, however late; and what it holds is what was recorded.
 * model_receiver compares the receiver alone, state by state, with devices made of sealers; this is
 * the whole way. FERRULE_SEED, printed, repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/both_sides.h"

enum { ROUNDS = 15, QUICK_ROUNDS = 2, STEPS = 4000 };

/* ---- acts --------------------------------------------------------------------------------- */

static void measure(void)
{
    for (uint32_t n = 1 + below(WORLD_READINGS); n > 0; n--) {
        world_record();
    }
    world_wait(WORLD_BACKOFF);
    (void)world_drain(below(4) == 0 ? FER_LANE_BACKLOG : FER_LANE_LIVE);
}

static void sleep_and_wake(void)
{
    if (world_suspend() == FER_OK) {
        boot();
        if (below(5) != 0) {
            assert_int_equal(world_resume(), FER_OK);
        }
    }
}

static void seal_one(void)
{
    boot();
    world_record();
    (void)world_take(FER_LANE_LIVE);
}

static void cut_power(void)
{
    world.flash.cut_at = world.flash.changes + below(12);
    world.flash.cut_moment = (flash_moment)below(3);
    world.flash.cut_prefix = below(64);
    world.gone_at_once = below(2) == 0;
    (void)world_live(seal_one);
    world_power_on((flash_look)below(FLASH_LOOKS));
    boot();
}

static void step(void)
{
    uint32_t what = below(100);

    if (what < 40) {
        measure();
    } else if (what < 80) {
        deliver();
    } else if (what < 86) {
        boot();
    } else if (what < 91) {
        sleep_and_wake();
    } else if (what < 93) {
        cut_power();
    } else if (what < 95) {
        world_wait(WORLD_BURN_MS);
    } else if (what < 97) {
        restart_receiver();
    } else if (what == 97 && below(8) == 0) {
        boot_unheard(below(4) == 0 ? 500 + below(2500) : below(40));
    } else if (what == 98) {
        transact();
    } else {
        loss = below(6);
    }
}

/* ---- the property ------------------------------------------------------------------------- */

static void random_worlds(void **state)
{
    unsigned rounds = getenv("FERRULE_QUICK") == NULL ? ROUNDS : QUICK_ROUNDS;

    (void)state;
    chance = test_random_start("model_both_sides");
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
            begin(&plans[i], chance.state);
            for (unsigned steps = 0; steps < STEPS && world.highest < GENERATIONS - 500; steps++) {
                step();
            }
            loss = 0;
            deliver_all();
        }
    }
    print_message(
        "model_both_sides: %u accepted, %u refused, %u gateway restarts, %u times unheard\n",
        (unsigned)accepted, (unsigned)refused, (unsigned)restarts, (unsigned)far);
    assert_true(accepted > 1000 && refused > 200 && restarts > 200 && far > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_worlds)};

    return cmocka_run_group_tests_name("model_both_sides", tests, NULL, NULL);
}
