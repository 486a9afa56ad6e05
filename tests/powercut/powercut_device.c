/* Power is cut at every flash operation of a device's life (before, midway, after), and at every
 * port call of one that sleeps; then again in the recovery from each of these cuts. The life:
 * provisioning, boots, burns by count and by age, blocks that turn over, an erase that fails and
 * its back-off, both lanes, answers, sleep with the image kept, lost or damaged at the cut.
 *
 * At a cut the calls either fail from then on and the program goes on (a brown-out), or nothing
 * runs any more. Then the device goes on, seals, sleeps and wakes: device_world.h says what is
 * checked of every record that leaves (NONCE, ONCE, HONEST), that failed calls leave nothing open
 * in the caller's buffer, and that nothing but a second cut in provisioning locks it out (CLOSED).
 * FERRULE_SEED chooses what torn granules read as; FERRULE_QUICK runs a smaller matrix,
 * FERRULE_WHOLE a larger one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "powercut/device_world.h"

#define SHAPE(name, size, count, granule, erased, flags, erase, blank, ecc) \
    {                                                                       \
        name, {size, count, granule, erased, flags}, erase, blank, ecc      \
    }

/* clang-format off */
static const world_plan plans[] = {
    {"nor, strict, datagrams", SHAPE("nor", 432, 2, 1, 0xFF, FER_NV_OVERWRITE, 1, 0, 0),
     FER_STORE_STRICT, FER_LINK_DATAGRAM, FER_TWO_WAY, WORLD_INBOUND, 6, false},
    {"write once with ecc, block, one way", SHAPE("once", 432, 2, 8, 0xFF, 0, 1, 0, 1),
     FER_STORE_BLOCK, FER_LINK_STREAM, FER_ONE_WAY, 0, 7, false},
    {"zeros over with ecc, strict, stream", SHAPE("zeros", 300, 3, 4, 0xFF, FER_NV_OVERWRITE, 1, 0, 1),
     FER_STORE_STRICT, FER_LINK_STREAM, FER_TWO_WAY, WORLD_INBOUND, 0, false},
    {"eeprom, strict, one way", SHAPE("eeprom", 300, 2, 1, 0xFF, FER_NV_REWRITE, 0, 0, 0),
     FER_STORE_STRICT, FER_LINK_DATAGRAM, FER_ONE_WAY, WORLD_INBOUND, 5, false},
    {"write once, strict, blank check", SHAPE("blank", 320, 3, 16, 0xFF, 0, 1, 1, 1),
     FER_STORE_STRICT, FER_LINK_STREAM, FER_ONE_WAY, WORLD_INBOUND, 6, false},
    {"four blocks erased to zero, strict", SHAPE("four", 160, 4, 2, 0x00, FER_NV_OVERWRITE, 1, 0, 0),
     FER_STORE_STRICT, FER_LINK_DATAGRAM, FER_TWO_WAY, WORLD_INBOUND, 6, true},
};
/* clang-format on */

/* Sampled of the square: one in so many operations of the recovery. */
enum { WHOLE_STRIDE = 4, STRIDE = 13, QUICK_STRIDE = 173 }; /* prime to the three moments */

typedef enum fate { KEPT, LOST, DAMAGED, FATES } fate; /* of the image in RAM */

typedef struct cut {
    uint32_t at; /* change of the medium, or port call */
    flash_moment moment;
    uint32_t prefix;
    bool by_call;
    bool gone_at_once;
} cut;

static const cut never = {WORLD_NEVER, FLASH_BEFORE, 0, false, true};
static cut chosen; /* the first one of this trial */
static uint64_t seed = 1, points, square, lockouts;
static bool quick, whole, twice;

static void explain(const char *what)
{
    print_error("%s: %s; first cut at %s %u, %s, prefix %u, %s; FERRULE_SEED=%llu\n",
                world.plan->name, what, chosen.by_call ? "call" : "change", (unsigned)chosen.at,
                chosen.moment == FLASH_BEFORE   ? "before"
                : chosen.moment == FLASH_MIDWAY ? "midway"
                                                : "after",
                (unsigned)chosen.prefix, chosen.gone_at_once ? "gone" : "brown-out",
                (unsigned long long)seed);
}

static void arm(const cut *next)
{
    world.cut_call = next->by_call ? next->at : (uint32_t)WORLD_NEVER;
    world.flash.cut_at = next->by_call ? (uint32_t)FLASH_NEVER : next->at;
    world.flash.cut_moment = next->moment;
    world.flash.cut_prefix = next->prefix;
    world.gone_at_once = next->gone_at_once;
}

/* ---- a life ------------------------------------------------------------------------------- */

typedef enum step {
    INSTALL,
    PROVISION, /* after a cut: installs where there is need and no doubt */
    BOOT,
    READ,
    OVERFLOW, /* more readings than fit */
    EVENT,
    DRAIN,
    BACKLOG, /* the same, to be kept and sent in the end */
    ANSWER,
    REPLAY,
    AGE, /* until a burn is due by age */
    BAD_ERASE,
    MAINTAIN,
    SLEEP,
    WAKE,
    MAYBE_WAKE, /* with whatever is in the image */
    END
} step;

static const step whole_life[] = {
    INSTALL,  BOOT,     READ,  EVENT, DRAIN, ANSWER,  READ,  READ,    DRAIN, REPLAY, MAINTAIN,
    READ,     BACKLOG,  BOOT,  BOOT,  READ,  DRAIN,   READ,  BACKLOG, READ,  DRAIN,  READ,
    DRAIN,    READ,     DRAIN, READ,  DRAIN, SLEEP,   WAKE,  REPLAY,  READ,  DRAIN,  ANSWER,
    MAINTAIN, AGE,      READ,  DRAIN, EVENT, DRAIN,   SLEEP, WAKE,    READ,  READ,   BACKLOG,
    DRAIN,    OVERFLOW, DRAIN, BOOT,  READ,  BACKLOG, SLEEP, WAKE,    SLEEP, WAKE,   BAD_ERASE,
    BOOT,     READ,     DRAIN, BOOT,  READ,  DRAIN,   BOOT,  READ,    DRAIN, END};

static const step sleepy_life[] = {INSTALL, BOOT,  READ, DRAIN,   ANSWER, SLEEP, WAKE,
                                   READ,    DRAIN, READ, BACKLOG, SLEEP,  WAKE,  READ,
                                   DRAIN,   SLEEP, BOOT, READ,    DRAIN,  SLEEP, END};

static const step one_boot[] = {BOOT, READ, DRAIN, MAINTAIN, END};

static const step recovery[] = {
    PROVISION, BOOT,     MAYBE_WAKE, REPLAY, READ,   EVENT, DRAIN, READ, BACKLOG, ANSWER, READ,
    DRAIN,     MAINTAIN, SLEEP,      WAKE,   REPLAY, READ,  DRAIN, BOOT, READ,    DRAIN,  END};

static void fail_next_erase(void)
{
    world.fault.kind = world.plan->shape.has_erase ? PORT_ERASE : PORT_PROGRAM;
    world.fault.at = world.calls[world.fault.kind];
    world.fault.answer = FER_PORT_FAILED;
    world.fault.midway = true;
}

static void wake(bool surely)
{
    fer_health health;

    WORLD_CHECK(world_create() == FER_OK);
    fer_status status = world_resume();
    WORLD_CHECK(world.flash.off || status == FER_OK || (!surely && status == FER_DROP_FORGED));
    if (status == FER_OK) {
        WORLD_CHECK(fer_device_get_health(world_device, &health) == FER_OK);
        WORLD_CHECK(health.generation == world.highest); /* it cost no burn */
    }
}

static void sleep_now(void)
{
    fer_status status = world_suspend();

    WORLD_CHECK(status == FER_OK || world.flash.off);
}

static void perform(step what)
{
    switch (what) {
    case INSTALL:
        WORLD_CHECK(world_install() == FER_OK || world.flash.off);
        break;
    case BOOT:
        WORLD_CHECK(world_create() == FER_OK);
        break;
    case OVERFLOW:
        for (unsigned i = 0; i < WORLD_READINGS + 3; i++) {
            world_record();
        }
        break;
    case READ:
        world_record();
        break;
    case EVENT:
        world_event();
        break;
    case DRAIN:
        (void)world_drain(FER_LANE_LIVE);
        break;
    case BACKLOG:
        (void)world_drain(FER_LANE_BACKLOG);
        break;
    case ANSWER:
        world_answer();
        break;
    case REPLAY:
        world_replay_answer();
        break;
    case AGE:
        world_wait(WORLD_BURN_MS);
        break;
    case BAD_ERASE:
        fail_next_erase();
        break;
    case MAINTAIN:
        (void)world_maintain();
        break;
    case SLEEP:
        sleep_now();
        break;
    default:
        wake(what == WAKE);
        break;
    }
}

static void follow(const step *steps)
{
    for (; *steps != END && !world.flash.off; steps++) {
        if (*steps != PROVISION) {
            perform(*steps);
        } else if (!world.installed && !world_provision()) {
            WORLD_CHECK(world.flash.off || twice);
            lockouts += !world.flash.off;
            return;
        }
    }
}

static const step *first_steps;

/* Boots until every block was turned over. */
static void live_first(void)
{
    const fer_nv_geometry *geometry = &world.plan->shape.geometry;
    uint32_t boots = geometry->block_size / 144 * geometry->block_count + 1;

    follow(first_steps);
    for (uint32_t i = 0; i < boots && first_steps == whole_life && !world.flash.off; i++) {
        follow(one_boot);
    }
}

static void live_on(void)
{
    follow(recovery);
}

/* ---- cuts --------------------------------------------------------------------------------- */

/* Power comes back, and the device goes on, perhaps until the next cut. */
static bool recover(flash_look look, fate with, const cut *next)
{
    world_power_on(look);
    if (with == LOST) {
        memset(world.image, flash_random(&world.flash, 2) ? 0xFF : 0x00, sizeof world.image);
    } else if (with == DAMAGED) {
        world.image[flash_random(&world.flash, FER_IMAGE_BYTES)] ^=
            (uint8_t)(1u << flash_random(&world.flash, 8));
    }
    arm(next);
    return world_live(live_on);
}

static void end_well(void)
{
    twice = true;
    WORLD_CHECK(recover((flash_look)flash_random(&world.flash, FLASH_LOOKS), KEPT, &never));
    world_send_spool();
    twice = false;
}

static bool image_is_there(void)
{
    static const uint8_t nothing[FER_IMAGE_BYTES];

    return memcmp(world.image, nothing, sizeof nothing) != 0;
}

static uint32_t get_stride(void)
{
    return quick ? QUICK_STRIDE : whole ? WHOLE_STRIDE : STRIDE;
}

/* One recovery undisturbed; and of those cut again, a sample that shifts from trial to trial. */
static void recover_from(const world_save *first, flash_look look, fate with)
{
    const uint32_t stride = get_stride();

    points++;
    WORLD_CHECK(recover(look, with, &never));
    uint32_t count = chosen.by_call ? world.all_calls : 3 * world.flash.changes;
    world_send_spool();
    square += count;
    for (uint32_t i = (uint32_t)points % stride; i < count; i += stride) {
        cut next = never;

        next.by_call = chosen.by_call;
        next.at = chosen.by_call ? i : i / 3;
        next.moment = chosen.by_call ? FLASH_BEFORE : (flash_moment)(i % 3);
        next.prefix = i;
        next.gone_at_once = (i / stride) % 2 == 0;
        world_go_back(first);
        world.flash.random += i;
        if (recover(look, with, &next)) {
            continue; /* torn granules read differently this time: it has fewer operations */
        }
        points++;
        end_well();
    }
}

/* False where the life has no such operation. */
static bool cut_life(const world_plan *plan, const cut *at)
{
    world_save *first = world_get_save(0);

    chosen = *at;
    world_begin(plan, seed + at->at);
    arm(at);
    if (world_live(live_first)) {
        return false;
    }
    world_keep(first);
    for (int look = FLASH_OLD; look < FLASH_LOOKS; look++) {
        for (int with = KEPT; with < FATES; with++) {
            bool same = with != KEPT && !image_is_there();
            if ((look == FLASH_UNREADABLE && !plan->shape.has_ecc) || same ||
                (look != FLASH_OLD && at->moment != FLASH_MIDWAY) ||
                (quick && (look + with + (int)at->at) % 3 != 0)) {
                continue;
            }
            recover_from(first, (flash_look)look, (fate)with);
            world_go_back(first);
        }
    }
    return true;
}

static bool cut_everywhere(const world_plan *plan, uint32_t at, bool gone_at_once)
{
    cut next = {at, FLASH_BEFORE, 0, false, gone_at_once};

    if (!cut_life(plan, &next)) {
        return false;
    }
    next.moment = FLASH_AFTER;
    (void)cut_life(plan, &next);
    next.moment = FLASH_MIDWAY;
    for (uint32_t i = 0; i < (quick ? 1u : 2u); i++) {
        next.prefix = i * 5 + at; /* another place from operation to operation */
        (void)cut_life(plan, &next);
    }
    return true;
}

static void report(const world_plan *plan, uint64_t tried, uint64_t all)
{
    print_message("%s: %llu cut points, of %llu second ones 1 in %d\n", plan->name,
                  (unsigned long long)tried, (unsigned long long)all, (int)get_stride());
}

static void every_flash_operation(void **state)
{
    const world_plan *plan = *state;
    uint64_t before = points, square_before = square;
    uint32_t at = 0;

    first_steps = whole_life;
    while (cut_everywhere(plan, at, at % 2 == 0) && (quick || cut_everywhere(plan, at, at % 2))) {
        at += quick ? 5 : 1;
    }
    WORLD_CHECK(at > 50 && world.highest > 7); /* the life was as long as it should be */
    report(plan, points - before, square - square_before);
}

static void every_port_call_of_sleep(void **state)
{
    const world_plan *plan = *state;
    uint64_t before = points, square_before = square;
    cut next = {0, FLASH_BEFORE, 0, true, true};

    first_steps = sleepy_life;
    while (cut_life(plan, &next)) {
        next.at += quick ? 23 : 1;
    }
    WORLD_CHECK(next.at > 100);
    report(plan, points - before, square - square_before);
}

/* ---- the matrix --------------------------------------------------------------------------- */

static void write_evidence(void)
{
    const char *folder = getenv("FERRULE_EVIDENCE");
    char path[512];

    if (folder == NULL) {
        return;
    }
    (void)snprintf(path, sizeof path, "%s/powercut_device", folder);
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        (void)fprintf(file, "%llu\n", (unsigned long long)points);
        (void)fclose(file);
    }
}

enum { PLANS = sizeof plans / sizeof plans[0], KINDS = 2 };

int main(void)
{
    static struct CMUnitTest tests[PLANS * KINDS];
    static char labels[PLANS * KINDS][80];
    static world_plan copies[PLANS];
    size_t count = 0;

#if defined(FERRULE_QUICK) || !defined(__linux__)
    quick = true;
#else
    quick = getenv("FERRULE_QUICK") != NULL;
    whole = !quick && getenv("FERRULE_WHOLE") != NULL;
    if (getenv("FERRULE_SEED") != NULL) {
        seed = strtoull(getenv("FERRULE_SEED"), NULL, 0);
    }
#endif
    world_explain = explain;
    for (size_t i = 0; i < PLANS; i++) {
        copies[i] = plans[i];
        for (size_t kind = 0; kind < KINDS; kind++) {
            (void)snprintf(labels[count], sizeof labels[count], "%s: %s", plans[i].name,
                           kind == 0 ? "every flash operation" : "every port call of sleep");
            tests[count] = (struct CMUnitTest){
                labels[count], kind == 0 ? every_flash_operation : every_port_call_of_sleep, NULL,
                NULL, &copies[i]};
            count++;
        }
    }
    int failed = _cmocka_run_group_tests("powercut_device", tests, count, NULL, NULL);
    print_message("powercut_device: %llu cut points, %llu closed, seed %llu%s\n",
                  (unsigned long long)points, (unsigned long long)lockouts,
                  (unsigned long long)seed,
                  quick   ? ", quick"
                  : whole ? ", whole"
                          : "");
    write_evidence();
    return failed;
}
