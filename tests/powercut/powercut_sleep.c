/* Every order of sleep, waking, sealing, burns that are due, resets and power cuts, up to a length,
 * against a model of what an image of retained RAM may do. There are two places for images, so that
 * an older one may be there as well.
 *
 * Model: an image serves once, and only while the generation after its own is unused; waking takes
 * it away, whatever it answers. What leaves is checked as device_world.h says, so that no order
 * repeats a (key, nonce).
 * A call that changes nothing is not gone on from: that is the shorter order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "powercut/device_world.h"
#include "record_fixture.h"

enum { LENGTH = 8, QUICK_LENGTH = 5, TARGET_LENGTH = 4, PLACES = 2, HALF = 56 };

typedef enum act {
    SUSPEND_A,
    SUSPEND_B,
    RESUME_A,
    RESUME_B,
    SEAL,
    GROW_OLD, /* a burn is due */
    RESET,
    DAMAGE_A,
    DAMAGE_B,
    CUT_RESUME_FIRST, /* of image A: power goes at its first port call, or its last */
    CUT_RESUME_LAST,
    CUT_RESUME_WIPING, /* or while the image is overwritten */
    CUT_BURN,
    BUSY_BURN,      /* a burn fails before it began anything */
    RESUME_COPY,    /* of the last image, behind our back, once it is not the newest's any more */
    RESUME_FOREIGN, /* another device's */
    ACTS
} act;

static const char *const act_names[ACTS] = {
    "suspend to A",  "suspend to B", "resume A",    "resume B", "seal",     "grow old",
    "reset",         "damage A",     "damage B",    "cut 1",    "cut last", "cut wiping",
    "cut in a burn", "busy burn",    "resume copy", "foreign"};

typedef enum kind { NOTHING, WHOLE, BROKEN } kind;

typedef struct image_model {
    kind kind;
    uint32_t generation;
    uint8_t bytes[FER_IMAGE_BYTES];
} image_model;

/* What the device may do, by its past alone. */
typedef struct sleep_model {
    bool awake;
    bool open;  /* a generation */
    bool tried; /* a burn, in this uptime */
    bool due;
    bool waits;          /* a reading */
    uint32_t generation; /* that is open */
    uint32_t least;      /* the next unused one is at least this, */
    uint32_t most;       /* and at most this: a cut burn may have used it up */
    image_model places[PLACES];
    image_model copy; /* of the image that was made last */
} sleep_model;

static const world_plan plan = {"sleep",
                                {"nor", {160, 2, 4, 0xFF, FER_NV_OVERWRITE}, true, false, false},
                                FER_STORE_STRICT,
                                FER_LINK_DATAGRAM,
                                FER_ONE_WAY,
                                WORLD_INBOUND,
                                0,
                                true};

static sleep_model model, models[LENGTH + 1];
static act order[LENGTH];
static unsigned tried[LENGTH]; /* acts, at each place of the order */
static unsigned depth;
static uint8_t foreign[FER_IMAGE_BYTES];
static uint64_t orders, resumed;

static void explain(const char *what)
{
    print_error("%s, after:", what);
    for (unsigned i = 0; i <= depth && i < LENGTH; i++) {
        print_error(" %s;", act_names[order[i]]);
    }
    print_error("\n");
}

/* ---- what the model says ------------------------------------------------------------------ */

static fer_status expect_resume(const image_model *image, fer_status got)
{
    if (!model.awake) {
        return FER_ERR_HANDLE;
    }
    if (model.tried || model.open) {
        return FER_ERR_ORDER;
    }
    if (image->kind != WHOLE) {
        return FER_DROP_FORGED;
    }
    uint32_t next = image->generation + 1;
    if (next < model.least || next > model.most) {
        return FER_DROP_FORGED;
    }
    return model.least == model.most || got != FER_DROP_FORGED ? FER_OK : FER_DROP_FORGED;
}

static void boot(void)
{
    WORLD_CHECK(world_create() == FER_OK);
    model.awake = true;
    model.open = model.tried = model.due = model.waits = false;
}

/* ---- acts: whether anything changed ------------------------------------------------------- */

static bool suspend(image_model *to)
{
    if (!model.awake) {
        return false;
    }
    memcpy(world.image, to->bytes, sizeof world.image);
    fer_status status = world_suspend();
    WORLD_CHECK(status == (!model.open ? FER_EMPTY : model.waits ? FER_ERR_ORDER : FER_OK));
    if (status != FER_OK) {
        return false;
    }
    memcpy(to->bytes, world.image, sizeof world.image);
    to->kind = WHOLE;
    to->generation = model.generation;
    model.copy = *to;
    model.awake = false;
    return true;
}

static bool resume(image_model *from)
{
    fer_health health;
    bool was_there = from->kind != NOTHING;
    uint32_t generation = from->generation;

    memcpy(world.image, from->bytes, sizeof world.image);
    fer_status status = world_resume();
    WORLD_CHECK(status == expect_resume(from, status));
    memset(from, 0, sizeof *from); /* world_resume saw that it is overwritten */
    if (status == FER_OK) {
        WORLD_CHECK(fer_device_get_health(world_device, &health) == FER_OK);
        model.generation = health.generation;
        WORLD_CHECK(model.generation == generation);
        model.open = true;
        resumed++;
    }
    return was_there;
}

/* A record of each lane, in a new generation where the model says so. */
static bool seal(void)
{
    if (!model.awake) {
        return false;
    }
    bool burns = !model.open || model.due;
    int64_t highest = world.highest;
    world_wait(WORLD_BACKOFF);
    world_record();
    (void)world_drain(FER_LANE_LIVE);
    world_record();
    (void)world_drain(FER_LANE_BACKLOG);
    world_send_spool();
    world_answer();
    uint32_t generation = (uint32_t)world.highest;
    if (burns) {
        WORLD_CHECK(generation >= model.least && generation <= model.most);
        model.least = model.most = generation + 1;
        model.tried = true;
    } else {
        WORLD_CHECK(world.highest == highest && generation == model.generation);
    }
    model.open = true;
    model.generation = generation;
    model.due = model.waits = false;
    return true;
}

static bool grow_old(void)
{
    if (!model.awake || !model.open || model.due) {
        return false;
    }
    world_wait(WORLD_BURN_MS);
    model.due = true;
    return true;
}

static bool damage(image_model *image)
{
    if (image->kind != WHOLE) {
        return false;
    }
    image->bytes[orders % FER_IMAGE_BYTES] ^= (uint8_t)(1u << orders / 7 % 8);
    image->kind = BROKEN;
    return true;
}

static void do_resume(void)
{
    WORLD_CHECK(world_create() == FER_OK);
    (void)world_resume();
}

static void do_seal(void)
{
    WORLD_CHECK(world_create() == FER_OK);
    world_record();
    (void)world_take(FER_LANE_LIVE);
}

static void power_back(void)
{
    world_power_on((flash_look)(orders % FLASH_LOOKS));
    boot();
}

/* Power goes in a resume after a reset; how many port calls that makes is seen before. */
static bool cut_resume(image_model *image, bool last)
{
    world_save *before = world_get_save(WORLD_SAVES - 1);

    if (image->kind == NOTHING) {
        return false;
    }
    memcpy(world.image, image->bytes, sizeof world.image);
    world_power_on(FLASH_OLD);
    world_keep(before);
    WORLD_CHECK(world_live(do_resume));
    uint32_t calls = world.all_calls;
    world_go_back(before);
    world.gone_at_once = true;
    world.cut_call = last ? calls - 1 : 1; /* the first is of the clock, in create */
    WORLD_CHECK(!world_live(do_resume));
    WORLD_CHECK(fixture_is_all(world.image, sizeof world.image, 0));
    memset(image, 0, sizeof *image);
    power_back();
    return true;
}

static bool cut_wiping(image_model *image)
{
    if (image->kind == NOTHING) {
        return false;
    }
    memset(image->bytes, 0, HALF);
    image->kind = BROKEN;
    power_back();
    return true;
}

/* Power goes midway in the burn of a first seal; it may have used up a generation, or not. */
static bool cut_burn(void)
{
    world_power_on(FLASH_OLD);
    world.gone_at_once = true;
    world.flash.cut_at = (uint32_t)(orders % 8);
    world.flash.cut_moment = (flash_moment)(orders % 3);
    world.flash.cut_prefix = (uint32_t)orders;
    if (world_live(do_seal)) { /* it was over before: what left is as good as any */
        model.least = model.most = (uint32_t)world.highest + 1;
    } else {
        model.most += 2;
    }
    power_back();
    return true;
}

static bool busy_burn(void)
{
    if (!model.awake || (model.open && !model.due)) {
        return false;
    }
    world_wait(WORLD_BACKOFF);
    world.fault = (world_fault){PORT_PROGRAM, world.calls[PORT_PROGRAM], FER_PORT_NOT_NOW, 0, 0};
    world_record();
    WORLD_CHECK(world_take(FER_LANE_LIVE) == FER_NOT_NOW && world.fails > 0);
    world.fault.at = WORLD_NEVER;
    model.tried = model.waits = true;
    return true;
}

/* The one copy that can be told: an older generation's. */
static bool resume_copy(void)
{
    image_model copy = model.copy;

    if (copy.kind == WHOLE && copy.generation + 1 < model.least) {
        (void)resume(&copy);
        WORLD_CHECK(!model.open || model.generation != copy.generation);
    }
    return false;
}

static bool resume_foreign(void)
{
    image_model other = {BROKEN, 0, {0}};

    memcpy(other.bytes, foreign, sizeof foreign);
    (void)resume(&other);
    return false;
}

static bool perform(act what)
{
    image_model *place = &model.places[what == SUSPEND_B || what == RESUME_B || what == DAMAGE_B];

    switch (what) {
    case SUSPEND_A:
    case SUSPEND_B:
        return suspend(place);
    case RESUME_A:
    case RESUME_B:
        return resume(place);
    case SEAL:
        return seal();
    case GROW_OLD:
        return grow_old();
    case RESET:
        boot();
        return true;
    case DAMAGE_A:
    case DAMAGE_B:
        return damage(place);
    case CUT_RESUME_FIRST:
    case CUT_RESUME_LAST:
        return cut_resume(place, what == CUT_RESUME_LAST);
    case CUT_RESUME_WIPING:
        return cut_wiping(place);
    case CUT_BURN:
        return cut_burn();
    case BUSY_BURN:
        return busy_burn();
    case RESUME_COPY:
        return resume_copy();
    default:
        return resume_foreign();
    }
}

/* ---- every order -------------------------------------------------------------------------- */

/* The next act in the last place, or of the one before where all were tried. False: all were. */
static bool next_order(void)
{
    while (tried[depth] == ACTS) {
        if (depth == 0) {
            return false;
        }
        depth--;
    }
    order[depth] = (act)tried[depth]++;
    return true;
}

static void try_orders(unsigned length)
{
    depth = 0;
    tried[0] = 0;
    models[0] = model;
    world_keep(world_get_save(0));
    while (next_order()) {
        model = models[depth];
        world_go_back(world_get_save(depth));
        orders++;
        if (perform(order[depth]) && depth + 1 < length) {
            depth++;
            tried[depth] = 0;
            models[depth] = model;
            world_keep(world_get_save(depth));
        }
    }
}

/* An image of a device like this one with other keys. */
static void make_foreign(void)
{
    world_begin_as(1, &plan, 1);
    WORLD_CHECK(world_install() == FER_OK && world_create() == FER_OK);
    world_record();
    (void)world_drain(FER_LANE_LIVE);
    WORLD_CHECK(world_suspend() == FER_OK);
    memcpy(foreign, world.image, sizeof foreign);
}

static void every_order_keeps_numbers_apart(void **state)
{
#if !defined(__linux__)
    unsigned length = TARGET_LENGTH; /* an emulated microcontroller */
#elif defined(FERRULE_QUICK)
    unsigned length = QUICK_LENGTH;
#else
    unsigned length = getenv("FERRULE_QUICK") != NULL ? QUICK_LENGTH : LENGTH;
#endif

    (void)state;
    world_explain = explain;
    make_foreign();
    world_begin(&plan, 1);
    WORLD_CHECK(world_install() == FER_OK);
    memset(&model, 0, sizeof model);
    boot();
    (void)seal(); /* orders begin with a generation to suspend */
    try_orders(length);
    print_message("powercut_sleep: %llu orders up to length %u, %llu resumed\n",
                  (unsigned long long)orders, length, (unsigned long long)resumed);
    WORLD_CHECK(resumed > orders / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_order_keeps_numbers_apart)};

    return cmocka_run_group_tests_name("powercut_sleep", tests, NULL, NULL);
}
