/* Memory that is too small by every amount: each create is all or nothing. The arena is as it was,
 * nothing of the keys stays in it, the caller's pointer is not touched, and what was to be consumed
 * is not; then the same call with room enough succeeds, and what it made works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "internal/poison.h"
#include "powercut/device_world.h"
#include "record_fixture.h"

enum { ROUTE = 2, WINDOW = 128, BEFORE = 3 };

static const world_plan plan = {"memory",
                                {"nor", {432, 2, 4, 0xFF, FER_NV_OVERWRITE}, true, false, false},
                                FER_STORE_STRICT,
                                FER_LINK_STREAM,
                                FER_TWO_WAY,
                                WORLD_INBOUND,
                                0,
                                false};

static fer_arena_cell storage[1024];
static fer_arena arena;
static fer_generation keys;
static uint8_t keys_before[sizeof keys];

/* Something made; whether it works. */
typedef struct maker {
    size_t size; /* that its macro says */
    fer_status (*create)(void **handle);
    void (*use)(void *handle);
} maker;

/* ---- what is made ------------------------------------------------------------------------- */

static fer_status create_store(void **handle)
{
    const fer_store_config config = {.nv = world_nv(), .policy = FER_STORE_STRICT};

    return fer_store_create(&arena, &config, (fer_store **)handle);
}

static void use_store(void *handle)
{
    fer_credential_info info;

    assert_int_equal(fer_store_get_info(handle, &info), FER_RENEW_MISSING);
}

static fer_status create_device(void **handle)
{
    const fer_device_config config = world_config();

    return fer_device_create(&arena, &config, (fer_device **)handle);
}

static void use_device(void *handle)
{
    uint8_t out[64];
    size_t n;

    assert_int_equal(fer_device_get_room(handle), WORLD_READINGS);
    fer_device_record(handle, 1, 1.0);
    assert_int_equal(fer_device_take(handle, out, sizeof out, &n), FER_RENEW_MISSING);
}

static fer_status create_gateway(void **handle)
{
    fer_gateway_config config = fer_gateway_config_default();

    config.contexts = 3;
    return fer_gateway_create(&arena, &config, (fer_gateway **)handle);
}

static void use_gateway(void *handle)
{
    fer_credential credential;
    uint32_t context = 9;

    for (uint8_t i = 0; i < 3; i++) {
        fixture_mint(&credential, i, fixture_route + i, ROUTE);
        assert_int_equal(fer_gateway_add(handle, &credential, &context), FER_OK);
        assert_int_equal(context, i);
    }
    fixture_mint(&credential, 3, fixture_route + 3, ROUTE);
    assert_int_equal(fer_gateway_add(handle, &credential, &context), FER_ERR_ARENA);
}

static fer_status create_sealer(void **handle)
{
    const fer_sealer_config config = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};

    return fer_sealer_create(&arena, &keys, &config, (fer_sealer **)handle);
}

static void use_sealer(void *handle)
{
    uint8_t out[64];
    size_t n;

    assert_int_equal(fer_sealer_seal(handle, (const uint8_t *)"abc", 3, out, sizeof out, &n),
                     FER_OK);
}

static fer_status create_opener(void **handle)
{
    const fer_opener_config config = {FER_DOWN, WINDOW};

    return fer_opener_create(&arena, &keys, &config, (fer_opener **)handle);
}

static void use_opener(void *handle)
{
    uint8_t out[64] = {0};
    fer_opened opened;

    assert_int_equal(fer_opener_open(handle, out, 0, out, sizeof out, &opened), FER_DROP_MALFORMED);
}

static fer_status create_decoder(void **handle)
{
    return fer_frame_decoder_create(&arena, WORLD_INBOUND, (fer_frame_decoder **)handle);
}

static void use_decoder(void *handle)
{
    static const uint8_t frame[] = {2, 7, 0};
    uint8_t *bytes;
    size_t used, n;

    assert_int_equal(fer_frame_decoder_feed(handle, frame, sizeof frame, &used, &bytes, &n),
                     FER_OK);
    assert_int_equal(n, 1);
}

static fer_status create_window(void **handle)
{
    return fer_replay_create(&arena, WINDOW, (fer_replay **)handle);
}

static void use_window(void *handle)
{
    assert_int_equal(fer_replay_mark(handle, 5), FER_OK);
    assert_int_equal(fer_replay_mark(handle, 5), FER_DROP_REPLAY);
}

static const maker makers[] = {
    {FER_STORE_SIZE(4), create_store, use_store},
    {FER_DEVICE_SIZE(WORLD_READINGS, WORLD_MESSAGES, WORLD_INBOUND, 4), create_device, use_device},
    {FER_GATEWAY_SIZE(3, 8, 64, 8), create_gateway, use_gateway},
    {FER_SEALER_SIZE, create_sealer, use_sealer},
    {FER_OPENER_SIZE(WINDOW), create_opener, use_opener},
    {FER_FRAME_DECODER_SIZE(WORLD_INBOUND), create_decoder, use_decoder},
    {FER_REPLAY_SIZE(WINDOW), create_window, use_window},
};

/* ---- too little of it --------------------------------------------------------------------- */

/* An arena of so many cells, of which some are carved already. */
static void prepare(size_t cells)
{
    FER_UNPOISON(storage, sizeof storage);
    memset(storage, 0, sizeof storage);
    assert_int_equal(fer_arena_init(&arena, storage, cells + BEFORE), FER_OK);
    arena.used = BEFORE * FER_ARENA_ALIGN;
}

static void check_refused(const maker *what, size_t cells)
{
    uint8_t sentinel;
    void *handle = &sentinel;

    prepare(cells);
    assert_int_equal(what->create(&handle), FER_ERR_ARENA);
    assert_ptr_equal(handle, &sentinel);
    assert_int_equal(fer_arena_room(&arena), cells * FER_ARENA_ALIGN);
    assert_memory_equal(&keys, keys_before, sizeof keys);
    fer_arena_close(&arena);
    assert_true(fixture_is_all((const uint8_t *)storage, sizeof storage, 0));
}

/* Fewest cells with which it succeeds: it does so at last, within what the macro says. */
static void every_smaller_arena_is_refused(void **state)
{
    const maker *what = *state;
    size_t most = FER_ARENA_ROUND(what->size) / FER_ARENA_ALIGN;
    size_t least = 0;
    void *handle = NULL;

    assert_true(most + BEFORE <= sizeof storage / sizeof storage[0]);
    world_begin(&plan, 1);
    fixture_generation(&keys, 0, ROUTE, 0);
    memcpy(keys_before, &keys, sizeof keys);
    for (;; least++) {
        prepare(least);
        if (what->create(&handle) == FER_OK) {
            break;
        }
        check_refused(what, least);
        assert_true(least < most);
    }
    assert_true(most - least <= 8); /* the macro wastes little */
    what->use(handle);
    fer_arena_close(&arena);
    fer_generation_wipe(&keys);
}

int main(void)
{
    static const char *const names[] = {"store",  "device",  "gateway",      "sealer",
                                        "opener", "decoder", "replay window"};
    enum { COUNT = sizeof makers / sizeof makers[0] };
    static maker copies[COUNT];
    static struct CMUnitTest tests[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        copies[i] = makers[i];
        tests[i] =
            (struct CMUnitTest){names[i], every_smaller_arena_is_refused, NULL, NULL, &copies[i]};
    }
    return _cmocka_run_group_tests("fault_memory", tests, COUNT, NULL, NULL);
}
