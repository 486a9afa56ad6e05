/* Tests: store. What it refuses, what it finds, what it answers, and what rot does to it. That it
 * survives power cuts is shown by tests/powercut/powercut_store.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_kit.h"

/* Ruins the slot's entry, as rot does. */
static void rot(uint32_t slot)
{
    model.bytes[slot * SLOT + 90] ^= 0xFF;
}

/* ---- handles ---------------------------------------------------------------------------- */

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

/* Entry, V, the former one destroyed in two, D: what docs/PORTING.md promises of such a memory. */
static void test_a_burn_after_a_restart_is_five_programs(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 0);
    uint32_t changes = model.changes;

    (void)state;
    store = reopen(FER_STORE_STRICT);
    assert_int_equal(0, burned(store));
    assert_int_equal(changes + 5, model.changes);
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

    (void)state;
    plant(7);
    make_later_format(0);
    assert_int_equal(FER_TROUBLE_STATE, fer_store_burn(store, &credential));
    assert_int_equal(0, model.changes);
}

/* Nor does an earlier entry that this build does know lead back. */
static void test_a_later_format_is_not_stepped_over(void **state)
{
    fer_store *store = used(&once, FER_STORE_BLOCK, 1);
    fer_credential credential;

    (void)state;
    store = reopen(FER_STORE_BLOCK);
    make_later_format(SLOT);
    uint32_t changes = model.changes;
    assert_int_equal(FER_TROUBLE_STATE, fer_store_burn(store, &credential));
    assert_int_equal(changes, model.changes);
}

/* Two handles over one region: whichever comes second finds its slot taken (NONCE). */
static void test_a_second_handle_repeats_no_generation(void **state)
{
    static fer_arena_cell other_storage[FER_STORE_SIZE(512) / FER_ARENA_ALIGN];
    fer_store *first = used(&once, FER_STORE_BLOCK, 1);
    fer_store_config config = {flash_nv(&model), FER_STORE_BLOCK, NULL, NULL};
    fer_store *second = NULL;
    fer_arena other;
    fer_credential credential;

    (void)state;
    assert_int_equal(FER_OK, fer_arena_init(&other, other_storage,
                                            sizeof other_storage / sizeof other_storage[0]));
    assert_int_equal(FER_OK, fer_store_create(&other, &config, &second));
    assert_int_equal(1, burned(second));
    assert_int_equal(FER_TROUBLE_STORAGE, fer_store_burn(first, &credential));
    assert_int_equal(0, model.violations); /* it was not programmed over either */
    assert_int_equal(2, burned(first));
}

static int erases_nothing(void *context, uint32_t block)
{
    (void)context, (void)block;
    return FER_PORT_OK;
}

/* Spent entries that only an erase destroys: the port's word for it is not enough (WIPE). */
static void test_an_erase_that_did_nothing_is_noticed(void **state)
{
    fer_store *store = used(&once, FER_STORE_STRICT, 0);
    struct fer_nv_ops ops;
    fer_nv nv = flash_nv(&model);
    fer_credential credential;

    (void)state;
    ops = *nv.ops;
    ops.erase = erases_nothing;
    nv.ops = &ops;
    assert_int_equal(FER_OK, create(&nv, FER_STORE_STRICT, &store));
    assert_int_equal(FER_TROUBLE_STORAGE, fer_store_burn(store, &credential));
}

/* A port that failed is not asked again in the same call. */
static void test_a_failure_ends_the_call(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 2);
    fer_credential credential;

    (void)state;
    for (uint32_t at = 0; at < 20; at++) {
        store = reopen(FER_STORE_STRICT);
        model.calls = 0;
        model.fail_at = at;
        model.fail_answer = FER_PORT_FAILED;
        assert_int_equal(FER_TROUBLE_STORAGE, fer_store_burn(store, &credential));
        assert_int_equal(at + 1, model.calls);
    }
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

/* The same where a cut left the last slot of a block without D: E says that the next was begun. */
static void test_block_policy_ratchets_past_rot_behind_a_torn_slot(void **state)
{
    fer_store *store = used(&once, FER_STORE_BLOCK, 1);

    (void)state;
    memset(model.bytes + 2 * SLOT, 0x3C, 8);
    store = reopen(FER_STORE_BLOCK);
    assert_int_equal(2, burned(store)); /* entry 3 is in block 1 */
    model.bytes[BLOCK + 90] ^= 1;
    assert_int_equal(3, burned(reopen(FER_STORE_BLOCK)));
    assert_int_equal(0, model.violations);
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
        cmocka_unit_test(test_handles_are_checked),
        cmocka_unit_test(test_a_blank_region_holds_nothing),
        cmocka_unit_test(test_install_is_one_shot_and_wipes),
        cmocka_unit_test(test_install_refuses_what_is_no_first_credential),
        cmocka_unit_test(test_install_refuses_traces_of_a_store),
        cmocka_unit_test(test_install_begins_again_where_it_was_cut),
        cmocka_unit_test(test_generations_rise_one_by_one_across_restarts),
        cmocka_unit_test(test_get_info_writes_nothing),
        cmocka_unit_test(test_a_burn_after_a_restart_is_five_programs),
        cmocka_unit_test(test_the_last_generation_is_followed_by_none),
        cmocka_unit_test(test_a_later_format_closes_the_store),
        cmocka_unit_test(test_a_later_format_is_not_stepped_over),
        cmocka_unit_test(test_a_second_handle_repeats_no_generation),
        cmocka_unit_test(test_an_erase_that_did_nothing_is_noticed),
        cmocka_unit_test(test_a_failure_ends_the_call),
        cmocka_unit_test(test_strict_fails_closed_when_its_entry_rots),
        cmocka_unit_test(test_block_policy_ratchets_past_rot),
        cmocka_unit_test(test_block_policy_ratchets_past_rot_in_the_next_block),
        cmocka_unit_test(test_block_policy_ratchets_past_rot_behind_a_torn_slot),
        cmocka_unit_test(test_an_unreadable_newest_entry_does_not_lead_back),
        cmocka_unit_test(test_a_full_ring_of_rot_closes_the_store),
        cmocka_unit_test(test_all_zeros_and_all_ones_are_no_entries),
        cmocka_unit_test(test_not_now_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
