/* What the tests of the store share: a model of flash, a store over it, its first credential. */
#ifndef FERRULE_TESTS_UNIT_STORE_KIT_H
#define FERRULE_TESTS_UNIT_STORE_KIT_H

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
static fer_arena_cell storage[(FER_STORE_SIZE(512) + FER_STORE_MIRROR_SIZE) / FER_ARENA_ALIGN];
static fer_arena arena;

/* One copy, even where there is room for two. */
static bool alone;

/* The hardware counter: part of the next store where `counted`. */
static bool counted;
static uint32_t counter;
static int counter_answer;

static inline int counter_read(void *context, uint32_t *value)
{
    (void)context;
    *value = counter;
    return counter_answer;
}

static inline int counter_raise(void *context, uint32_t value)
{
    (void)context;
    if (counter_answer == FER_PORT_OK && value > counter) {
        counter = value;
    }
    return counter_answer;
}

static const struct fer_counter_ops counter_ops = {counter_read, counter_raise};
static const fer_counter counter_hardware = {&counter_ops, NULL};

static inline fer_credential credential_of(uint32_t generation)
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

static inline fer_status create(const fer_nv *nv, fer_store_policy policy, fer_store **store)
{
    bool mirrored = nv->geometry->block_count >= FER_STORE_MIRROR_BLOCKS && !alone;
    fer_store_config config = {*nv, policy, counted ? &counter_hardware : NULL,
                               mirrored ? &fer_store_mirror : NULL};

    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]));
    return fer_store_create(&arena, &config, store);
}

static inline fer_store *reopen(fer_store_policy policy)
{
    fer_nv nv = flash_nv(&model);
    fer_store *store = NULL;

    assert_int_equal(FER_OK, create(&nv, policy, &store));
    return store;
}

static inline fer_store *blank(const flash_shape *shape, fer_store_policy policy)
{
    flash_make(&model, shape, 1);
    return reopen(policy);
}

/* Installed, and burned so many times. */
static inline fer_store *used(const flash_shape *shape, fer_store_policy policy, uint32_t burns)
{
    fer_store *store = blank(shape, policy);
    fer_credential credential = credential_of(0);

    assert_int_equal(FER_OK, fer_store_install(store, &credential));
    for (uint32_t i = 0; i < burns; i++) {
        assert_int_equal(FER_OK, fer_store_burn(store, &credential));
    }
    return store;
}

static inline uint32_t burned(fer_store *store)
{
    fer_credential credential;
    fer_credential_info info;

    assert_int_equal(FER_OK, fer_store_burn(store, &credential));
    assert_int_equal(FER_OK, fer_credential_get_info(&credential, &info));
    return info.generation;
}

/* Makes the entry at `at` one of a format version that this build does not know. */
static inline void make_later_format(uint32_t at)
{
    uint8_t hash[FER_HASH_BYTES];

    model.bytes[at + 2] = 2;
    fer_crypto_hash(model.bytes + at, 120, hash);
    memcpy(model.bytes + at + 120, hash, 8);
}

#endif
