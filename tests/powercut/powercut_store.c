/* Power is cut at every flash operation of a store's life, and again at every operation of the
 * recovery from each of these cuts; port calls fail, each once, at every call.
 *
 * Whatever happened:   no generation is yielded twice, and they only rise (NONCE);
 *                      what is yielded is the true credential of its generation;
 *                      once the install returned, the store always yields again (no lockout);
 *                      under the strict policy no 8 bytes of a spent chain remain (WIPE);
 *                      the medium's rules are kept, in a bounded number of calls.
 * FERRULE_SEED chooses what torn granules read as; FERRULE_QUICK runs a smaller matrix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ferrule/store.h"
#include "internal/credential.h"
#include "powercut/flash_model.h"
#include "powercut/true_chain.h"

typedef struct subject {
    flash_shape shape;
    fer_store_policy policy;
} subject;

#define SHAPE(name, size, count, granule, erased, flags, erase, blank, ecc) \
    {                                                                       \
        name, {size, count, granule, erased, flags}, erase, blank, ecc      \
    }

/* clang-format off */
static const subject subjects[] = {
    {SHAPE("spi nor, strict",           432, 2,   1, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT},
    {SHAPE("word nor, strict",          300, 3,   4, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT},
    {SHAPE("ecc, zeros over, strict",   432, 2,   8, 0xFF, FER_NV_OVERWRITE, 1, 0, 1), FER_STORE_STRICT},
    {SHAPE("ecc, write once, strict",   160, 2,   8, 0xFF, 0,                1, 0, 1), FER_STORE_STRICT},
    {SHAPE("write once, strict, 3",     320, 3,  16, 0xFF, 0,                1, 1, 1), FER_STORE_STRICT},
    {SHAPE("ecc, write once, block",    432, 2,   8, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK},
    {SHAPE("write once, block, 3",      320, 3,  16, 0xFF, 0,                1, 1, 1), FER_STORE_BLOCK},
    {SHAPE("one slot a block, block",   160, 2,  16, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK},
    {SHAPE("erased to zero, block",     320, 2,  16, 0x00, 0,                1, 0, 0), FER_STORE_BLOCK},
    {SHAPE("erased to zero, strict",    432, 2,   4, 0x00, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT},
    {SHAPE("one slot a block, strict",  144, 4,   2, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT},
    {SHAPE("eeprom, strict",            300, 2,   1, 0xFF, FER_NV_REWRITE,   0, 0, 0), FER_STORE_STRICT},
    {SHAPE("eeprom, block",             288, 2,   4, 0xFF, FER_NV_REWRITE,   0, 0, 0), FER_STORE_BLOCK},
    {SHAPE("fram, strict",              448, 2,  32, 0x00, FER_NV_REWRITE,   0, 0, 0), FER_STORE_STRICT},
    {SHAPE("page of 512, strict",      3072, 2, 512, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT},
    {SHAPE("page of 512, block",       1536, 4, 512, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK},
    {SHAPE("many blocks, block",        144, 9,   8, 0xFF, 0,                1, 0, 0), FER_STORE_BLOCK},
};
/* clang-format on */

static fer_arena_cell storage[FER_STORE_SIZE(512) / FER_ARENA_ALIGN];

typedef struct bench {
    const subject *subject;
    flash model;
    fer_arena arena;
    fer_store *store;
    bool installed;   /* install returned FER_OK */
    int64_t highest;  /* generation yielded last; -1: none */
    uint32_t chances; /* burns tried: bounds what may be lost */
    bool may_close;   /* FER_TROUBLE_STATE is no failure */
    bool closed;
} bench;

static bench run, after_first;
static uint64_t seed = 1;
static uint64_t cut_points;
static bool quick;

static int make_truth(void **state)
{
    (void)state;
    return true_chain_make() ? 0 : -1;
}

static void explain(const char *what)
{
    print_error("%s: %s, highest yielded %d; rerun with FERRULE_SEED=%llu\n",
                run.subject->shape.name, what, (int)run.highest, (unsigned long long)seed);
}

#define CHECK(condition)         \
    do {                         \
        if (!(condition)) {      \
            explain(#condition); \
            fail();              \
        }                        \
    } while (0)

/* ---- WIPE ------------------------------------------------------------------------------- */

/* In what is read, and in what torn granules were and were to be. */
static void check_wiped(void)
{
    static uint8_t image[FLASH_BYTES];
    uint32_t granule = run.subject->shape.geometry.granule;
    uint32_t size = flash_size(&run.model);
    bool torn = false;

    CHECK(!true_chain_is_in(run.model.bytes, size, (uint32_t)run.highest));
    memcpy(image, run.model.bytes, size);
    for (uint32_t at = 0; at < size; at += granule) {
        if (run.model.torn[at / granule]) {
            memcpy(image + at, run.model.old + at, granule);
            torn = true;
        }
    }
    CHECK(!torn || !true_chain_is_in(image, size, (uint32_t)run.highest));
    for (uint32_t at = 0; torn && at < size; at += granule) {
        if (run.model.torn[at / granule]) {
            memcpy(image + at, run.model.target + at, granule);
        }
    }
    CHECK(!torn || !true_chain_is_in(image, size, (uint32_t)run.highest));
}

/* ---- one life --------------------------------------------------------------------------- */

static void open_store(void)
{
    fer_store_config config = {flash_nv(&run.model), run.subject->policy, {NULL, NULL}};

    assert_int_equal(FER_OK,
                     fer_arena_init(&run.arena, storage, sizeof storage / sizeof storage[0]));
    assert_int_equal(FER_OK, fer_store_create(&run.arena, &config, &run.store));
}

static void begin(const subject *chosen)
{
    run.subject = chosen;
    run.installed = false;
    run.highest = -1;
    run.chances = 0;
    run.may_close = false;
    run.closed = false;
    flash_make(&run.model, &chosen->shape, seed);
    open_store();
}

static uint32_t slots_in_block(void)
{
    const fer_nv_geometry *geometry = &run.subject->shape.geometry;
    uint32_t granule = geometry->granule;
    uint32_t slot = (granule > 128 ? granule : 128) + 2 * (granule > 8 ? granule : 8);

    return geometry->block_size / slot;
}

static uint32_t call_bound(void)
{
    const fer_nv_geometry *geometry = &run.subject->shape.geometry;

    return 8 * (geometry->block_size / 32 + 8) * geometry->block_count + 64;
}

static fer_status burn(void)
{
    fer_credential credential;
    fer_credential_info info;
    uint32_t calls = run.model.calls;
    fer_status status = fer_store_burn(run.store, &credential);

    run.chances++;
    CHECK(run.model.calls - calls <= call_bound());
    CHECK(run.model.violations == 0);
    if (status != FER_OK) {
        for (size_t i = 0; i < sizeof credential.bytes; i++) {
            CHECK(credential.bytes[i] == 0);
        }
        return status;
    }
    CHECK(!run.model.off);
    CHECK(fer_credential_get_info(&credential, &info) == FER_OK);
    CHECK(info.generation > run.highest || run.highest < 0);
    CHECK(info.generation < TRUE_CHAIN_LENGTH - 1);
    CHECK(memcmp(&credential, &truth[info.generation], sizeof credential) == 0);
    run.highest = info.generation;
    /* A burn that failed loses at most what garbage from an erase in a block may stand for. */
    CHECK(info.generation < run.chances * (slots_in_block() + 1));
    if (run.subject->policy == FER_STORE_STRICT) {
        check_wiped();
    }
    return status;
}

static fer_status install(void)
{
    fer_credential credential = truth[0];
    fer_status status = fer_store_install(run.store, &credential);

    CHECK(run.model.violations == 0);
    CHECK((status == FER_OK) == (memcmp(&credential, &truth[0], sizeof credential) != 0));
    run.installed |= status == FER_OK;
    return status;
}

/* A store whose install was cut short works, or takes an install again, or (after a second cut)
 * says that it is in trouble; it never yields from nothing. True where it can go on. */
static bool resume_install(void)
{
    fer_credential_info info;
    fer_status status = fer_store_get_info(run.store, &info);

    if (run.model.off || status == FER_OK) {
        return !run.model.off;
    }
    CHECK(status == FER_RENEW_MISSING || status == FER_TROUBLE_STATE);
    CHECK(burn() == status);
    fer_status again = install();
    CHECK(run.model.off || again == FER_OK ||
          (again == FER_ERR_ORDER && status == FER_TROUBLE_STATE));
    return again == FER_OK;
}

/* Boots, and burns a few: each must succeed unless power fails again. */
static void live(flash_look look, uint32_t burns, uint32_t cut_at, flash_moment moment)
{
    flash_boot(&run.model, look);
    run.model.cut_at = cut_at;
    run.model.cut_moment = moment;
    run.model.cut_prefix = flash_random(&run.model, 1000);
    open_store();
    if (!run.installed && !resume_install()) {
        return;
    }
    for (uint32_t i = 0; i < burns; i++) {
        fer_status status = burn();
        run.closed = run.may_close && status == FER_TROUBLE_STATE;
        CHECK(run.model.off || run.closed ? status != FER_OK : status == FER_OK);
        if (run.model.off || run.closed) {
            return;
        }
    }
}

static uint32_t burns_of_life(void)
{
    return slots_in_block() * run.subject->shape.geometry.block_count + 2;
}

/* Installs and burns through every block, power cut once. */
static void first_life(const subject *chosen, uint32_t cut_at, flash_moment moment, uint32_t prefix)
{
    begin(chosen);
    run.model.cut_at = cut_at;
    run.model.cut_moment = moment;
    run.model.cut_prefix = prefix;
    if (install() != FER_OK) {
        return;
    }
    for (uint32_t i = burns_of_life(); i > 0 && !run.model.off; i--) {
        fer_status status = burn();
        CHECK(run.model.off ? status != FER_OK : status == FER_OK);
    }
}

static flash_look any_look(void)
{
    return (flash_look)flash_random(&run.model, FLASH_LOOKS);
}

/* From one cut: the recovery, and every cut of the recovery. */
static void recover_from(flash_look look)
{
    cut_points++;
    after_first = run;
    live(look, 3, FLASH_NEVER, FLASH_BEFORE);
    for (uint32_t second = 0;; second++) {
        for (int moment = FLASH_BEFORE; moment <= FLASH_AFTER; moment++) {
            run = after_first;
            run.model.random += second * 3 + (uint32_t)moment; /* another draw each time */
            live(look, 2, second, (flash_moment)moment);
            if (!run.model.off) {
                return; /* the second cut lies beyond the recovery's last operation */
            }
            cut_points++;
            live(any_look(), 2, FLASH_NEVER, FLASH_BEFORE);
        }
    }
}

/* False where the life has no change `at`. */
static bool cut_at(const subject *chosen, uint32_t at, flash_moment moment, uint32_t prefix)
{
    bench cut;

    first_life(chosen, at, moment, prefix);
    if (!run.model.off) {
        return false;
    }
    cut = run;
    for (int look = FLASH_OLD; look < FLASH_LOOKS; look++) {
        if (moment != FLASH_MIDWAY && look != FLASH_OLD) {
            break; /* nothing is torn, so there is one look only */
        }
        if ((look == FLASH_UNREADABLE && !chosen->shape.has_ecc) ||
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

static void test_cuts(void **state)
{
    const subject *chosen = *state;
    uint64_t before = cut_points;

    for (uint32_t at = 0;; at++) {
        if (!cut_at(chosen, at, FLASH_BEFORE, 0)) {
            CHECK(at > 3 * burns_of_life()); /* the life was as long as it should be */
            break;
        }
        (void)cut_at(chosen, at, FLASH_AFTER, 0);
        for (uint32_t i = 0; i < prefixes(chosen); i += quick ? 4 : 1) {
            (void)cut_at(chosen, at, FLASH_MIDWAY, prefix_of(chosen, at, i));
        }
    }
    print_message("%s: %llu cut points\n", chosen->shape.name,
                  (unsigned long long)(cut_points - before));
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
    uint32_t lives = quick ? 40 : 600;

    for (uint32_t life = 0; life < lives; life++) {
        begin(chosen);
        run.model.random += life;
        live_long(life % 2 == 0);
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

    begin(chosen);
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

/* ---- the matrix ------------------------------------------------------------------------- */

enum { KINDS = 3, SUBJECTS = sizeof subjects / sizeof subjects[0] };

int main(void)
{
    static struct CMUnitTest tests[SUBJECTS * KINDS];
    static const CMUnitTestFunction kinds[KINDS] = {test_cuts, test_random_cuts,
                                                    test_failing_calls};
    static const char *const names[KINDS] = {"every cut", "random cuts", "every failing call"};
    static char labels[SUBJECTS * KINDS][64];
    static subject chosen[SUBJECTS];
    size_t count = 0;

#if defined(FERRULE_QUICK) || !defined(__linux__)
    quick = true;
#else
    quick = getenv("FERRULE_QUICK") != NULL;
    if (getenv("FERRULE_SEED") != NULL) {
        seed = strtoull(getenv("FERRULE_SEED"), NULL, 0);
    }
#endif
    for (size_t i = 0; i < SUBJECTS; i += quick ? 2 : 1) {
        chosen[i] = subjects[i];
        for (size_t kind = 0; kind < KINDS; kind++) {
            (void)snprintf(labels[count], sizeof labels[count], "%s: %s", subjects[i].shape.name,
                           names[kind]);
            tests[count] = (struct CMUnitTest){labels[count], kinds[kind], NULL, NULL, &chosen[i]};
            count++;
        }
    }
    int failed = _cmocka_run_group_tests("powercut_store", tests, count, make_truth, NULL);
    print_message("powercut_store: %llu cut points, seed %llu%s\n", (unsigned long long)cut_points,
                  (unsigned long long)seed, quick ? ", quick" : "");
    return failed;
}
