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
#include <string.h>

#include <cmocka.h>

#include "powercut/device_world.h"
#include "random.h"
#include "record_fixture.h"

enum {
    REACH = 16,
    WINDOW = 128,
    MAX_SKIP = 6000,
    ROUTE = 2,
    FLIGHT = 64, /* packets under way, or kept */
    NUMBERS = 64,
    GENERATIONS = 40000,
    ROUNDS = 3,
    STEPS = 4000,
    SNAPSHOT = FER_SNAPSHOT_SIZE(REACH, WINDOW)
};

static const world_plan plans[] = {
    {"two way",
     {"nor", {432, 2, 4, 0xFF, FER_NV_OVERWRITE}, true, false, false},
     FER_STORE_STRICT,
     FER_LINK_DATAGRAM,
     FER_TWO_WAY,
     WORLD_INBOUND,
     50},
    {"one way",
     {"eeprom", {160, 4, 1, 0xFF, FER_NV_REWRITE}, false, false, false},
     FER_STORE_STRICT,
     FER_LINK_STREAM,
     FER_ONE_WAY,
     WORLD_INBOUND,
     40},
};

FER_ARENA(receiver_arena, FER_GATEWAY_SIZE(1, REACH, WINDOW, 8));

/* What is in the gateway's database, and what it has in memory only. */
typedef struct rows {
    uint64_t numbers[GENERATIONS][2]; /* accepted ones, by bit */
    uint32_t newest;
    bool heard;
} rows;

static rows durable, volatile_rows;
static uint8_t snapshot[SNAPSHOT];
static size_t snapshot_length;
static fer_gateway *receiver;
static uint8_t salt;

static world_packet flight[FLIGHT];
static bool flying[FLIGHT];
static test_random chance;
static uint32_t accepted, refused, restarts, far;
static unsigned loss; /* of 10 packets */

static uint32_t below(uint32_t limit)
{
    return test_random_below(&chance, limit);
}

/* ---- the gateway -------------------------------------------------------------------------- */

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 0, n);
    out[0] = salt++;
    return FER_PORT_OK;
}

static void create_receiver(void)
{
    static const struct fer_entropy_ops entropy = {fill};
    fer_gateway_config config = fer_gateway_config_default();

    config.window_bits = WINDOW;
    config.earlier = config.reach = REACH;
    config.max_skip = MAX_SKIP;
    config.entropy.ops = &entropy;
    assert_int_equal(fer_arena_rewind(&receiver_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_gateway_create(&receiver_arena, &config, &receiver), FER_OK);
}

/* The transaction: rows and receive state become durable together. */
static void transact(void)
{
    assert_int_equal(fer_gateway_export(receiver, 0, snapshot, sizeof snapshot, &snapshot_length),
                     FER_OK);
    durable = volatile_rows;
}

/* The gateway is killed, and comes back from its database. */
static void restart_receiver(void)
{
    uint32_t context = 9;

    create_receiver();
    assert_int_equal(fer_gateway_import(receiver, snapshot, snapshot_length, &context), FER_OK);
    volatile_rows = durable;
    restarts++;
}

static void begin_receiver(void)
{
    fer_credential credential;
    uint32_t context;

    create_receiver();
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(receiver, &credential, &context), FER_OK);
    memset(&volatile_rows, 0, sizeof volatile_rows);
    transact();
}

/* ---- what must be accepted ---------------------------------------------------------------- */

static bool is_row(const rows *in, const world_packet *packet)
{
    return (in->numbers[packet->generation][packet->lane] >> packet->number & 1u) != 0;
}

static bool is_short(const world_packet *packet)
{
    return (packet->bytes[0] & 0x10u) == 0;
}

/* A short form tells 8 bits of its generation: the gateway must not have fallen behind. */
static bool is_understood(const world_packet *packet)
{
    int64_t ahead = (int64_t)packet->generation - volatile_rows.newest;

    return is_short(packet) ? ahead <= 8 && ahead > -248 : ahead <= MAX_SKIP;
}

static bool must_be_accepted(const world_packet *packet)
{
    return !is_row(&volatile_rows, packet) && is_understood(packet) &&
           packet->generation + REACH >= volatile_rows.newest;
}

static uint32_t seen; /* readings of one record, and whether they are its own */

static void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    const world_packet *packet = context;
    bool found = false;

    (void)base;
    for (uint32_t i = 0; i < packet->count; i++) {
        found |= packet->readings[i] == (uint32_t)reading->value;
    }
    assert_true(found);
    seen++;
}

static void check_content(const world_packet *packet, const uint8_t *plain, size_t n)
{
    const fer_telemetry_visitor visitor = {.on_reading = on_reading,
                                           .context = (void *)(uintptr_t)packet};

    seen = 0;
    assert_int_equal(fer_telemetry_decode(plain, n, &visitor), FER_OK);
    assert_int_equal(seen, packet->count);
}

static void add_row(const world_packet *packet)
{
    assert_false(is_row(&durable, packet)); /* ONCE, in the database itself */
    assert_false(is_row(&volatile_rows, packet));
    volatile_rows.numbers[packet->generation][packet->lane] |= (uint64_t)1 << packet->number;
    volatile_rows.heard = true;
    if (packet->generation > volatile_rows.newest) {
        volatile_rows.newest = packet->generation;
    }
    accepted++;
}

/* ---- the link ----------------------------------------------------------------------------- */

static bool device_is_current(void)
{
    fer_gateway_state state;
    fer_health health;

    assert_int_equal(fer_gateway_get_state(receiver, 0, &state), FER_OK);
    return world_device != NULL && world.highest >= 0 && state.heard &&
           fer_device_get_health(world_device, &health) == FER_OK && health.records_sealed > 0 &&
           health.generation == state.generation;
}

/* An acknowledgement of what is durable; it may be lost. */
static void acknowledge(void)
{
    uint8_t record[64], framed[80], out[WORLD_INBOUND];
    size_t n, used, length;

    if (!volatile_rows.heard || below(3) == 0) {
        return;
    }
    assert_int_equal(fer_gateway_seal(receiver, 0, NULL, 0, record, sizeof record, &n), FER_OK);
    transact(); /* the number it used is durable before it leaves */
    if (!device_is_current() || below(4) == 0) {
        return;
    }
    if (world.plan->link == FER_LINK_STREAM) {
        assert_int_equal(fer_frame_encode(record, n, framed, sizeof framed, &n), FER_OK);
    } else {
        memcpy(framed, record, n);
    }
    assert_int_equal(fer_device_feed(world_device, framed, n, &used, out, sizeof out, &length),
                     FER_OK);
    assert_int_equal(fer_device_feed(world_device, framed, n, &used, out, sizeof out, &length),
                     FER_EMPTY);
    world.rejected++;
}

/* It comes to the gateway, which may be killed at any step. */
static void arrive(const world_packet *packet)
{
    uint8_t plain[WORLD_CAPACITY];
    fer_opened opened;
    fer_status status =
        fer_gateway_open(receiver, packet->bytes, packet->length, plain, sizeof plain, &opened);

    assert_int_equal(status == FER_OK, must_be_accepted(packet));
    if (status != FER_OK) {
        assert_int_equal(fer_status_get_group(status), FER_GROUP_DROP_INPUT);
        size_t overhead = is_short(packet) ? FER_OVERHEAD_SHORT(ROUTE) : FER_OVERHEAD_FULL(ROUTE);
        assert_true(fixture_is_all(plain, packet->length - overhead, 0)); /* FIRST */
        refused++;
        return;
    }
    check_content(packet, plain, opened.length);
    if (below(12) == 0) { /* killed before commit */
        restart_receiver();
        return;
    }
    assert_int_equal(fer_gateway_commit(receiver, &opened.ticket), FER_OK);
    add_row(packet);
    if (below(12) == 0) { /* killed before the transaction */
        restart_receiver();
    } else if (below(3) != 0) {
        transact();
        acknowledge();
    }
}

/* Kept in a place that is free, or in that of another, which is lost then. */
static void send(const world_packet *packet)
{
    uint32_t place = below(FLIGHT);

    assert_true(packet->number < NUMBERS && packet->generation < GENERATIONS);
    if (below(10) >= loss) {
        flight[place] = *packet;
        flying[place] = true;
    }
}

/* One that is under way arrives; now and then it stays, to come again. */
static void deliver(void)
{
    uint32_t place = below(FLIGHT);

    if (flying[place]) {
        flying[place] = below(4) == 0;
        arrive(&flight[place]);
    }
}

static void deliver_all(void)
{
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < FLIGHT; i++) {
            if (flying[i]) {
                world_packet packet = flight[i];

                arrive(&packet);
            }
        }
    }
}

/* ---- the device --------------------------------------------------------------------------- */

static void boot(void)
{
    assert_int_equal(world_create(), FER_OK);
}

static void measure(void)
{
    for (uint32_t n = 1 + below(WORLD_READINGS); n > 0; n--) {
        world_record();
    }
    world_wait(WORLD_BACKOFF);
    (void)world_drain(below(4) == 0 ? FER_LANE_BACKLOG : FER_LANE_LIVE);
}

/* Many boots, of each of which one record leaves and is lost. */
static void boot_unheard(uint32_t boots)
{
    unsigned before = loss;

    loss = 10;
    for (; boots > 0 && world.highest + 200 < GENERATIONS; boots--) {
        boot();
        world_record();
        (void)world_take(FER_LANE_LIVE);
    }
    loss = before;
    far++;
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

static void begin(const world_plan *plan, uint64_t seed)
{
    world_link = send;
    memset(flying, 0, sizeof flying);
    world_begin(plan, seed);
    assert_int_equal(world_install(), FER_OK);
    begin_receiver();
    loss = 2;
    boot();
}

static void random_worlds(void **state)
{
    (void)state;
    chance = test_random_start("model_both_sides");
    for (unsigned round = 0; round < ROUNDS; round++) {
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

/* ---- directed ----------------------------------------------------------------------------- */

static void begin_quiet(void)
{
    chance.state = 7;
    begin(&plans[0], 7);
    loss = 0;
}

/* One record of this boot, in place 0; it is always in full form. */
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
        cmocka_unit_test(random_worlds),
    };

    return cmocka_run_group_tests_name("model_both_sides", tests, NULL, NULL);
}
