/* gateway: the operator's resync (never back, ONCE), thousands of unheard reboots, late and spooled
 * records, and a context that begins at a later generation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_kit.h"

#ifdef FERRULE_QUICK /* emulated, or under valgrind */
enum { FAR_JUMP = 20000 };
#else
enum { FAR_JUMP = 200000 };
#endif

/* Another gateway that knows the device at this generation and skips as the library would. */
static void restart(uint32_t generation, uint32_t max_skip)
{
    fer_gateway_config config = get_config();
    fer_credential credential;

    config.max_skip = max_skip;
    fer_gateway_close(&gateway);
    assert_int_equal(fer_arena_rewind(&gateway_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_gateway_create(&gateway_arena, &config, &gateway), FER_OK);
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_keychain_forward(&credential, generation), FER_OK);
    assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
}

/* One record at a far generation, without a walk through every credential before it. */
static struct wire make_far(uint32_t generation)
{
    fer_sealer_config config = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    fer_credential credential;
    fer_generation keys;
    fer_sealer *sealer = NULL;
    struct wire wire;

    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_keychain_forward(&credential, generation), FER_OK);
    assert_int_equal(fer_keychain_expand(&credential, &keys), FER_OK);
    assert_int_equal(fer_sealer_create(&device_arena, &keys, &config, &sealer), FER_OK);
    wire = seal(sealer);
    fer_sealer_close(&sealer);
    assert_int_equal(fer_arena_rewind(&device_arena, (fer_arena_position){0}), FER_OK);
    return wire;
}

/* ---- resync ------------------------------------------------------------------------------- */

static void the_record_that_was_too_far_opens(void **state)
{
    struct wire far = make(SKIP + 50, FER_LANE_LIVE, 0);
    fer_gateway_state where;

    (void)state;
    assert_int_equal(receive_new(9, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(10, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(drop_wire(&far), FER_DROP_FAR);
    assert_int_equal(fer_gateway_resync(gateway, context, SKIP + 50), FER_OK);
    where = get_state();
    assert_int_equal(where.generation, SKIP + 50);
    assert_int_equal(where.floor, SKIP + 50);
    assert_int_equal(where.earlier, 0);
    assert_int_equal(where.heard, 0);
    assert_int_equal(where.next_live, 0);
    assert_int_equal(receive(&far), FER_OK);
    assert_int_equal(drop_wire(&far), FER_DROP_REPLAY);
    assert_int_equal(receive_new(SKIP + 50, FER_LANE_BACKLOG, 0), FER_OK);
    assert_int_equal(receive_new(SKIP + 51, FER_LANE_LIVE, 0), FER_OK);
}

static void nothing_accepted_before_opens_again(void **state)
{
    struct wire before[6];

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        before[i] = make(i < 3 ? 5 : 6, i % 2 != 0 ? FER_LANE_BACKLOG : FER_LANE_LIVE, i);
        assert_int_equal(receive(&before[i]), FER_OK);
    }
    assert_int_equal(fer_gateway_resync(gateway, context, 7), FER_OK); /* the smallest step */
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(drop_wire(&before[i]), FER_DROP_OLD);
    }
    assert_int_equal(receive_new(7, FER_LANE_LIVE, 0), FER_OK);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(drop_wire(&before[i]), FER_DROP_OLD);
    }
}

static void a_context_never_goes_back(void **state)
{
    struct image before;
    struct image after;

    (void)state;
    assert_int_equal(receive_new(20, FER_LANE_LIVE, 3), FER_OK);
    before = export();
    assert_int_equal(fer_gateway_resync(gateway, context, 20), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_resync(gateway, context, 19), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_resync(gateway, context, 0), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_resync(gateway, context, UINT32_MAX), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_resync(gateway, context + 1, 30), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_resync(gateway, CONTEXTS, 30), FER_ERR_ARGUMENT);
    assert_int_equal(fer_gateway_resync(NULL, context, 30), FER_ERR_HANDLE);
    after = export();
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
}

/* The former chain and every key from it are gone from all of the gateway's memory (WIPE). */
static void former_keys_are_wiped(void **state)
{
    fer_chain chain;
    fer_record_key key;
    const uint8_t *memory = (const uint8_t *)gateway;

    (void)state;
    assert_int_equal(receive_new(3, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(3, FER_LANE_BACKLOG, 0), FER_OK);
    fer_gateway_get_chain(gateway, context, 3, &chain);
    fer_schedule_branch(&chain, 3, FER_BRANCH_UP, &key);
    assert_memory_equal(&gateway->contexts[context].live, &key, sizeof key);
    assert_int_equal(fer_gateway_resync(gateway, context, 100), FER_OK);
    for (size_t at = 0; at + sizeof key <= FER_GATEWAY_SIZE(CONTEXTS, EARLIER, WINDOW, CACHE) - 64;
         at++) {
        assert_memory_not_equal(memory + at, &chain, sizeof chain);
        assert_memory_not_equal(memory + at, &key, sizeof key);
    }
    for (uint32_t i = 0; i < CACHE; i++) {
        assert_int_equal(gateway->cache[i].owner, 0);
    }
}

static void a_ticket_from_before_is_old(void **state)
{
    struct wire behind = make(5, FER_LANE_LIVE, 0);
    struct wire ahead = make(8, FER_LANE_LIVE, 0);
    fer_opened first = open_now(&behind);
    fer_opened second = open_now(&ahead);

    (void)state;
    assert_int_equal(fer_gateway_resync(gateway, context, 8), FER_OK);
    assert_int_equal(fer_gateway_commit(gateway, &first.ticket), FER_DROP_OLD);
    assert_int_equal(fer_gateway_commit(gateway, &second.ticket), FER_OK);
    assert_int_equal(drop_wire(&ahead), FER_DROP_REPLAY);
}

static void downlink_waits_until_the_device_is_heard(void **state)
{
    uint8_t out[sizeof text + FER_OVERHEAD_MAX];
    size_t length;

    (void)state;
    assert_int_equal(receive_new(3, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(fer_gateway_resync(gateway, context, 50), FER_OK);
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, out, sizeof out, &length),
        FER_ERR_ORDER);
    assert_int_equal(receive_new(50, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, out, sizeof out, &length), FER_OK);
}

/* What is stored after it comes back, and what was stored before it does not. */
static void its_snapshot_supersedes_the_former(void **state)
{
    struct image before;
    struct image after;
    uint32_t number;

    (void)state;
    assert_int_equal(receive_new(4, FER_LANE_LIVE, 0), FER_OK);
    before = export();
    assert_int_equal(fer_gateway_resync(gateway, context, SKIP * 3), FER_OK);
    after = export();
    assert_int_equal(fer_load_u32(after.bytes + 12), fer_load_u32(before.bytes + 12) + 1);
    assert_int_equal(fer_gateway_import(gateway, before.bytes, before.length, &number),
                     FER_DROP_OLD);
    assert_int_equal(fer_gateway_import(gateway, after.bytes, after.length, &number), FER_OK);
    assert_int_equal(fer_gateway_remove(gateway, context), FER_OK);
    assert_int_equal(fer_gateway_import(gateway, after.bytes, after.length, &context), FER_OK);
    assert_int_equal(receive_new(4, FER_LANE_LIVE, 1), FER_DROP_OLD);
    assert_int_equal(receive_new(SKIP * 3, FER_LANE_LIVE, 0), FER_OK);
}

static void it_costs_a_step_for_each_generation(void **state)
{
    uint32_t before;

    (void)state;
    assert_int_equal(receive_new(30, FER_LANE_LIVE, 0), FER_OK);
    before = get_steps();
    assert_int_equal(fer_gateway_resync(gateway, context, 5030), FER_OK);
    assert_in_range(get_steps() - before, 5000, 5000 + REACH);
}

/* ---- beginning late ----------------------------------------------------------------------- */

/* A credential of generation N, for hardware whose counter stands there already. */
static void a_context_may_begin_at_a_later_generation(void **state)
{
    uint8_t out[sizeof text + FER_OVERHEAD_MAX];
    size_t length;

    (void)state;
    restart(700, SKIP);
    assert_int_equal(get_state().generation, 700);
    assert_int_equal(get_state().floor, 700);
    assert_int_equal(receive_new(699, FER_LANE_LIVE, 0), FER_DROP_OLD);
    assert_int_equal(receive_new(700, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(702, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(receive_new(701, FER_LANE_BACKLOG, 0), FER_OK);
    assert_int_equal(receive_new(700, FER_LANE_LIVE, 0), FER_DROP_REPLAY);
    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, out, sizeof out, &length), FER_OK);
}

/* ---- reboots ------------------------------------------------------------------------------ */

/* With the library's own max_skip, through the claim of a record that nobody expected. */
static void a_far_jump_is_found_by_its_claim(void **state)
{
    struct wire far = make_far(FAR_JUMP);
    struct wire forged = far;
    uint32_t before;

    (void)state;
    restart(0, fer_gateway_config_default().max_skip);
    forged.bytes[1 + ROUTE + 8] ^= 1;
    assert_int_equal(drop_wire(&forged), FER_DROP_FORGED);
    assert_int_equal(get_steps(), 0);
    assert_int_equal(receive(&far), FER_OK);
    assert_int_equal(get_state().generation, FAR_JUMP);
    assert_int_equal(get_state().floor, FAR_JUMP - REACH);
    assert_in_range(get_steps(), FAR_JUMP, FAR_JUMP + 2 * REACH);
    before = get_steps();
    assert_int_equal(drop_wire(&far), FER_DROP_REPLAY);
    assert_int_equal(get_steps(), before);
}

/* A device heard only now and then, over thousands of reboots. */
static void thousands_of_unheard_reboots_are_followed(void **state)
{
    uint32_t generation = 0;

    (void)state;
    restart(0, SKIP);
    for (uint32_t jump = 1; generation + jump < 5 * SKIP;
         jump = jump * 2 < SKIP ? jump * 2 : SKIP) {
        struct wire wire;

        generation += jump;
        wire = make_far(generation);
        assert_int_equal(receive(&wire), FER_OK);
        assert_int_equal(drop_wire(&wire), FER_DROP_REPLAY);
        assert_int_equal(get_state().generation, generation);
    }
    assert_true(generation > 3 * SKIP);
}

/* Two records of each lane of the last `count` generations, spooled and sent in any order, twice.
 */
static void expect_each_once(uint32_t count, bool newest_first)
{
    enum { NEWEST = 40 };
    struct wire late[REACH + 1][2][2];
    uint32_t committed = get_counts().committed;

    assert_true(count <= REACH + 1);
    for (uint32_t g = 0; g < count; g++) {
        for (uint32_t i = 0; i < 4; i++) {
            late[g][i / 2][i % 2] = make(NEWEST - g, (fer_lane)(i / 2), i % 2);
        }
    }
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t g = 0; g < count; g++) {
            for (uint32_t i = 0; i < 4; i++) {
                const struct wire *wire = &late[newest_first ? g : count - 1 - g][i / 2][i % 2];

                assert_int_equal(receive(wire), round == 0 ? FER_OK : FER_DROP_REPLAY);
            }
        }
    }
    assert_int_equal(get_counts().committed - committed, count * 4);
}

static void late_records_open_once_each(void **state)
{
    (void)state;
    expect_each_once(EARLIER + 1, true);
}

/* With as many windows as the gateway reaches back, all of it. */
static void all_within_reach_open_once_each(void **state)
{
    FER_ARENA(wide, FER_GATEWAY_SIZE(1, REACH, WINDOW, CACHE));
    fer_gateway_config config = get_config();
    fer_credential credential;

    (void)state;
    config.contexts = 1;
    config.earlier = REACH;
    for (unsigned order = 0; order < 2; order++) {
        fer_gateway_close(&gateway);
        assert_int_equal(fer_arena_rewind(&wide, (fer_arena_position){0}), FER_OK);
        assert_int_equal(fer_gateway_create(&wide, &config, &gateway), FER_OK);
        fixture_mint(&credential, 0, fixture_route, ROUTE);
        assert_int_equal(fer_gateway_add(gateway, &credential, &context), FER_OK);
        expect_each_once(REACH + 1, order == 0);
    }
    fer_gateway_close(&gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_record_that_was_too_far_opens, setup),
        cmocka_unit_test_setup(nothing_accepted_before_opens_again, setup),
        cmocka_unit_test_setup(a_context_never_goes_back, setup),
        cmocka_unit_test_setup(former_keys_are_wiped, setup),
        cmocka_unit_test_setup(a_ticket_from_before_is_old, setup),
        cmocka_unit_test_setup(downlink_waits_until_the_device_is_heard, setup),
        cmocka_unit_test_setup(its_snapshot_supersedes_the_former, setup),
        cmocka_unit_test_setup(it_costs_a_step_for_each_generation, setup),
        cmocka_unit_test_setup(a_context_may_begin_at_a_later_generation, setup),
        cmocka_unit_test_setup(a_far_jump_is_found_by_its_claim, setup),
        cmocka_unit_test_setup(thousands_of_unheard_reboots_are_followed, setup),
        cmocka_unit_test_setup(late_records_open_once_each, setup),
        cmocka_unit_test_setup(all_within_reach_open_once_each, setup),
    };

    return cmocka_run_group_tests_name("gateway_resync", tests, NULL, NULL);
}
