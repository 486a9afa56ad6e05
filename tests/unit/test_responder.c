/* Tests: sessions between a greeter and a responder, from the gateway's side: what is answered,
 * what is dropped, which session is current. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal/poison.h"
#include "session_kit.h"

static void test_a_session(void **state)
{
    struct packet record;

    (void)state;
    shake();
    assert_int_equal(FER_ERR_ORDER, seal_down(&record)); /* not before the device was heard in it */
    carry_up();
    carry_up();
    carry_down();
    assert_int_equal(durable.generation, 0);
    assert_int_equal(durable.attempt, 1);
}

/* Opening changes nothing: not the window, and not which session is current (FIRST). */
static void test_two_phases(void **state)
{
    struct packet record;
    struct packet down;
    fer_opened opened;
    fer_opened again;

    (void)state;
    shake();
    seal_up(&record);
    assert_int_equal(FER_OK, open_up(&record, &opened));
    assert_int_equal(FER_OK, open_up(&record, &again));
    assert_int_equal(FER_ERR_ORDER, seal_down(&down));
    assert_int_equal(FER_OK, fer_responder_commit(responder, &opened.ticket));
    assert_int_equal(FER_DROP_REPLAY, fer_responder_commit(responder, &again.ticket));
    assert_int_equal(FER_OK, seal_down(&down));
}

/* A packet that was answered once, or came before one that was, starts nothing: also after a
 * restart of the gateway, which remembers the mark. */
static void test_replayed_greetings(void **state)
{
    struct packet packets[3];
    struct packet second;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        take_first(&packets[i]);
        now += 1000u * RETRY_MS;
    }
    assert_int_equal(FER_OK, greet(&packets[1], &second));
    assert_int_equal(FER_DROP_REPLAY, greet(&packets[1], &second));
    assert_int_equal(FER_DROP_REPLAY, greet(&packets[0], &second));
    start_gateway();
    assert_int_equal(FER_DROP_REPLAY, greet(&packets[1], &second));
    assert_int_equal(FER_OK, greet(&packets[2], &second));
}

/* Every byte: without the gateway's public key none can be changed, and it costs no curve. */
static void test_changed_greetings(void **state)
{
    struct packet first;
    struct packet second;

    (void)state;
    take_first(&first);
    for (size_t at = 0; at < first.length - FER_GREETING_MAC_BYTES; at++) {
        first.bytes[at] ^= 0x40;
        fer_status status = greet(&first, &second);
        assert_true(status == FER_DROP_FORGED || status == FER_DROP_ROUTE ||
                    status == FER_DROP_MALFORMED);
        first.bytes[at] ^= 0x40;
    }
    assert_int_equal(FER_OK, greet(&first, &second));
}

/* Someone who knows the gateway's public key, but is not the device: the header is bound by the
 * prologue, the message by the keys. */
static void test_changed_by_an_insider(void **state)
{
    struct packet first;
    struct packet second;
    size_t whole;

    (void)state;
    take_first(&first);
    size_t n = first.length - 2u * FER_GREETING_MAC_BYTES;
    for (size_t at = 1 + ROUTE + 1; at < n; at++) {
        struct packet changed = first;
        changed.bytes[at] ^= 0x01;
        assert_int_equal(FER_OK,
                         fer_greeting_end(changed.bytes, n, PACKET, &gateway_public, NULL, &whole));
        fer_status status = greet(&changed, &second);
        assert_true(status == FER_DROP_FORGED || status == FER_DROP_FAR ||
                    status == FER_DROP_REPLAY);
        assert_int_equal(durable.attempt, 0);
    }
    assert_int_equal(FER_OK, greet(&first, &second));
}

static void test_another_device_key(void **state)
{
    const fer_identity identity = get_identity();
    struct packet first;
    struct packet second;
    fer_static_public other = device_public;

    (void)state;
    take_first(&first);
    other.bytes[3] ^= 1;
    assert_int_equal(FER_OK, fer_responder_pin(responder, context, &identity, &other, durable));
    assert_int_equal(FER_DROP_FORGED, greet(&first, &second));
    assert_int_equal(FER_OK, fer_responder_forget(responder, context));
    assert_int_equal(FER_DROP_ROUTE, greet(&first, &second));
    assert_int_equal(FER_OK,
                     fer_responder_pin(responder, context, &identity, &device_public, durable));
    assert_int_equal(FER_OK, greet(&first, &second));
}

/* The right static key without the chain: the answer tells nobody else anything, and no session
 * comes of it. */
static void test_another_chain(void **state)
{
    fer_credential other = get_credential(1, 0);
    struct packet first;
    struct packet second;

    (void)state;
    assert_int_equal(FER_OK, fer_greeter_rekey(greeter, &other));
    take_first(&first);
    assert_int_equal(FER_OK, greet(&first, &second));
    assert_int_equal(FER_DROP_FORGED, fer_greeter_feed(greeter, now, second.bytes, second.length));
    assert_null(fer_greeter_get_sealer(greeter));
}

/* What the gateway no longer opens it does not greet: its floor follows the records. */
static void test_below_the_floor(void **state)
{
    struct packet first;
    struct packet second;
    struct packet record;
    fer_opened opened;
    uint8_t out[PACKET];
    fer_generation keys;
    fer_sealer *sealer;
    const fer_sealer_config config = {.direction = FER_UP, .way = FER_TWO_WAY};

    (void)state;
    boot(3);
    take_first(&first);
    fixture_generation(&keys, 0, ROUTE, REACH + 4);
    assert_int_equal(FER_OK, fer_sealer_create(&device_arena, &keys, &config, &sealer));
    assert_int_equal(FER_OK, fer_sealer_seal(sealer, text, sizeof text, record.bytes,
                                             sizeof record.bytes, &record.length));
    assert_int_equal(FER_OK, fer_gateway_receive(gateway, record.bytes, record.length, out,
                                                 sizeof out, &opened));
    assert_int_equal(FER_DROP_OLD, greet(&first, &second));
    boot(4);
    take_first(&first);
    assert_int_equal(FER_OK, greet(&first, &second));
}

/* The session before stays until the first record of the next one has been accepted. */
static void test_renewal(void **state)
{
    struct packet old_record;
    struct packet new_record;
    struct packet down;
    fer_opened opened;

    (void)state;
    shake();
    carry_up();
    seal_up(&old_record);
    assert_int_equal(FER_OK, open_up(&old_record, &opened)); /* opened, and not committed yet */
    now += RENEW_MS;
    shake();
    assert_int_equal(FER_OK, seal_down(&down));
    assert_int_equal(FER_DROP_ROUTE, open_down(&down)); /* still of the former session */
    seal_up(&new_record);
    assert_int_equal(FER_OK, receive_up(&new_record));
    carry_down();
    assert_int_equal(FER_DROP_ROUTE, receive_up(&old_record));
    assert_int_equal(FER_DROP_ROUTE, fer_responder_commit(responder, &opened.ticket));
}

/* Many renewals take no more room than two sessions. */
static void test_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5u * SESSIONS; i++) {
        shake();
        if (i % 3 != 0) { /* else the new session is never used, and replaced while pending */
            carry_up();
        }
        now += RENEW_MS;
    }
}

static void test_no_room(void **state)
{
    struct packet first;
    struct packet second;
    fer_opener *taken = (fer_opener *)(void *)&second; /* what stands in a session that is in use */

    (void)state;
    for (unsigned i = 0; i < SESSIONS; i++) {
        responder->sessions[i].opener = taken;
        responder->sessions[i].route_length = 0;
    }
    take_first(&first);
    assert_int_equal(FER_NOT_NOW, greet(&first, &second));
    for (unsigned i = 0; i < SESSIONS; i++) {
        responder->sessions[i].opener = NULL;
    }
    assert_int_equal(FER_DROP_REPLAY, greet(&first, &second)); /* the device tries again */
    now += 2u * RETRY_MS;
    shake();
}

static void test_revoked_at_once(void **state)
{
    struct packet record;
    fer_opened opened;

    (void)state;
    shake();
    carry_up();
    seal_up(&record);
    assert_int_equal(FER_OK, open_up(&record, &opened));
    assert_int_equal(FER_OK, fer_responder_forget(responder, context));
    assert_int_equal(FER_DROP_ROUTE, fer_responder_commit(responder, &opened.ticket));
    assert_true(fixture_is_all((const uint8_t *)&opened.ticket, sizeof opened.ticket, 0));
    assert_int_equal(FER_DROP_ROUTE, receive_up(&record));
    assert_int_equal(FER_ERR_ORDER, seal_down(&record));
}

static void test_entropy_fails(void **state)
{
    struct packet first;
    struct packet second;

    (void)state;
    for (unsigned call = 1; call <= 2; call++) { /* the route, the ephemeral key */
        take_first(&first);
        gateway_entropy.fail_at = call;
        assert_int_equal(FER_TROUBLE_ENTROPY, greet(&first, &second));
        now += 100u * RETRY_MS;
    }
    shake();
}

static void test_foreign_records(void **state)
{
    struct packet record = {.length = 30};
    fer_opened opened;
    uint8_t out[PACKET];

    (void)state;
    shake();
    memset(out, 0xA5, sizeof out);
    assert_int_equal(FER_DROP_ROUTE, fer_responder_open(responder, record.bytes, record.length, out,
                                                        sizeof out, &opened));
    assert_true(fixture_is_all(out, record.length - FER_OVERHEAD_SHORT(0), 0));
    seal_up(&record);
    record.bytes[record.length - 1] ^= 1;
    assert_int_equal(FER_DROP_FORGED, receive_up(&record));
}

/* Two devices at once: each has its own sessions. */
static void test_another_device(void **state)
{
    static const uint8_t route[] = {9, 8, 7, 6};
    const fer_identity identity = {3, (const uint8_t *)"pump-8", 6, route, sizeof route};
    fer_credential credential;
    fer_credential kept;
    struct packet record;
    fer_opened opened;

    (void)state;
    shake();
    carry_up();
    seal_up(&record);
    fixture_mint_as(&credential, 1, "pump-8", route, sizeof route);
    kept = credential;
    assert_int_equal(FER_OK, fer_gateway_add(gateway, &credential, &context));
    assert_int_equal(FER_OK, fer_responder_pin(responder, context, &identity, &device_public,
                                               (fer_greeted){0, 0}));
    make_greeter();
    assert_int_equal(FER_OK, fer_greeter_rekey(greeter, &kept));
    shake();
    carry_up();
    carry_down();
    assert_int_equal(FER_OK, fer_responder_forget(responder, context));
    context = 1u - context; /* the first one's session is none of it */
    assert_int_equal(FER_OK, open_up(&record, &opened));
    assert_int_equal(FER_OK, fer_responder_commit(responder, &opened.ticket));
}

/* A device far ahead costs the gateway its chain once, not at each greeting. */
static void test_the_chain_is_kept(void **state)
{
    fer_gateway_counts before;
    fer_gateway_counts after;

    (void)state;
    boot(SKIP);
    shake();
    assert_int_equal(FER_OK, fer_gateway_get_counts(gateway, &before));
    assert_int_equal(before.chain_steps, SKIP);
    now += RENEW_MS;
    shake();
    assert_int_equal(FER_OK, fer_gateway_get_counts(gateway, &after));
    assert_int_equal(after.chain_steps, before.chain_steps);
}

/* What is refused costs no step of the chain: a stranger cannot make a gateway ratchet. */
static void test_strangers_cost_no_chain(void **state)
{
    struct packet first;
    struct packet second;
    fer_gateway_counts counts;
    size_t whole;

    (void)state;
    boot(SKIP);
    take_first(&first);
    size_t n = first.length - 2u * FER_GREETING_MAC_BYTES;
    first.bytes[n - 1] ^= 1;
    assert_int_equal(FER_OK,
                     fer_greeting_end(first.bytes, n, PACKET, &gateway_public, NULL, &whole));
    assert_int_equal(FER_DROP_FORGED, greet(&first, &second));
    assert_int_equal(FER_OK, fer_gateway_get_counts(gateway, &counts));
    assert_int_equal(counts.chain_steps, 0);
}

/* Nothing of a key is left (WIPE). Under AddressSanitizer it is poisoned as well. */
static void test_close_wipes(void **state)
{
    (void)state;
#ifndef FER_POISON_ON
    const uint8_t *at = (const uint8_t *)responder;

    shake();
    fer_responder_close(&responder);
    assert_true(fixture_is_all(at, FER_RESPONDER_SIZE(CONTEXTS, SESSIONS, WINDOW), 0));
    at = (const uint8_t *)greeter;
    fer_greeter_close(&greeter);
    assert_true(fixture_is_all(at, FER_GREETER_SIZE(WINDOW), 0));
#else
    skip();
#endif
}

/* A responder for fewer contexts than the gateway has knows no others. */
static void test_fewer_contexts(void **state)
{
    static const uint8_t route[] = {9, 8};
    const fer_identity identity = {3, (const uint8_t *)"pump-8", 6, route, sizeof route};
    fer_responder_config config = responder->config;
    fer_credential credential;
    FER_ARENA(arena, FER_RESPONDER_SIZE(1, SESSIONS, WINDOW));

    (void)state;
    fixture_mint_as(&credential, 1, "pump-8", route, sizeof route);
    assert_int_equal(FER_OK, fer_gateway_add(gateway, &credential, &context));
    assert_int_equal(context, 1);
    config.contexts = 1;
    assert_int_equal(FER_OK, fer_responder_create(&arena, &config, &responder));
    assert_int_equal(FER_ERR_ARGUMENT,
                     fer_responder_pin(responder, context, &identity, &device_public, durable));
    fer_responder_close(&responder);
}

/* The macro's bytes are enough. */
static void test_size(void **state)
{
    FER_ARENA(exact, FER_RESPONDER_SIZE(CONTEXTS, SESSIONS, WINDOW));
    const fer_responder_config config = {.gateway = gateway,
                                         .contexts = CONTEXTS,
                                         .sessions = SESSIONS,
                                         .window_bits = WINDOW,
                                         .entropy = {&fixture_entropy_ops, &gateway_entropy}};
    fer_responder *made = NULL;

    (void)state;
    assert_int_equal(FER_OK, fer_responder_create(&exact, &config, &made));
    fer_responder_close(&made);
}

/* Sessions are found by route, however routes share buckets, and in any order of their ends. */
static void test_finding(void **state)
{
    static const uint8_t route[][2] = {{1, 1}, {1, 5}, {0, 2}, {3, 0}};

    (void)state;
    for (unsigned gone = 0; gone < SESSIONS; gone++) {
        uint32_t ended = gone;

        start_gateway();
        for (uint32_t i = 0; i < SESSIONS; i++) {
            memcpy(responder->sessions[i].route, route[i], 2);
            responder->sessions[i].route_length = 2;
            fer_responder_list(responder, i);
        }
        fer_responder_end(responder, &ended);
        assert_int_equal(ended, FER_NO_SESSION);
        for (uint32_t i = 0; i < SESSIONS; i++) {
            assert_int_equal(fer_responder_find(responder, route[i], 2),
                             i == gone ? FER_NO_SESSION : i);
        }
        assert_int_equal(fer_responder_find(responder, (const uint8_t *)"\1\1\0\0", 4),
                         FER_NO_SESSION);
    }
}

static void test_arguments(void **state)
{
    struct packet first;
    struct packet second;
    uint32_t who;
    fer_greeted mark;
    fer_identity other = get_identity();

    (void)state;
    take_first(&first);
    assert_int_equal(FER_ERR_CAPACITY,
                     fer_responder_greet(responder, first.bytes, first.length, second.bytes, 64,
                                         &second.length, &who, &mark));
    other.epoch++;
    assert_int_equal(FER_ERR_ARGUMENT,
                     fer_responder_pin(responder, context, &other, &device_public, durable));
    other = get_identity();
    assert_int_equal(FER_ERR_ARGUMENT,
                     fer_responder_pin(responder, CONTEXTS - 1, &other, &device_public, durable));
    fer_responder copy = *responder;
    assert_int_equal(FER_ERR_HANDLE, fer_responder_forget(&copy, context));
    fer_responder_close(&responder);
    assert_null(responder);
    assert_int_equal(FER_ERR_HANDLE, fer_responder_forget(responder, context));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_session, setup),
        cmocka_unit_test_setup(test_two_phases, setup),
        cmocka_unit_test_setup(test_replayed_greetings, setup),
        cmocka_unit_test_setup(test_changed_greetings, setup),
        cmocka_unit_test_setup(test_changed_by_an_insider, setup),
        cmocka_unit_test_setup(test_another_device_key, setup),
        cmocka_unit_test_setup(test_another_chain, setup),
        cmocka_unit_test_setup(test_below_the_floor, setup),
        cmocka_unit_test_setup(test_renewal, setup),
        cmocka_unit_test_setup(test_room, setup),
        cmocka_unit_test_setup(test_no_room, setup),
        cmocka_unit_test_setup(test_revoked_at_once, setup),
        cmocka_unit_test_setup(test_entropy_fails, setup),
        cmocka_unit_test_setup(test_foreign_records, setup),
        cmocka_unit_test_setup(test_another_device, setup),
        cmocka_unit_test_setup(test_the_chain_is_kept, setup),
        cmocka_unit_test_setup(test_strangers_cost_no_chain, setup),
        cmocka_unit_test_setup(test_close_wipes, setup),
        cmocka_unit_test_setup(test_fewer_contexts, setup),
        cmocka_unit_test_setup(test_size, setup),
        cmocka_unit_test_setup(test_finding, setup),
        cmocka_unit_test_setup(test_arguments, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
