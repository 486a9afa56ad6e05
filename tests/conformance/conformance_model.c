/* The model of flash that the power-cut tests trust is itself a driver, and passes the conformance
 * kit: in every kind of memory, under both policies. Every rule that it breaks it counts itself. */
#include "checked.h"

#include "powercut/flash_model.h"

/* clang-format off */
static const flash_shape shapes[] = {
    {"spi nor",        { 432, 2,   1, 0xFF, FER_NV_OVERWRITE}, true,  false, false},
    {"word nor",       { 300, 3,   4, 0xFF, FER_NV_OVERWRITE}, true,  false, false},
    {"write once",     { 320, 3,  16, 0xFF, 0},                true,  true,  true},
    {"erased to zero", { 432, 2,   4, 0x00, FER_NV_OVERWRITE}, true,  true,  false},
    {"eeprom",         { 300, 2,   1, 0xFF, FER_NV_REWRITE},   false, false, false},
    {"fram",           { 448, 2,  32, 0x00, FER_NV_REWRITE},   false, true,  false},
    {"page of 512",    {1536, 4, 512, 0xFF, 0},                true,  false, true},
    {"many blocks",    { 144, 9,   8, 0xFF, 0},                true,  false, false},
};
/* clang-format on */

static flash model;

static bool reopen(void *context)
{
    flash_boot(context, FLASH_MIXED);
    return true;
}

static bool fault(void *context, fer_conformance_operation operation)
{
    (void)operation;
    ((flash *)context)->fail_at = ((flash *)context)->calls;
    ((flash *)context)->fail_answer = FER_PORT_FAILED;
    ((flash *)context)->fail_midway = true;
    return true;
}

static const struct fer_conformance_ops hooks = {print_finding, reopen, fault};

static fer_conformance_config prepare(const flash_shape *shape, uint32_t lives)
{
    flash_make(&model, shape, 1);
    fer_nv nv = flash_nv(&model);
    return checked_config(&nv, &hooks, &model, lives);
}

static void test_the_model_keeps_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        fer_conformance_config config = prepare(&shapes[i], 0);

        check_driver(&config);
        assert_int_equal(0, model.violations);
        config.flags = FER_CONFORMANCE_ASK_OUTSIDE;
        check_driver(&config);
        assert_true(model.violations >= 10);
    }
}

static void test_a_store_over_the_model_survives(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int policy = FER_STORE_STRICT; policy <= FER_STORE_BLOCK; policy++) {
            fer_conformance_config config = prepare(&shapes[i], CHECKED_LIVES);

            (void)check_store(&config, (fer_store_policy)policy);
            assert_int_equal(0, model.violations);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_model_keeps_the_contract),
        cmocka_unit_test(test_a_store_over_the_model_survives),
    };
    return cmocka_run_group_tests_name("conformance_model", tests, NULL, NULL);
}
