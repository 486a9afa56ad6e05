/* Tests: sessions whose responder, or whose context, is replaced: they go on where they are told
 * to, and nothing of one device becomes another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal/gateway.h"
#include "session_kit.h"

/* ---- from one responder to the next ------------------------------------------------------ */

FER_ARENA(next_arena, FER_GATEWAY_SIZE(CONTEXTS, 3, WINDOW, 6) +
                          FER_RESPONDER_SIZE(CONTEXTS, SESSIONS, WINDOW));

static const uint8_t other_route[] = {9, 8, 7, 6};
static const fer_identity another = {3, (const uint8_t *)"pump-8", 6, other_route,
                                     sizeof other_route};

/* Another gateway of the same device, with its own numbers of contexts, as after a reload. */
static void make_next(fer_responder_config *config, const fer_static_public *device)
{
    const fer_identity identity = get_identity();
    fer_credential credential;
    uint32_t ignored;

    assert_int_equal(FER_OK, fer_arena_rewind(&next_arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_gateway_create(&next_arena, &gateway->config, &config->gateway));
    fixture_mint_as(&credential, 1, "pump-8", other_route, sizeof other_route);
    assert_int_equal(FER_OK, fer_gateway_add(config->gateway, &credential, &ignored));
    credential = get_credential(0, 0);
    assert_int_equal(FER_OK, fer_gateway_add(config->gateway, &credential, &context));
    assert_int_equal(context, 1);
    assert_int_equal(FER_OK, fer_responder_create(&next_arena, config, &responder));
    assert_int_equal(FER_OK, fer_responder_pin(responder, context, &identity, device, durable));
}

/* Sessions go on elsewhere, current and pending: numbers and windows with them (NONCE, ONCE). */
static void test_adopting(void **state)
{
    fer_responder *former = responder;
    fer_responder_config config = responder->config;
    struct packet old[3];
    struct packet down;
    fer_opened opened;
    uint8_t out[PACKET];

    (void)state;
    boot(3);
    shake();
    carry_up();
    carry_down();
    seal_up(&old[0]);
    assert_int_equal(FER_OK, receive_up(&old[0]));
    seal_up(&old[1]);
    seal_up(&old[2]);
    assert_int_equal(FER_OK, open_up(&old[2], &opened));
    make_next(&config, &device_public);
    assert_int_equal(FER_OK, fer_responder_adopt(responder, context, former, 0));
    assert_int_equal(FER_DROP_ROUTE, fer_responder_commit(former, &opened.ticket));
    assert_int_equal(FER_DROP_ROUTE, fer_responder_open(former, old[1].bytes, old[1].length, out,
                                                        sizeof out, &opened));
    assert_int_equal(FER_DROP_REPLAY, receive_up(&old[0]));
    assert_int_equal(FER_OK, receive_up(&old[1]));
    assert_int_equal(FER_OK, seal_down(&down));
    assert_int_equal(FER_OK, open_down(&down)); /* the next number of the same salted nonces */
    assert_int_equal(FER_ERR_ORDER, fer_responder_seal(former, 0, text, sizeof text, down.bytes,
                                                       PACKET, &down.length));
    fer_responder_close(&former); /* takes nothing of it along */
    carry_up();
    carry_down();
}

static void test_adopting_what_is_pending(void **state)
{
    fer_responder *former = responder;
    fer_responder_config config = responder->config;
    struct packet old;

    (void)state;
    shake();
    carry_up();
    seal_up(&old);
    boot(7);
    shake();
    make_next(&config, &device_public);
    assert_int_equal(FER_OK, fer_responder_adopt(responder, context, former, 0));
    assert_int_equal(FER_OK, receive_up(&old)); /* the current one still is */
    carry_up();
    assert_int_equal(FER_DROP_ROUTE, receive_up(&old));
    assert_int_equal(config.gateway->contexts[context].cur, 7);
}

/* Another device's, or another key's, it does not take; nor where there is no room. */
static void test_not_adopting(void **state)
{
    fer_responder *former = responder;
    fer_responder_config config = responder->config;
    fer_static_public other = device_public;

    (void)state;
    shake();
    carry_up();
    other.bytes[0] ^= 1;
    make_next(&config, &other);
    assert_int_equal(FER_ERR_ARGUMENT, fer_responder_adopt(responder, context, former, 0));
    assert_int_equal(FER_ERR_ARGUMENT, fer_responder_adopt(responder, 0, former, 0));
    assert_int_equal(FER_OK, fer_responder_pin(responder, 0, &another, &device_public, durable));
    assert_int_equal(FER_ERR_ARGUMENT, fer_responder_adopt(responder, 0, former, 0));
    assert_int_equal(FER_ERR_ARGUMENT, fer_responder_adopt(responder, context, former, CONTEXTS));
    assert_int_equal(FER_ERR_ARGUMENT, fer_responder_adopt(former, 0, former, 0));
    assert_int_equal(FER_ERR_HANDLE, fer_responder_adopt(NULL, 0, former, 0));
    assert_int_equal(FER_ERR_HANDLE, fer_responder_adopt(responder, 0, NULL, 0));
    config.window_bits = 2u * WINDOW;
    config.sessions = 1;
    make_next(&config, &device_public);
    assert_int_equal(FER_ERR_ARGUMENT, fer_responder_adopt(responder, context, former, 0));
}

/* The current session comes first; what finds no place ends, and is not there twice. */
static void test_adopting_without_room(void **state)
{
    fer_responder *former = responder;
    fer_responder_config config = responder->config;
    struct packet old;
    struct packet pending;

    (void)state;
    shake();
    carry_up();
    seal_up(&old);
    boot(2);
    shake();
    seal_up(&pending);
    config.sessions = 1;
    make_next(&config, &device_public);
    assert_int_equal(FER_OK, fer_responder_adopt(responder, context, former, 0));
    assert_int_equal(FER_DROP_ROUTE, receive_up(&pending));
    assert_int_equal(FER_OK, receive_up(&old));
    responder = former;
    assert_int_equal(FER_DROP_ROUTE, receive_up(&pending));
}

/* A session of the next responder has the same route, by chance: the one that would come is not
 * found beside it, and ends. */
static void test_adopting_beside_the_same_route(void **state)
{
    fer_responder *former = responder;
    fer_responder_config config = responder->config;
    struct packet record;

    (void)state;
    shake();
    carry_up();
    seal_up(&record);
    const struct fer_responder_session *old = &former->sessions[former->peers[0].current];
    make_next(&config, &device_public);
    memcpy(responder->sessions[1].route, old->route, sizeof old->route);
    responder->sessions[1].route_length = old->route_length;
    fer_responder_list(responder, 1);
    assert_int_equal(FER_OK, fer_responder_adopt(responder, context, former, 0));
    assert_int_equal(responder->peers[context].current, FER_NO_SESSION);
    assert_int_equal(FER_DROP_ROUTE, receive_up(&record));
}

/* ---- contexts that are given out again --------------------------------------------------------
 */

static void replace_context(void)
{
    fer_credential credential;
    uint32_t number = 99;

    assert_int_equal(FER_OK, fer_gateway_remove(gateway, context));
    fixture_mint_as(&credential, 1, "pump-8", other_route, sizeof other_route);
    assert_int_equal(FER_OK, fer_gateway_add(gateway, &credential, &number));
    assert_int_equal(number, context);
}

/* The device that had the number before: its sessions are over, pending or not, and move nothing of
 * the one that has it now. */
static void test_a_context_that_is_anothers(void **state)
{
    struct packet record;
    struct packet down;
    fer_opened opened;

    for (unsigned heard = 0; heard < 2; heard++) {
        setup(state);
        boot(SKIP / 2u);
        shake();
        if (heard != 0) {
            carry_up();
        }
        seal_up(&record);
        assert_int_equal(FER_OK, open_up(&record, &opened));
        replace_context();
        assert_int_equal(FER_DROP_ROUTE, fer_responder_commit(responder, &opened.ticket));
        assert_int_equal(FER_DROP_ROUTE, receive_up(&record));
        assert_int_equal(FER_ERR_ORDER, seal_down(&down));
        assert_int_equal(gateway->contexts[context].cur, 0);
        assert_int_equal(gateway->contexts[context].floor, 0);
        assert_int_equal(gateway->contexts[context].flags & FER_CONTEXT_HEARD, 0);
    }
}

static void test_a_context_that_is_gone(void **state)
{
    struct packet record;
    struct packet first;
    struct packet second;
    fer_opened opened;

    (void)state;
    boot(5);
    shake();
    seal_up(&record);
    assert_int_equal(FER_OK, open_up(&record, &opened));
    assert_int_equal(FER_OK, fer_gateway_remove(gateway, context));
    assert_int_equal(FER_DROP_ROUTE, fer_responder_commit(responder, &opened.ticket));
    assert_int_equal(FER_DROP_ROUTE, receive_up(&record));
    assert_int_equal(gateway->contexts[context].flags & FER_CONTEXT_HEARD, 0);
    now += 2u * RENEW_MS;
    take_first(&first);
    assert_int_equal(FER_DROP_ROUTE, greet(&first, &second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_adopting, setup),
        cmocka_unit_test_setup(test_adopting_what_is_pending, setup),
        cmocka_unit_test_setup(test_not_adopting, setup),
        cmocka_unit_test_setup(test_adopting_without_room, setup),
        cmocka_unit_test_setup(test_adopting_beside_the_same_route, setup),
        cmocka_unit_test_setup(test_a_context_that_is_anothers, setup),
        cmocka_unit_test_setup(test_a_context_that_is_gone, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
