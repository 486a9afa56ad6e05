/* Tests: what fer_store_create refuses, without touching the medium. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferrule/store.h"
#include "powercut/flash_model.h"

/* The size is the same for all targets: it may be a few cells more than one of them needs. */
enum { SLOT = 144, BLOCK = 432, SPARE = 4 };

static const flash_shape nor = {"nor", {BLOCK, 2, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true};

static flash model;
static fer_arena_cell storage[FER_STORE_SIZE(512) / FER_ARENA_ALIGN];
static fer_arena arena;

static fer_status create(const fer_nv *nv, fer_store_policy policy, fer_store **store)
{
    fer_store_config config = {*nv, policy, NULL, NULL};

    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]));
    return fer_store_create(&arena, &config, store);
}

static void refuse(fer_nv_geometry geometry, fer_store_policy policy)
{
    flash_shape shape = {"refused", geometry, true, false, false};
    fer_nv nv;
    fer_store *store = NULL;

    flash_make(&model, &nor, 1);
    model.shape = &shape;
    nv = flash_nv(&model);
    assert_int_equal(FER_ERR_ARGUMENT, create(&nv, policy, &store));
    assert_null(store);
    assert_int_equal(0, model.calls);
}

static void test_impossible_geometries_are_refused(void **state)
{
    (void)state;
    refuse((fer_nv_geometry){BLOCK, 1, 8, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){BLOCK, 2, 0, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){BLOCK, 2, 3, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){4096, 2, 1024, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){BLOCK + 4, 2, 8, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){SLOT - 8, 2, 8, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){0, 2, 8, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){BLOCK, 2, 8, 0xFE, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){BLOCK, 2, 8, 0xFF, 4}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){BLOCK, 0xFFFFFFFF, 8, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){0x10000000, 16, 8, 0xFF, FER_NV_OVERWRITE}, FER_STORE_STRICT);
    refuse((fer_nv_geometry){BLOCK, 2, 8, 0xFF, FER_NV_OVERWRITE}, (fer_store_policy)2);
}

static void test_a_port_without_functions_is_refused(void **state)
{
    fer_nv nv;
    fer_store *store = NULL;
    struct fer_nv_ops ops;

    (void)state;
    flash_make(&model, &nor, 1);
    nv = flash_nv(&model);
    ops = *nv.ops;
    nv.ops = &ops;
    ops.erase = NULL; /* and the medium cannot be rewritten */
    assert_int_equal(FER_ERR_ARGUMENT, create(&nv, FER_STORE_STRICT, &store));
    ops = *flash_nv(&model).ops;
    ops.read = NULL;
    assert_int_equal(FER_ERR_ARGUMENT, create(&nv, FER_STORE_STRICT, &store));
    ops = *flash_nv(&model).ops;
    ops.program = NULL;
    assert_int_equal(FER_ERR_ARGUMENT, create(&nv, FER_STORE_STRICT, &store));
    nv.ops = NULL;
    assert_int_equal(FER_ERR_ARGUMENT, create(&nv, FER_STORE_STRICT, &store));
    nv = flash_nv(&model);
    nv.geometry = NULL;
    assert_int_equal(FER_ERR_ARGUMENT, create(&nv, FER_STORE_STRICT, &store));
    assert_int_equal(FER_ERR_ARGUMENT, fer_store_create(&arena, NULL, &store));
}

static void test_a_small_arena_is_refused_and_left_alone(void **state)
{
    fer_store_config config = {{NULL, NULL, NULL}, FER_STORE_STRICT, NULL, NULL};
    fer_store *store = NULL;

    (void)state;
    flash_make(&model, &nor, 1);
    config.nv = flash_nv(&model);
    assert_int_equal(FER_OK,
                     fer_arena_init(&arena, storage, FER_STORE_SIZE(8) / FER_ARENA_ALIGN - SPARE));
    size_t room = fer_arena_room(&arena);
    assert_int_equal(FER_ERR_ARENA, fer_store_create(&arena, &config, &store));
    assert_int_equal(room, fer_arena_room(&arena));
    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, FER_STORE_SIZE(8) / FER_ARENA_ALIGN));
    assert_int_equal(FER_OK, fer_store_create(&arena, &config, &store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impossible_geometries_are_refused),
        cmocka_unit_test(test_a_port_without_functions_is_refused),
        cmocka_unit_test(test_a_small_arena_is_refused_and_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
