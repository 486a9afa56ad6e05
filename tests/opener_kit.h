/* What the tests of the opener share: a device and a gateway of one generation. Include after
 * cmocka.h. */
#ifndef FERRULE_TESTS_OPENER_KIT_H
#define FERRULE_TESTS_OPENER_KIT_H

#include "internal/bytes.h"
#include "internal/record.h"
#include "internal/replay.h"
#include "record_fixture.h"

enum { WINDOW = 64, ROUTE = 4, GENERATION = 300 };

FER_ARENA(arena, 4u * FER_SEALER_SIZE + 4u * FER_OPENER_SIZE(WINDOW));

static struct fixture_entropy entropy;
static const uint8_t text[] = "valve open 37 %";

/* One record on the wire. */
struct wire {
    uint8_t bytes[sizeof text + FER_OVERHEAD_MAX];
    size_t length;
};

static fer_opener *opener;
static fer_sealer *live;
static fer_sealer *backlog;
static fer_sealer *down;
static fer_opener *down_opener;

static inline fer_sealer *make_sealer(fer_generation *keys, fer_direction direction, fer_lane lane)
{
    fer_sealer_config config = {direction, lane, FER_TWO_WAY, {&fixture_entropy_ops, &entropy}};
    fer_sealer *sealer = NULL;

    assert_int_equal(fer_sealer_create(&arena, keys, &config, &sealer), FER_OK);
    return sealer;
}

static inline fer_opener *make_opener(fer_generation *keys, fer_direction direction)
{
    fer_opener_config config = {direction, WINDOW};
    fer_opener *made = NULL;

    assert_int_equal(fer_opener_create(&arena, keys, &config, &made), FER_OK);
    return made;
}

static inline int setup(void **state)
{
    fer_generation device;
    fer_generation gateway;

    (void)state;
    memset(&entropy, 0, sizeof entropy);
    if (fer_arena_rewind(&arena, (fer_arena_position){0}) != FER_OK) {
        return -1;
    }
    fixture_generation(&device, 0, ROUTE, GENERATION);
    fixture_generation(&gateway, 0, ROUTE, GENERATION);
    live = make_sealer(&device, FER_UP, FER_LANE_LIVE);
    backlog = make_sealer(&device, FER_UP, FER_LANE_BACKLOG);
    opener = make_opener(&gateway, FER_UP);
    down = make_sealer(&gateway, FER_DOWN, FER_LANE_LIVE);
    down_opener = make_opener(&device, FER_DOWN);
    return 0;
}

static inline struct wire seal(fer_sealer *sealer)
{
    struct wire wire;

    assert_int_equal(
        fer_sealer_seal(sealer, text, sizeof text, wire.bytes, sizeof wire.bytes, &wire.length),
        FER_OK);
    return wire;
}

static inline struct wire seal_at(fer_sealer *sealer, uint32_t sequence)
{
    assert_int_equal(fer_sealer_advance(sealer, sequence), FER_OK);
    return seal(sealer);
}

static inline void expect_text(const uint8_t *out, const fer_opened *opened)
{
    assert_int_equal(opened->length, sizeof text);
    assert_memory_equal(out, text, sizeof text);
}

static inline fer_status receive(fer_opener *by, const struct wire *wire)
{
    uint8_t out[sizeof text];
    fer_opened opened;
    fer_status status = fer_opener_receive(by, wire->bytes, wire->length, out, sizeof out, &opened);

    if (status == FER_OK) {
        expect_text(out, &opened);
    }
    return status;
}

/* Opens bytes that must be dropped: zeros in out, nothing in *opened. */
static inline fer_status drop(fer_opener *by, const uint8_t *bytes, size_t n)
{
    uint8_t out[sizeof text + FER_OVERHEAD_MAX];
    fer_opened opened;
    fer_status status;
    size_t longest = n > FER_OVERHEAD_SHORT(0) ? n - FER_OVERHEAD_SHORT(0) : 0;
    size_t shortest = n > FER_OVERHEAD_MAX ? n - FER_OVERHEAD_MAX : 0;

    memset(out, 0xEE, sizeof out);
    memset(&opened, 0xEE, sizeof opened);
    status = fer_opener_open(by, bytes, n, out, sizeof out, &opened);
    assert_int_equal(fer_status_get_group(status), FER_GROUP_DROP_INPUT);
    assert_true(fixture_is_all(out, shortest, 0));
    assert_true(fixture_is_all(out + longest, sizeof out - longest, 0xEE));
    assert_int_equal(fer_opener_commit(by, &opened.ticket), FER_ERR_ORDER);
    assert_int_equal(opened.length, 0);
    return status;
}

#endif
