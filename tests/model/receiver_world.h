/* The world around the model: a device, a link and a gateway, and steps taken at random (see
 * receiver_model.h). Include after cmocka.h. */
#ifndef FERRULE_TESTS_MODEL_RECEIVER_WORLD_H
#define FERRULE_TESTS_MODEL_RECEIVER_WORLD_H

#include "model/receiver_model.h"

/* ---- the world ---------------------------------------------------------------------------- */

FER_ARENA(model_gateway_arena, FER_GATEWAY_SIZE(2, MODEL_EARLIER_MAX, MODEL_WINDOW_MAX, 16));
FER_ARENA(model_device_arena, 2u * FER_SEALER_SIZE + FER_OPENER_SIZE(64));

static struct {
    model_shape shape;
    test_random random;
    fer_gateway *gateway;
    uint32_t context;
    fer_credential credential; /* the device's, of its generation */
    uint32_t generation;
    fer_sealer *sealers[2];
    fer_opener *opener;
    uint32_t down_next;
    struct fixture_entropy entropy;
    struct model_record flight[MODEL_FLIGHT];
    struct {
        bool used;
        fer_ticket ticket;
        struct model_record record;
    } pending[MODEL_PENDING];
    uint8_t stored[FER_SNAPSHOT_SIZE(MODEL_EARLIER_MAX, MODEL_WINDOW_MAX)];
    size_t stored_length;
    uint32_t committed;
    uint32_t dropped;
} world;

static uint32_t model_pick(uint32_t limit)
{
    return test_random_below(&world.random, limit);
}

static void world_boot(void)
{
    fer_credential spent = world.credential;
    fer_sealer_config up = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    fer_opener_config down = {FER_DOWN, 64};
    fer_generation keys;

    assert_int_equal(fer_arena_rewind(&model_device_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_keychain_expand(&spent, &keys), FER_OK);
    up.way = model_pick(2) == 0 ? FER_TWO_WAY : FER_ONE_WAY;
    assert_int_equal(fer_sealer_create(&model_device_arena, &keys, &up, &world.sealers[0]), FER_OK);
    up.lane = FER_LANE_BACKLOG;
    assert_int_equal(fer_sealer_create(&model_device_arena, &keys, &up, &world.sealers[1]), FER_OK);
    assert_int_equal(fer_opener_create(&model_device_arena, &keys, &down, &world.opener), FER_OK);
    world.down_next = 0;
}

static void world_create_gateway(void)
{
    fer_gateway_config config = fer_gateway_config_default();

    assert_int_equal(fer_arena_rewind(&model_gateway_arena, (fer_arena_position){0}), FER_OK);
    config.contexts = 2;
    config.window_bits = world.shape.window;
    config.earlier = world.shape.earlier;
    config.reach = world.shape.reach;
    config.max_skip = world.shape.max_skip;
    config.cache = world.shape.cache;
    config.entropy.ops = &fixture_entropy_ops;
    config.entropy.context = &world.entropy;
    assert_int_equal(fer_gateway_create(&model_gateway_arena, &config, &world.gateway), FER_OK);
}

static void world_store(void)
{
    assert_int_equal(fer_gateway_export(world.gateway, world.context, world.stored,
                                        sizeof world.stored, &world.stored_length),
                     FER_OK);
    model_stored = model;
}

static void world_start(const model_shape *with, test_random random)
{
    model_shape shape = *with;
    fer_credential credential;

    memset(&world, 0, sizeof world);
    memset(&model, 0, sizeof model);
    world.shape = shape;
    world.random = random;
    fixture_mint(&world.credential, 0, fixture_route, MODEL_ROUTE);
    credential = world.credential;
    world_boot();
    world_create_gateway();
    assert_int_equal(fer_gateway_add(world.gateway, &credential, &world.context), FER_OK);
    world_store();
}

/* The device restarts `jump` generations on. */
static void world_reboot(uint32_t jump)
{
    if (world.generation + jump >= MODEL_GENERATIONS - 16u) {
        return;
    }
    world.generation += jump;
    while (jump-- > 0) {
        assert_int_equal(fer_credential_advance(&world.credential), FER_OK);
    }
    world_boot();
}

/* The device seals a record, which takes the place of another in flight (loss). */
static void world_seal(fer_lane lane)
{
    struct model_record *record = &world.flight[model_pick(MODEL_FLIGHT)];
    fer_unverified header;
    uint32_t next;

    assert_int_equal(fer_sealer_get_next(world.sealers[lane], &next), FER_OK);
    if (model_pick(40) == 0) {
        next += model_pick(model_pick(4) == 0 ? 70000 : 300);
        assert_int_equal(fer_sealer_advance(world.sealers[lane], next), FER_OK);
    }
    test_random_fill(&world.random, record->text, sizeof record->text);
    assert_int_equal(fer_sealer_seal(world.sealers[lane], record->text, sizeof record->text,
                                     record->bytes, sizeof record->bytes, &record->length),
                     FER_OK);
    assert_int_equal(fer_record_inspect(record->bytes, record->length, &header), FER_OK);
    record->generation = world.generation;
    record->lane = lane;
    record->sequence = next;
    record->is_short = header.form == FER_FORM_SHORT;
}

/* The gateway opens a record; a ticket waits, or is committed at once. */
static void world_open(const struct model_record *record, bool commit)
{
    fer_status expected = model_open(&world.shape, record);
    uint8_t out[MODEL_TEXT];
    fer_opened opened;
    uint32_t place = model_pick(MODEL_PENDING);
    fer_status status =
        fer_gateway_open(world.gateway, record->bytes, record->length, out, sizeof out, &opened);

    assert_int_equal(status, expected);
    if (status != FER_OK) {
        assert_true(fixture_is_all(out, sizeof out, 0));
        world.dropped++;
        return;
    }
    assert_memory_equal(out, record->text, sizeof out);
    assert_int_equal(opened.generation, record->generation);
    assert_int_equal(opened.sequence, record->sequence);
    assert_int_equal(opened.lane, record->lane);
    if (commit) {
        assert_int_equal(fer_gateway_commit(world.gateway, &opened.ticket),
                         model_commit(&world.shape, record));
        world.committed++;
        return;
    }
    world.pending[place].used = true;
    world.pending[place].ticket = opened.ticket;
    world.pending[place].record = *record;
}

/* A ticket that waited is committed, or forgotten. */
static void world_settle(bool commit)
{
    uint32_t place = model_pick(MODEL_PENDING);

    if (!world.pending[place].used) {
        return;
    }
    world.pending[place].used = false;
    if (!commit) {
        fer_ticket_abort(&world.pending[place].ticket);
        return;
    }
    assert_int_equal(fer_gateway_commit(world.gateway, &world.pending[place].ticket),
                     model_commit(&world.shape, &world.pending[place].record));
}

/* A damaged record is dropped and changes nothing (FIRST). */
static void world_damage(const struct model_record *record)
{
    struct model_record bad = *record;
    uint8_t before[sizeof world.stored];
    uint8_t after[sizeof world.stored];
    uint8_t out[MODEL_TEXT + FER_OVERHEAD_MAX];
    size_t length = 0;
    size_t again = 0;
    fer_opened opened;
    uint32_t bit = model_pick((uint32_t)(bad.length * 8u));

    bad.bytes[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
    assert_int_equal(
        fer_gateway_export(world.gateway, world.context, before, sizeof before, &length), FER_OK);
    assert_int_equal(fer_status_get_group(fer_gateway_open(world.gateway, bad.bytes, bad.length,
                                                           out, sizeof out, &opened)),
                     FER_GROUP_DROP_INPUT);
    assert_int_equal(fer_gateway_export(world.gateway, world.context, after, sizeof after, &again),
                     FER_OK);
    assert_int_equal(length, again);
    assert_memory_equal(before, after, length);
    world.dropped++;
}

/* A downlink message: the device takes those of its own generation, each number once. */
static void world_downlink(void)
{
    uint8_t record[MODEL_TEXT + FER_OVERHEAD_MAX];
    uint8_t out[MODEL_TEXT];
    size_t length = 0;
    fer_unverified header;
    fer_opened opened;
    fer_status status = fer_gateway_seal(world.gateway, world.context, world.flight[0].text,
                                         MODEL_TEXT, record, sizeof record, &length);

    assert_int_equal(status, model.heard ? FER_OK : FER_ERR_ORDER);
    if (status != FER_OK) {
        return;
    }
    assert_int_equal(fer_record_inspect(record, length, &header), FER_OK);
    status = fer_opener_receive(world.opener, record, length, out, sizeof out, &opened);
    if (model.cur != world.generation) {
        assert_int_equal(status, model.cur < world.generation ? FER_DROP_OLD : FER_DROP_FAR);
    } else if (header.sequence < world.down_next) {
        /* The gateway went back to a snapshot: its numbers do not count twice. */
        assert_true(status == FER_DROP_REPLAY || status == FER_DROP_OLD);
    } else {
        assert_int_equal(status, FER_OK);
        assert_memory_equal(out, world.flight[0].text, sizeof out);
        world.down_next = header.sequence + 1;
        assert_int_equal(fer_sealer_acknowledge(world.sealers[FER_LANE_LIVE]), FER_OK);
    }
}

/* The gateway restarts from its last snapshot; what it committed since is lost with the data. */
static void world_restart(bool crash)
{
    uint32_t context = 99;

    if (!crash) {
        world_store();
    }
    fer_gateway_close(&world.gateway);
    world_create_gateway();
    assert_int_equal(fer_gateway_import(world.gateway, world.stored, world.stored_length, &context),
                     FER_OK);
    world.context = context;
    model = model_stored;
    for (uint32_t i = 0; i < MODEL_PENDING; i++) {
        world.pending[i].used = false;
    }
}

static void world_compare(void)
{
    fer_gateway_state standing;
    uint32_t oldest = 0;

    assert_int_equal(fer_gateway_get_state(world.gateway, world.context, &standing), FER_OK);
    assert_int_equal(standing.generation, model.cur);
    assert_int_equal(standing.floor, model.floor);
    assert_int_equal(standing.heard, model.heard);
    assert_int_equal(standing.next_live, model.generations[model.cur].next[0]);
    assert_int_equal(standing.next_backlog, model.generations[model.cur].next[1]);
    assert_int_equal(standing.earlier, model_count(&oldest));
}

static void world_step(void)
{
    const struct model_record *record = &world.flight[model_pick(MODEL_FLIGHT)];
    uint32_t what = model_pick(100);

    if (what < 35) {
        world_seal(FER_LANE_LIVE);
    } else if (what < 42) {
        world_seal(FER_LANE_BACKLOG);
    } else if (what < 72 && record->length != 0) {
        world_open(record, true);
    } else if (what < 80 && record->length != 0) {
        world_open(record, false);
    } else if (what < 86) {
        world_settle(true);
    } else if (what < 88) {
        world_settle(false);
    } else if (what < 91 && record->length != 0) {
        world_damage(record);
    } else if (what < 95) {
        world_downlink();
    } else if (what < 97) {
        world_reboot(1 + model_pick(3));
    } else if (what == 97 && model_pick(6) == 0) {
        world_reboot(1 + model_pick(world.shape.max_skip + 1)); /* each burns a generation */
    } else if (what == 98) {
        world_restart(model_pick(3) == 0);
    } else if (what == 99) {
        world_store();
    }
    world_compare();
}

/* Nothing more can come of this world: its lists are full, or the device is too far ahead for good,
 * which only an operator can mend. */
static bool world_is_over(void)
{
    return model.numbers == MODEL_NUMBERS || world.generation >= MODEL_GENERATIONS - 16u ||
           (world.generation - model.cur > world.shape.max_skip && model_pick(300) == 0);
}

/* Runs so many steps, in as many worlds as it takes. */
static void world_run(const model_shape *shape, test_random random, uint32_t steps)
{
    uint32_t committed = 0;
    uint32_t dropped = 0;

    world_start(shape, random);
    while (steps-- > 0) {
        world_step();
        if (steps == 0 || world_is_over()) {
            committed += world.committed;
            dropped += world.dropped;
            world_start(shape, world.random);
        }
    }
    assert_true(committed > 0 && dropped > 0);
}

static const model_shape model_shapes[] = {
    {8, 64, 64, 8, 100}, {3, 16, 64, 4, 40}, {1, 1, 64, 1, 8},    {0, 0, 64, 1, 300},
    {0, 20, 128, 3, 20}, {8, 8, 128, 16, 9}, {2, 247, 64, 2, 60}, {5, 30, 64, 1, 500},
};

#endif
