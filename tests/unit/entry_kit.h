/* What the tests of public entries share: an open handle of each type, and what entries answer.
 * Include cmocka.h first. */
#ifndef ENTRY_KIT_H
#define ENTRY_KIT_H

#include <string.h>

#include "ferrule/ferrule.h"

#include "device_kit.h"

enum { ROOM = 4096 };

static fer_arena_cell storage[4 * ROOM / FER_ARENA_ALIGN];
static fer_arena arena;

/* One open handle of each type. */
static fer_sealer *sealer;
static fer_opener *opener;
static fer_gateway *gateway;
static fer_replay *window;
static fer_frame_decoder *decoder;
static fer_store *store;

static uint8_t bytes[200];
static uint8_t out[200];
static size_t length;
static fer_opened told;

static inline void open_all(void)
{
    const fer_sealer_config up = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    const fer_opener_config down = {FER_DOWN, 64};
    const fer_gateway_config of_gateway = fer_gateway_config_default();
    const fer_store_config of_store = {.nv = config.nv, .policy = config.policy};
    fer_generation keys;

    assert_int_equal(fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]), FER_OK);
    fixture_generation(&keys, 0, ROUTE, 0);
    assert_int_equal(fer_sealer_create(&arena, &keys, &up, &sealer), FER_OK);
    assert_int_equal(fer_opener_create(&arena, &keys, &down, &opener), FER_OK);
    fer_generation_wipe(&keys);
    assert_int_equal(fer_gateway_create(&arena, &of_gateway, &gateway), FER_OK);
    assert_int_equal(fer_replay_create(&arena, 64, &window), FER_OK);
    assert_int_equal(fer_frame_decoder_create(&arena, 64, &decoder), FER_OK);
    assert_int_equal(fer_store_create(&arena, &of_store, &store), FER_OK);
}

static inline int open_world(void **state)
{
    (void)start_datagram(state);
    open_all();
    return 0;
}

static inline int close_world(void **state)
{
    fer_sealer_close(&sealer);
    fer_opener_close(&opener);
    fer_gateway_close(&gateway);
    fer_replay_close(&window);
    fer_frame_decoder_close(&decoder);
    fer_store_close(&store);
    fer_arena_close(&arena);
    return stop(state);
}

static inline void assert_handle(fer_status status)
{
    assert_int_equal(status, FER_ERR_HANDLE);
}

static inline void assert_argument(fer_status status)
{
    assert_int_equal(status, FER_ERR_ARGUMENT);
}

/* Null for an arena may also count as one that has no room. */
static inline void assert_refused(fer_status status)
{
    assert_int_equal(fer_status_get_group(status), FER_GROUP_FIX_CALL);
}

#endif
