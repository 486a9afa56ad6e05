/* Power is cut at every flash operation of a store's life, and again in the recovery from each of
 * these cuts; port calls fail, each once, at every call.
 *
 * Whatever happened:   no generation is yielded twice, and they only rise (NONCE);
 *                      what is yielded is the true credential of its generation;
 *                      once the install returned, the store always yields again (no lockout);
 *                      under the strict policy no 8 bytes of a spent chain remain (WIPE);
 *                      the medium's rules are kept, in a bounded number of calls.
 * FERRULE_SEED chooses what torn granules read as. FERRULE_QUICK runs a smaller matrix,
 * FERRULE_WHOLE every cut of every recovery on one ring. */
#include "powercut/store_life.h"

#include <string.h>

#include "powercut/true_chain.h"

/* clang-format off */
static const subject subjects[] = {
    {SHAPE("spi nor, strict",           432, 2,   1, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, false},
    {SHAPE("word nor, strict",          300, 3,   4, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, false},
    {SHAPE("ecc, zeros over, strict",   432, 2,   8, 0xFF, FER_NV_OVERWRITE, 1, 0, 1), FER_STORE_STRICT, false},
    {SHAPE("ecc, write once, strict",   160, 2,   8, 0xFF, 0,                1, 0, 1), FER_STORE_STRICT, false},
    {SHAPE("write once, strict, 3",     320, 3,  16, 0xFF, 0,                1, 1, 1), FER_STORE_STRICT, false},
    {SHAPE("ecc, write once, block",    432, 2,   8, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK, false},
    {SHAPE("write once, block, 3",      320, 3,  16, 0xFF, 0,                1, 1, 1), FER_STORE_BLOCK, false},
    {SHAPE("one slot a block, block",   160, 2,  16, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK, false},
    {SHAPE("erased to zero, block",     320, 2,  16, 0x00, 0,                1, 0, 0), FER_STORE_BLOCK, false},
    {SHAPE("erased to zero, strict",    432, 2,   4, 0x00, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, false},
    {SHAPE("one slot a block, strict",  144, 4,   2, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, true},
    {SHAPE("eeprom, strict",            300, 2,   1, 0xFF, FER_NV_REWRITE,   0, 0, 0), FER_STORE_STRICT, false},
    {SHAPE("eeprom, block",             288, 2,   4, 0xFF, FER_NV_REWRITE,   0, 0, 0), FER_STORE_BLOCK, false},
    {SHAPE("fram, strict",              448, 2,  32, 0x00, FER_NV_REWRITE,   0, 0, 0), FER_STORE_STRICT, false},
    {SHAPE("page of 512, strict",      3072, 2, 512, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, false},
    {SHAPE("page of 512, block",       1536, 4, 512, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK, true},
    {SHAPE("many blocks, block",        144, 9,   8, 0xFF, 0,                1, 0, 0), FER_STORE_BLOCK, true},
    {SHAPE("one ring of 4, strict",     288, 4,   4, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, false},
    {SHAPE("one ring of 5, block",      160, 5,   8, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK, false},
    {SHAPE("one ring of 4, once",       288, 4,   8, 0xFF, 0,                1, 1, 1), FER_STORE_STRICT, false},
    {SHAPE("two rings, nor, strict",    288, 4,   4, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, true},
    {SHAPE("two rings, ecc, strict",    432, 4,   8, 0xFF, FER_NV_OVERWRITE, 1, 0, 1), FER_STORE_STRICT, true},
    {SHAPE("two rings, once, strict",   160, 4,   8, 0xFF, 0,                1, 0, 1), FER_STORE_STRICT, true},
    {SHAPE("two rings, once, block",    288, 4,   8, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK, true},
    {SHAPE("two rings, blank check",    320, 5,  16, 0xFF, 0,                1, 1, 1), FER_STORE_BLOCK, true},
    {SHAPE("two rings, zero, block",    160, 6,  16, 0x00, 0,                1, 0, 0), FER_STORE_BLOCK, true},
    {SHAPE("two rings, zero, strict",   288, 4,   4, 0x00, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, true},
    {SHAPE("two rings, eeprom, strict", 288, 4,   1, 0xFF, FER_NV_REWRITE,   0, 0, 0), FER_STORE_STRICT, true},
    {SHAPE("two rings, 512, strict",   1536, 4, 512, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, true},
};
/* clang-format on */

static life after_first;
static uint64_t trials, untried; /* recoveries to be cut, and those that were too short this time */

/* ---- cuts ------------------------------------------------------------------------------- */

/* A life that is told apart from another by where power is cut in it. */
typedef struct course {
    const subject *subject;
    bool maintains;
} course;

/* Installs and burns through every block, power cut once. */
static void first_life(const course *way, uint32_t cut_at, flash_moment moment, uint32_t prefix)
{
    begin(way->subject, way->maintains);
    run.model.cut_at = cut_at;
    run.model.cut_moment = moment;
    run.model.cut_prefix = prefix;
    if (install() != FER_OK) {
        return;
    }
    for (uint32_t i = burns_of_life(); i > 0 && !run.model.off; i--) {
        fer_status status = burn();
        CHECK(run.model.off ? status != FER_OK : status == FER_OK);
        maintain();
    }
}

/* Of the second cuts every so many, from another operation on in each trial; more sparsely where
 * the life is long, for it has two rings, or maintains. Primes, so that every look meets every
 * operation. */
static uint32_t stride_of_second(void)
{
    static const uint32_t strides[2][2][2] = {{{7, 13}, {13, 37}}, {{1, 1}, {5, 31}}};

    return strides[whole][run.subject->mirror][run.maintains];
}

/* From one cut: the recovery, and cuts of the recovery. */
static void recover_from(flash_look look)
{
    cut_points++;
    after_first = run;
    live(look, 2, FLASH_NEVER, FLASH_BEFORE);
    const uint32_t length = run.model.changes;
    CHECK(length > 0);
    live(any_look(), 1, FLASH_NEVER, FLASH_BEFORE);
    const uint32_t stride = stride_of_second();
    const uint64_t before = cut_points;
    uint32_t second = (uint32_t)(trials++ % (length < stride ? length : stride));
    for (;; second += stride) {
        for (int moment = FLASH_BEFORE; moment <= FLASH_AFTER; moment++) {
            run = after_first;
            run.model.random += second * 3 + (uint32_t)moment; /* another draw each time */
            live(look, 2, second, (flash_moment)moment);
            if (!run.model.off) { /* the second cut lies beyond the recovery's last operation */
                untried += cut_points == before;
                return;
            }
            cut_points++;
            live(any_look(), 2, FLASH_NEVER, FLASH_BEFORE);
        }
    }
}

/* False where the life has no change `at`. */
static bool cut_at(const course *way, uint32_t at, flash_moment moment, uint32_t prefix)
{
    life cut;

    first_life(way, at, moment, prefix);
    if (!run.model.off) {
        return false;
    }
    cut = run;
    for (int look = FLASH_OLD; look < FLASH_LOOKS; look++) {
        if (moment != FLASH_MIDWAY && look != FLASH_OLD) {
            break; /* nothing is torn, so there is one look only */
        }
        if ((look == FLASH_UNREADABLE && !way->subject->shape.has_ecc) ||
            (quick && look != FLASH_MIXED && look != FLASH_NEW && moment == FLASH_MIDWAY)) {
            continue;
        }
        run = cut;
        recover_from((flash_look)look);
    }
    return true;
}

/* How many places a change may tear at; for an erase, two ways of each. */
static uint32_t prefixes(const subject *chosen)
{
    uint32_t granule = chosen->shape.geometry.granule;
    uint32_t most = granule >= 128 ? 1 : 128 / granule;

    return most < 4 ? most + 3 : 6;
}

/* Few granules: every prefix. Many: a spread of them that shifts from operation to operation, so
 * that the life as a whole meets every prefix. */
static uint32_t prefix_of(const subject *chosen, uint32_t at, uint32_t i)
{
    uint32_t granule = chosen->shape.geometry.granule;

    return granule >= 16 ? i : i * (128 / granule) / 5 + at % (128 / granule);
}

static void cut_everywhere(const course *way)
{
    const subject *chosen = way->subject;
    uint64_t before = cut_points, trials_before = trials, untried_before = untried;

    for (uint32_t at = 0;; at++) {
        if (!cut_at(way, at, FLASH_BEFORE, 0)) {
            CHECK(at > 3 * burns_of_life()); /* the life was as long as it should be */
            break;
        }
        (void)cut_at(way, at, FLASH_AFTER, 0);
        for (uint32_t i = 0; i < prefixes(chosen); i += quick ? 4 : 1) {
            (void)cut_at(way, at, FLASH_MIDWAY, prefix_of(chosen, at, i));
        }
    }
    CHECK((untried - untried_before) * 20 <= trials - trials_before);
    print_message("%s%s: %llu cut points\n", chosen->shape.name,
                  way->maintains ? ", maintained" : "", (unsigned long long)(cut_points - before));
}

static void test_cuts(void **state)
{
    const course way = {*state, false};

    cut_everywhere(&way);
}

static void test_cuts_maintained(void **state)
{
    const course way = {*state, true};

    cut_everywhere(&way);
}

/* Long lives with cuts at random: rings that fill with torn slots, erases cut again and again.
 * Where torn granules settle, no number of cuts locks the store. Where they read differently at
 * every boot, three cuts in a row can leave nothing that verifies: such a life may end in
 * FER_TROUBLE_STATE (CLOSED), but it never repeats a generation. */
static void live_long(bool settles)
{
    run.model.settles = settles;
    CHECK(install() == FER_OK);
    while (run.chances < TRUE_CHAIN_LENGTH / 4 && !run.closed) {
        bool cut = flash_random(&run.model, 8) != 0;
        uint32_t at = flash_random(&run.model, 12);
        flash_moment moment = (flash_moment)flash_random(&run.model, 3);

        run.may_close = !settles;
        live(any_look(), 1 + flash_random(&run.model, 3), cut ? at : FLASH_NEVER, moment);
        cut_points += cut;
    }
}

static void test_random_cuts(void **state)
{
    const subject *chosen = *state;
    uint32_t closed = 0;
    uint32_t lives = quick ? 40 : whole ? 600 : 150;

    for (uint32_t i = 0; i < lives; i++) {
        begin(chosen, i % 3 == 0);
        run.model.random += i;
        live_long(i % 2 == 0);
        closed += run.closed;
    }
    print_message("%s: %u of %u lives closed\n", chosen->shape.name, (unsigned)closed,
                  (unsigned)lives);
    CHECK(closed < lives / 20 + 1);
}

/* ---- port calls that fail --------------------------------------------------------------- */

/* Until it succeeds; a single failure costs one call, or where install stopped midway, two. */
static void install_at_last(void)
{
    for (int i = 0; i < 3; i++) {
        fer_credential_info info;
        fer_status status = install();

        if (status == FER_OK || fer_store_get_info(run.store, &info) == FER_OK) {
            run.installed = true;
            return;
        }
    }
    CHECK(run.installed); /* one failed call must not keep an install from succeeding */
}

/* False where the failing call lies beyond the life. */
static bool fail_at(const subject *chosen, uint32_t at, int answer, bool midway)
{
    uint32_t failures = 0;

    begin(chosen, false);
    run.model.fail_at = at;
    run.model.fail_answer = answer;
    run.model.fail_midway = midway;
    run.model.cut_prefix = at;
    install_at_last();
    for (uint32_t i = burns_of_life(); i > 0; i--) {
        uint32_t touched = run.model.touched;
        int64_t highest = run.highest;
        fer_status status = burn();

        failures += status != FER_OK;
        if (status != FER_OK) {
            CHECK(status == (answer == FER_PORT_NOT_NOW ? FER_NOT_NOW : FER_TROUBLE_STORAGE) ||
                  answer == FER_PORT_UNCORRECTABLE);
            bool untouched = run.model.touched == touched;
            CHECK(burn() == FER_OK);
            CHECK(!untouched || answer == FER_PORT_UNCORRECTABLE ||
                  run.highest == highest + 1); /* nothing was lost */
        }
    }
    CHECK(failures <= 1);
    return run.model.calls > at;
}

static void test_failing_calls(void **state)
{
    const subject *chosen = *state;
    uint32_t at = 0;

    while (fail_at(chosen, at, FER_PORT_FAILED, false)) {
        (void)fail_at(chosen, at, FER_PORT_NOT_NOW, false);
        (void)fail_at(chosen, at, FER_PORT_FAILED, true);
        (void)fail_at(chosen, at, FER_PORT_UNCORRECTABLE, false);
        at += quick ? 7 : 1;
    }
    CHECK(at > 10 * burns_of_life());
}

int main(void)
{
    static const kind kinds[] = {{"every cut", test_cuts},
                                 {"every cut, maintained", test_cuts_maintained},
                                 {"random cuts", test_random_cuts},
                                 {"every failing call", test_failing_calls}};

    return run_matrix("powercut_store", subjects, sizeof subjects / sizeof subjects[0], kinds,
                      sizeof kinds / sizeof kinds[0]);
}
