/* The conformance kit can fail: drivers that break one rule each are found under that rule's name,
 * first of all. And it keeps within what it may wear out, and within the region. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ferrule/conformance.h"
#include "ferrule/credential.h"
#include "ferrule/keychain.h"
#include "wrong_driver.h"

#ifdef FERRULE_QUICK
enum { LIVES = 60, STEPS = 4 };
#else
enum { LIVES = 400, STEPS = 14 };
#endif

FER_CONFORMANCE_MEMORY(memory, WRONG_BLOCKS, 512);

static const fer_nv_geometry nor = {1024, 2, 8, 0xFF, FER_NV_OVERWRITE};
static const fer_nv_geometry eeprom = {512, 2, 4, 0xFF, FER_NV_REWRITE};

typedef struct bench {
    wrong_driver driver;
    fer_conformance_config config;
    fer_conformance_result result;
    fer_conformance_finding first;
} bench;

static bench run;

static void report(void *context, const fer_conformance_finding *finding)
{
    bench *on = context;

    if (on->first.name == NULL) {
        on->first = *finding;
    }
}

static bool reopen(void *context)
{
    bench *on = context;

    return wrong_driver_reopen(&on->driver);
}

static bool fault(void *context, fer_conformance_operation operation)
{
    bench *on = context;

    on->driver.failing = (int)operation;
    return true;
}

static const struct fer_conformance_ops hooks = {report, reopen, fault};

static void prepare(wrong kind, const fer_nv_geometry *geometry)
{
    memset(&run, 0, sizeof run);
    wrong_driver_make(&run.driver, kind, geometry);
    run.config.nv = wrong_driver_nv(&run.driver, true, true);
    run.config.destroy = FER_CONFORMANCE_DESTROY_THE_REGION;
    run.config.flags = FER_CONFORMANCE_ASK_OUTSIDE;
    run.config.erases = 2000;
    run.config.programs = 100000;
    run.config.lives = LIVES;
    run.config.ops = &hooks;
    run.config.context = &run;
    run.config.memory = memory;
    run.config.cells = sizeof memory / sizeof memory[0];
}

static void expect_finding(fer_status status, fer_conformance_rule rule)
{
    const char *expected = fer_conformance_rule_name(rule);

    if (status != FER_TROUBLE_STORAGE || run.first.name == NULL || run.first.rule != rule) {
        fail_msg("driver %d: found %s, not %s", (int)run.driver.kind,
                 run.first.name != NULL ? run.first.name : "nothing", expected);
    }
    assert_string_equal(expected, run.first.name);
    assert_true(run.first.sentence[0] != '\0');
    assert_int_equal(FER_CONFORMANCE_FAILED, run.result.verdict[rule]);
    assert_true(run.result.findings > 0);
}

/* ---- the driver's contract -------------------------------------------------------------- */

typedef struct row {
    wrong kind;
    fer_conformance_rule rule;
} row;

static const row rows[] = {
    {WRONG_READ_POSITIVE, FER_CONFORMANCE_POSITIVE_ANSWER},
    {WRONG_PROGRAM_POSITIVE, FER_CONFORMANCE_POSITIVE_ANSWER},
    {WRONG_READ_REFUSES, FER_CONFORMANCE_READ_ANSWER},
    {WRONG_PROGRAM_REFUSES, FER_CONFORMANCE_PROGRAM_ANSWER},
    {WRONG_ERASE_REFUSES, FER_CONFORMANCE_ERASE_ANSWER},
    {WRONG_BLANK_ODD, FER_CONFORMANCE_BLANK_ANSWER},
    {WRONG_READ_SHORT, FER_CONFORMANCE_READ_SHORT},
    {WRONG_READ_OVERRUN, FER_CONFORMANCE_READ_OVERRUN},
    {WRONG_READ_ALIGNS, FER_CONFORMANCE_READ_UNALIGNED},
    {WRONG_ERASE_BYTE, FER_CONFORMANCE_ERASE_WHOLE},
    {WRONG_ERASE_NEXT, FER_CONFORMANCE_ERASE_ALONE},
    {WRONG_ERASE_OTHER, FER_CONFORMANCE_ERASE_ALONE},
    {WRONG_ERASE_LAZY, FER_CONFORMANCE_ERASE_DURABLE},
    {WRONG_PROGRAM_DROPS, FER_CONFORMANCE_PROGRAM_READS_BACK},
    {WRONG_PROGRAM_SWAPS, FER_CONFORMANCE_PROGRAM_READS_BACK},
    {WRONG_PROGRAM_ONE, FER_CONFORMANCE_PROGRAM_READS_BACK},
    {WRONG_PROGRAM_ACROSS, FER_CONFORMANCE_PROGRAM_ALONE},
    {WRONG_PROGRAM_BEFORE, FER_CONFORMANCE_PROGRAM_ALONE},
    {WRONG_PROGRAM_LAZY, FER_CONFORMANCE_PROGRAM_DURABLE},
    {WRONG_ADDRESS_LINE, FER_CONFORMANCE_ADDRESS_LINES},
    {WRONG_BLOCK_ARITHMETIC, FER_CONFORMANCE_ADDRESS_LINES},
    {WRONG_BIT_COUPLED, FER_CONFORMANCE_BITS},
    {WRONG_OVERWRITE_IGNORED, FER_CONFORMANCE_OVERWRITE},
    {WRONG_BLANK_ALWAYS, FER_CONFORMANCE_BLANK_PROGRAMMED},
    {WRONG_BLANK_NEVER, FER_CONFORMANCE_BLANK_ERASED},
    {WRONG_BLANK_FIRST, FER_CONFORMANCE_BLANK_PROGRAMMED},
    {WRONG_BLANK_LAST, FER_CONFORMANCE_BLANK_PROGRAMMED},
    {WRONG_BLANK_COARSE, FER_CONFORMANCE_BLANK_PROGRAMMED},
    {WRONG_BLANK_UNIFORM, FER_CONFORMANCE_BLANK_DESTROYED},
    {WRONG_OUTSIDE_READ, FER_CONFORMANCE_OUTSIDE},
    {WRONG_OUTSIDE_PROGRAM, FER_CONFORMANCE_OUTSIDE},
    {WRONG_MISALIGNED, FER_CONFORMANCE_OUTSIDE},
    {WRONG_FAILURE_SWALLOWED, FER_CONFORMANCE_FAILURE_REPORTED},
    {WRONG_REOPEN, FER_CONFORMANCE_REOPEN},
};

static void test_each_wrong_driver_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        prepare(rows[i].kind, &nor);
        expect_finding(fer_conformance_check_driver(&run.config, &run.result), rows[i].rule);
    }
}

/* Fewest erases that still meet a driver as far as the smoke test goes. */
static void test_a_smoke_test_finds_most(void **state)
{
    uint32_t missed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        prepare(rows[i].kind, &nor);
        run.config.erases = 4;
        run.config.programs = 400;
        fer_status status = fer_conformance_check_driver(&run.config, &run.result);
        missed += status == FER_OK || run.first.rule != rows[i].rule;
    }
    assert_int_equal(2, missed); /* coupled bits, and what fails, need more erases */
}

static void test_claims_to_rewrite_are_tried(void **state)
{
    (void)state;
    prepare(WRONG_NOTHING, &nor);
    run.driver.geometry.flags = 0; /* it clears bits, and says that it rewrites */
    fer_nv_geometry claimed = run.driver.geometry;
    claimed.flags = FER_NV_REWRITE;
    run.config.nv.geometry = &claimed;
    expect_finding(fer_conformance_check_driver(&run.config, &run.result), FER_CONFORMANCE_REWRITE);
}

static void test_impossible_geometries_are_named(void **state)
{
    static const fer_nv_geometry impossible[] = {
        {1024, 2, 0, 0xFF, 0}, {1024, 2, 12, 0xFF, 0},       {4096, 2, 1024, 0xFF, 0},
        {1028, 2, 8, 0xFF, 0}, {128, 2, 8, 0xFF, 0},         {1024, 1, 8, 0xFF, 0},
        {1024, 2, 8, 0x11, 0}, {1024, 0x400000, 8, 0xFF, 0}, {1024, 2, 8, 0xFF, 0x40},
    };

    (void)state;
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        prepare(WRONG_NOTHING, &nor);
        run.config.nv.geometry = &impossible[i];
        expect_finding(fer_conformance_check_driver(&run.config, &run.result),
                       FER_CONFORMANCE_GEOMETRY);
        assert_int_equal(0, run.driver.calls);
    }
    prepare(WRONG_NOTHING, &nor);
    run.config.nv = wrong_driver_nv(&run.driver, false, false);
    expect_finding(fer_conformance_check_driver(&run.config, &run.result),
                   FER_CONFORMANCE_GEOMETRY);
}

static void test_what_a_reset_undoes_is_found(void **state)
{
    (void)state;
    prepare(WRONG_PROGRAM_LAZY, &nor);
    run.config.ops = NULL;
    assert_int_equal(FER_OK, fer_conformance_leave(&run.config, &run.result));
    (void)wrong_driver_reopen(&run.driver); /* the reset */
    run.config.ops = &hooks;
    expect_finding(fer_conformance_find(&run.config, &run.result), FER_CONFORMANCE_PROGRAM_DURABLE);

    prepare(WRONG_NOTHING, &nor);
    assert_int_equal(FER_OK, fer_conformance_leave(&run.config, &run.result));
    assert_int_equal(FER_OK, fer_conformance_find(&run.config, &run.result));
    assert_int_equal(FER_CONFORMANCE_PASSED, run.result.verdict[FER_CONFORMANCE_PROGRAM_DURABLE]);
}

/* ---- the store over it ------------------------------------------------------------------ */

/* The region of another device, so many burns along its chain. */
static const uint8_t *region_of_another(int burns)
{
    static wrong_driver other;
    static fer_arena_cell cells[FER_STORE_SIZE(8) / FER_ARENA_ALIGN];
    const uint8_t name[] = {'o', 't', 'h', 'e', 'r'};
    fer_identity identity = {1, name, sizeof name, NULL, 0};
    fer_root_key root;
    fer_credential credential;
    fer_arena arena;
    fer_store *store;

    memset(&root, 0x77, sizeof root);
    wrong_driver_make(&other, WRONG_NOTHING, &nor);
    memset(other.bytes, nor.erased, WRONG_BYTES);
    fer_store_config config = {.nv = wrong_driver_nv(&other, true, false),
                               .policy = FER_STORE_STRICT};
    assert_int_equal(FER_OK, fer_keychain_mint(&root, &identity, &credential));
    assert_int_equal(FER_OK, fer_arena_init(&arena, cells, sizeof cells / sizeof cells[0]));
    assert_int_equal(FER_OK, fer_store_create(&arena, &config, &store));
    assert_int_equal(FER_OK, fer_store_install(store, &credential));
    for (int i = 0; i < burns; i++) {
        assert_int_equal(FER_OK, fer_store_burn(store, &credential));
    }
    fer_store_close(&store);
    fer_arena_close(&arena);
    return other.bytes;
}

static void test_a_store_finds_what_breaks_it(void **state)
{
    static const row store_rows[] = {
        {WRONG_OVERWRITE_IGNORED, FER_CONFORMANCE_STORE_WORKS},
        {WRONG_BLANK_NEVER, FER_CONFORMANCE_INSTALL},
        {WRONG_ROLLBACK, FER_CONFORMANCE_GENERATION_ONCE},
        {WRONG_ROLLBACK_LITTLE, FER_CONFORMANCE_GENERATION_ONCE},
        {WRONG_FORGETS, FER_CONFORMANCE_NO_LOCKOUT},
        {WRONG_MIXED_UP, FER_CONFORMANCE_CREDENTIAL_TRUE},
        {WRONG_OVERWRITE_LAZY, FER_CONFORMANCE_SPENT_KEYS_GONE},
        {WRONG_PROGRAM_POSITIVE, FER_CONFORMANCE_POSITIVE_ANSWER},
    };
    const uint8_t *other = region_of_another(500);

    (void)state;
    for (size_t i = 0; i < sizeof store_rows / sizeof store_rows[0]; i++) {
        prepare(store_rows[i].kind, &nor);
        run.config.nv = wrong_driver_nv(&run.driver, true, store_rows[i].kind == WRONG_BLANK_NEVER);
        run.driver.other = other;
        expect_finding(fer_conformance_check_store(&run.config, FER_STORE_STRICT, &run.result),
                       store_rows[i].rule);
    }
}

/* A chain is followed as far as a region can lose generations, no further. */
static void test_another_chain_is_found_near_and_far(void **state)
{
    (void)state;
    for (int burns = 40; burns <= 4000; burns *= 100) {
        prepare(WRONG_MIXED_UP, &nor);
        run.config.nv = wrong_driver_nv(&run.driver, true, false);
        run.driver.other = region_of_another(burns);
        expect_finding(fer_conformance_check_store(&run.config, FER_STORE_STRICT, &run.result),
                       FER_CONFORMANCE_CREDENTIAL_TRUE);
        assert_int_equal(burns > 40, run.first.got > run.first.expected);
    }
}

/* ---- a driver that is right ------------------------------------------------------------- */

static void expect_nothing(fer_status status)
{
    if (status != FER_OK) {
        fail_msg("found %s: %s", run.first.name, run.first.sentence);
    }
    assert_int_equal(0, run.result.findings);
    assert_true(wrong_driver_fence_holds(&run.driver));
}

static void test_a_right_driver_passes_every_rule(void **state)
{
    (void)state;
    prepare(WRONG_NOTHING, &nor);
    run.driver.geometry.flags |= FER_NV_REWRITE;
    expect_nothing(fer_conformance_check_driver(&run.config, &run.result));
    assert_true(run.result.complete);
    for (int rule = 0; rule < FER_CONFORMANCE_STORE_WORKS; rule++) {
        assert_int_equal(FER_CONFORMANCE_PASSED, run.result.verdict[rule]);
    }
    for (uint32_t i = 0; i < nor.block_size * nor.block_count; i++) {
        assert_int_equal(nor.erased, run.driver.bytes[i]);
    }
    expect_nothing(fer_conformance_check_store(&run.config, FER_STORE_STRICT, &run.result));
    for (int rule = FER_CONFORMANCE_STORE_WORKS; rule < FER_CONFORMANCE_RULES; rule++) {
        assert_int_equal(FER_CONFORMANCE_PASSED, run.result.verdict[rule]);
    }
    assert_true(run.result.cuts > LIVES / 2);
}

static void test_a_busy_driver_is_asked_again(void **state)
{
    (void)state;
    prepare(WRONG_BUSY, &nor);
    expect_nothing(fer_conformance_check_driver(&run.config, &run.result));
    expect_nothing(fer_conformance_check_store(&run.config, FER_STORE_STRICT, &run.result));
}

static uint32_t most(const uint32_t *counts)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < WRONG_BLOCKS; i++) {
        most = counts[i] > most ? counts[i] : most;
    }
    return most;
}

/* Whatever the config allows, no block bears more, and what it bore is told. */
static void expect_worn_within(fer_status status)
{
    assert_int_equal(FER_OK, status);
    assert_int_equal(most(run.driver.erases), run.result.erases);
    assert_int_equal(most(run.driver.programs), run.result.programs);
    assert_true(run.result.erases <= run.config.erases);
    assert_true(run.result.programs <= run.config.programs);
    memset(run.driver.erases, 0, sizeof run.driver.erases);
    memset(run.driver.programs, 0, sizeof run.driver.programs);
}

static void test_wear_is_bounded(void **state)
{
    static const fer_nv_geometry *const geometries[] = {&nor, &eeprom};

    (void)state;
    for (size_t g = 0; g < 2; g++) {
        for (uint32_t erases = 1; erases < 40; erases += erases < STEPS ? 1 : 12) {
            for (uint32_t programs = 8; programs < 3000; programs = programs * 3 + 1) {
                prepare(WRONG_NOTHING, geometries[g]);
                run.config.nv = wrong_driver_nv(&run.driver, g == 0, g == 0);
                run.config.flags = 0;
                run.config.erases = erases;
                run.config.programs = programs;
                expect_worn_within(fer_conformance_check_driver(&run.config, &run.result));
                expect_worn_within(
                    fer_conformance_check_store(&run.config, FER_STORE_STRICT, &run.result));
            }
        }
    }
}

/* What the header and docs/PORTING.md advise. */
static void test_the_advised_wear_suffices(void **state)
{
    (void)state;
    prepare(WRONG_NOTHING, &nor);
    run.config.erases = 10;
    run.config.programs = 12 * (nor.block_size / nor.granule);
    expect_nothing(fer_conformance_check_driver(&run.config, &run.result));
    assert_true(run.result.complete);
    assert_true(FER_CONFORMANCE_SIZE(2, 8) < 5000 && FER_CONFORMANCE_SIZE(2, 512) < 6500);
}

static void test_too_little_wear_is_said(void **state)
{
    (void)state;
    prepare(WRONG_NOTHING, &nor);
    run.config.erases = 4;
    expect_nothing(fer_conformance_check_driver(&run.config, &run.result));
    assert_false(run.result.complete);
    assert_int_equal(FER_CONFORMANCE_NOT_TESTED, run.result.verdict[FER_CONFORMANCE_BITS]);
    expect_nothing(fer_conformance_check_store(&run.config, FER_STORE_BLOCK, &run.result));
    assert_false(run.result.complete);
    run.config.erases = 0; /* not even for the erase at the end */
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_check_driver(&run.config, &run.result));
}

/* ---- the call itself -------------------------------------------------------------------- */

static void test_nothing_is_touched_unless_told_so(void **state)
{
    (void)state;
    prepare(WRONG_NOTHING, &nor);
    run.config.destroy = 1;
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_check_driver(&run.config, &run.result));
    assert_int_equal(FER_ERR_ARGUMENT,
                     fer_conformance_check_store(&run.config, FER_STORE_STRICT, &run.result));
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_leave(&run.config, &run.result));
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_find(&run.config, &run.result));
    assert_int_equal(0, run.driver.calls);
}

static void test_calls_that_cannot_be(void **state)
{
    fer_conformance_config config;

    (void)state;
    prepare(WRONG_NOTHING, &nor);
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_check_driver(NULL, &run.result));
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_check_driver(&run.config, NULL));
    config = run.config;
    config.nv.ops = NULL;
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_check_driver(&config, &run.result));
    config = run.config;
    config.nv.geometry = NULL;
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_check_driver(&config, &run.result));
    config = run.config;
    config.memory = NULL;
    assert_int_equal(FER_ERR_ARGUMENT, fer_conformance_check_driver(&config, &run.result));
    assert_int_equal(FER_ERR_ARGUMENT,
                     fer_conformance_check_store(&run.config, (fer_store_policy)7, &run.result));
    assert_int_equal(0, run.driver.calls);
}

static void test_memory_of_the_macro_suffices_and_less_is_refused(void **state)
{
    static const uint16_t granules[] = {1, 8, 128, 512};

    (void)state;
    for (size_t i = 0; i < sizeof granules / sizeof granules[0]; i++) {
        size_t needed = FER_CONFORMANCE_SIZE(2, granules[i]) / FER_ARENA_ALIGN;
        fer_nv_geometry geometry = {2048, 2, granules[i], 0xFF, FER_NV_OVERWRITE};

        prepare(WRONG_NOTHING, &geometry);
        run.config.lives = 2;
        run.config.cells = needed;
        expect_nothing(fer_conformance_check_store(&run.config, FER_STORE_STRICT, &run.result));
        run.driver.calls = 0;
        for (size_t cells = 0; cells + 10 < needed; cells++) {
            run.config.cells = cells;
            assert_int_equal(FER_ERR_ARENA, fer_conformance_check_store(
                                                &run.config, FER_STORE_STRICT, &run.result));
        }
        assert_int_equal(0, run.driver.calls);
    }
}

static void test_each_rule_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < FER_CONFORMANCE_RULES; i++) {
        const char *name = fer_conformance_rule_name((fer_conformance_rule)i);

        assert_true(strlen(name) > 3);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name, fer_conformance_rule_name((fer_conformance_rule)j));
        }
    }
    assert_string_equal("unknown", fer_conformance_rule_name(FER_CONFORMANCE_RULES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_wrong_driver_is_found),
        cmocka_unit_test(test_a_smoke_test_finds_most),
        cmocka_unit_test(test_claims_to_rewrite_are_tried),
        cmocka_unit_test(test_impossible_geometries_are_named),
        cmocka_unit_test(test_what_a_reset_undoes_is_found),
        cmocka_unit_test(test_a_store_finds_what_breaks_it),
        cmocka_unit_test(test_another_chain_is_found_near_and_far),
        cmocka_unit_test(test_a_right_driver_passes_every_rule),
        cmocka_unit_test(test_a_busy_driver_is_asked_again),
        cmocka_unit_test(test_wear_is_bounded),
        cmocka_unit_test(test_the_advised_wear_suffices),
        cmocka_unit_test(test_too_little_wear_is_said),
        cmocka_unit_test(test_nothing_is_touched_unless_told_so),
        cmocka_unit_test(test_calls_that_cannot_be),
        cmocka_unit_test(test_memory_of_the_macro_suffices_and_less_is_refused),
        cmocka_unit_test(test_each_rule_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests_name("conformance_wrong", tests, NULL, NULL);
}
