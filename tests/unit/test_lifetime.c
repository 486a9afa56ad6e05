/* Tests: lifetime. The macros say what a store really does to its flash: erases are counted in a
 * store over RAM, for many geometries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ferrule/lifetime.h"
#include "internal/credential.h"

enum { BLOCKS_MAX = 5, BYTES_MAX = 5 * 1024, TURNS = 4 };

static uint8_t bytes[BYTES_MAX];
static uint32_t erases[BLOCKS_MAX];
static uint16_t writes[BYTES_MAX]; /* changes of each byte, where there is no erase */
static fer_arena_cell storage[(FER_STORE_SIZE(512) + FER_STORE_MIRROR_SIZE) / FER_ARENA_ALIGN];

static int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const fer_nv_geometry *geometry = context;

    memcpy(out, bytes + block * geometry->block_size + offset, n);
    return FER_PORT_OK;
}

static int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    const fer_nv_geometry *geometry = context;
    uint32_t at = block * geometry->block_size + offset;

    for (size_t i = 0; i < n; i++) {
        bytes[at + i] = in[i];
        writes[at + i]++;
    }
    return FER_PORT_OK;
}

static int nv_erase(void *context, uint32_t block)
{
    const fer_nv_geometry *geometry = context;

    memset(bytes + block * geometry->block_size, geometry->erased, geometry->block_size);
    erases[block]++;
    return FER_PORT_OK;
}

static const struct fer_nv_ops with_erase = {nv_read, nv_program, nv_erase, NULL};
static const struct fer_nv_ops without = {nv_read, nv_program, NULL, NULL};

/* What lives: a memory, a policy, and one copy or two. */
typedef struct subject {
    const fer_nv_geometry *geometry;
    fer_store_policy policy;
    uint32_t copies;
} subject;

static fer_store *start(const subject *chosen)
{
    const fer_nv_geometry *geometry = chosen->geometry;
    fer_store_config config = {.policy = chosen->policy};
    fer_store *store = NULL;
    fer_arena arena;

    config.nv.ops = (geometry->flags & FER_NV_REWRITE) != 0 ? &without : &with_erase;
    config.nv.geometry = geometry;
    config.nv.context = (void *)(uintptr_t)geometry;
    config.mirror = chosen->copies == 2 ? &fer_store_mirror : NULL;
    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]));
    assert_int_equal(FER_OK, fer_store_create(&arena, &config, &store));
    return store;
}

static void install(fer_store *store)
{
    fer_credential_info info = {.identity = "pump", .identity_length = 4};
    fer_claim_key claim;
    fer_chain chain;
    fer_credential made;

    memset(&claim, 1, sizeof claim);
    memset(&chain, 2, sizeof chain);
    assert_int_equal(FER_OK, fer_credential_build(&info, &claim, &chain, &made));
    assert_int_equal(FER_OK, fer_store_install(store, &made));
}

/* The most that any one block, or cell, has gone through. */
static uint32_t get_wear(void)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
        most = erases[i] > most ? erases[i] : most;
    }
    for (uint32_t i = 0; i < BYTES_MAX && most == 0; i++) {
        most = writes[i] > most ? writes[i] : most;
    }
    return most;
}

static void clear_wear(void)
{
    memset(erases, 0, sizeof erases);
    memset(writes, 0, sizeof writes);
}

/* The wear of `burns` burns, of which every boot_every-th is the first after a restart (0: none).
 */
static uint32_t wear_out(const subject *chosen, uint32_t burns, uint32_t boot_every)
{
    fer_credential credential;
    fer_store *store;

    memset(bytes, chosen->geometry->erased, sizeof bytes);
    store = start(chosen);
    install(store);
    clear_wear();
    for (uint32_t i = 0; i < burns; i++) {
        if (boot_every != 0 && i % boot_every == 0) {
            fer_store_close(&store);
            store = start(chosen);
        }
        assert_int_equal(FER_OK, fer_store_burn(store, &credential));
    }
    fer_store_close(&store);
    return get_wear();
}

/* What FER_LIFETIME_FLASH counts with: days of one burn each, so that days are burns. */
static void check(const subject *chosen)
{
    const fer_nv_geometry *geometry = chosen->geometry;
    const uint32_t turn =
        (uint32_t)FER_LIFETIME_TURN(geometry->block_size, geometry->block_count, chosen->copies,
                                    chosen->policy, geometry->granule, geometry->flags);

    for (uint32_t boot_every = 0; boot_every <= 3; boot_every++) {
        uint32_t burns = TURNS * turn;
        uint32_t boots = boot_every == 0 ? 0 : (burns + boot_every - 1) / boot_every;
        uint32_t wear = wear_out(chosen, burns, boot_every);
        uint32_t cost =
            (uint32_t)FER_LIFETIME_COST((uint64_t)burns, boots, turn,
                                        FER_LIFETIME_BEGINS(geometry->block_count, chosen->copies,
                                                            chosen->policy, geometry->flags),
                                        chosen->policy, geometry->flags);
        uint32_t said = cost / turn;

        assert_in_range(wear, 1, said + 2); /* never more than was said */
        /* Exactly that without boots; with them, not every geometry has the worst case. */
        assert_in_range(boot_every == 0 ? wear + 2 : 3 * wear + 4, said, 3 * said + 8);
    }
}

static void test_flash_wears_as_said(void **state)
{
    static const uint32_t sizes[] = {160, 432, 1024};
    static const uint16_t granules[] = {1, 8, 16};
    static const uint8_t flags[] = {0, FER_NV_OVERWRITE, FER_NV_OVERWRITE | FER_NV_REWRITE};

    (void)state;
    for (unsigned i = 0; i < 3 * 3 * 3 * (BLOCKS_MAX - 1); i++) {
        const fer_nv_geometry geometry = {.block_size = sizes[i % 3],
                                          .granule = granules[i / 3 % 3],
                                          .flags = flags[i / 9 % 3],
                                          .block_count = 2 + i / 27,
                                          .erased = 0xFF};
        for (uint32_t copies = 1; geometry.block_count >= 2 * copies && copies <= 2; copies++) {
            check(&(subject){&geometry, FER_STORE_STRICT, copies});
            check(&(subject){&geometry, FER_STORE_BLOCK, copies});
        }
    }
}

/* Whether the store takes a block of this size, and not one byte less. */
static void test_slot_is_what_the_store_needs(void **state)
{
    (void)state;
    for (uint16_t granule = 1; granule <= 512; granule = (uint16_t)(2 * granule)) {
        fer_nv_geometry geometry = {.granule = granule, .block_count = 2, .erased = 0xFF};
        fer_store_config config = {.nv = {&with_erase, &geometry, &geometry}};
        fer_store *store = NULL;
        fer_arena arena;

        geometry.block_size = FER_STORE_SLOT(granule);
        assert_int_equal(FER_OK,
                         fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]));
        assert_int_equal(FER_OK, fer_store_create(&arena, &config, &store));
        fer_store_close(&store);
        geometry.block_size -= granule;
        assert_int_equal(FER_ERR_ARGUMENT, fer_store_create(&arena, &config, &store));
    }
}

static void test_burns_of_a_day(void **state)
{
    (void)state;
    assert_int_equal(FER_LIFETIME_BURNS(5u, 5000u, 0u, 0u), 5);
    assert_int_equal(FER_LIFETIME_BURNS(5u, 5000u, 1000u, 0u), 10);
    assert_int_equal(FER_LIFETIME_BURNS(5u, 5001u, 1000u, 0u), 11);
    assert_int_equal(FER_LIFETIME_BURNS(5u, 0u, 1000u, 3600000u), 29);
    assert_int_equal(FER_LIFETIME_BURNS(0u, 0u, 0u, 0u), 1);
}

static void test_limits_of_numbers(void **state)
{
    (void)state;
    assert_true(FER_LIFETIME_IDENTITY(1u, 0u, 0u, 0u) == UINT64_C(4294967294));
    assert_true(FER_LIFETIME_IDENTITY(0u, 0u, 0u, 1u) == UINT64_C(49));
    assert_true(FER_LIFETIME_SILENCE(2u, 0u, 0u, 0u) == UINT64_C(131072));
    assert_true(
        FER_LIFETIME_FLASH(100u, 2u, 1u, 10000u, FER_STORE_STRICT, 8u, 0u, 1u, 0u, 0u, 0u) == 0);
}

/* These hold, and so compile; tests/compile has those that do not. */
FER_LIFETIME_HOLDS(10, 2048u, 4u, 2u, 10000u, FER_STORE_STRICT, 8u, FER_NV_OVERWRITE, 5u, 5000u, 0u,
                   0u);

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flash_wears_as_said),
                                       cmocka_unit_test(test_slot_is_what_the_store_needs),
                                       cmocka_unit_test(test_burns_of_a_day),
                                       cmocka_unit_test(test_limits_of_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
