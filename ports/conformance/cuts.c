/* Ferrule: conformance, which lives a store is made to live: without a cut, with cuts as they come,
 * with one at each change in turn, and with a second one at each change of the recovery. */
#include "driver.h"
#include "life.h"

enum { WANDERS = 48, LATE = 12, RECOVERY = 2 };

typedef struct kit_plan {
    kit_life *life;
    uint32_t burns;    /* of a whole life */
    uint32_t changes;  /* of a life without a cut, from its install on */
    uint32_t erases;   /* that the most worn block spent on it, and a little more */
    uint32_t programs; /* likewise */
} kit_plan;

/* ---- wear ------------------------------------------------------------------------------- */

/* Whether every block has wear left for another life. */
static bool can_afford(const kit_plan *plan)
{
    const kit_trial *kit = plan->life->kit;
    bool can = !kit->worn;

    for (uint32_t block = 0; block < kit->geometry->block_count && can; block++) {
        can = fer_conformance_can(kit, block, plan->erases, plan->programs);
    }
    return can;
}

/* Whether another life may be lived; where it may not, the check is not complete. */
static bool can_live(const kit_plan *plan)
{
    kit_trial *kit = plan->life->kit;
    bool can = kit->result->lives < kit->config->lives && can_afford(plan);

    kit->result->complete = kit->result->complete && can;
    return can && kit->result->findings == 0;
}

/* A life with a cut wears a little more than one without. */
static uint32_t with_margin(uint32_t spent)
{
    return spent + spent / 4u + 3u;
}

static void measure(kit_plan *plan, const fer_conformance_result *before)
{
    const kit_life *life = plan->life;

    plan->changes = life->power.changes;
    plan->erases = with_margin(life->kit->result->erases - before->erases);
    plan->programs = with_margin(life->kit->result->programs - before->programs);
}

/* ---- lives ------------------------------------------------------------------------------ */

/* A life of so many burns, whose change `at` is cut short, or (keeps) fails alone. */
static void live_until(kit_plan *plan, uint32_t burns, uint32_t at, kit_moment moment, bool keeps)
{
    kit_life *life = plan->life;

    fer_conformance_life_begin(life);
    life->kit->cut = at;
    life->may_fail = keeps ? 1 : 0;
    fer_conformance_power_on(&life->power, at, moment, keeps);
    fer_conformance_life_boot(life);
    if (fer_conformance_life_install(life)) {
        fer_conformance_life_burn(life, burns);
    }
    life->kit->result->cuts += life->power.off ? 1u : 0u;
}

/* Boots, and burns a few; power may fail again. */
static void live_on(kit_plan *plan, uint32_t at, kit_moment moment)
{
    kit_life *life = plan->life;

    if (life->over) {
        return;
    }
    if (at != KIT_NEVER) {
        life->kit->second_cut = at;
    }
    fer_conformance_power_on(&life->power, at, moment, false);
    fer_conformance_life_boot(life);
    if (life->installed || life->highest >= 0 || fer_conformance_life_install(life)) {
        fer_conformance_life_burn(life, RECOVERY);
    }
    life->kit->result->cuts += life->power.off ? 1u : 0u;
}

/* One long life, cut at almost every boot: for its wear it meets the most cuts. */
static void wander(kit_plan *plan)
{
    kit_life *life = plan->life;

    live_until(plan, 1, KIT_NEVER, KIT_BEFORE, false);
    for (uint32_t i = 0; i < WANDERS && !life->over && can_afford(plan); i++) {
        uint32_t at = fer_conformance_random(&life->power, LATE);
        kit_moment moment = (kit_moment)fer_conformance_random(&life->power, KIT_MOMENTS);

        life->kit->cut = at;
        live_on(plan, at, moment);
        live_on(plan, KIT_NEVER, KIT_BEFORE);
    }
}

/* ---- all of them ------------------------------------------------------------------------ */

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A step that meets each of `count` numbers once, spread from the first on: where wear ends early,
 * it has met some of everything. */
static uint32_t stride(uint32_t count)
{
    uint32_t step = count / 8u * 5u + 1u;

    while (common_divisor(step, count) != 1) {
        step++;
    }
    return step;
}

/* Every cut of a life, each followed by the second cut of this number (0: none). False where none
 * of the recoveries was so long. */
static bool live_all(kit_plan *plan, uint32_t second)
{
    uint32_t count = plan->changes * KIT_MOMENTS;
    uint32_t point = 0;
    bool met = false;

    for (uint32_t i = 0; i < count && can_live(plan); i++) {
        live_until(plan, plan->burns, point / KIT_MOMENTS, (kit_moment)(point % KIT_MOMENTS),
                   false);
        if (second > 0) {
            live_on(plan, (second - 1u) / KIT_MOMENTS, (kit_moment)((second - 1u) % KIT_MOMENTS));
            met = met || plan->life->power.off;
        }
        live_on(plan, KIT_NEVER, KIT_BEFORE);
        point = (point + stride(count)) % count;
    }
    return met;
}

/* Every change fails once, having done nothing, or a part. */
static void fail_all(kit_plan *plan)
{
    uint32_t count = plan->changes * 2u;
    uint32_t point = 0;

    for (uint32_t i = 0; i < count && can_live(plan); i++) {
        live_until(plan, plan->burns, point / 2u, point % 2u == 0 ? KIT_BEFORE : KIT_MIDWAY, true);
        point = (point + stride(count)) % count;
    }
}

/* The first life, without a cut, tells what one costs. */
static void live_plainly(kit_plan *plan)
{
    fer_conformance_result before = *plan->life->kit->result;

    if (plan->life->kit->config->lives == 0) {
        plan->life->kit->result->complete = false;
        return;
    }
    live_until(plan, plan->burns, KIT_NEVER, KIT_BEFORE, false);
    measure(plan, &before);
}

static void live(kit_plan *plan)
{
    uint32_t lives = plan->life->kit->config->lives / 64u;
    uint32_t second = 1;

    live_plainly(plan);
    for (uint32_t i = 0; i <= lives && i <= WANDERS && can_live(plan); i++) {
        wander(plan);
    }
    (void)live_all(plan, 0);
    fail_all(plan);
    while (can_live(plan) && live_all(plan, second)) {
        second++;
    }
}

fer_status fer_conformance_check_store(const fer_conformance_config *config,
                                       fer_store_policy policy, fer_conformance_result *result)
{
    kit_trial *kit;
    kit_plan plan = {0};
    fer_status status = fer_conformance_start(config, result, &kit);

    if (status != FER_OK) {
        return status;
    }
    if (policy != FER_STORE_STRICT && policy != FER_STORE_BLOCK) {
        return FER_ERR_ARGUMENT;
    }
    plan.life = fer_conformance_life_make(kit, policy);
    if (plan.life == 0) {
        return FER_ERR_ARENA;
    }
    plan.burns = fer_conformance_life_length(plan.life);
    live(&plan);
    fer_conformance_life_close(plan.life);
    return fer_conformance_end(kit);
}
