/* Tests: what a session proves of its device's generation, how it ends, and early data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal/gateway.h"
#include "session_kit.h"

static const uint8_t news[] = "door 3 is open";

/* ---- generations ------------------------------------------------------------------------ */

/* The gateway starts anew with the chain as it was saved. */
static void restart_gateway_from(const uint8_t *snapshot, size_t n)
{
    uint32_t restored = 99;

    start_gateway();
    assert_int_equal(FER_OK, fer_gateway_import(gateway, snapshot, n, &restored));
    assert_int_equal(restored, context);
}

/* How far a greeting may be ahead: of what was proved, not of what was answered. */
static void test_generations(void **state)
{
    struct packet first;
    struct packet second;

    (void)state;
    boot(SKIP + 1);
    take_first(&first);
    assert_int_equal(FER_DROP_FAR, greet(&first, &second));
    boot(SKIP);
    shake();
    boot(SKIP + 1);
    take_first(&first);
    assert_int_equal(FER_DROP_FAR, greet(&first, &second));
    boot(SKIP);
    take_first(&first); /* the attempt that was answered above */
    assert_int_equal(FER_DROP_REPLAY, greet(&first, &second));
    now += 2u * RETRY_MS;
    shake();
    carry_up();
    boot(2u * SKIP);
    take_first(&first);
    assert_int_equal(FER_OK, greet(&first, &second));
    boot(SKIP);
    take_first(&first);
    assert_int_equal(FER_DROP_REPLAY, greet(&first, &second));
}

/* A device that speaks in sessions alone goes on for longer than max_skip generations. */
static void test_sessions_prove_generations(void **state)
{
    uint8_t snapshot[FER_SNAPSHOT_SIZE(3, WINDOW)];
    size_t n = 0;

    (void)state;
    for (uint32_t at = 0; at <= 3u * SKIP; at += SKIP / 2u) {
        boot(at);
        shake();
        carry_up();
        assert_int_equal(gateway->contexts[context].cur, at);
        assert_int_equal(gateway->contexts[context].floor, at < REACH ? 0 : at - REACH);
        assert_true((gateway->contexts[context].flags & FER_CONTEXT_HEARD) != 0);
        assert_int_equal(FER_OK,
                         fer_gateway_export(gateway, context, snapshot, sizeof snapshot, &n));
        restart_gateway_from(snapshot, n);
        assert_int_equal(gateway->contexts[context].cur, at);
    }
}

/* Neither a greeting, nor an answered one, nor a record that was only opened proves anything. */
static void test_only_an_accepted_record_proves(void **state)
{
    struct packet record;
    fer_opened opened;
    uint8_t before[FER_SNAPSHOT_SIZE(3, WINDOW)];
    uint8_t after[sizeof before];
    size_t n = 0;

    (void)state;
    boot(5);
    assert_int_equal(FER_OK, fer_gateway_export(gateway, context, before, sizeof before, &n));
    shake();
    seal_up(&record);
    assert_int_equal(FER_OK, open_up(&record, &opened));
    record.bytes[record.length - 1] ^= 1;
    assert_int_equal(FER_DROP_FORGED, receive_up(&record));
    assert_int_equal(FER_OK, fer_gateway_export(gateway, context, after, sizeof after, &n));
    assert_memory_equal(before, after, n);
    assert_int_equal(FER_OK, fer_responder_commit(responder, &opened.ticket));
    assert_int_equal(gateway->contexts[context].cur, 5);
}

static fer_sealer *make_chain_sealer(fer_arena *arena, uint32_t at)
{
    fer_credential credential = get_credential(0, at);
    const fer_sealer_config config = {FER_UP, FER_LANE_LIVE, FER_ONE_WAY, {NULL, NULL}};
    fer_generation keys;
    fer_sealer *sealer = NULL;

    assert_int_equal(FER_OK, fer_keychain_expand(&credential, &keys));
    assert_int_equal(FER_OK, fer_sealer_create(arena, &keys, &config, &sealer));
    fer_generation_wipe(&keys);
    return sealer;
}

/* ONCE holds across it: what the generations before had accepted stays accepted, what is late still
 * comes in, and the chain goes on where the session left it. */
static void test_the_chain_goes_on(void **state)
{
    struct packet records[3];
    uint8_t out[PACKET];
    fer_opened opened;
    FER_ARENA(arena, 2u * FER_SEALER_SIZE);
    fer_sealer *sealers[] = {make_chain_sealer(&arena, 1), make_chain_sealer(&arena, 4)};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(FER_OK, fer_sealer_seal(sealers[i / 2], text, sizeof text,
                                                 records[i].bytes, PACKET, &records[i].length));
    }
    assert_int_equal(FER_OK, fer_gateway_receive(gateway, records[0].bytes, records[0].length, out,
                                                 sizeof out, &opened));
    boot(4);
    shake();
    carry_up();
    static const fer_status want[] = {FER_DROP_REPLAY, FER_OK, FER_OK};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(want[i], fer_gateway_receive(gateway, records[i].bytes, records[i].length,
                                                      out, sizeof out, &opened));
    }
    assert_int_equal(gateway->contexts[context].cur, 4);
}

/* A session whose device has gone on meanwhile does not lead the chain back. */
static void test_an_old_session_leads_nowhere_back(void **state)
{
    struct packet record;
    uint8_t out[PACKET];
    fer_opened opened;
    FER_ARENA(arena, FER_SEALER_SIZE);
    fer_sealer *sealer = make_chain_sealer(&arena, 9);

    (void)state;
    boot(2);
    shake();
    assert_int_equal(
        FER_OK, fer_sealer_seal(sealer, text, sizeof text, record.bytes, PACKET, &record.length));
    assert_int_equal(FER_OK, fer_gateway_receive(gateway, record.bytes, record.length, out,
                                                 sizeof out, &opened));
    carry_up();
    assert_int_equal(gateway->contexts[context].cur, 9);
}

/* ---- ends ------------------------------------------------------------------------------- */

static void test_leaving(void **state)
{
    struct packet record;

    (void)state;
    shake();
    carry_up();
    seal_up(&record);
    assert_int_equal(FER_OK, fer_responder_leave(responder, context));
    assert_int_equal(FER_DROP_ROUTE, receive_up(&record));
    assert_int_equal(FER_ERR_ORDER, seal_down(&record));
    assert_int_equal(FER_OK, fer_responder_leave(responder, context)); /* nothing is left to end */
    now += RENEW_MS;
    shake(); /* the device may come again: it is pinned still */
    seal_up(&record);
    assert_int_equal(FER_OK, fer_responder_leave(responder, context)); /* a pending one */
    assert_int_equal(FER_DROP_ROUTE, receive_up(&record));
    assert_int_equal(FER_ERR_ARGUMENT, fer_responder_leave(responder, CONTEXTS));
    assert_int_equal(FER_ERR_HANDLE, fer_responder_leave(NULL, context));
}

/* A ticket of a session that was left meanwhile moves nothing, though its place is in use again. */
static void test_tickets_of_a_session_that_was_left(void **state)
{
    struct packet record;
    fer_opened opened;

    (void)state;
    boot(3);
    shake();
    seal_up(&record);
    assert_int_equal(FER_OK, open_up(&record, &opened));
    assert_int_equal(FER_OK, fer_responder_leave(responder, context));
    now += RENEW_MS;
    shake();
    assert_int_equal(FER_DROP_ROUTE, fer_responder_commit(responder, &opened.ticket));
    assert_int_equal(gateway->contexts[context].cur, 0);
}

/* ---- early data ------------------------------------------------------------------------- */

static void take_early(struct packet *first)
{
    assert_int_equal(FER_OK, fer_greeter_take_early(greeter, now, news, sizeof news, first->bytes,
                                                    PACKET, &first->length));
    assert_int_equal(first->length, FER_GREETING_FIRST_SIZE(ROUTE, sizeof news));
}

static fer_status greet_early(const struct packet *first, struct packet *second, fer_early *early)
{
    uint32_t who = 99;

    return fer_responder_greet_early(responder, first->bytes, first->length, early, second->bytes,
                                     sizeof second->bytes, &second->length, &who, &durable);
}

static void test_early_data(void **state)
{
    uint8_t bytes[sizeof news];
    fer_early early = {bytes, sizeof bytes, 99};
    struct packet first;
    struct packet second;

    (void)state;
    take_early(&first);
    assert_int_equal(FER_OK, greet_early(&first, &second, &early));
    assert_int_equal(early.length, sizeof news);
    assert_memory_equal(bytes, news, sizeof news);
    assert_int_equal(FER_OK, fer_greeter_feed(greeter, now, second.bytes, second.length));
    carry_up();
    carry_down();
    assert_int_equal(FER_DROP_REPLAY, greet_early(&first, &second, &early)); /* ONCE */
    assert_int_equal(early.length, 0);
    assert_true(fixture_is_all(bytes, sizeof bytes, 0));
}

/* Off by default: a gateway that does not ask for it drops the greeting, and so does one with too
 * little room; the device's next one is answered. */
static void test_early_data_is_off(void **state)
{
    uint8_t bytes[sizeof news - 1];
    fer_early early = {bytes, sizeof bytes, 0};
    struct packet first;
    struct packet second;

    (void)state;
    take_early(&first);
    assert_int_equal(FER_DROP_FORGED, greet(&first, &second));
    assert_int_equal(FER_DROP_FORGED, greet_early(&first, &second, &early));
    assert_int_equal(durable.attempt, 0);
    now += 2u * RETRY_MS;
    take_first(&first);
    early.length = 99;
    assert_int_equal(FER_OK, greet_early(&first, &second, &early));
    assert_int_equal(early.length, 0);
}

/* Every byte of it, by someone who knows the gateway's public key: nothing comes out (FIRST). */
static void test_early_data_is_sealed(void **state)
{
    uint8_t bytes[64];
    fer_early early = {bytes, sizeof bytes, 0};
    struct packet first;
    struct packet second;
    size_t whole;

    (void)state;
    take_early(&first);
    size_t n = first.length - 2u * FER_GREETING_MAC_BYTES;
    for (size_t at = n - sizeof news - FER_TAG_BYTES; at < n; at++) {
        struct packet changed = first;

        memset(bytes, 0xA5, sizeof bytes);
        changed.bytes[at] ^= 0x01;
        assert_int_equal(FER_OK,
                         fer_greeting_end(changed.bytes, n, PACKET, &gateway_public, NULL, &whole));
        assert_int_equal(FER_DROP_FORGED, greet_early(&changed, &second, &early));
        assert_int_equal(early.length, 0);
        assert_true(fixture_is_all(bytes, sizeof bytes, 0));
    }
}

/* From a device that is not the one that is pinned, or that cannot be answered now: it is authentic
 * to somebody, and still nothing comes out. */
static void test_early_data_of_the_unanswered(void **state)
{
    const fer_identity identity = get_identity();
    uint8_t bytes[sizeof news];
    fer_early early = {bytes, sizeof bytes, 0};
    fer_static_public other = device_public;
    struct packet first;
    struct packet second;

    (void)state;
    take_early(&first);
    other.bytes[3] ^= 1;
    assert_int_equal(FER_OK, fer_responder_pin(responder, context, &identity, &other, durable));
    assert_int_equal(FER_DROP_FORGED, greet_early(&first, &second, &early));
    assert_true(fixture_is_all(bytes, sizeof bytes, 0));
    assert_int_equal(FER_OK,
                     fer_responder_pin(responder, context, &identity, &device_public, durable));
    gateway_entropy.fail_at = 1;
    assert_int_equal(FER_TROUBLE_ENTROPY, greet_early(&first, &second, &early));
    assert_int_equal(early.length, 0);
    assert_true(fixture_is_all(bytes, sizeof bytes, 0));
}

static void test_early_arguments(void **state)
{
    static uint8_t long_data[FER_EARLY_MAX + 1];
    fer_early nowhere = {NULL, 5, 0};
    struct packet first;
    struct packet second;

    (void)state;
    assert_int_equal(FER_ERR_ARGUMENT,
                     fer_greeter_take_early(greeter, now, long_data, sizeof long_data, first.bytes,
                                            PACKET, &first.length));
    assert_int_equal(FER_ERR_ARGUMENT, fer_greeter_take_early(greeter, now, NULL, 1, first.bytes,
                                                              PACKET, &first.length));
    assert_int_equal(FER_ERR_CAPACITY,
                     fer_greeter_take_early(greeter, now, news, sizeof news, first.bytes,
                                            FER_GREETING_FIRST_SIZE(ROUTE, sizeof news) - 1,
                                            &first.length));
    take_early(&first); /* nothing was used up */
    assert_int_equal(FER_ERR_ARGUMENT, greet_early(&first, &second, NULL));
    assert_int_equal(FER_ERR_ARGUMENT, greet_early(&first, &second, &nowhere));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_generations, setup),
        cmocka_unit_test_setup(test_sessions_prove_generations, setup),
        cmocka_unit_test_setup(test_only_an_accepted_record_proves, setup),
        cmocka_unit_test_setup(test_the_chain_goes_on, setup),
        cmocka_unit_test_setup(test_an_old_session_leads_nowhere_back, setup),
        cmocka_unit_test_setup(test_leaving, setup),
        cmocka_unit_test_setup(test_tickets_of_a_session_that_was_left, setup),
        cmocka_unit_test_setup(test_early_data, setup),
        cmocka_unit_test_setup(test_early_data_is_off, setup),
        cmocka_unit_test_setup(test_early_data_is_sealed, setup),
        cmocka_unit_test_setup(test_early_data_of_the_unanswered, setup),
        cmocka_unit_test_setup(test_early_arguments, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
