/* gateway: steps 5 and 6 of the receiver: what moves, when, and what is wiped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_kit.h"

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

static void the_key_kept_last_goes_last(void **state)
{
    uint32_t before;

    (void)state;
    assert_int_equal(receive_new(20, FER_LANE_LIVE, 0), FER_OK);
    /* Two more than there is room for. */
    for (uint32_t i = 0; i < CACHE + 2; i++) {
        struct wire wire = make(20 - i, FER_LANE_BACKLOG, 0);

        (void)open_now(&wire);
    }
    before = get_steps();
    for (uint32_t i = 2; i < CACHE + 2; i++) {
        struct wire wire = make(20 - i, FER_LANE_BACKLOG, 1);

        (void)open_now(&wire);
    }
    assert_int_equal(get_steps(), before);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test_setup(the_key_kept_last_goes_last, setup),
        cmocka_unit_test_setup(the_key_used_last_is_kept_longest, setup),
        cmocka_unit_test_setup(chains_below_the_floor_are_gone, setup),
    };
    return cmocka_run_group_tests_name("gateway_commit", tests, NULL, NULL);
}
