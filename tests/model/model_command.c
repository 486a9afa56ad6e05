/* Device: commands against a naive model, over random histories of reboots, sleep, burns, withheld,
 * reordered and repeated commands. The model knows the true time at which each record was sealed
 * and counts how often each id was delivered. It demands
 *
 *   - an id is delivered at most once, over all lives, while the application keeps commands_done;
 *     in one life even where it does not;
 *   - what is delivered refers to a record of the generation in use, sealed at most stale_ms ago
 * and among the newest stale_records;
 *   - a new id that refers to a record sealed just now is delivered; where nothing was ever fed, at
 *     the second try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../unit/device_kit.h"
#include "random.h"

enum { RECORDS = 600, IDS = 4000, CAPTURED = 64, STALE_RECORDS = 30, STALE_MS = 2000 };

/* A command on its way, as an attacker can keep it. */
typedef struct captured {
    uint8_t bytes[sizeof down_bytes];
    size_t n;
    uint32_t id;
    uint32_t generation;
    uint32_t sequence;
} captured;

typedef struct world {
    test_random random;
    captured kept[CAPTURED];
    uint32_t kept_count;
    uint64_t now; /* true time; the device's clock starts anew at each reboot */
    uint64_t sealed[GENERATIONS][RECORDS];
    uint32_t next[GENERATIONS]; /* live records of each generation */
    uint32_t newest_id;
    uint32_t delivered[IDS];
    uint32_t delivered_in_life[IDS];
    uint32_t highest_in_life;
    bool fed;         /* something, in this life */
    bool records_ids; /* the application keeps commands_done */
    unsigned deliveries, stale, repeated, dead;
} world;

static world w;
static uint8_t image[FER_IMAGE_BYTES];

static uint32_t below(uint32_t limit)
{
    return test_random_below(&w.random, limit);
}

static void pass_time(uint32_t ms)
{
    clock_ms += ms;
    w.now += ms;
}

/* Sends all that waits; the peer sees each record's number. */
static void send_all(void)
{
    fer_device_record(device, 1, 1.0);
    while (take_up_to(300) == FER_OK) {
        assert_true(opened.generation < GENERATIONS && opened.sequence < RECORDS);
        w.sealed[opened.generation][opened.sequence] = w.now;
        w.next[opened.generation] = opened.sequence + 1;
    }
}

static void note_delivery(const captured *c)
{
    const uint32_t generation = health_now().generation;
    w.deliveries++;
    assert_int_equal(c->generation, generation);
    assert_true(c->sequence < w.next[generation]);
    assert_true(w.next[generation] - c->sequence <= STALE_RECORDS);
    assert_true(w.now - w.sealed[generation][c->sequence] <= STALE_MS);
    assert_int_equal(w.delivered_in_life[c->id]++, 0);
    assert_true(c->id > w.highest_in_life);
    w.highest_in_life = c->id;
    w.delivered[c->id]++;
    if (w.records_ids) {
        assert_int_equal(w.delivered[c->id], 1);
        config.commands_done = c->id; /* durable before it acts */
    }
    if (below(2) == 0) {
        (void)!fer_device_answer(device, c->id, FER_RESULT_DONE, NULL, 0);
    }
}

static fer_status feed_captured(const captured *c)
{
    const fer_health before = health_now();
    fer_status status = feed(c->bytes, c->n);
    const fer_health after = health_now();
    w.fed = true;
    w.stale += after.commands_stale - before.commands_stale;
    w.repeated += after.commands_repeated - before.commands_repeated;
    w.dead += after.inbound_rejected - before.inbound_rejected;
    if (status == FER_OK) {
        assert_int_equal(decode(fed, fed_length), FER_OK);
        assert_int_equal(got.command.id, c->id);
        note_delivery(c);
    }
    return status;
}

static captured *issue(uint32_t id, uint32_t generation, uint32_t sequence)
{
    captured *c = &w.kept[w.kept_count++ % CAPTURED];
    const fer_command command = {id, generation, sequence, {NULL, 0}};
    uint8_t envelope[32];
    size_t n;
    assert_int_equal(fer_telemetry_encode_command(&command, envelope, sizeof envelope, &n), FER_OK);
    c->n = answer(envelope, n);
    memcpy(c->bytes, down_bytes, c->n);
    c->id = id;
    c->generation = generation;
    c->sequence = sequence;
    return c;
}

/* The gateway: a new command, or an old one again, with a reference that may be behind. */
static void issue_some(void)
{
    const uint32_t id = below(3) == 0 && w.newest_id > 0 ? 1 + below(w.newest_id) : ++w.newest_id;
    const uint32_t back = below(4) == 0 ? below(60) : 0;
    const uint32_t sequence = opened.sequence > back ? opened.sequence - back : 0;
    captured *c = issue(id, opened.generation, sequence);
    if (below(2) == 0) {
        (void)!feed_captured(c);
    }
}

static void issue_fresh(void)
{
    const uint32_t id = ++w.newest_id;
    const bool fed_before = w.fed;
    send_all();
    if (feed_captured(issue(id, opened.generation, opened.sequence)) != FER_OK) {
        assert_false(fed_before);
        send_all();
        assert_int_equal(feed_captured(issue(id, opened.generation, opened.sequence)), FER_OK);
    }
}

static void reboot(void)
{
    fer_device_close(&device);
    clock_ms = 1 + below(50);
    w.now += below(10000);
    boot();
    memset(w.delivered_in_life, 0, sizeof w.delivered_in_life);
    w.highest_in_life = 0;
    w.fed = false;
    send_all(); /* a new generation */
}

/* A sleep is no new life: ids are remembered. Its time passes on no clock. */
static void sleep_and_wake(void)
{
    send_all();
    if (fer_device_suspend(&device, image) != FER_OK) {
        return;
    }
    const uint32_t done = config.commands_done;
    config.commands_done = 0; /* the image alone must know */
    w.now += below(5000);
    clock_ms = 1 + below(50);
    boot();
    assert_int_equal(fer_device_resume(device, image), FER_OK);
    config.commands_done = done;
}

static void run_history(bool records_ids)
{
    start_world(below(2) == 0 ? FER_LINK_STREAM : FER_LINK_DATAGRAM, ROUTE);
    test_random random = w.random;
    memset(&w, 0, sizeof w);
    w.random = random;
    w.records_ids = records_ids;
    config.stale_ms = STALE_MS;
    config.stale_records = STALE_RECORDS;
    config.burn_records = RECORDS / 2;
    config.burn_backoff_ms = 0;
    boot();
    send_all();
    while (health_now().generation < GENERATIONS - 3 && w.newest_id < IDS - 2) {
        switch (below(12)) {
        case 0:
            pass_time(below(30) == 0 ? 100000 : below(1500));
            break;
        case 1:
            issue_fresh();
            break;
        case 2:
            if (below(8) == 0) {
                reboot();
            }
            break;
        case 3:
            if (below(8) == 0) {
                sleep_and_wake();
            }
            break;
        case 4:
        case 5:
            issue_some();
            break;
        case 6:
        case 7:
        case 8: /* the attacker: anything kept, at any time, in any order */
            if (w.kept_count > 0) {
                const uint32_t count = w.kept_count < CAPTURED ? w.kept_count : CAPTURED;
                (void)!feed_captured(&w.kept[below(count)]);
            }
            break;
        default:
            pass_time(below(100));
            send_all();
        }
    }
}

static void commands_obey_the_model(void **state)
{
    (void)state;
    w.random = test_random_start("commands_obey_the_model");
    for (unsigned i = 0; i < 24; i++) {
        run_history(i % 3 != 0);
        /* The history had enough of everything to mean something. */
        assert_true(w.deliveries > 100 && w.stale > 10 && w.repeated > 30 && w.dead > 100);
        fer_device_close(&device);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commands_obey_the_model)};
    return cmocka_run_group_tests_name("model_command", tests, NULL, NULL);
}
