/* The n-th call of a port fails, once or from then on, for every n, in a device's whole life:
 * provisioning, boots, burns, blocks that turn over, both lanes, answers, sleep.
 *
 * A failing call is told by a status of the right group; it seals nothing, leaves nothing open in
 * the caller's buffer, and loses nothing that waits (HONEST). Whatever is sealed after it was
 * burned, and has a number of its own (NONCE): device_world.h. After one failure the device goes
 * on; failures for good end in a fatal status, and never in a lockout once they are mended
 * (CLOSED). A clock that fails stops nothing. FERRULE_QUICK tries fewer n. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "powercut/device_world.h"

enum { UNDEFINED = -77, POSITIVE = 2, ANSWERS = 4, QUICK_READS = 67, QUICK_OTHERS = 11 };

/* clang-format off */
static const world_plan plans[] = {
    {"nor, strict, datagrams", {"nor", {320, 2, 4, 0xFF, FER_NV_OVERWRITE}, true, true, false},
     FER_STORE_STRICT, FER_LINK_DATAGRAM, FER_TWO_WAY, WORLD_INBOUND, 5, false},
    {"write once with ecc, strict, stream", {"once", {160, 3, 16, 0xFF, 0}, true, false, true},
     FER_STORE_STRICT, FER_LINK_STREAM, FER_TWO_WAY, WORLD_INBOUND, 6, true},
    {"write once with ecc, block, stream", {"once", {320, 2, 16, 0xFF, 0}, true, false, true},
     FER_STORE_BLOCK, FER_LINK_STREAM, FER_TWO_WAY, WORLD_INBOUND, 6, true},
    {"eeprom, strict, one way", {"eeprom", {160, 4, 1, 0xFF, FER_NV_REWRITE}, false, false, false},
     FER_STORE_STRICT, FER_LINK_DATAGRAM, FER_ONE_WAY, 0, 5, true},
};
static const char *const kind_names[PORT_KINDS] = {"read", "program", "erase", "is_blank", "count", "raise",
                                                   "monotonic_ms", "unix_ms", "fill"};
/* clang-format on */

static world_fault chosen;
static bool closed; /* this life ended in a fatal status */
static uint64_t lives, closings;
static bool quick;

static void explain(const char *what)
{
    print_error("%s: %s; call %u of %s answers %d, %s%s\n", world.plan->name, what,
                (unsigned)chosen.at, kind_names[chosen.kind], chosen.answer,
                chosen.for_good ? "for good" : "once", chosen.midway ? ", midway" : "");
}

/* ---- a life ------------------------------------------------------------------------------- */

static bool is_clock(port_kind kind)
{
    return kind == PORT_MONOTONIC || kind == PORT_UNIX;
}

/* What was sent was not lost, or the fault is for good and the device says what is the matter. */
static void drain(fer_lane lane)
{
    fer_status status = world_drain(lane);

    if (status != FER_EMPTY) {
        WORLD_CHECK(chosen.for_good && !is_clock(chosen.kind));
        WORLD_CHECK(fer_status_is_fatal(status) ||
                    (status == FER_NOT_NOW && chosen.answer == FER_PORT_NOT_NOW));
        closed = true;
    }
}

static void provision(void)
{
    for (unsigned tries = 0; tries < 4 && !world.installed; tries++) {
        world.failed = false;
        (void)world_provision();
    }
    closed = !world.installed;
    WORLD_CHECK(!closed || chosen.for_good);
}

static void boot_and_send(unsigned readings)
{
    WORLD_CHECK(world_create() == FER_OK);
    for (unsigned i = 0; i < readings && !closed; i++) {
        world_record();
        world_event();
        drain(i % 4 == 3 ? FER_LANE_BACKLOG : FER_LANE_LIVE);
    }
}

/* Asleep and awake: where suspend fails, the device is as it was, and is asked again. */
static void sleep_and_wake(void)
{
    fer_status status = FER_NOT_NOW;

    memset(world.image, 0x3C, sizeof world.image); /* a failed call leaves it so */
    for (unsigned tries = 0; tries < 3 && status != FER_OK && world_device != NULL; tries++) {
        world.failed = false;
        status = world_suspend();
        WORLD_CHECK(status == FER_OK || (world.failed && world_is_told(status)));
    }
    WORLD_CHECK(status == FER_OK || chosen.for_good);
    if (status != FER_OK) {
        return;
    }
    world.failed = false;
    WORLD_CHECK(world_create() == FER_OK);
    status = world_resume();
    WORLD_CHECK(status == FER_OK ||
                (world.failed && (world_is_told(status) || status == FER_DROP_FORGED)));
}

static void live(void)
{
    provision();
    if (!closed) {
        boot_and_send(7);
    }
    if (!closed) {
        world_answer();
        sleep_and_wake();
        world_record();
        drain(FER_LANE_LIVE);
    }
    if (!closed) {
        world_wait(WORLD_BURN_MS);
        world_record();
        drain(FER_LANE_LIVE);
    }
    for (unsigned boots = 0; boots < 3 && !closed; boots++) {
        boot_and_send(1);
        (void)(closed || world_maintain());
    }
}

/* What is mended works again, and has lost nothing but generations: in the same uptime what waited
 * is sent, and with it how much was dropped meanwhile (HONEST). */
static void mend_and_go_on(void)
{
    bool rebooted = world_device == NULL || chosen.at % 2 == 0;

    for (unsigned i = 0; i < WORLD_READINGS + 2 && !rebooted; i++) {
        world_record();
    }
    world.fault.at = WORLD_NEVER;
    closed = false;
    chosen.for_good = false;
    if (!rebooted) {
        world_wait(WORLD_BACKOFF);
        drain(FER_LANE_LIVE);
    }
    provision();
    boot_and_send(2);
    world_send_spool();
    WORLD_CHECK(!closed && world.departed > 0);
}

/* False where the life has no such call. */
static bool fail_at(const world_plan *plan, const world_fault *fault)
{
    chosen = *fault;
    closed = false;
    world_begin(plan, fault->at + 1);
    world.unix_ms = 1700000000000;
    world.fault = *fault;
    WORLD_CHECK(world_live(live));
    bool met = world.fails > 0;
    WORLD_CHECK(met || !closed);
    lives++;
    closings += closed;
    mend_and_go_on();
    return met;
}

/* ---- every call --------------------------------------------------------------------------- */

/* Answers that are not in the port's contract count as failures: one of them for each n. */
static int get_answer(uint32_t n, unsigned which)
{
    static const int contract[] = {FER_PORT_FAILED, FER_PORT_NOT_NOW, FER_PORT_UNCORRECTABLE};
    static const int others[] = {FER_PORT_UNKNOWN, UNDEFINED, POSITIVE};

    return which < 3 ? contract[which] : others[n % 3];
}

static bool fail_each_way(const world_plan *plan, port_kind kind, uint32_t n)
{
    world_fault fault = {kind, n, 0, false, false};
    bool met = true;

    for (unsigned which = 0; which < ANSWERS && met; which++) {
        fault.answer = get_answer(n, which);
        met = fail_at(plan, &fault);
    }
    if (!met) {
        return false;
    }
    fault.for_good = true;
    for (unsigned which = quick ? n % ANSWERS : 0; which < ANSWERS; which += quick ? ANSWERS : 1) {
        fault.answer = get_answer(n, which);
        (void)fail_at(plan, &fault);
    }
    if (kind == PORT_PROGRAM || kind == PORT_ERASE || kind == PORT_RAISE) {
        fault.midway = true;
        fault.answer = FER_PORT_FAILED;
        (void)fail_at(plan, &fault);
        fault.for_good = false;
        (void)fail_at(plan, &fault);
    }
    return true;
}

static void every_call_fails(const world_plan *plan, port_kind kind)
{
    uint32_t step = !quick ? 1 : kind == PORT_READ ? QUICK_READS : QUICK_OTHERS;
    uint32_t n = 0;

    while (fail_each_way(plan, kind, n)) {
        n += step;
    }
    print_message("%s: %u calls of %s\n", plan->name, (unsigned)n, kind_names[kind]);
    WORLD_CHECK(n > 0 || ((kind == PORT_COUNT || kind == PORT_RAISE) && !plan->has_counter) ||
                (kind == PORT_ERASE && !plan->shape.has_erase) ||
                (kind == PORT_BLANK && !plan->shape.has_is_blank));
}

static void reads(void **state)
{
    every_call_fails(*state, PORT_READ);
}

static void programs(void **state)
{
    every_call_fails(*state, PORT_PROGRAM);
}

static void erases(void **state)
{
    every_call_fails(*state, PORT_ERASE);
}

static void blank_checks(void **state)
{
    every_call_fails(*state, PORT_BLANK);
}

static void counts(void **state)
{
    every_call_fails(*state, PORT_COUNT);
}

static void raises(void **state)
{
    every_call_fails(*state, PORT_RAISE);
}

static void monotonic_clocks(void **state)
{
    every_call_fails(*state, PORT_MONOTONIC);
}

static void unix_clocks(void **state)
{
    every_call_fails(*state, PORT_UNIX);
}

int main(void)
{
    static world_plan copies[sizeof plans / sizeof plans[0]];
    int failed = 0;

#if defined(FERRULE_QUICK) || !defined(__linux__)
    quick = true;
#else
    quick = getenv("FERRULE_QUICK") != NULL;
#endif
    world_explain = explain;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        copies[i] = plans[i];
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_prestate(reads, &copies[i]),
            cmocka_unit_test_prestate(programs, &copies[i]),
            cmocka_unit_test_prestate(erases, &copies[i]),
            cmocka_unit_test_prestate(blank_checks, &copies[i]),
            cmocka_unit_test_prestate(counts, &copies[i]),
            cmocka_unit_test_prestate(raises, &copies[i]),
            cmocka_unit_test_prestate(monotonic_clocks, &copies[i]),
            cmocka_unit_test_prestate(unix_clocks, &copies[i]),
        };
        failed += cmocka_run_group_tests_name(plans[i].name, tests, NULL, NULL);
    }
    print_message("fault_device: %llu lives, %llu closed\n", (unsigned long long)lives,
                  (unsigned long long)closings);
    return failed;
}
