/* What the tests of the device share: a world of a RAM nv that can fail, a clock, a lock that is
 * watched, a device on top, and a peer that opens what the device seals. Include cmocka.h first. */
#ifndef DEVICE_KIT_H
#define DEVICE_KIT_H

#include <string.h>

#include "ferrule/device.h"
#include "internal/device.h"
#include "internal/record.h"
#include "record_fixture.h"
#include "telemetry_kit.h"
#include "unframe.h"

/* ---- ports ------------------------------------------------------------------------------ */

enum { NV_BLOCK = 1024, NV_BLOCKS = 2, NV_GRANULE = 4 };

static uint8_t nv_bytes[NV_BLOCKS * NV_BLOCK];
static unsigned nv_changes; /* programs and erases */
static int nv_answer;       /* to changes; FER_PORT_OK: they happen */
static int nv_read_answer;
static int locked; /* masks and mutexes held now */
static unsigned masks, mutexes;
static uint64_t clock_ms;
static int64_t clock_unix; /* 0: not known */
static int clock_answer;

static inline int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context;
    assert_int_equal(locked, 0);
    assert_true(block < NV_BLOCKS && offset + n <= NV_BLOCK);
    memcpy(out, nv_bytes + block * NV_BLOCK + offset, n);
    return nv_read_answer;
}

static inline int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                             size_t n)
{
    (void)context;
    assert_int_equal(locked, 0);
    assert_true(block < NV_BLOCKS && offset + n <= NV_BLOCK);
    assert_true(offset % NV_GRANULE == 0 && n % NV_GRANULE == 0);
    for (size_t i = 0; nv_answer == FER_PORT_OK && i < n; i++) {
        nv_bytes[block * NV_BLOCK + offset + i] &= in[i];
    }
    nv_changes++;
    return nv_answer;
}

static inline int nv_erase(void *context, uint32_t block)
{
    (void)context;
    assert_int_equal(locked, 0);
    assert_true(block < NV_BLOCKS);
    if (nv_answer == FER_PORT_OK) {
        memset(nv_bytes + block * NV_BLOCK, 0xFF, NV_BLOCK);
    }
    nv_changes++;
    return nv_answer;
}

static inline int clock_monotonic(void *context, uint64_t *ms)
{
    (void)context;
    assert_int_equal(locked, 0);
    *ms = clock_ms;
    return clock_answer;
}

static inline int clock_unix_ms(void *context, int64_t *ms)
{
    (void)context;
    assert_int_equal(locked, 0);
    *ms = clock_unix;
    return clock_unix == 0 ? FER_PORT_UNKNOWN : FER_PORT_OK;
}

static inline uintptr_t lock_mask(void *context)
{
    (void)context;
    masks++;
    return (uintptr_t)locked++;
}

static inline void lock_unmask(void *context, uintptr_t state)
{
    (void)context;
    locked--;
    assert_int_equal(state, locked);
}

static inline void lock_take(void *context)
{
    (void)context;
    assert_int_equal(locked++, 0);
    mutexes++;
}

static inline void lock_give(void *context)
{
    (void)context;
    assert_int_equal(--locked, 0);
}

static const fer_nv_geometry nv_geometry = {NV_BLOCK, NV_BLOCKS, NV_GRANULE, 0xFF,
                                            FER_NV_OVERWRITE};
static const struct fer_nv_ops nv_ops = {nv_read, nv_program, nv_erase, NULL};
static const struct fer_clock_ops clock_ops = {clock_monotonic, clock_unix_ms};
static const struct fer_lock_ops lock_ops = {lock_mask, lock_unmask, lock_take, lock_give};

/* ---- the device ------------------------------------------------------------------------- */

enum { READINGS = 64, MESSAGES = 2048, INBOUND = 96, ROUTE = 2 };

static fer_arena_cell
    device_storage[FER_DEVICE_SIZE(READINGS, MESSAGES, INBOUND, NV_GRANULE) / FER_ARENA_ALIGN];
static fer_arena device_arena;
static fer_device_config config;
static fer_device *device;

static inline void boot(void)
{
    assert_int_equal(fer_arena_init(&device_arena, device_storage,
                                    sizeof device_storage / sizeof device_storage[0]),
                     FER_OK);
    assert_int_equal(fer_device_create(&device_arena, &config, &device), FER_OK);
}

static inline void install(size_t route_length)
{
    FER_ARENA(arena, FER_STORE_SIZE(NV_GRANULE));
    const fer_store_config store_config = {.nv = config.nv, .policy = config.policy};
    fer_credential credential;
    fer_store *store;

    arena.used = 0;
    fixture_mint(&credential, 0, fixture_route, route_length);
    assert_int_equal(fer_store_create(&arena, &store_config, &store), FER_OK);
    assert_int_equal(fer_store_install(store, &credential), FER_OK);
    fer_store_close(&store);
    arena.used = 0;
}

/* ---- the peer --------------------------------------------------------------------------- */

/* Holds the root, so it opens any generation, each with a window of its own: a number that comes
 * twice is refused, and fails the test. */
enum { GENERATIONS = 40, WINDOW = 1024 };

#define PEER_ARENA (FER_OPENER_SIZE(WINDOW) + FER_SEALER_SIZE)

static fer_arena_cell peer_storage[GENERATIONS * PEER_ARENA / FER_ARENA_ALIGN];
static fer_arena peer_arena;
static fer_opener *openers[GENERATIONS];
static fer_sealer *downs[GENERATIONS];
static struct fixture_entropy peer_entropy;
static size_t peer_route;

static inline void peer_meet(uint32_t generation)
{
    const fer_opener_config up = {FER_UP, WINDOW};
    const fer_sealer_config down = {
        FER_DOWN, FER_LANE_LIVE, FER_TWO_WAY, {&fixture_entropy_ops, &peer_entropy}};
    fer_generation keys;

    assert_true(generation < GENERATIONS);
    if (openers[generation] == NULL) {
        fixture_generation(&keys, 0, peer_route, generation);
        assert_int_equal(fer_opener_create(&peer_arena, &keys, &up, &openers[generation]), FER_OK);
        assert_int_equal(fer_sealer_create(&peer_arena, &keys, &down, &downs[generation]), FER_OK);
        fer_generation_wipe(&keys);
    }
}

static fer_opened opened; /* of the last record */
static uint8_t plain[4096];

/* Opens a bare record, which must be good and new, and decodes its envelope into `got`. */
static inline void peer_receive(const uint8_t *record, size_t n)
{
    fer_unverified header;
    assert_int_equal(fer_record_inspect(record, n, &header), FER_OK);
    peer_meet(header.generation);
    assert_int_equal(
        fer_opener_receive(openers[header.generation], record, n, plain, sizeof plain, &opened),
        FER_OK);
    assert_int_equal(decode(plain, opened.length), FER_OK);
}

/* ---- taking ----------------------------------------------------------------------------- */

static uint8_t taken_bytes[4096];
static size_t taken_length;

static inline fer_status take_up_to(size_t capacity)
{
    memset(taken_bytes, 0xA5, sizeof taken_bytes);
    fer_status status = fer_device_take(device, taken_bytes, capacity, &taken_length);
    assert_true(taken_length <= capacity);
    assert_int_equal(taken_bytes[capacity], 0xA5);
    assert_true(status == FER_OK || taken_length == 0);
    if (status == FER_OK) {
        peer_receive(taken_bytes, config.link == FER_LINK_STREAM
                                      ? unframe(taken_bytes, taken_length)
                                      : taken_length);
    }
    return status;
}

static inline void take_ok(void)
{
    assert_int_equal(take_up_to(2000), FER_OK);
}

/* Seals `n` bytes down in the generation of the last record, framed where the link is a stream. */
static uint8_t down_bytes[256];

static inline size_t answer(const uint8_t *bytes, size_t n)
{
    uint8_t record[200];
    size_t size;
    assert_int_equal(
        fer_sealer_seal(downs[opened.generation], bytes, n, record, sizeof record, &size), FER_OK);
    if (config.link == FER_LINK_STREAM) {
        assert_int_equal(fer_frame_encode(record, size, down_bytes, sizeof down_bytes, &size),
                         FER_OK);
    } else {
        memcpy(down_bytes, record, size);
    }
    return size;
}

static uint8_t fed[INBOUND];
static size_t fed_used, fed_length;

static inline fer_status feed(const uint8_t *bytes, size_t n)
{
    return fer_device_feed(device, bytes, n, &fed_used, fed, sizeof fed, &fed_length);
}

/* The gateway says that it is there. */
static inline void acknowledge(void)
{
    size_t n = answer(NULL, 0);
    assert_int_equal(feed(down_bytes, n), FER_OK);
}

static inline fer_health health_now(void)
{
    fer_health health;
    assert_int_equal(fer_device_get_health(device, &health), FER_OK);
    return health;
}

/* ---- a fresh world ---------------------------------------------------------------------- */

static inline void start_world(fer_link link, size_t route_length)
{
    memset(nv_bytes, 0xFF, sizeof nv_bytes);
    memset(openers, 0, sizeof openers);
    memset(downs, 0, sizeof downs);
    nv_answer = nv_read_answer = clock_answer = FER_PORT_OK;
    locked = 0;
    clock_ms = 1000;
    clock_unix = 0;
    peer_route = route_length;
    assert_int_equal(
        fer_arena_init(&peer_arena, peer_storage, sizeof peer_storage / sizeof peer_storage[0]),
        FER_OK);
    config = fer_device_config_default();
    config.nv.ops = &nv_ops;
    config.nv.geometry = &nv_geometry;
    config.clock.ops = &clock_ops;
    config.lock.ops = &lock_ops;
    config.link = link;
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = INBOUND;
    install(route_length);
    nv_changes = masks = mutexes = 0;
}

static inline int start_stream(void **state)
{
    (void)state;
    start_world(FER_LINK_STREAM, ROUTE);
    boot();
    return 0;
}

static inline int start_datagram(void **state)
{
    (void)state;
    start_world(FER_LINK_DATAGRAM, ROUTE);
    boot();
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    fer_device_close(&device);
    assert_null(device);
    assert_int_equal(locked, 0);
    return 0;
}

#endif
