/* Tests: store. What it refuses, what it finds, what it answers, and what rot does to it. That it
 * survives power cuts is shown by tests/powercut/powercut_store.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ferrule/store.h"
#include "internal/credential.h"
#include "powercut/flash_model.h"

enum { SLOT = 144, V_AT = 128, D_AT = 136, BLOCK = 432 };

static const flash_shape nor = {"nor", {BLOCK, 2, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true};
static const flash_shape once = {"write once", {BLOCK, 2, 8, 0xFF, 0}, true, false, true};

static flash model;
static fer_arena_cell storage[FER_STORE_SIZE(512) / FER_ARENA_ALIGN];
static fer_arena arena;

static fer_credential credential_of(uint32_t generation)
{
    fer_credential_info info = {
        .epoch = 3, .generation = generation, .identity = "pump", .identity_length = 4};
    fer_claim_key claim;
    fer_chain chain;
    fer_credential made;

    memset(&claim, 1, sizeof claim);
    memset(&chain, 2, sizeof chain);
    assert_int_equal(FER_OK, fer_credential_build(&info, &claim, &chain, &made));
    return made;
}

static fer_status create(const fer_nv *nv, fer_store_policy policy, fer_store **store)
{
    fer_store_config config = {*nv, policy};

    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]));
    return fer_store_create(&arena, &config, store);
}

static fer_store *reopen(fer_store_policy policy)
{
    fer_nv nv = flash_nv(&model);
    fer_store *store = NULL;

    assert_int_equal(FER_OK, create(&nv, policy, &store));
    return store;
}

static fer_store *blank(const flash_shape *shape, fer_store_policy policy)
{
    flash_make(&model, shape, 1);
    return reopen(policy);
}

/* Installed, and burned so many times. */
static fer_store *used(const flash_shape *shape, fer_store_policy policy, uint32_t burns)
{
    fer_store *store = blank(shape, policy);
    fer_credential credential = credential_of(0);

    assert_int_equal(FER_OK, fer_store_install(store, &credential));
    for (uint32_t i = 0; i < burns; i++) {
        assert_int_equal(FER_OK, fer_store_burn(store, &credential));
    }
    return store;
}

static uint32_t burned(fer_store *store)
{
    fer_credential credential;
    fer_credential_info info;

    assert_int_equal(FER_OK, fer_store_burn(store, &credential));
    assert_int_equal(FER_OK, fer_credential_get_info(&credential, &info));
    return info.generation;
}

/* Ruins the slot's entry, as rot does. */
static void rot(uint32_t slot)
{
    model.bytes[slot * SLOT + 90] ^= 0xFF;
}

/* ---- create ----------------------------------------------------------------------------- */

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
    fer_store_config config = {{NULL, NULL, NULL}, FER_STORE_STRICT};
    fer_store *store = NULL;

    (void)state;
    flash_make(&model, &nor, 1);
    config.nv = flash_nv(&model);
    assert_int_equal(FER_OK,
                     fer_arena_init(&arena, storage, FER_STORE_SIZE(8) / FER_ARENA_ALIGN - 1));
    size_t room = fer_arena_room(&arena);
    assert_int_equal(FER_ERR_ARENA, fer_store_create(&arena, &config, &store));
    assert_int_equal(room, fer_arena_room(&arena));
    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, FER_STORE_SIZE(8) / FER_ARENA_ALIGN));
    assert_int_equal(FER_OK, fer_store_create(&arena, &config, &store));
}

static void test_handles_are_checked(void **state)
{
    fer_store *store = blank(&nor, FER_STORE_STRICT);
    fer_credential credential = credential_of(0);
    fer_credential_info info;

    (void)state;
    assert_int_equal(FER_ERR_ARGUMENT, fer_store_burn(store, NULL));
    assert_int_equal(FER_ERR_ARGUMENT, fer_store_get_info(store, NULL));
    assert_int_equal(FER_ERR_ARGUMENT, fer_store_install(store, NULL));
    assert_int_equal(FER_ERR_HANDLE, fer_store_burn(NULL, &credential));
    assert_int_equal(FER_ERR_HANDLE, fer_store_get_info(NULL, &info));
    assert_int_equal(FER_ERR_HANDLE, fer_store_install(NULL, &credential));
    fer_store_close(&store);
    assert_null(store);
    fer_store_close(&store);
    fer_store_close(NULL);
}

/* ---- install ---------------------------------------------------------------------------- */

static void test_a_blank_region_holds_nothing(void **state)
{
    fer_store *store = blank(&nor, FER_STORE_STRICT);
    fer_credential credential;
    fer_credential_info info;

    (void)state;
    assert_int_equal(FER_RENEW_MISSING, fer_store_get_info(store, &info));
    assert_int_equal(FER_RENEW_MISSING, fer_store_burn(store, &credential));
    assert_int_equal(0, model.changes);
}

static void test_install_is_one_shot_and_wipes(void **state)
{
    fer_store *store = blank(&nor, FER_STORE_STRICT);
    fer_credential credential = credential_of(0);
    fer_credential again = credential_of(0);
    static const fer_credential zero;

    (void)state;
    assert_int_equal(FER_OK, fer_store_install(store, &credential));
    assert_memory_equal(&credential, &zero, sizeof zero);
    assert_int_equal(FER_ERR_ORDER, fer_store_install(store, &again));
    assert_int_equal(FER_ERR_ORDER, fer_store_install(reopen(FER_STORE_STRICT), &again));
}

static void test_install_refuses_what_is_no_first_credential(void **state)
{
    fer_store *store = blank(&nor, FER_STORE_STRICT);
    fer_credential later = credential_of(1);
    fer_credential broken = credential_of(0);

    (void)state;
    broken.bytes[90] ^= 1;
    assert_int_equal(FER_DROP_MALFORMED, fer_store_install(store, &later));
    assert_int_equal(FER_DROP_MALFORMED, fer_store_install(store, &broken));
    assert_int_equal(0, model.changes);
}

static void test_install_refuses_traces_of_a_store(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 2);
    fer_credential again = credential_of(0);

    (void)state;
    rot(2); /* the only entry that lives */
    store = reopen(FER_STORE_STRICT);
    assert_int_equal(FER_ERR_ORDER, fer_store_install(store, &again));
}

static void test_install_begins_again_where_it_was_cut(void **state)
{
    fer_store *store = blank(&once, FER_STORE_STRICT);
    fer_credential credential = credential_of(0);
    fer_credential_info info;

    (void)state;
    model.cut_at = 0;
    model.cut_moment = FLASH_MIDWAY;
    model.cut_prefix = 5;
    assert_int_equal(FER_TROUBLE_STORAGE, fer_store_install(store, &credential));
    flash_boot(&model, FLASH_UNREADABLE);
    store = reopen(FER_STORE_STRICT);
    assert_int_equal(FER_TROUBLE_STATE, fer_store_get_info(store, &info));
    assert_int_equal(FER_OK, fer_store_install(store, &credential));
    assert_int_equal(0, burned(store));
}

/* ---- burn ------------------------------------------------------------------------------- */

static void test_generations_rise_one_by_one_across_restarts(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 0);

    (void)state;
    for (uint32_t generation = 0; generation < 30; generation++) {
        fer_credential_info info;
        assert_int_equal(FER_OK, fer_store_get_info(store, &info));
        assert_int_equal(generation, info.generation);
        assert_int_equal(generation, burned(store));
        store = generation % 3 == 2 ? store : reopen(FER_STORE_STRICT);
    }
    assert_int_equal(0, model.violations);
}

static void test_get_info_writes_nothing(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 4);
    fer_credential_info info;
    uint32_t changes = model.changes;

    (void)state;
    store = reopen(FER_STORE_STRICT);
    assert_int_equal(FER_OK, fer_store_get_info(store, &info));
    assert_int_equal(changes, model.changes);
    assert_int_equal(4, info.generation);
    assert_int_equal(4, info.identity_length);
    assert_memory_equal("pump", info.identity, 4);
}

/* An entry in slot 0, sealed and settled. */
static void plant(uint32_t generation)
{
    fer_credential entry = credential_of(generation);

    memcpy(model.bytes, entry.bytes, sizeof entry.bytes);
    memcpy(model.bytes + V_AT, "FerruleV", 8);
    memcpy(model.bytes + D_AT, "FerruleD", 8);
}

static void test_the_last_generation_is_followed_by_none(void **state)
{
    fer_store *store = blank(&nor, FER_STORE_STRICT);
    fer_credential credential;
    fer_credential_info info;

    (void)state;
    plant(0xFFFFFFFDu);
    assert_int_equal(0xFFFFFFFDu, burned(store));
    assert_int_equal(FER_RENEW_EXHAUSTED, fer_store_burn(store, &credential));
    assert_int_equal(FER_RENEW_EXHAUSTED, fer_store_get_info(store, &info));
    assert_int_equal(FER_RENEW_EXHAUSTED, fer_store_burn(reopen(FER_STORE_STRICT), &credential));
}

static void test_a_later_format_closes_the_store(void **state)
{
    fer_store *store = blank(&nor, FER_STORE_STRICT);
    fer_credential credential;
    uint8_t hash[FER_HASH_BYTES];

    (void)state;
    plant(7);
    model.bytes[2] = 2;
    fer_crypto_hash(model.bytes, 120, hash);
    memcpy(model.bytes + 120, hash, 8);
    assert_int_equal(FER_TROUBLE_STATE, fer_store_burn(store, &credential));
    assert_int_equal(0, model.changes);
}

/* ---- rot -------------------------------------------------------------------------------- */

static void test_strict_fails_closed_when_its_entry_rots(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 1);
    fer_credential credential;

    (void)state;
    rot(1);
    store = reopen(FER_STORE_STRICT);
    assert_int_equal(FER_TROUBLE_STATE, fer_store_burn(store, &credential));
    assert_int_equal(FER_TROUBLE_STATE, fer_store_burn(store, &credential));
}

/* Under the block policy older entries verify for ever: rot must not lead back to them. */
static void test_block_policy_ratchets_past_rot(void **state)
{
    fer_store *store = used(&once, FER_STORE_BLOCK, 2);

    (void)state;
    rot(2);
    rot(1);
    store = reopen(FER_STORE_BLOCK);
    assert_int_equal(2, burned(store));
    assert_int_equal(0, model.violations);
}

static void test_block_policy_ratchets_past_rot_in_the_next_block(void **state)
{
    fer_store *store = used(&once, FER_STORE_BLOCK, 4); /* entries 3 and 4 are in block 1 */

    (void)state;
    assert_memory_equal("Fr", model.bytes + BLOCK + SLOT, 2);
    model.bytes[BLOCK + 90] ^= 1;
    model.bytes[BLOCK + SLOT + 90] ^= 1;
    store = reopen(FER_STORE_BLOCK);
    assert_int_equal(4, burned(store));
}

static void test_an_unreadable_newest_entry_does_not_lead_back(void **state)
{
    fer_store *store = used(&once, FER_STORE_BLOCK, 2);

    (void)state;
    model.unreadable[2 * SLOT / 8 + 3] = true;
    store = reopen(FER_STORE_BLOCK);
    assert_int_equal(2, burned(store));
}

/* All of the block after the newest sound entry was used and rotted: nothing may be erased. */
static void test_a_full_ring_of_rot_closes_the_store(void **state)
{
    fer_store *store = used(&once, FER_STORE_BLOCK, 4);
    fer_credential credential;

    (void)state;
    for (uint32_t slot = 0; slot < 3; slot++) {
        memcpy(model.bytes + BLOCK + slot * SLOT, "rot", 3);
        memcpy(model.bytes + BLOCK + slot * SLOT + V_AT, "FerruleV", 8);
    }
    store = reopen(FER_STORE_BLOCK);
    uint32_t changes = model.changes;
    assert_int_equal(FER_TROUBLE_STATE, fer_store_burn(store, &credential));
    assert_int_equal(changes, model.changes);
}

static void test_all_zeros_and_all_ones_are_no_entries(void **state)
{
    fer_store *store = blank(&nor, FER_STORE_STRICT);
    fer_credential_info info;

    (void)state;
    memset(model.bytes, 0, BLOCK);
    assert_int_equal(FER_TROUBLE_STATE, fer_store_get_info(store, &info));
    memset(model.bytes, 0, (size_t)2 * BLOCK);
    assert_int_equal(FER_TROUBLE_STATE, fer_store_get_info(store, &info));
}

static void test_not_now_loses_nothing(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 2);
    fer_credential credential;
    static const fer_credential zero;

    (void)state;
    store = reopen(FER_STORE_STRICT);
    model.calls = 0;
    model.fail_at = 0;
    model.fail_answer = FER_PORT_NOT_NOW;
    assert_int_equal(FER_NOT_NOW, fer_store_burn(store, &credential));
    assert_memory_equal(&credential, &zero, sizeof zero);
    assert_int_equal(2, burned(store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impossible_geometries_are_refused),
        cmocka_unit_test(test_a_port_without_functions_is_refused),
        cmocka_unit_test(test_a_small_arena_is_refused_and_left_alone),
        cmocka_unit_test(test_handles_are_checked),
        cmocka_unit_test(test_a_blank_region_holds_nothing),
        cmocka_unit_test(test_install_is_one_shot_and_wipes),
        cmocka_unit_test(test_install_refuses_what_is_no_first_credential),
        cmocka_unit_test(test_install_refuses_traces_of_a_store),
        cmocka_unit_test(test_install_begins_again_where_it_was_cut),
        cmocka_unit_test(test_generations_rise_one_by_one_across_restarts),
        cmocka_unit_test(test_get_info_writes_nothing),
        cmocka_unit_test(test_the_last_generation_is_followed_by_none),
        cmocka_unit_test(test_a_later_format_closes_the_store),
        cmocka_unit_test(test_strict_fails_closed_when_its_entry_rots),
        cmocka_unit_test(test_block_policy_ratchets_past_rot),
        cmocka_unit_test(test_block_policy_ratchets_past_rot_in_the_next_block),
        cmocka_unit_test(test_an_unreadable_newest_entry_does_not_lead_back),
        cmocka_unit_test(test_a_full_ring_of_rot_closes_the_store),
        cmocka_unit_test(test_all_zeros_and_all_ones_are_no_entries),
        cmocka_unit_test(test_not_now_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
