/* gateway: downlink, and the edges of numbers and arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_kit.h"

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

/* ---- restored from a backup --------------------------------------------------------------- */

enum { SEALED = 400 };

/* Entropy as the kernel's: whatever is restored, it goes on. Counts, so that only 8 whole bytes
 * tell two salts apart. */
static uint64_t kernel;
static bool kernel_fails;

static int fill_on(void *entropy_context, uint8_t *out, size_t n)
{
    (void)entropy_context;
    assert_int_equal(n, sizeof kernel);
    kernel++;
    memcpy(out, &kernel, n);
    return kernel_fails ? FER_PORT_FAILED : FER_PORT_OK;
}

/* What makes a nonce of the key of a generation. */
typedef struct used {
    uint32_t sequence;
    uint64_t salt;
} used;

static used used_up[SEALED];
static unsigned used_count;

static void restore(const uint8_t *snapshot, size_t n)
{
    static const struct fer_entropy_ops ops = {fill_on};
    fer_gateway_config config = get_config();

    config.entropy.ops = &ops;
    fer_gateway_close(&gateway);
    assert_int_equal(fer_arena_rewind(&gateway_arena, (fer_arena_position){0}), FER_OK);
    assert_int_equal(fer_gateway_create(&gateway_arena, &config, &gateway), FER_OK);
    assert_int_equal(fer_gateway_import(gateway, snapshot, n, &context), FER_OK);
}

static void seal_down(void)
{
    uint8_t record[sizeof text + FER_OVERHEAD_DOWN(ROUTE)];
    size_t length;
    fer_unverified header;

    assert_int_equal(
        fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &length),
        FER_OK);
    assert_int_equal(fer_record_inspect(record, length, &header), FER_OK);
    assert_int_equal(header.generation, 4);
    used_up[used_count].sequence = header.sequence;
    used_up[used_count++].salt = header.salt;
}

/* NONCE: the numbers begin again, for the gateway forgot them; the salts do not. */
static void a_restored_gateway_repeats_no_nonce(void **state)
{
    uint8_t snapshot[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    size_t n;
    unsigned same_number = 0;

    (void)state;
    used_count = 0;
    kernel_fails = false;
    assert_int_equal(receive_new(4, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(fer_gateway_export(gateway, context, snapshot, sizeof snapshot, &n), FER_OK);
    while (used_count < SEALED) {
        if (used_count % 50 == 0) {
            restore(snapshot, n);
        }
        seal_down();
    }
    for (unsigned i = 0; i < SEALED; i++) {
        for (unsigned j = 0; j < i; j++) {
            bool same = used_up[i].sequence == used_up[j].sequence;
            same_number += same;
            assert_false(same && used_up[i].salt == used_up[j].salt);
        }
    }
    assert_true(same_number > SEALED);
}

static void a_restored_gateway_without_entropy_stops(void **state)
{
    uint8_t snapshot[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    uint8_t record[sizeof text + FER_OVERHEAD_DOWN(ROUTE)];
    size_t n;

    (void)state;
    assert_int_equal(receive_new(4, FER_LANE_LIVE, 0), FER_OK);
    assert_int_equal(fer_gateway_export(gateway, context, snapshot, sizeof snapshot, &n), FER_OK);
    restore(snapshot, n);
    kernel_fails = true;
    for (unsigned i = 0; i < 3; i++) {
        memset(record, 0xEE, sizeof record);
        assert_int_equal(
            fer_gateway_seal(gateway, context, text, sizeof text, record, sizeof record, &n),
            FER_TROUBLE_ENTROPY);
        assert_true(fixture_is_all(record, sizeof record, 0));
    }
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
        cmocka_unit_test_setup(downlink_opens_on_the_device, setup),
        cmocka_unit_test_setup(downlink_starts_again_with_each_generation, setup),
        cmocka_unit_test_setup(downlink_needs_uplink_first, setup),
        cmocka_unit_test_setup(downlink_stops_without_entropy, setup),
        cmocka_unit_test_setup(downlink_ends_with_its_numbers, setup),
        cmocka_unit_test_setup(a_restored_gateway_repeats_no_nonce, setup),
        cmocka_unit_test_setup(a_restored_gateway_without_entropy_stops, setup),
        cmocka_unit_test_setup(the_end_of_generations_is_safe, setup),
        cmocka_unit_test_setup(a_small_output_is_the_callers_mistake, setup),
        cmocka_unit_test_setup(looking_checks_its_arguments, setup),
        cmocka_unit_test_setup(close_nulls, setup),
    };
    return cmocka_run_group_tests_name("gateway_downlink", tests, NULL, NULL);
}
