/* Tests of every public entry with null where a pointer is due: it answers, and touches nothing
 * (TOTAL). Null for a handle: test_handles.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "entry_kit.h"

static void test_device_refuses_null(void **state)
{
    uint8_t image[FER_IMAGE_BYTES] = {1};
    fer_device *made = NULL;
    size_t used;
    (void)state;
    assert_argument(fer_device_create(NULL, &config, &made));
    assert_argument(fer_device_create(&arena, NULL, &made));
    assert_argument(fer_device_create(&arena, &config, NULL));
    assert_null(made);
    assert_argument(fer_device_event(device, FER_INFO, NULL));
    assert_argument(fer_device_raw(device, NULL, 1));
    assert_argument(fer_device_describe(device, 1, NULL, "y"));
    assert_argument(fer_device_describe(device, 1, "x", NULL));
    assert_argument(fer_device_take(device, NULL, 100, &length));
    assert_argument(fer_device_take(device, out, sizeof out, NULL));
    assert_argument(fer_device_take_backlog(device, NULL, 100, &length));
    assert_argument(fer_device_take_backlog(device, out, sizeof out, NULL));
    assert_argument(fer_device_feed(device, NULL, 1, &used, out, sizeof out, &length));
    assert_argument(fer_device_feed(device, bytes, 1, NULL, out, sizeof out, &length));
    assert_argument(fer_device_feed(device, bytes, 1, &used, NULL, sizeof out, &length));
    assert_argument(fer_device_feed(device, bytes, 1, &used, out, sizeof out, NULL));
    assert_argument(fer_device_suspend(NULL, image));
    assert_argument(fer_device_suspend(&device, NULL));
    assert_non_null(device);
    assert_argument(fer_device_resume(device, NULL));
    assert_argument(fer_device_get_health(device, NULL));
}

static void test_record_refuses_null(void **state)
{
    const fer_sealer_config up = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    const fer_opener_config down = {FER_DOWN, 64};
    fer_unverified header;
    fer_generation keys;
    fer_sealer *made_sealer = NULL;
    fer_opener *made_opener = NULL;
    (void)state;
    fixture_generation(&keys, 0, ROUTE, 0);
    assert_refused(fer_sealer_create(NULL, &keys, &up, &made_sealer));
    assert_handle(fer_sealer_create(&arena, NULL, &up, &made_sealer));
    assert_argument(fer_sealer_create(&arena, &keys, NULL, &made_sealer));
    assert_argument(fer_sealer_create(&arena, &keys, &up, NULL));
    assert_argument(fer_sealer_seal(sealer, NULL, 1, out, sizeof out, &length));
    assert_argument(fer_sealer_seal(sealer, bytes, 1, NULL, sizeof out, &length));
    assert_argument(fer_sealer_seal(sealer, bytes, 1, out, sizeof out, NULL));
    assert_argument(fer_sealer_get_next(sealer, NULL));
    assert_refused(fer_opener_create(NULL, &keys, &down, &made_opener));
    assert_handle(fer_opener_create(&arena, NULL, &down, &made_opener));
    assert_argument(fer_opener_create(&arena, &keys, NULL, &made_opener));
    assert_argument(fer_opener_create(&arena, &keys, &down, NULL));
    assert_argument(fer_opener_open(opener, NULL, 40, out, sizeof out, &told));
    assert_argument(fer_opener_open(opener, bytes, 40, NULL, sizeof out, &told));
    assert_argument(fer_opener_open(opener, bytes, 40, out, sizeof out, NULL));
    assert_argument(fer_opener_receive(opener, NULL, 40, out, sizeof out, &told));
    assert_argument(fer_opener_receive(opener, bytes, 40, NULL, sizeof out, &told));
    assert_argument(fer_opener_receive(opener, bytes, 40, out, sizeof out, NULL));
    assert_argument(fer_opener_commit(opener, NULL));
    assert_argument(fer_record_inspect(NULL, 40, &header));
    assert_argument(fer_record_inspect(bytes, 40, NULL));
    assert_null(made_sealer);
    assert_null(made_opener);
    fer_generation_wipe(&keys);
}

/* A table whose only function is missing is no entropy: it must be found before a seal calls it. */
static void test_entropy_without_fill_is_refused(void **state)
{
    static const struct fer_entropy_ops hollow = {NULL};
    const fer_sealer_config down = {FER_DOWN, FER_LANE_LIVE, FER_TWO_WAY, {&hollow, NULL}};
    fer_gateway_config of_gateway = fer_gateway_config_default();
    fer_generation keys;
    fer_sealer *made_sealer = NULL;
    fer_gateway *made_gateway = NULL;
    (void)state;
    fixture_generation(&keys, 0, ROUTE, 0);
    assert_argument(fer_sealer_create(&arena, &keys, &down, &made_sealer));
    fer_generation_wipe(&keys);
    of_gateway.entropy.ops = &hollow;
    assert_argument(fer_gateway_create(&arena, &of_gateway, &made_gateway));
}

static void test_gateway_refuses_null_and_numbers_of_no_context(void **state)
{
    const fer_gateway_config of_gateway = fer_gateway_config_default();
    fer_gateway *made = NULL;
    fer_credential credential;
    fer_gateway_state where;
    fer_unverified header;
    uint32_t number;
    (void)state;
    assert_refused(fer_gateway_create(NULL, &of_gateway, &made));
    assert_argument(fer_gateway_create(&arena, NULL, &made));
    assert_argument(fer_gateway_create(&arena, &of_gateway, NULL));
    assert_null(made);
    assert_argument(fer_gateway_add(gateway, NULL, &number));
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_argument(fer_gateway_add(gateway, &credential, NULL));
    assert_true(fixture_is_all(credential.bytes, sizeof credential.bytes, 0)); /* WIPE */
    for (uint32_t i = 0; i < 2; i++) { /* one not in use, one beyond the last */
        assert_argument(fer_gateway_remove(gateway, i));
        assert_argument(fer_gateway_seal(gateway, i, bytes, 1, out, sizeof out, &length));
        assert_argument(fer_gateway_export(gateway, i, out, sizeof out, &length));
        assert_argument(fer_gateway_get_state(gateway, i, &where));
        assert_argument(fer_gateway_resync(gateway, i, 1));
    }
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_gateway_add(gateway, &credential, &number), FER_OK);
    assert_argument(fer_gateway_open(gateway, NULL, 40, out, sizeof out, &told));
    assert_argument(fer_gateway_open(gateway, bytes, 40, NULL, sizeof out, &told));
    assert_argument(fer_gateway_open(gateway, bytes, 40, out, sizeof out, NULL));
    assert_argument(fer_gateway_receive(gateway, NULL, 40, out, sizeof out, &told));
    assert_argument(fer_gateway_receive(gateway, bytes, 40, NULL, sizeof out, &told));
    assert_argument(fer_gateway_receive(gateway, bytes, 40, out, sizeof out, NULL));
    assert_argument(fer_gateway_commit(gateway, NULL));
    assert_argument(fer_gateway_export(gateway, number, NULL, 1000, &length));
    assert_argument(fer_gateway_export(gateway, number, out, sizeof out, NULL));
    assert_argument(fer_gateway_import(gateway, NULL, 100, &number));
    assert_argument(fer_gateway_import(gateway, bytes, sizeof bytes, NULL));
    assert_argument(fer_gateway_inspect(gateway, NULL, 40, &number, &header));
    assert_argument(fer_gateway_inspect(gateway, bytes, 40, NULL, &header));
    assert_argument(fer_gateway_inspect(gateway, bytes, 40, &number, NULL));
    assert_argument(fer_gateway_verify(gateway, NULL, 40, out, sizeof out));
    assert_argument(fer_gateway_verify(gateway, bytes, 40, NULL, sizeof out));
    assert_argument(fer_gateway_get_counts(gateway, NULL));
    assert_argument(fer_gateway_get_state(gateway, number, NULL));
}

static void test_keys_refuse_null_and_copies(void **state)
{
    const fer_identity identity = {1, bytes, 1, NULL, 0};
    const fer_identity nobody = {1, NULL, 1, NULL, 0};
    const fer_identity nowhere = {1, bytes, 1, NULL, 2};
    const fer_sealer_config up = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    fer_root_key root;
    fer_credential credential;
    fer_credential_info info;
    fer_generation keys;
    fer_generation copy;
    fer_sealer *made = NULL;
    (void)state;
    memset(&root, 7, sizeof root);
    assert_argument(fer_keychain_mint(NULL, &identity, &credential));
    assert_argument(fer_keychain_mint(&root, NULL, &credential));
    assert_true(fixture_is_all(root.bytes, sizeof root.bytes, 0)); /* WIPE */
    memset(&root, 7, sizeof root);
    assert_argument(fer_keychain_mint(&root, &identity, NULL));
    assert_true(fixture_is_all(root.bytes, sizeof root.bytes, 0));
    memset(&root, 7, sizeof root);
    assert_argument(fer_keychain_mint(&root, &nobody, &credential));
    memset(&root, 7, sizeof root);
    assert_argument(fer_keychain_mint(&root, &nowhere, &credential));
    assert_argument(fer_keychain_forward(NULL, 1));
    assert_argument(fer_keychain_expand(NULL, &keys));
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_argument(fer_keychain_expand(&credential, NULL));
    assert_true(fixture_is_all(credential.bytes, sizeof credential.bytes, 0)); /* WIPE */
    assert_argument(fer_credential_parse(NULL, FER_CREDENTIAL_BYTES, &credential));
    assert_argument(fer_credential_parse(bytes, FER_CREDENTIAL_BYTES, NULL));
    assert_argument(fer_credential_get_info(NULL, &info));
    assert_argument(fer_credential_get_info(&credential, NULL));
    fer_credential_wipe(NULL);
    fer_generation_wipe(NULL);
    fixture_generation(&keys, 0, ROUTE, 0);
    memcpy(&copy, &keys, sizeof copy);
    assert_handle(fer_sealer_create(&arena, &copy, &up, &made)); /* NONCE */
    assert_null(made);
    fer_generation_wipe(&keys);
    fer_generation_wipe(&copy);
}

static void test_arena_refuses_null(void **state)
{
    fer_arena_position position = {0};
    fer_arena none = {NULL, 0, 0, NULL};
    (void)state;
    assert_argument(fer_arena_init(NULL, storage, 1));
    assert_argument(fer_arena_init(&none, NULL, 1));
    assert_int_equal(fer_arena_room(NULL), 0);
    assert_int_equal(fer_arena_room(&none), 0);
    assert_argument(fer_arena_mark(NULL, &position));
    assert_argument(fer_arena_mark(&none, &position));
    assert_argument(fer_arena_mark(&arena, NULL));
    assert_argument(fer_arena_rewind(NULL, position));
    assert_argument(fer_arena_rewind(&none, position));
    fer_arena_close(NULL);
    fer_arena_close(&none);
}

static void test_telemetry_refuses_null(void **state)
{
    const fer_reading reading = {0, 1.0, 1};
    const fer_slice hollow = {NULL, 1};
    const fer_event event = {0, FER_TIME_UNIX, FER_INFO, hollow};
    const fer_series series = {1, hollow, hollow};
    const fer_receipt receipt = {1, 2};
    const fer_telemetry_visitor visitor = {0};
    fer_queued_reading packed;
    fer_reading_ring ring = {NULL, 1, 0, 1};
    fer_reading unpacked;
    fer_time_base base;
    fer_health health = {0};
    size_t count;
    (void)state;
    assert_argument(fer_reading_pack(NULL, FER_TIME_UNIX, &packed));
    assert_argument(fer_reading_pack(&reading, FER_TIME_UNIX, NULL));
    assert_int_equal(fer_reading_pack(&reading, FER_TIME_UNIX, &packed), FER_OK);
    fer_reading_unpack(NULL, &unpacked, &base);
    fer_reading_unpack(&packed, NULL, &base);
    fer_reading_unpack(&packed, &unpacked, NULL);
    assert_argument(fer_telemetry_encode_readings(NULL, out, sizeof out, &count, &length));
    assert_argument(fer_telemetry_encode_readings(&ring, out, sizeof out, &count, &length));
    ring.base = &packed;
    assert_argument(fer_telemetry_encode_readings(&ring, NULL, sizeof out, &count, &length));
    assert_argument(fer_telemetry_encode_readings(&ring, out, sizeof out, NULL, &length));
    assert_argument(fer_telemetry_encode_readings(&ring, out, sizeof out, &count, NULL));
    assert_argument(fer_telemetry_encode_event(NULL, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_event(&event, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_health(NULL, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_health(&health, NULL, sizeof out, &length));
    assert_argument(fer_telemetry_encode_health(&health, out, sizeof out, NULL));
    assert_argument(fer_telemetry_encode_raw(hollow, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_series(NULL, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_series(&series, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_receipt(NULL, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_receipt(&receipt, NULL, sizeof out, &length));
    const fer_command command = {1, 0, 0, hollow};
    const fer_result result = {1, FER_RESULT_DONE, hollow};
    assert_argument(fer_telemetry_encode_command(NULL, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_command(&command, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_command(&command, out, sizeof out, NULL));
    assert_argument(fer_telemetry_encode_result(NULL, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_result(&result, out, sizeof out, &length));
    assert_argument(fer_telemetry_encode_result(&result, NULL, sizeof out, &length));
    assert_refused(fer_telemetry_decode(NULL, 1, &visitor));
    assert_argument(fer_telemetry_decode(bytes, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_device_refuses_null, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_record_refuses_null, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_entropy_without_fill_is_refused, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_gateway_refuses_null_and_numbers_of_no_context,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(test_keys_refuse_null_and_copies, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_arena_refuses_null, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_telemetry_refuses_null, open_world, close_world),
    };
    return cmocka_run_group_tests_name("nulls", tests, NULL, NULL);
}
