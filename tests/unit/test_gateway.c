/* gateway: each step of the receiver, what a forgery may cost and change, downlink. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

static fer_gateway_config get_config(void)
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

static int setup(void **state)
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

static fer_sealer *boot(uint32_t generation, fer_lane lane, fer_way way)
{
    fer_generation keys;
    fer_sealer_config config = {FER_UP, lane, way, {NULL, NULL}};
    fer_sealer *sealer = NULL;

    fixture_generation(&keys, 0, ROUTE, generation);
    assert_int_equal(fer_sealer_create(&device_arena, &keys, &config, &sealer), FER_OK);
    fer_generation_wipe(&keys);
    return sealer;
}

static struct wire seal(fer_sealer *sealer)
{
    struct wire wire;

    assert_int_equal(
        fer_sealer_seal(sealer, text, sizeof text, wire.bytes, sizeof wire.bytes, &wire.length),
        FER_OK);
    return wire;
}

/* One record, full form, of a lane. */
static struct wire make(uint32_t generation, fer_lane lane, uint32_t sequence)
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
static struct wire make_short(uint32_t generation, uint32_t sequence)
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

static fer_gateway_state get_state(void)
{
    fer_gateway_state state;

    assert_int_equal(fer_gateway_get_state(gateway, context, &state), FER_OK);
    return state;
}

static fer_gateway_counts get_counts(void)
{
    fer_gateway_counts counts;

    assert_int_equal(fer_gateway_get_counts(gateway, &counts), FER_OK);
    return counts;
}

static uint32_t get_steps(void)
{
    return get_counts().chain_steps;
}

/* A context's whole state. */
struct image {
    uint8_t bytes[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    size_t length;
};

static struct image export(void)
{
    struct image image;

    memset(&image, 0, sizeof image);
    assert_int_equal(
        fer_gateway_export(gateway, context, image.bytes, sizeof image.bytes, &image.length),
        FER_OK);
    return image;
}

static fer_status receive(const struct wire *wire)
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

static fer_status receive_new(uint32_t generation, fer_lane lane, uint32_t sequence)
{
    struct wire wire = make(generation, lane, sequence);

    return receive(&wire);
}

static fer_opened open_now(const struct wire *wire)
{
    uint8_t out[sizeof text];
    fer_opened opened;

    assert_int_equal(fer_gateway_open(gateway, wire->bytes, wire->length, out, sizeof out, &opened),
                     FER_OK);
    return opened;
}

/* Opens bytes that must be dropped: zeros in out, no ticket, state as it was (FIRST). */
static fer_status drop(const uint8_t *bytes, size_t n)
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

static fer_status drop_wire(const struct wire *wire)
{
    return drop(wire->bytes, wire->length);
}

/* ---- create, contexts --------------------------------------------------------------------- */

static void sizes_are_what_they_promise(void **state)
{
    (void)state;
    assert_true(FER_GATEWAY_CONTEXT_SIZE(64) <= 160);
    assert_true(FER_GATEWAY_EARLIER_SIZE(64) <= 48);
    /* All that grows with a context is in the arena, none of it beyond the macro. */
    assert_true(fer_arena_room(&gateway_arena) < 32);
}

static void create_refuses_configs_out_of_range(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
    } bad[] = {
        {offsetof(fer_gateway_config, contexts), 0},
        {offsetof(fer_gateway_config, window_bits), 0},
        {offsetof(fer_gateway_config, window_bits), 32},
        {offsetof(fer_gateway_config, window_bits), 96},
        {offsetof(fer_gateway_config, window_bits), 16384},
        {offsetof(fer_gateway_config, earlier), REACH + 1},
        {offsetof(fer_gateway_config, reach), 248},
        {offsetof(fer_gateway_config, reach), EARLIER - 1},
        {offsetof(fer_gateway_config, max_skip), 7},
        {offsetof(fer_gateway_config, max_skip), 0x80000001u},
        {offsetof(fer_gateway_config, cache), 0},
    };
    fer_gateway *none = NULL;
    fer_gateway_config config;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        config = get_config();
        memcpy((uint8_t *)&config + bad[i].at, &bad[i].value, sizeof bad[i].value);
        assert_int_equal(fer_gateway_create(&device_arena, &config, &none), FER_ERR_ARGUMENT);
    }
    config = get_config();
    assert_int_equal(fer_gateway_create(&device_arena, NULL, &none), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_create(&device_arena, &config, NULL), FER_ERR_ARGUMENT);
    config.contexts = UINT32_MAX;
    assert_int_equal(fer_gateway_create(&device_arena, &config, &none), FER_ERR_ARENA);
    config.contexts = 1;
    config.cache = UINT32_MAX;
    assert_int_equal(fer_gateway_create(&device_arena, &config, &none), FER_ERR_ARENA);
    assert_null(none);
}

static void a_route_has_one_context(void **state)
{
    fer_credential credential;
    uint32_t number = 77;

    (void)state;
    fixture_mint(&credential, 1, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(gateway, &credential, &number), FER_ERR_ORDER);
    assert_true(fixture_is_all(credential.bytes, sizeof credential.bytes, 0));
    assert_int_equal(number, 77);
}

static void contexts_are_limited_and_given_out_again(void **state)
{
    fer_credential credential;
    uint32_t numbers[CONTEXTS];
    uint32_t number = 0;
    struct wire wire = make(0, FER_LANE_LIVE, 0);

    (void)state;
    for (size_t i = 1; i < CONTEXTS; i++) {
        fixture_mint(&credential, (uint8_t)i, fixture_route + i, ROUTE);
        assert_int_equal(fer_gateway_add(gateway, &credential, &numbers[i]), FER_OK);
    }
    fixture_mint(&credential, 9, fixture_route, 8);
    assert_int_equal(fer_gateway_add(gateway, &credential, &number), FER_ERR_ARENA);
    assert_int_equal(receive(&wire), FER_OK);
    assert_int_equal(fer_gateway_remove(gateway, context), FER_OK);
    assert_int_equal(fer_gateway_remove(gateway, context), FER_ERR_ARGUMENT);
    assert_int_equal(receive(&wire), FER_DROP_ROUTE);
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(gateway, &credential, &number), FER_OK);
    assert_int_equal(number, context);
    assert_int_equal(get_state().heard, 0);
    assert_int_equal(get_state().next_live, 0);
    assert_int_equal(receive(&wire), FER_OK);
}

static void routes_of_all_lengths_are_told_apart(void **state)
{
    static const uint8_t lengths[] = {0, 2, 8};
    fer_gateway_config config = get_config();
    fer_credential credential;

    (void)state;
    fer_gateway_close(&gateway);
    assert_int_equal(fer_arena_rewind(&gateway_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_gateway_create(&gateway_arena, &config, &gateway), FER_OK);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t number = 9;

        fixture_mint(&credential, 0, fixture_route, lengths[i]);
        assert_int_equal(fer_gateway_add(gateway, &credential, &number), FER_OK);
        assert_int_equal(number, i);
    }
    for (unsigned i = 0; i < 3; i++) {
        fer_generation keys;
        fer_sealer_config up = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
        fer_sealer *sealer = NULL;
        struct wire wire;

        fixture_generation(&keys, 0, lengths[i], 0);
        assert_int_equal(fer_sealer_create(&device_arena, &keys, &up, &sealer), FER_OK);
        wire = seal(sealer);
        context = i;
        assert_int_equal(receive(&wire), FER_OK);
    }
}

static void a_spent_credential_is_refused(void **state)
{
    fer_credential credential;
    uint32_t number;

    (void)state;
    memset(&credential, 0, sizeof credential);
    assert_int_equal(fer_gateway_add(gateway, &credential, &number), FER_DROP_MALFORMED);
    fixture_mint(&credential, 1, fixture_route, 8);
    assert_int_equal(fer_gateway_add(NULL, &credential, &number), FER_ERR_HANDLE);
    assert_true(fixture_is_all(credential.bytes, sizeof credential.bytes, 0));
    assert_int_equal(fer_gateway_add(gateway, NULL, &number), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_add(gateway, &credential, NULL), FER_ERR_ARGUMENT);
}

/* ---- steps 1 to 4 ------------------------------------------------------------------------- */

static void opens_both_lanes_and_forms(void **state)
{
    fer_opened opened;
    struct wire wire = make(0, FER_LANE_BACKLOG, 5);

    (void)state;
    assert_int_equal(receive_new(0, FER_LANE_LIVE, 0), FER_OK);
    opened = open_now(&wire);
    assert_int_equal(opened.lane, FER_LANE_BACKLOG);
    assert_int_equal(opened.form, FER_FORM_FULL);
    assert_int_equal(opened.sequence, 5);
    assert_int_equal(opened.generation, 0);
    assert_int_equal(fer_gateway_commit(gateway, &opened.ticket), FER_OK);
    wire = make_short(0, 1);
    opened = open_now(&wire);
    assert_int_equal(opened.form, FER_FORM_SHORT);
    assert_int_equal(opened.sequence, 1);
    assert_int_equal(fer_gateway_commit(gateway, &opened.ticket), FER_OK);
    assert_int_equal(get_state().next_live, 2);
    assert_int_equal(get_state().next_backlog, 6);
    assert_int_equal(get_counts().committed, 3);
    assert_int_equal(get_counts().opened, 3);
}

static void other_routes_kinds_and_directions_are_unknown(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    struct wire other = wire;

    (void)state;
    other.bytes[1] ^= 1;
    assert_int_equal(drop_wire(&other), FER_DROP_ROUTE);
    other = wire;
    other.bytes[0] ^= 0xC0; /* kind 2 */
    assert_int_equal(drop_wire(&other), FER_DROP_ROUTE);
    other = wire;
    other.bytes[0] |= FER_FIRST_DOWN;
    assert_int_equal(drop_wire(&other), FER_DROP_ROUTE);
    assert_int_equal(get_counts().unknown_route, 3);
    assert_int_equal(receive(&wire), FER_OK);
}

static void every_flipped_bit_is_dropped(void **state)
{
    struct wire wires[3];

    (void)state;
    assert_int_equal(receive_new(5, FER_LANE_LIVE, 0), FER_OK);
    wires[0] = make(6, FER_LANE_LIVE, 1);
    wires[1] = make_short(5, 2);
    wires[2] = make(4, FER_LANE_BACKLOG, 0);
    for (unsigned w = 0; w < 3; w++) {
        for (size_t bit = 0; bit < wires[w].length * 8u; bit++) {
            struct wire bad = wires[w];

            bad.bytes[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
            (void)drop_wire(&bad);
        }
        assert_int_equal(receive(&wires[w]), FER_OK);
    }
}

static void every_truncation_is_dropped(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    uint32_t malformed = 0;

    (void)state;
    for (size_t n = 0; n < wire.length; n++) {
        malformed += drop(wire.bytes, n) == FER_DROP_MALFORMED;
    }
    assert_int_equal(malformed, FER_OVERHEAD_FULL(ROUTE));
    assert_int_equal(get_counts().malformed, malformed);
    assert_int_equal(receive(&wire), FER_OK);
}

static void a_replay_is_refused_before_any_key(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    uint32_t steps;

    (void)state;
    assert_int_equal(receive(&wire), FER_OK);
    steps = get_steps();
    assert_int_equal(drop_wire(&wire), FER_DROP_REPLAY);
    /* Even with a tag that would not verify: the window came first. */
    wire.bytes[wire.length - 1] ^= 1;
    assert_int_equal(drop_wire(&wire), FER_DROP_REPLAY);
    assert_int_equal(get_steps(), steps);
    assert_int_equal(get_counts().replayed, 2);
    assert_int_equal(get_counts().tag_forged, 0);
}

static void short_forms_reach_eight_ahead(void **state)
{
    (void)state;
    assert_int_equal(receive_new(20, FER_LANE_LIVE, 0), FER_OK);
    for (uint32_t ahead = 1; ahead <= 8; ahead++) {
        struct wire wire = make_short(20 + ahead, 3);
        fer_opened opened = open_now(&wire);

        assert_int_equal(opened.generation, 20 + ahead);
    }
    /* 9 ahead means 247 behind. */
    struct wire wire = make_short(29, 3);

    assert_int_equal(drop_wire(&wire), FER_DROP_OLD);
}

static void short_forms_reach_back_to_the_floor(void **state)
{
    struct wire wire;

    (void)state;
    assert_int_equal(receive_new(300, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(get_state().floor, 300 - REACH);
    wire = make_short(300 - REACH, 3);
    assert_int_equal(receive(&wire), FER_OK);
    wire = make_short(300 - REACH - 1, 3);
    assert_int_equal(drop_wire(&wire), FER_DROP_OLD);
    wire = make(300 - REACH - 1, FER_LANE_LIVE, 0);
    assert_int_equal(drop_wire(&wire), FER_DROP_OLD);
    assert_int_equal(get_counts().old, 2);
}

static void far_generations_need_a_claim_and_a_limit(void **state)
{
    struct wire wire = make(SKIP + 1, FER_LANE_LIVE, 0);

    (void)state;
    assert_int_equal(drop_wire(&wire), FER_DROP_FAR);
    assert_int_equal(get_counts().far, 1);
    wire.bytes[1 + ROUTE + 8] ^= 1;
    assert_int_equal(drop_wire(&wire), FER_DROP_FORGED);
    assert_int_equal(get_counts().claim_forged, 1);
    assert_int_equal(get_steps(), 0);
    assert_int_equal(receive_new(SKIP, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(get_state().generation, SKIP);
    assert_int_equal(get_state().floor, SKIP - REACH);
}

static void a_forged_claim_does_not_ratchet(void **state)
{
    struct wire wire = make(500, FER_LANE_LIVE, 0);

    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        struct wire bad = wire;

        bad.bytes[1 + ROUTE + 8 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(drop_wire(&bad), FER_DROP_FORGED);
    }
    assert_int_equal(get_counts().claim_forged, 32);
    assert_int_equal(get_counts().tag_forged, 0);
    assert_int_equal(get_steps(), 0);
}

static void generation_and_number_2_to_the_32_less_1_are_malformed(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    struct wire bad = wire;

    (void)state;
    memset(bad.bytes + 1 + ROUTE, 0xFF, 4);
    assert_int_equal(drop_wire(&bad), FER_DROP_MALFORMED);
    bad = wire;
    memset(bad.bytes + 1 + ROUTE + 4, 0xFF, 4);
    assert_int_equal(drop_wire(&bad), FER_DROP_MALFORMED);
}

/* ---- what a forgery costs ----------------------------------------------------------------- */

/* Steps that one forged record costs. */
static uint32_t cost_of(struct wire wire)
{
    uint32_t before = get_steps();

    wire.bytes[wire.length - 1] ^= 1;
    assert_int_equal(drop_wire(&wire), FER_DROP_FORGED);
    return get_steps() - before;
}

static void a_forgery_costs_at_most_reach_and_eight_steps(void **state)
{
    (void)state;
    assert_int_equal(receive_new(100, FER_LANE_LIVE, 0), FER_OK);
    for (uint32_t generation = 100 - REACH; generation <= 108; generation++) {
        assert_true(cost_of(make_short(generation, 1)) <= REACH + 8);
        assert_true(cost_of(make(generation, FER_LANE_LIVE, 1)) <= REACH + 8);
        assert_true(cost_of(make(generation, FER_LANE_BACKLOG, 1)) <= REACH + 8);
    }
    /* The kept key of the current generation costs nothing. */
    assert_int_equal(cost_of(make_short(100, 1)), 0);
}

static void repeated_far_claims_cost_no_more(void **state)
{
    struct wire wire = make(900, FER_LANE_LIVE, 1);
    struct wire later = make(905, FER_LANE_BACKLOG, 0);
    uint32_t first;

    (void)state;
    first = cost_of(wire);
    assert_int_equal(first, 900);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(cost_of(wire) <= REACH + 8);
        assert_true(cost_of(later) <= REACH + 8);
    }
    /* And the record itself finds the chain kept. */
    first = get_steps();
    assert_int_equal(receive(&wire), FER_OK);
    assert_true(get_steps() - first <= REACH + 8);
}

static void forgeries_push_no_key_out(void **state)
{
    uint32_t before;

    (void)state;
    assert_int_equal(receive_new(40, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(40, FER_LANE_BACKLOG, 0), FER_OK);
    for (uint32_t generation = 40 - REACH; generation < 40; generation++) {
        (void)cost_of(make(generation, FER_LANE_BACKLOG, 0));
    }
    before = get_steps();
    assert_int_equal(receive_new(40, FER_LANE_BACKLOG, 1), FER_OK);
    assert_int_equal(receive_new(40, FER_LANE_LIVE, 1), FER_OK);
    assert_int_equal(get_steps(), before);
}

/* ---- steps 5 and 6: state ----------------------------------------------------------------- */

static void opening_changes_nothing_until_commit(void **state)
{
    struct wire wire = make(7, FER_LANE_LIVE, 0);
    struct image before = export();
    struct image after;
    fer_opened one = open_now(&wire);
    fer_opened two = open_now(&wire);
    fer_ticket copy = one.ticket;

    (void)state;
    after = export();
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
    assert_int_equal(fer_gateway_commit(gateway, &one.ticket), FER_OK);
    assert_int_equal(fer_gateway_commit(gateway, &one.ticket), FER_ERR_ORDER);
    assert_int_equal(fer_gateway_commit(gateway, &copy), FER_DROP_REPLAY);
    assert_int_equal(fer_gateway_commit(gateway, &two.ticket), FER_DROP_REPLAY);
    assert_int_equal(get_counts().committed, 1);
    assert_int_equal(get_counts().replayed, 2);
    assert_int_equal(get_state().generation, 7);
}

static void an_aborted_record_stays_acceptable(void **state)
{
    struct wire wire = make(7, FER_LANE_LIVE, 0);
    fer_opened opened = open_now(&wire);

    (void)state;
    fer_ticket_abort(&opened.ticket);
    assert_int_equal(fer_gateway_commit(gateway, &opened.ticket), FER_ERR_ORDER);
    assert_int_equal(get_state().heard, 0);
    assert_int_equal(receive(&wire), FER_OK);
}

static void earlier_generations_stay_open(void **state)
{
    (void)state;
    assert_int_equal(receive_new(3, FER_LANE_LIVE, 4), FER_OK);
    assert_int_equal(receive_new(5, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(get_state().earlier, 1);
    /* Known to window 3, never heard of 4. */
    assert_int_equal(receive_new(3, FER_LANE_LIVE, 4), FER_DROP_REPLAY);
    assert_int_equal(receive_new(3, FER_LANE_LIVE, 3), FER_OK);
    assert_int_equal(receive_new(4, FER_LANE_BACKLOG, 0), FER_OK);
    assert_int_equal(receive_new(4, FER_LANE_BACKLOG, 0), FER_DROP_REPLAY);
    assert_int_equal(get_state().earlier, 2);
    assert_int_equal(get_state().generation, 5);
    assert_int_equal(get_state().floor, 0);
}

static void full_slots_evict_the_oldest_for_good(void **state)
{
    struct wire wires[6];

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        wires[i] = make(10 + i, FER_LANE_LIVE, 0);
    }
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(receive(&wires[i]), FER_OK);
    }
    /* cur 14, slots 11, 12, 13: 10 was evicted and the floor is past it. */
    assert_int_equal(get_state().earlier, EARLIER);
    assert_int_equal(get_state().floor, 11);
    assert_int_equal(drop_wire(&wires[0]), FER_DROP_OLD);
    for (uint32_t i = 1; i < 5; i++) {
        assert_int_equal(drop_wire(&wires[i]), FER_DROP_REPLAY);
    }
    assert_int_equal(receive(&wires[5]), FER_OK);
    assert_int_equal(get_state().floor, 12);
    assert_int_equal(drop_wire(&wires[1]), FER_DROP_OLD);
}

static void a_generation_never_heard_needs_a_slot(void **state)
{
    struct wire between;
    struct wire below;

    (void)state;
    between = make(13, FER_LANE_LIVE, 0);
    below = make(9, FER_LANE_LIVE, 0);
    assert_int_equal(receive_new(10, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(12, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(14, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(16, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(get_state().earlier, EARLIER);
    assert_int_equal(get_state().floor, 0);
    /* 9 is older than all that is kept: nothing can be freed for it. */
    assert_int_equal(drop_wire(&below), FER_DROP_OLD);
    /* 13 takes the place of 10, which is closed for good. */
    assert_int_equal(receive(&between), FER_OK);
    assert_int_equal(get_state().floor, 11);
    assert_int_equal(receive_new(10, FER_LANE_LIVE, 1), FER_DROP_OLD);
    assert_int_equal(receive_new(12, FER_LANE_LIVE, 1), FER_OK);
}

static void tickets_are_checked_again_at_commit(void **state)
{
    struct wire old = make(2, FER_LANE_LIVE, 0);
    struct wire behind = make(30, FER_LANE_LIVE, 0);
    fer_opened first = open_now(&old);
    fer_opened second = open_now(&behind);
    fer_credential credential;

    (void)state;
    assert_int_equal(receive_new(31, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(get_state().floor, 15);
    /* 2 fell below the floor; 30 became an earlier generation. */
    assert_int_equal(fer_gateway_commit(gateway, &first.ticket), FER_DROP_OLD);
    assert_int_equal(fer_gateway_commit(gateway, &second.ticket), FER_OK);
    assert_int_equal(get_state().generation, 31);
    assert_int_equal(get_state().earlier, 1);
    assert_int_equal(drop_wire(&behind), FER_DROP_REPLAY);
    /* A removed context takes no ticket, and neither does another at its number. */
    behind = make(32, FER_LANE_LIVE, 0);
    first = open_now(&behind);
    second = open_now(&behind);
    assert_int_equal(fer_gateway_remove(gateway, context), FER_OK);
    assert_int_equal(fer_gateway_commit(gateway, &first.ticket), FER_DROP_ROUTE);
    fixture_mint_as(&credential, 0, "pump-8", fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
    assert_int_equal(fer_gateway_commit(gateway, &second.ticket), FER_DROP_ROUTE);
}

static void a_forged_ticket_is_refused(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    fer_opened opened = open_now(&wire);
    struct image before = export();
    struct image after;
    fer_ticket forged = opened.ticket;

    (void)state;
    forged.opaque[0] ^= 1;
    assert_int_equal(fer_gateway_commit(gateway, &forged), FER_ERR_ORDER);
    forged = opened.ticket;
    forged.opaque[1] ^= (uint64_t)1 << 32; /* another context */
    assert_int_equal(fer_gateway_commit(gateway, &forged), FER_DROP_ROUTE);
    forged = opened.ticket;
    forged.opaque[1] |= 0xFFFFFFFFu;
    assert_int_equal(fer_gateway_commit(gateway, &forged), FER_ERR_ORDER);
    forged = opened.ticket;
    forged.opaque[1] |= 0xFFFFFFFEu;
    assert_int_equal(fer_gateway_commit(gateway, &forged), FER_DROP_FAR);
    forged = opened.ticket;
    forged.opaque[2] |= 0xFFFFFFFFu;
    assert_int_equal(fer_gateway_commit(gateway, &forged), FER_ERR_ORDER);
    forged = opened.ticket;
    forged.opaque[2] |= (uint64_t)2 << 32;
    assert_int_equal(fer_gateway_commit(gateway, &forged), FER_ERR_ORDER);
    forged = opened.ticket;
    forged.opaque[3] ^= 1;
    assert_int_equal(fer_gateway_commit(gateway, &forged), FER_DROP_ROUTE);
    after = export();
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
    assert_int_equal(fer_gateway_commit(gateway, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_commit(NULL, &opened.ticket), FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_commit(gateway, &opened.ticket), FER_OK);
}

static void without_slots_only_the_current_generation_is_open(void **state)
{
    fer_gateway_config config = get_config();
    fer_credential credential;

    (void)state;
    config.earlier = 0;
    fer_gateway_close(&gateway);
    assert_int_equal(fer_arena_rewind(&gateway_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_gateway_create(&gateway_arena, &config, &gateway), FER_OK);
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
    assert_int_equal(receive_new(3, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(5, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(3, FER_LANE_LIVE, 1), FER_DROP_OLD);
    assert_int_equal(receive_new(4, FER_LANE_LIVE, 0), FER_DROP_OLD);
    assert_int_equal(get_state().floor, 5);
}

/* Looks for a key anywhere in the gateway's memory. */
static bool is_in_memory(const fer_secret *secret)
{
    const uint8_t *bytes = (const uint8_t *)gateway_arena.base;

    for (size_t i = 0; i + FER_SECRET_BYTES <= gateway_arena.used; i++) {
        if (memcmp(bytes + i, secret->bytes, FER_SECRET_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/* The backlog key of a generation: one that only the shared cache keeps. */
static fer_secret get_backlog_key(uint32_t generation)
{
    fer_generation keys;

    fixture_generation(&keys, 0, ROUTE, generation);
    return fer_generation_get_body(&keys)->keys[FER_BRANCH_BACKLOG].secret;
}

static void keys_below_the_floor_are_gone(void **state)
{
    fer_secret secret = get_backlog_key(10);

    (void)state;
    assert_int_equal(receive_new(10, FER_LANE_BACKLOG, 0), FER_OK);
    assert_true(is_in_memory(&secret));
    assert_int_equal(receive_new(10 + REACH, FER_LANE_LIVE, 0), FER_OK);
    assert_true(is_in_memory(&secret));
    assert_int_equal(receive_new(11 + REACH, FER_LANE_LIVE, 0), FER_OK);
    assert_false(is_in_memory(&secret));
}

static void keys_of_a_removed_context_are_gone(void **state)
{
    fer_secret secret = get_backlog_key(10);
    fer_credential credential;
    fer_claim_key claim;

    (void)state;
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_credential_read(&credential, NULL, &claim, NULL), FER_OK);
    assert_int_equal(receive_new(10, FER_LANE_BACKLOG, 0), FER_OK);
    assert_true(is_in_memory(&secret));
    assert_true(is_in_memory(&claim.secret));
    assert_int_equal(fer_gateway_remove(gateway, context), FER_OK);
    assert_false(is_in_memory(&secret));
    assert_false(is_in_memory(&claim.secret));
}

static void an_imported_context_starts_without_kept_keys(void **state)
{
    fer_secret secret = get_backlog_key(10);
    struct image image;
    uint32_t number;

    (void)state;
    assert_int_equal(receive_new(10, FER_LANE_BACKLOG, 0), FER_OK);
    image = export();
    assert_int_equal(fer_gateway_import(gateway, image.bytes, image.length, &number), FER_OK);
    assert_false(is_in_memory(&secret));
}

static void the_key_used_last_is_kept_longest(void **state)
{
    uint32_t before;

    (void)state;
    assert_int_equal(receive_new(20, FER_LANE_BACKLOG, 0), FER_OK);
    assert_int_equal(receive_new(20, FER_LANE_LIVE, 0), FER_OK);
    for (uint32_t i = 1; i <= 2 * CACHE; i++) {
        struct wire wire = make(20 - i, FER_LANE_BACKLOG, 0);

        (void)open_now(&wire);
        before = get_steps();
        assert_int_equal(receive_new(20, FER_LANE_BACKLOG, i), FER_OK);
        assert_int_equal(get_steps(), before);
    }
}

static void chains_below_the_floor_are_gone(void **state)
{
    fer_credential credential;
    fer_chain chains[40];

    (void)state;
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_credential_read(&credential, NULL, NULL, &chains[0]), FER_OK);
    for (uint32_t i = 1; i < 40; i++) {
        chains[i] = chains[i - 1];
        fer_schedule_next(&chains[i], i - 1);
    }
    assert_true(is_in_memory(&chains[0].secret));
    assert_int_equal(receive_new(10, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(30, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(get_state().floor, 14);
    for (uint32_t i = 0; i < 14; i++) {
        assert_false(is_in_memory(&chains[i].secret));
    }
    assert_true(is_in_memory(&chains[14].secret));
}

/* ---- downlink ----------------------------------------------------------------------------- */

static fer_opener *make_down_opener(uint32_t generation)
{
    fer_generation keys;
    fer_opener_config config = {FER_DOWN, WINDOW};
    fer_opener *opener = NULL;

    fixture_generation(&keys, 0, ROUTE, generation);
    assert_int_equal(fer_opener_create(&device_arena, &keys, &config, &opener), FER_OK);
    return opener;
}

static void downlink_opens_on_the_device(void **state)
{
    uint8_t record[sizeof text + FER_OVERHEAD_DOWN(ROUTE)];
    uint8_t out[sizeof text];
    size_t length = 0;
    fer_opened opened;
    fer_opener *opener;

    (void)state;
    assert_int_equal(receive_new(9, FER_LANE_LIVE, 0), FER_OK);
    opener = make_down_opener(9);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(
            fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &length),
            FER_OK);
        assert_int_equal(length, sizeof record);
        assert_int_equal(fer_opener_receive(opener, record, length, out, sizeof out, &opened),
                         FER_OK);
        assert_memory_equal(out, text, sizeof text);
        assert_int_equal(opened.sequence, i);
        assert_int_equal(opened.generation, 9);
    }
}

static void downlink_starts_again_with_each_generation(void **state)
{
    uint8_t record[sizeof text + FER_OVERHEAD_DOWN(ROUTE)];
    size_t length = 0;
    fer_unverified header;

    (void)state;
    for (uint32_t generation = 1; generation < 3; generation++) {
        assert_int_equal(receive_new(generation, FER_LANE_LIVE, 0), FER_OK);
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(fer_gateway_seal(gateway, context, text, sizeof text, record,
                                              sizeof record, &length),
                             FER_OK);
            assert_int_equal(fer_record_inspect(record, length, &header), FER_OK);
            assert_int_equal(header.generation, generation);
            assert_int_equal(header.sequence, i);
        }
    }
}

static void downlink_needs_uplink_first(void **state)
{
    uint8_t record[sizeof text + FER_OVERHEAD_DOWN(ROUTE)];
    size_t length = 0;
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    fer_opened opened = open_now(&wire);

    (void)state;
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &length),
        FER_ERR_ORDER);
    assert_int_equal(fer_gateway_commit(gateway, &opened.ticket), FER_OK);
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &length),
        FER_OK);
    assert_int_equal(
        fer_gateway_seal(gateway, 1, text, sizeof text, record, sizeof record, &length),
        FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_seal(NULL, 0, text, sizeof text, record, sizeof record, &length),
                     FER_ERR_HANDLE);
}

static void downlink_stops_without_entropy(void **state)
{
    uint8_t record[sizeof text + FER_OVERHEAD_DOWN(ROUTE)];
    size_t length = 0;
    fer_unverified header;

    (void)state;
    assert_int_equal(receive_new(0, FER_LANE_LIVE, 0), FER_OK);
    entropy.fail_at = 1;
    memset(record, 0xEE, sizeof record);
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &length),
        FER_TROUBLE_ENTROPY);
    assert_true(fixture_is_all(record, sizeof record, 0));
    /* The number is lost, a small buffer's is not. */
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record - 1, &length),
        FER_ERR_CAPACITY);
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &length),
        FER_OK);
    assert_int_equal(fer_record_inspect(record, length, &header), FER_OK);
    assert_int_equal(header.sequence, 1);
}

static void downlink_ends_with_its_numbers(void **state)
{
    uint8_t record[sizeof text + FER_OVERHEAD_DOWN(ROUTE)];
    size_t length = 0;

    (void)state;
    assert_int_equal(receive_new(0, FER_LANE_LIVE, 0), FER_OK);
    fer_gateway_get_context(gateway, context)->down_next = UINT32_MAX - 1u;
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &length),
        FER_OK);
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &length),
        FER_RENEW_EXHAUSTED);
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void the_end_of_generations_is_safe(void **state)
{
    struct fer_context *inside = fer_gateway_get_context(gateway, context);
    struct wire wire = make(0, FER_LANE_LIVE, 0);

    (void)state;
    inside->cur = UINT32_MAX - 3u;
    inside->floor = UINT32_MAX - 3u;
    wire.bytes[0] &= (uint8_t)~FER_FIRST_FULL;
    for (unsigned low = 0; low < 256; low++) {
        fer_status expected = low == 0xFC || low == 0xFD || low == 0xFE ? FER_DROP_FORGED
                              : low == 0xFF || low <= 4                 ? FER_DROP_MALFORMED
                                                                        : FER_DROP_OLD;

        wire.bytes[1 + ROUTE] = (uint8_t)low;
        assert_int_equal(drop_wire(&wire), expected);
    }
}

static void a_small_output_is_the_callers_mistake(void **state)
{
    struct wire wire = make(0, FER_LANE_LIVE, 0);
    uint8_t out[sizeof text];
    fer_opened opened;

    (void)state;
    memset(out, 0xEE, sizeof out);
    assert_int_equal(
        fer_gateway_open(gateway, wire.bytes, wire.length, out, sizeof text - 1, &opened),
        FER_ERR_CAPACITY);
    assert_true(fixture_is_all(out, sizeof out, 0xEE));
    assert_int_equal(fer_gateway_open(NULL, wire.bytes, 9, out, 9, &opened), FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_open(gateway, NULL, 9, out, 9, &opened), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_open(gateway, wire.bytes, 9, NULL, 9, &opened), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_open(gateway, wire.bytes, 9, out, 9, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(receive(&wire), FER_OK);
}

static void looking_checks_its_arguments(void **state)
{
    fer_gateway_state standing;
    fer_gateway_counts counts;

    (void)state;
    assert_int_equal(fer_gateway_get_state(NULL, 0, &standing), FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_get_state(gateway, 1, &standing), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_get_state(gateway, CONTEXTS, &standing), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_get_state(gateway, 0, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_get_counts(NULL, &counts), FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_get_counts(gateway, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_remove(NULL, 0), FER_ERR_HANDLE);
    assert_int_equal(fer_gateway_remove(gateway, CONTEXTS), FER_ERR_ARGUMENT);
}

static void close_nulls(void **state)
{
    fer_gateway *none = NULL;

    (void)state;
    fer_gateway_close(NULL);
    fer_gateway_close(&none);
    fer_gateway_close(&gateway);
    assert_null(gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sizes_are_what_they_promise, setup),
        cmocka_unit_test_setup(create_refuses_configs_out_of_range, setup),
        cmocka_unit_test_setup(a_route_has_one_context, setup),
        cmocka_unit_test_setup(contexts_are_limited_and_given_out_again, setup),
        cmocka_unit_test_setup(routes_of_all_lengths_are_told_apart, setup),
        cmocka_unit_test_setup(a_spent_credential_is_refused, setup),
        cmocka_unit_test_setup(opens_both_lanes_and_forms, setup),
        cmocka_unit_test_setup(other_routes_kinds_and_directions_are_unknown, setup),
        cmocka_unit_test_setup(every_flipped_bit_is_dropped, setup),
        cmocka_unit_test_setup(every_truncation_is_dropped, setup),
        cmocka_unit_test_setup(a_replay_is_refused_before_any_key, setup),
        cmocka_unit_test_setup(short_forms_reach_eight_ahead, setup),
        cmocka_unit_test_setup(short_forms_reach_back_to_the_floor, setup),
        cmocka_unit_test_setup(far_generations_need_a_claim_and_a_limit, setup),
        cmocka_unit_test_setup(a_forged_claim_does_not_ratchet, setup),
        cmocka_unit_test_setup(generation_and_number_2_to_the_32_less_1_are_malformed, setup),
        cmocka_unit_test_setup(a_forgery_costs_at_most_reach_and_eight_steps, setup),
        cmocka_unit_test_setup(repeated_far_claims_cost_no_more, setup),
        cmocka_unit_test_setup(forgeries_push_no_key_out, setup),
        cmocka_unit_test_setup(opening_changes_nothing_until_commit, setup),
        cmocka_unit_test_setup(an_aborted_record_stays_acceptable, setup),
        cmocka_unit_test_setup(earlier_generations_stay_open, setup),
        cmocka_unit_test_setup(full_slots_evict_the_oldest_for_good, setup),
        cmocka_unit_test_setup(a_generation_never_heard_needs_a_slot, setup),
        cmocka_unit_test_setup(tickets_are_checked_again_at_commit, setup),
        cmocka_unit_test_setup(a_forged_ticket_is_refused, setup),
        cmocka_unit_test_setup(without_slots_only_the_current_generation_is_open, setup),
        cmocka_unit_test_setup(keys_below_the_floor_are_gone, setup),
        cmocka_unit_test_setup(keys_of_a_removed_context_are_gone, setup),
        cmocka_unit_test_setup(an_imported_context_starts_without_kept_keys, setup),
        cmocka_unit_test_setup(the_key_used_last_is_kept_longest, setup),
        cmocka_unit_test_setup(chains_below_the_floor_are_gone, setup),
        cmocka_unit_test_setup(downlink_opens_on_the_device, setup),
        cmocka_unit_test_setup(downlink_starts_again_with_each_generation, setup),
        cmocka_unit_test_setup(downlink_needs_uplink_first, setup),
        cmocka_unit_test_setup(downlink_stops_without_entropy, setup),
        cmocka_unit_test_setup(downlink_ends_with_its_numbers, setup),
        cmocka_unit_test_setup(the_end_of_generations_is_safe, setup),
        cmocka_unit_test_setup(a_small_output_is_the_callers_mistake, setup),
        cmocka_unit_test_setup(looking_checks_its_arguments, setup),
        cmocka_unit_test_setup(close_nulls, setup),
    };
    return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
