/* What the tests of snapshots share: gateways that know a little or much, and images. Include after
 * cmocka.h. */
#ifndef FERRULE_TESTS_SNAPSHOT_KIT_H
#define FERRULE_TESTS_SNAPSHOT_KIT_H

#include "ferrule/gateway.h"
#include "internal/bytes.h"
#include "internal/gateway.h"
#include "internal/record.h"
#include "record_fixture.h"

enum { WINDOW = 64, EARLIER = 3, REACH = 16, ROUTE = 4 };
/* Offsets in a snapshot. */
enum {
    AT_VERSION = 2,
    AT_FLAGS = 3,
    AT_ROUTE_LENGTH = 4,
    AT_ZERO = 5,
    AT_SLOTS = 6,
    AT_BITS = 8,
    AT_REVISION = 12,
    AT_FINGERPRINT = 16,
    AT_ROUTE = 24,
    AT_FLOOR = 32,
    AT_CUR = 36,
    AT_DOWN = 40,
    AT_LIVE = 108,
    AT_BACKLOG = 120,
    AT_SLOT = 132,
    SLOT_BYTES = 28
};

FER_ARENA(arena, 3u * FER_GATEWAY_SIZE(2, EARLIER, WINDOW, 4));
FER_ARENA(device_arena, 2u * FER_SEALER_SIZE);

static const uint8_t text[] = "rpm 2950";
static struct fixture_entropy entropy;

struct wire {
    uint8_t bytes[sizeof text + FER_OVERHEAD_MAX];
    size_t length;
};

struct image {
    uint8_t bytes[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    size_t length;
};

static inline fer_gateway *create(uint32_t earlier, uint32_t reach, uint32_t window)
{
    fer_gateway_config config = fer_gateway_config_default();
    fer_gateway *gateway = NULL;

    config.contexts = 2;
    config.window_bits = window;
    config.earlier = earlier;
    config.reach = reach;
    config.max_skip = 1000;
    config.cache = 4;
    config.entropy.ops = &fixture_entropy_ops;
    config.entropy.context = &entropy;
    assert_int_equal(fer_gateway_create(&arena, &config, &gateway), FER_OK);
    return gateway;
}

static inline fer_gateway *create_empty(void)
{
    return create(EARLIER, REACH, WINDOW);
}

static inline fer_gateway *create_known(void)
{
    fer_gateway *gateway = create_empty();
    fer_credential credential;
    uint32_t context;

    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
    assert_int_equal(context, 0);
    return gateway;
}

static inline int setup(void **state)
{
    (void)state;
    memset(&entropy, 0, sizeof entropy);
    return fer_arena_rewind(&arena, (fer_arena_position){0}) == FER_OK ? 0 : -1;
}

static inline struct wire make(uint32_t generation, fer_lane lane, uint32_t sequence)
{
    fer_generation keys;
    fer_sealer_config config = {FER_UP, lane, FER_TWO_WAY, {NULL, NULL}};
    fer_sealer *sealer = NULL;
    struct wire wire;

    fixture_generation(&keys, 0, ROUTE, generation);
    assert_int_equal(fer_arena_rewind(&device_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_sealer_create(&device_arena, &keys, &config, &sealer), FER_OK);
    assert_int_equal(fer_sealer_advance(sealer, sequence), FER_OK);
    assert_int_equal(
        fer_sealer_seal(sealer, text, sizeof text, wire.bytes, sizeof wire.bytes, &wire.length),
        FER_OK);
    return wire;
}

static inline fer_status receive(fer_gateway *gateway, uint32_t generation, fer_lane lane,
                                 uint32_t sequence)
{
    struct wire wire = make(generation, lane, sequence);
    uint8_t out[sizeof text];
    fer_opened opened;

    return fer_gateway_receive(gateway, wire.bytes, wire.length, out, sizeof out, &opened);
}

static inline struct image export(const fer_gateway *gateway)
{
    struct image image;

    memset(&image, 0, sizeof image);
    assert_int_equal(fer_gateway_export(gateway, 0, image.bytes, sizeof image.bytes, &image.length),
                     FER_OK);
    return image;
}

static inline fer_status import(fer_gateway *gateway, const struct image *image)
{
    uint32_t context = 7;
    fer_status status = fer_gateway_import(gateway, image->bytes, image->length, &context);

    assert_int_equal(context, status == FER_OK ? 0 : 7);
    return status;
}

/* Makes the check right again after a change, so that what is inside gets looked at. */
static inline void repair(struct image *image)
{
    uint8_t hash[FER_HASH_BYTES];

    fer_crypto_hash(image->bytes, image->length - 8, hash);
    memcpy(image->bytes + image->length - 8, hash, 8);
}

/* A gateway that heard generations 3, 5 and 9 on both lanes, and sent twice. */
static inline fer_gateway *create_busy(void)
{
    fer_gateway *gateway = create_known();
    uint8_t out[sizeof text + FER_OVERHEAD_MAX];
    size_t length;

    assert_int_equal(receive(gateway, 3, FER_LANE_LIVE, 100), FER_OK);
    assert_int_equal(receive(gateway, 5, FER_LANE_BACKLOG, 2), FER_OK);
    assert_int_equal(receive(gateway, 9, FER_LANE_LIVE, 4), FER_OK);
    assert_int_equal(receive(gateway, 9, FER_LANE_LIVE, 7), FER_OK);
    assert_int_equal(receive(gateway, 9, FER_LANE_BACKLOG, 90), FER_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fer_gateway_seal(gateway, 0, text, sizeof text, out, sizeof out, &length),
                         FER_OK);
    }
    return gateway;
}

#endif
