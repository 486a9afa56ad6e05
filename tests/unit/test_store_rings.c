/* Tests: store over two rings, what waits for fer_store_maintain, and wear. That no damage of one
 * ring stops a device is shown by tests/powercut/powercut_rot.c. */
#include "store_kit.h"

enum { RING = 2 * BLOCK };

static const flash_shape two = {"two", {BLOCK, 4, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true};
static const flash_shape two_once = {"two, once", {BLOCK, 4, 8, 0xFF, 0}, true, false, true};

static uint32_t count_erases(void)
{
    uint32_t sum = 0;

    for (uint32_t block = 0; block < model.shape->geometry.block_count; block++) {
        sum += model.erases[block];
    }
    return sum;
}

static void fail_next(uint32_t calls_from_now, int answer)
{
    model.fail_at = model.calls + calls_from_now;
    model.fail_answer = answer;
}

/* ---- two copies ------------------------------------------------------------------------- */

static void test_both_rings_hold_the_same_entries(void **state)
{
    (void)used(&two, FER_STORE_STRICT, 4);

    (void)state;
    assert_memory_equal(model.bytes, model.bytes + RING, RING);
    assert_int_equal(4, model.bytes[BLOCK + SLOT + 4]); /* the fifth entry of its ring */
}

/* It is not taken for lost: nothing is erased, nothing is skipped. */
static void test_a_ring_that_failed_once_is_kept(void **state)
{
    fer_credential credential;

    (void)state;
    for (uint32_t call = 0; call < 60; call += 3) {
        fer_store *store = used(&two, FER_STORE_STRICT, 1);
        uint32_t generation;

        fail_next(call, FER_PORT_FAILED);
        assert_int_equal(FER_TROUBLE_STORAGE, fer_store_burn(store, &credential));
        generation = burned(store);
        assert_in_range(generation, 1, 3);
        assert_int_equal(generation + 1, burned(store));
        assert_in_range(count_erases(), 0, 1); /* of a block that is full; a lost ring takes two */
    }
}

static void test_not_now_of_one_ring_is_not_now(void **state)
{
    fer_credential credential;

    (void)state;
    for (uint32_t call = 0; call < 60; call += 3) {
        fer_store *store = used(&two, FER_STORE_STRICT, 1);

        fail_next(call, FER_PORT_NOT_NOW);
        assert_int_equal(FER_NOT_NOW, fer_store_burn(store, &credential));
        fail_next(0, FER_PORT_NOT_NOW);
        assert_int_equal(FER_NOT_NOW, fer_store_burn(store, &credential));
        assert_in_range(burned(store), 1, 4);
        assert_in_range(count_erases(), 0, 1);
    }
}

/* A bus that is down for all calls must not cost both copies. */
static void test_a_port_that_fails_throughout_costs_nothing(void **state)
{
    fer_store *store = used(&two, FER_STORE_STRICT, 1);
    fer_credential credential;

    (void)state;
    model.off = true;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(FER_TROUBLE_STORAGE, fer_store_burn(store, &credential));
    }
    model.off = false;
    assert_int_equal(1, burned(store));
    assert_int_equal(0, count_erases());
}

static void test_rings_of_two_devices_close_the_store(void **state)
{
    fer_store *store = used(&two, FER_STORE_STRICT, 1);
    fer_credential other = credential_of(1);
    fer_credential credential;
    fer_credential_info info;
    uint8_t hash[FER_HASH_BYTES];

    (void)state;
    other.bytes[8] ^= 1; /* its epoch */
    fer_crypto_hash(other.bytes, 120, hash);
    memcpy(other.bytes + 120, hash, 8);
    memcpy(model.bytes + RING + SLOT, other.bytes, sizeof other.bytes);
    store = reopen(FER_STORE_STRICT);
    uint32_t changes = model.changes;
    assert_int_equal(FER_TROUBLE_STATE, fer_store_burn(store, &credential));
    assert_int_equal(FER_TROUBLE_STATE, fer_store_get_info(store, &info));
    assert_int_equal(FER_TROUBLE_STATE, fer_store_maintain(store));
    assert_int_equal(changes, model.changes);
}

/* Neither is the other ring used, nor this one written anew: a later build knows what to do. */
static void test_a_later_format_in_one_ring_closes_the_store(void **state)
{
    fer_credential credential;

    (void)state;
    for (uint32_t ring = 0; ring < 2; ring++) {
        fer_store *store = used(&two, FER_STORE_STRICT, 1);

        make_later_format(ring * RING + SLOT);
        store = reopen(FER_STORE_STRICT);
        uint32_t changes = model.changes;
        assert_int_equal(FER_TROUBLE_STATE, fer_store_burn(store, &credential));
        assert_int_equal(FER_TROUBLE_STATE, fer_store_maintain(store));
        credential = credential_of(0);
        assert_int_equal(FER_TROUBLE_STATE, fer_store_install(store, &credential));
        assert_int_equal(changes, model.changes);
    }
}

static void test_install_refuses_traces_in_one_ring(void **state)
{
    (void)state;
    for (uint32_t ring = 0; ring < 2; ring++) {
        fer_credential again = credential_of(0);

        (void)used(&two, FER_STORE_STRICT, 2);
        memset(model.bytes + ring * RING, 0xFF, RING);
        model.bytes[(1 - ring) * RING + 2 * SLOT + 90] ^= 1;
        assert_int_equal(FER_ERR_ORDER, fer_store_install(reopen(FER_STORE_STRICT), &again));
    }
}

/* Whatever call fails: the next install goes through, or the entry is whole in one ring. */
static void test_an_install_that_failed_once_goes_on(void **state)
{
    (void)state;
    for (uint32_t call = 0;; call++) {
        fer_store *store = blank(&two, FER_STORE_STRICT);
        fer_credential credential = credential_of(0);
        fer_credential_info info;

        fail_next(call, FER_PORT_FAILED);
        if (fer_store_install(store, &credential) == FER_OK) {
            assert_in_range(call, 50, 1000);
            break;
        }
        fer_status found = fer_store_get_info(store, &info);
        fer_status again = fer_store_install(store, &credential);
        assert_int_equal(found == FER_OK ? FER_ERR_ORDER : FER_OK, again);
        assert_int_equal(0, burned(store));
        assert_int_equal(1, burned(reopen(FER_STORE_STRICT)));
    }
}

/* A region that was written with a mirror and is opened without, or the other way round, is closed,
 * or goes on: it never goes back. Only the former is told to the user, who should not do it. */
static void turn_over(const flash_shape *shape, fer_store_policy policy, bool from, uint32_t burns)
{
    alone = from;
    fer_store *store = used(shape, policy, burns);
    uint32_t highest = burns;
    fer_credential credential;
    fer_credential_info info;

    for (int i = 1; i <= 12; i++) {
        alone = from == (i % 3 != 0);
        store = reopen(policy);
        if (fer_store_burn(store, &credential) == FER_OK) {
            assert_int_equal(FER_OK, fer_credential_get_info(&credential, &info));
            assert_in_range(info.generation, highest, UINT32_MAX);
            highest = info.generation + 1;
        }
        (void)!fer_store_maintain(store);
    }
    alone = false;
}

static void test_a_mirror_that_comes_or_goes_never_leads_back(void **state)
{
    static const flash_shape five = {"five", {SLOT, 5, 8, 0xFF, 0}, true, false, true};

    (void)state;
    for (uint32_t burns = 0; burns < 40; burns++) {
        for (int from = 0; from < 2; from++) {
            turn_over(&two, FER_STORE_STRICT, from != 0, burns);
            turn_over(&two_once, FER_STORE_BLOCK, from != 0, burns);
            turn_over(&five, FER_STORE_STRICT, from != 0, burns);
            turn_over(&five, FER_STORE_BLOCK, from != 0, burns);
        }
    }
}

static void test_two_copies_take_four_blocks(void **state)
{
    fer_store *store = NULL;

    (void)state;
    flash_make(&model, &nor, 1);
    fer_store_config config = {flash_nv(&model), FER_STORE_STRICT, NULL, &fer_store_mirror};
    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]));
    assert_int_equal(FER_ERR_ARGUMENT, fer_store_create(&arena, &config, &store));
    assert_null(store);
}

/* As where an install was cut between the two, and by hand: before a burn would have to. */
static void test_maintain_writes_a_lost_ring_anew(void **state)
{
    (void)state;
    for (uint32_t ring = 0; ring < 2; ring++) {
        fer_store *store = used(&two_once, FER_STORE_BLOCK, 2);

        memset(model.bytes + ring * RING, 0xFF, RING);
        store = reopen(FER_STORE_BLOCK);
        assert_int_equal(FER_OK, fer_store_maintain(store));
        assert_int_equal(FER_EMPTY, fer_store_maintain(store));
        memset(model.bytes + (1 - ring) * RING, 0x3C, RING);
        assert_int_equal(2, burned(reopen(FER_STORE_BLOCK)));
    }
}

/* ---- what can wait ---------------------------------------------------------------------- */

static const flash_shape shapes[] = {
    {"nor", {BLOCK, 2, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true},
    {"nor, one slot", {SLOT, 2, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true},
    {"blank check", {BLOCK, 3, 8, 0xFF, FER_NV_OVERWRITE}, true, true, true},
    {"two rings", {BLOCK, 4, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true},
    {"unequal rings", {BLOCK, 5, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true},
    {"to zero", {BLOCK, 4, 8, 0x00, FER_NV_OVERWRITE}, true, false, true},
    {"once", {BLOCK, 2, 8, 0xFF, 0}, true, false, true},
    {"once, one slot", {SLOT, 2, 8, 0xFF, 0}, true, false, true},
    {"once, two rings", {BLOCK, 4, 8, 0xFF, 0}, true, false, true},
    {"pages", {1536, 4, 512, 0xFF, 0}, true, false, true},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0], TURNS = 6 };

static fer_store_policy policy_of(const flash_shape *shape)
{
    return shape->geometry.flags == 0 ? FER_STORE_BLOCK : FER_STORE_STRICT;
}

static uint32_t slots_of(const flash_shape *shape)
{
    uint32_t granule = shape->geometry.granule;
    uint32_t slot = (granule > 128 ? granule : 128) + 2 * (granule > 8 ? granule : 8);

    return shape->geometry.block_size / slot;
}

/* Each generation in an uptime of its own, or all in one. */
static void burn_and_maintain(const flash_shape *shape, bool reboots)
{
    fer_store *store = used(shape, policy_of(shape), 0);
    uint32_t burns = TURNS * shape->geometry.block_count * slots_of(shape);
    uint32_t waited = 0;

    for (uint32_t i = 0; i < burns; i++) {
        store = reboots ? reopen(policy_of(shape)) : store;
        uint32_t erases = count_erases();
        assert_int_equal(i, burned(store));
        assert_int_equal(erases, count_erases());
        while (fer_store_maintain(store) == FER_OK) {
            waited++;
        }
    }
    assert_true(waited > 0);
    assert_int_equal(0, model.violations);
}

static void test_with_maintain_no_burn_waits_for_an_erase(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        burn_and_maintain(&shapes[i], true);
        burn_and_maintain(&shapes[i], false);
    }
}

static void test_without_maintain_burns_erase_as_often(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        burn_and_maintain(&shapes[i], false);
        uint32_t erases = count_erases();
        uint32_t burns = TURNS * shapes[i].geometry.block_count * slots_of(&shapes[i]);
        fer_store *store = used(&shapes[i], policy_of(&shapes[i]), burns);

        while (fer_store_maintain(store) == FER_OK) {
        }
        assert_int_equal(erases, count_erases());
    }
}

/* Blocks of one ring, which is what turns: of two unequal ones the smaller turns more often. */
static void check_wear(uint32_t first, uint32_t end)
{
    for (uint32_t block = first; block < end; block++) {
        assert_in_range(model.erases[block] + 1, model.erases[first], model.erases[first] + 2);
    }
}

static void test_blocks_wear_evenly(void **state)
{
    static const flash_shape strict_once = {"once", {SLOT, 3, 8, 0xFF, 0}, true, false, true};

    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        uint32_t blocks = shapes[i].geometry.block_count;
        uint32_t half = blocks >= 4 ? blocks / 2 : blocks;

        burn_and_maintain(&shapes[i], i % 2 == 0);
        check_wear(0, half);
        check_wear(half, blocks);
    }
    (void)used(&strict_once, FER_STORE_STRICT, 40);
    check_wear(0, 3);
    assert_in_range(count_erases(), 39, 41); /* one for each generation */
}

static void test_maintain_is_idle_where_there_is_nothing(void **state)
{
    fer_store *store = blank(&two, FER_STORE_STRICT);

    (void)state;
    assert_int_equal(FER_ERR_HANDLE, fer_store_maintain(NULL));
    assert_int_equal(FER_RENEW_MISSING, fer_store_maintain(store));
    store = used(&two, FER_STORE_STRICT, 1);
    uint32_t changes = model.changes;
    assert_int_equal(FER_EMPTY, fer_store_maintain(store));
    assert_int_equal(changes, model.changes);
}

/* What failed is said, and done again. */
static void test_maintain_says_that_it_failed(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 5); /* the last slot of the second block */

    (void)state;
    fail_next(9, FER_PORT_FAILED);
    assert_int_equal(FER_TROUBLE_STORAGE, fer_store_maintain(store));
    assert_int_equal(FER_OK, fer_store_maintain(store));
    assert_int_equal(5, burned(store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_rings_hold_the_same_entries),
        cmocka_unit_test(test_a_ring_that_failed_once_is_kept),
        cmocka_unit_test(test_not_now_of_one_ring_is_not_now),
        cmocka_unit_test(test_a_port_that_fails_throughout_costs_nothing),
        cmocka_unit_test(test_rings_of_two_devices_close_the_store),
        cmocka_unit_test(test_a_later_format_in_one_ring_closes_the_store),
        cmocka_unit_test(test_install_refuses_traces_in_one_ring),
        cmocka_unit_test(test_an_install_that_failed_once_goes_on),
        cmocka_unit_test(test_a_mirror_that_comes_or_goes_never_leads_back),
        cmocka_unit_test(test_two_copies_take_four_blocks),
        cmocka_unit_test(test_maintain_writes_a_lost_ring_anew),
        cmocka_unit_test(test_with_maintain_no_burn_waits_for_an_erase),
        cmocka_unit_test(test_without_maintain_burns_erase_as_often),
        cmocka_unit_test(test_blocks_wear_evenly),
        cmocka_unit_test(test_maintain_is_idle_where_there_is_nothing),
        cmocka_unit_test(test_maintain_says_that_it_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
