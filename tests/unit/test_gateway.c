/* gateway: create, contexts and their routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_kit.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sizes_are_what_they_promise, setup),
        cmocka_unit_test_setup(create_refuses_configs_out_of_range, setup),
        cmocka_unit_test_setup(a_route_has_one_context, setup),
        cmocka_unit_test_setup(contexts_are_limited_and_given_out_again, setup),
        cmocka_unit_test_setup(routes_of_all_lengths_are_told_apart, setup),
        cmocka_unit_test_setup(a_spent_credential_is_refused, setup),
    };
    return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
