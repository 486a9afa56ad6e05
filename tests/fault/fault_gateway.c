/* The gateway core where entropy fails at the n-th downlink, once or for good, and where there is
 * no room for a snapshot. Nothing is sealed without a salt, nothing of the plaintext stays in
 * `out`, a number that was tried is never used again (NONCE), what was sent opens once, and a
 * gateway restored from the snapshot of any moment goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "powercut/device_world.h"
#include "record_fixture.h"

enum { MESSAGES = 6, ROOM = 96, ANSWERS = 6, SNAPSHOT = 2048, FILL = 0xA5 };

static const world_plan plan = {"gateway",
                                {"nor", {432, 2, 4, 0xFF, FER_NV_OVERWRITE}, true, false, false},
                                FER_STORE_STRICT,
                                FER_LINK_DATAGRAM,
                                FER_TWO_WAY,
                                WORLD_INBOUND,
                                0,
                                false};

static const int answers[ANSWERS] = {
    FER_PORT_FAILED, FER_PORT_NOT_NOW, FER_PORT_UNCORRECTABLE, FER_PORT_UNKNOWN, -77, 1};
static const uint8_t message[] = "not to be seen";

static uint64_t salts[2 * MESSAGES]; /* of what was sent */
static unsigned sent;
static uint32_t next;

/* A device that was heard, and a gateway that heard it. */
static void begin(void)
{
    world_begin(&plan, 1);
    assert_int_equal(world_install(), FER_OK);
    assert_int_equal(world_create(), FER_OK);
    world_record();
    assert_int_equal(world_drain(FER_LANE_LIVE), FER_EMPTY);
    sent = 0;
    next = 0;
}

static void check_sent(const uint8_t *record, size_t n)
{
    uint8_t out[WORLD_INBOUND];
    size_t used, length;
    fer_unverified header;

    assert_int_equal(fer_record_inspect(record, n, &header), FER_OK);
    assert_int_equal(header.sequence, next);
    for (unsigned i = 0; i < sent; i++) {
        assert_true(salts[i] != header.salt);
    }
    salts[sent++] = header.salt;
    assert_int_equal(fer_device_feed(world_device, record, n, &used, out, sizeof out, &length),
                     FER_OK);
    assert_int_equal(length, sizeof message);
    assert_memory_equal(out, message, sizeof message);
    assert_int_equal(fer_device_feed(world_device, record, n, &used, out, sizeof out, &length),
                     FER_EMPTY);
}

/* One downlink; whether it was sealed. */
static bool send(void)
{
    uint8_t record[ROOM];
    uint8_t out[ROOM];
    size_t n = 0;
    uint32_t fails = world.fails;

    memset(out, FILL, sizeof out);
    fer_status status =
        fer_gateway_seal(world_gateway, 0, message, sizeof message, out, sizeof out, &n);
    if (world.fails != fails) {
        assert_int_equal(status, FER_TROUBLE_ENTROPY);
        assert_true(fer_status_is_fatal(status));
        assert_true(world_is_clean(out, sizeof out));
        assert_int_equal(n, 0);
    } else {
        assert_int_equal(status, FER_OK);
        memcpy(record, out, n);
        check_sent(record, n);
    }
    next++; /* used up either way */
    return status == FER_OK;
}

/* The same context in a gateway that has nothing but the snapshot. */
static void restart(void)
{
    uint8_t snapshot[SNAPSHOT];
    size_t n;
    uint32_t context = 9;

    assert_int_equal(fer_gateway_export(world_gateway, 0, snapshot, sizeof snapshot, &n), FER_OK);
    world_restart_gateway();
    assert_int_equal(fer_gateway_import(world_gateway, snapshot, n, &context), FER_OK);
    assert_int_equal(context, 0);
}

static void fail_at(uint32_t n, int answer, bool for_good)
{
    unsigned sealed = 0;

    begin();
    world.fault = (world_fault){PORT_ENTROPY, n, answer, for_good, false};
    for (unsigned i = 0; i < MESSAGES; i++) {
        sealed += send();
        if (i % 2 == 0) {
            restart();
        }
    }
    assert_int_equal(sealed, for_good ? n : MESSAGES - 1);
    world.fault.at = WORLD_NEVER;
    world.fault.for_good = false;
    assert_true(send());
    world_record(); /* the uplink was never in doubt */
    assert_int_equal(world_drain(FER_LANE_LIVE), FER_EMPTY);
}

static void failing_entropy_seals_nothing(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < MESSAGES; n++) {
        for (unsigned i = 0; i < ANSWERS; i++) {
            fail_at(n, answers[i], false);
            fail_at(n, answers[i], true);
        }
    }
}

/* Too small by every amount: nothing is written, nothing changes. */
static void a_snapshot_is_whole_or_none(void **state)
{
    uint8_t whole[SNAPSHOT], less[SNAPSHOT];
    size_t n, length;

    (void)state;
    begin();
    assert_true(send());
    assert_int_equal(fer_gateway_export(world_gateway, 0, whole, sizeof whole, &n), FER_OK);
    for (size_t capacity = 0; capacity < n; capacity++) {
        memset(less, FILL, sizeof less);
        length = 77;
        assert_int_equal(fer_gateway_export(world_gateway, 0, less, capacity, &length),
                         FER_ERR_CAPACITY);
        assert_true(fixture_is_all(less, sizeof less, FILL));
        assert_int_equal(length, 77);
    }
    assert_int_equal(fer_gateway_export(world_gateway, 0, less, n, &length), FER_OK);
    assert_int_equal(length, n);
    assert_memory_equal(less, whole, n);
}

/* Too little room for a downlink by every amount: no number is used, no entropy is asked for. */
static void a_downlink_is_whole_or_none(void **state)
{
    uint8_t out[ROOM];
    size_t n = 77;

    (void)state;
    begin();
    for (size_t capacity = 0; capacity < sizeof message + FER_OVERHEAD_DOWN(2); capacity++) {
        memset(out, FILL, sizeof out);
        assert_int_equal(
            fer_gateway_seal(world_gateway, 0, message, sizeof message, out, capacity, &n),
            FER_ERR_CAPACITY);
        assert_true(fixture_is_all(out, sizeof out, FILL));
    }
    assert_int_equal(world.calls[PORT_ENTROPY], 0);
    assert_true(send());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_entropy_seals_nothing),
        cmocka_unit_test(a_snapshot_is_whole_or_none),
        cmocka_unit_test(a_downlink_is_whole_or_none),
    };

    return cmocka_run_group_tests_name("fault_gateway", tests, NULL, NULL);
}
