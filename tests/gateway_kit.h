/* What the tests of the gateway share: one gateway, one device at any generation. Include after
 * cmocka.h. */
#ifndef FERRULE_TESTS_GATEWAY_KIT_H
#define FERRULE_TESTS_GATEWAY_KIT_H

#include "ferrule/gateway.h"
#include "internal/bytes.h"
#include "internal/gateway.h"
#include "internal/record.h"
#include "record_fixture.h"

enum { WINDOW = 64, EARLIER = 3, REACH = 16, SKIP = 1000, CACHE = 6, CONTEXTS = 3, ROUTE = 4 };

FER_ARENA(gateway_arena, FER_GATEWAY_SIZE(CONTEXTS, EARLIER, WINDOW, CACHE));
FER_ARENA(device_arena, 16u * FER_SEALER_SIZE + 2u * FER_OPENER_SIZE(WINDOW));

static const uint8_t text[] = "pressure 4.2 bar";
static struct fixture_entropy entropy;
static fer_gateway *gateway;
static uint32_t context;

struct wire {
    uint8_t bytes[sizeof text + FER_OVERHEAD_MAX];
    size_t length;
};

static inline fer_gateway_config get_config(void)
{
    fer_gateway_config config = fer_gateway_config_default();

    config.contexts = CONTEXTS;
    config.window_bits = WINDOW;
    config.earlier = EARLIER;
    config.reach = REACH;
    config.max_skip = SKIP;
    config.cache = CACHE;
    config.entropy.ops = &fixture_entropy_ops;
    config.entropy.context = &entropy;
    return config;
}

static inline int setup(void **state)
{
    fer_gateway_config config = get_config();
    fer_credential credential;

    (void)state;
    memset(&entropy, 0, sizeof entropy);
    if (fer_arena_rewind(&gateway_arena, (fer_arena_position){0}) != FER_OK ||
        fer_arena_rewind(&device_arena, (fer_arena_position){0}) != FER_OK) {
        return -1;
    }
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_create(&gateway_arena, &config, &gateway), FER_OK);
    assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
    assert_true(fixture_is_all(credential.bytes, sizeof credential.bytes, 0));
    return 0;
}

/* ---- a device that is always at the generation a test asks for ---------------------------- */

static inline fer_sealer *boot(uint32_t generation, fer_lane lane, fer_way way)
{
    fer_generation keys;
    fer_sealer_config config = {FER_UP, lane, way, {NULL, NULL}};
    fer_sealer *sealer = NULL;

    fixture_generation(&keys, 0, ROUTE, generation);
    assert_int_equal(fer_sealer_create(&device_arena, &keys, &config, &sealer), FER_OK);
    fer_generation_wipe(&keys);
    return sealer;
}

static inline struct wire seal(fer_sealer *sealer)
{
    struct wire wire;

    assert_int_equal(
        fer_sealer_seal(sealer, text, sizeof text, wire.bytes, sizeof wire.bytes, &wire.length),
        FER_OK);
    return wire;
}

/* One record, full form, of a lane. */
static inline struct wire make(uint32_t generation, fer_lane lane, uint32_t sequence)
{
    fer_sealer *sealer = boot(generation, lane, FER_TWO_WAY);
    struct wire wire;

    assert_int_equal(fer_sealer_advance(sealer, sequence), FER_OK);
    wire = seal(sealer);
    fer_sealer_close(&sealer);
    assert_int_equal(fer_arena_rewind(&device_arena, (fer_arena_position){0}), FER_OK);
    return wire;
}

/* One record, short form, of the live lane. */
static inline struct wire make_short(uint32_t generation, uint32_t sequence)
{
    fer_sealer *sealer = boot(generation, FER_LANE_LIVE, FER_TWO_WAY);
    struct wire wire;

    assert_int_equal(fer_sealer_advance(sealer, sequence), FER_OK);
    assert_int_equal(fer_sealer_acknowledge(sealer), FER_OK);
    wire = seal(sealer);
    fer_sealer_close(&sealer);
    assert_int_equal(fer_arena_rewind(&device_arena, (fer_arena_position){0}), FER_OK);
    return wire;
}

/* ---- looking at the gateway --------------------------------------------------------------- */

static inline fer_gateway_state get_state(void)
{
    fer_gateway_state state;

    assert_int_equal(fer_gateway_get_state(gateway, context, &state), FER_OK);
    return state;
}

static inline fer_gateway_counts get_counts(void)
{
    fer_gateway_counts counts;

    assert_int_equal(fer_gateway_get_counts(gateway, &counts), FER_OK);
    return counts;
}

static inline uint32_t get_steps(void)
{
    return get_counts().chain_steps;
}

/* A context's whole state. */
struct image {
    uint8_t bytes[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    size_t length;
};

static inline struct image export(void)
{
    struct image image;

    memset(&image, 0, sizeof image);
    assert_int_equal(
        fer_gateway_export(gateway, context, image.bytes, sizeof image.bytes, &image.length),
        FER_OK);
    return image;
}

static inline fer_status receive(const struct wire *wire)
{
    uint8_t out[sizeof text];
    fer_opened opened;
    fer_status status =
        fer_gateway_receive(gateway, wire->bytes, wire->length, out, sizeof out, &opened);

    if (status == FER_OK) {
        assert_int_equal(opened.context, context);
        assert_int_equal(opened.length, sizeof text);
        assert_memory_equal(out, text, sizeof text);
    }
    return status;
}

static inline fer_status receive_new(uint32_t generation, fer_lane lane, uint32_t sequence)
{
    struct wire wire = make(generation, lane, sequence);

    return receive(&wire);
}

static inline fer_opened open_now(const struct wire *wire)
{
    uint8_t out[sizeof text];
    fer_opened opened;

    assert_int_equal(fer_gateway_open(gateway, wire->bytes, wire->length, out, sizeof out, &opened),
                     FER_OK);
    return opened;
}

/* Opens bytes that must be dropped: zeros in out, no ticket, state as it was (FIRST). */
static inline fer_status drop(const uint8_t *bytes, size_t n)
{
    struct image before = export();
    struct image after;
    uint8_t out[sizeof text + FER_OVERHEAD_MAX];
    fer_opened opened;
    fer_status status;
    size_t shortest = n > FER_OVERHEAD_MAX ? n - FER_OVERHEAD_MAX : 0;

    memset(out, 0xEE, sizeof out);
    memset(&opened, 0xEE, sizeof opened);
    status = fer_gateway_open(gateway, bytes, n, out, sizeof out, &opened);
    assert_int_equal(fer_status_get_group(status), FER_GROUP_DROP_INPUT);
    assert_true(fixture_is_all(out, shortest, 0));
    assert_int_equal(opened.length, 0);
    assert_int_equal(fer_gateway_commit(gateway, &opened.ticket), FER_ERR_ORDER);
    after = export();
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
    return status;
}

static inline fer_status drop_wire(const struct wire *wire)
{
    return drop(wire->bytes, wire->length);
}

#endif
