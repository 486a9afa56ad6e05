/* Tests of every public entry of handshake, greeting, greeter and responder with null where a
 * pointer is due, and with what is no handle: it answers, and touches nothing (TOTAL). As
 * test_nulls.c and test_handles.c do for the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal/handshake.h"
#include "session_kit.h"

static uint8_t bytes[PACKET];
static uint8_t out[PACKET];
static size_t length;
static fer_handshake *handshake;

static void assert_argument(fer_status status)
{
    assert_int_equal(status, FER_ERR_ARGUMENT);
}

static void assert_handle(fer_status status)
{
    assert_int_equal(status, FER_ERR_HANDLE);
}

static fer_handshake_config make_config(void)
{
    return (fer_handshake_config){.pattern = &fer_pattern_nn,
                                  .role = FER_INITIATOR,
                                  .psk_place = FER_NO_PSK,
                                  .entropy = {&fixture_entropy_ops, &device_entropy}};
}

FER_ARENA(handshake_arena, FER_HANDSHAKE_SIZE);

static int open_all(void **state)
{
    const fer_handshake_config config = make_config();

    (void)setup(state);
    assert_int_equal(FER_OK, fer_arena_rewind(&handshake_arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_handshake_create(&handshake_arena, &config, &handshake));
    return 0;
}

/* ---- no handles ------------------------------------------------------------------------- */

enum { FALSE_HANDLES = 4, HEAD = 64 };

static fer_arena_cell zeros[HEAD];
static fer_arena_cell copied[HEAD];

/* The n-th thing that is no handle of the type of `open`: null, what close leaves, a copy, and one
 * of another type. */
static void *get_false_handle(unsigned n, const void *open, size_t size, void *other)
{
    void *const no[FALSE_HANDLES] = {NULL, zeros, copied, other};

    memset(zeros, 0, sizeof zeros);
    memset(copied, 0, sizeof copied);
    memcpy(copied, open, size < sizeof copied ? size : sizeof copied);
    return no[n];
}

static void test_handshake_refuses_false_handles(void **state)
{
    const fer_session_config config = {.identity = get_identity(), .window_bits = WINDOW};
    fer_session session;
    fer_static_public peer;

    (void)state;
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_handshake *no = get_false_handle(n, handshake, sizeof *handshake, greeter);
        fer_handshake *kept = no;

        assert_int_equal(fer_handshake_get_turn(no), FER_TURN_FAILED);
        assert_int_equal(fer_handshake_get_overhead(no), 0);
        assert_handle(fer_handshake_write(no, bytes, 1, out, sizeof out, &length));
        assert_handle(fer_handshake_read(no, bytes, 40, out, sizeof out, &length));
        assert_handle(fer_handshake_get_peer(no, &peer));
        assert_handle(fer_handshake_get_binding(no, out));
        assert_handle(fer_handshake_finish(&kept, &device_arena, &config, &session));
        fer_handshake_close(&kept);
        assert_ptr_equal(kept, no);
    }
    assert_handle(fer_handshake_finish(NULL, &device_arena, &config, &session));
    fer_handshake_close(NULL);
}

static void test_greeter_refuses_false_handles(void **state)
{
    const fer_credential credential = get_credential(0, 0);

    (void)state;
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_greeter *no = get_false_handle(n, greeter, HEAD, responder);
        fer_greeter *kept = no;

        assert_handle(fer_greeter_rekey(no, &credential));
        assert_handle(fer_greeter_take(no, now, out, sizeof out, &length));
        assert_handle(fer_greeter_feed(no, now, bytes, sizeof bytes));
        assert_null(fer_greeter_get_sealer(no));
        assert_null(fer_greeter_get_opener(no));
        fer_greeter_heard(no, now);
        fer_greeter_sent(no, now);
        fer_greeter_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_greeter_close(NULL);
}

static void test_responder_refuses_false_handles(void **state)
{
    const fer_identity identity = get_identity();
    uint32_t who;
    fer_greeted mark;
    fer_opened told;
    fer_ticket ticket = {{0}};

    (void)state;
    for (unsigned n = 0; n < FALSE_HANDLES; n++) {
        fer_responder *no = get_false_handle(n, responder, sizeof *responder, gateway);
        fer_responder *kept = no;

        assert_handle(fer_responder_pin(no, context, &identity, &device_public, durable));
        assert_handle(fer_responder_forget(no, context));
        assert_handle(
            fer_responder_greet(no, bytes, sizeof bytes, out, sizeof out, &length, &who, &mark));
        assert_handle(fer_responder_open(no, bytes, sizeof bytes, out, sizeof out, &told));
        assert_handle(fer_responder_commit(no, &ticket));
        assert_handle(fer_responder_seal(no, context, bytes, 1, out, sizeof out, &length));
        fer_responder_close(&kept);
        assert_ptr_equal(kept, no);
    }
    fer_responder_close(NULL);
}

/* ---- null ------------------------------------------------------------------------------- */

static void test_handshake_refuses_null(void **state)
{
    const fer_entropy none = {NULL, NULL};
    static const struct fer_entropy_ops hollow = {NULL};
    fer_handshake_config config = make_config();
    fer_handshake *made = NULL;

    (void)state;
    assert_argument(fer_static_get_public(NULL, &device_public));
    assert_argument(fer_static_get_public(&device_secret, NULL));
    assert_argument(fer_static_generate(none, &device_secret, &device_public));
    assert_argument(
        fer_static_generate((fer_entropy){&hollow, NULL}, &device_secret, &device_public));
    assert_argument(fer_static_generate(config.entropy, NULL, &device_public));
    assert_argument(fer_static_generate(config.entropy, &device_secret, NULL));
    assert_int_equal(FER_ERR_ARENA, fer_handshake_create(NULL, &config, &made));
    assert_argument(fer_handshake_create(&device_arena, NULL, &made));
    assert_argument(fer_handshake_create(&device_arena, &config, NULL));
    config.pattern = NULL;
    assert_argument(fer_handshake_create(&device_arena, &config, &made));
    config = make_config();
    config.prologue_length = 1;
    assert_argument(fer_handshake_create(&device_arena, &config, &made));
    config = make_config();
    config.role = (fer_role)2;
    assert_argument(fer_handshake_create(&device_arena, &config, &made));
    config = make_config();
    config.entropy.ops = &hollow;
    assert_argument(fer_handshake_create(&device_arena, &config, &made));
    assert_null(made);
    assert_argument(fer_handshake_write(handshake, NULL, 1, out, sizeof out, &length));
    assert_argument(fer_handshake_write(handshake, bytes, 1, NULL, sizeof out, &length));
    assert_argument(fer_handshake_write(handshake, bytes, 1, out, sizeof out, NULL));
    assert_argument(fer_handshake_read(handshake, NULL, 1, out, sizeof out, &length));
    assert_argument(fer_handshake_read(handshake, bytes, 1, NULL, sizeof out, &length));
    assert_argument(fer_handshake_read(handshake, bytes, 1, out, sizeof out, NULL));
    assert_argument(fer_handshake_get_peer(handshake, NULL));
    assert_argument(fer_handshake_get_binding(handshake, NULL));
    assert_int_equal(FER_OK, fer_handshake_write(handshake, NULL, 0, out, sizeof out, &length));
}

static void test_greeting_refuses_null(void **state)
{
    static const fer_cookie_secret secret;
    const fer_entropy entropy = {&fixture_entropy_ops, &device_entropy};
    const fer_entropy none = {NULL, NULL};
    fer_greeting greeting = {.type = FER_GREETING_FIRST};

    (void)state;
    assert_argument(fer_greeting_inspect(NULL, 150, &greeting));
    assert_argument(fer_greeting_inspect(bytes, 150, NULL));
    assert_argument(fer_greeting_begin(NULL, out, sizeof out, &length));
    assert_argument(fer_greeting_begin(&greeting, NULL, sizeof out, &length));
    assert_argument(fer_greeting_begin(&greeting, out, sizeof out, NULL));
    assert_argument(fer_greeting_end(NULL, 10, 100, &gateway_public, NULL, &length));
    assert_argument(fer_greeting_end(out, 10, 100, NULL, NULL, &length));
    assert_argument(fer_greeting_end(out, 10, 100, &gateway_public, NULL, NULL));
    assert_argument(fer_greeting_check(NULL, 150, &gateway_public));
    assert_argument(fer_greeting_check(bytes, 150, NULL));
    for (unsigned missing = 0; missing < 7; missing++) {
        assert_argument(
            fer_cookie_offer(missing == 0 ? NULL : bytes, 150,
                             missing == 1 ? NULL : &gateway_public, missing == 2 ? NULL : &secret,
                             missing == 3 ? NULL : bytes, 1, missing == 4 ? none : entropy,
                             missing == 5 ? NULL : out, sizeof out, missing == 6 ? NULL : &length));
    }
    assert_argument(fer_cookie_check(NULL, 150, &secret, bytes, 1));
    assert_argument(fer_cookie_check(bytes, 150, NULL, bytes, 1));
    assert_argument(fer_cookie_check(bytes, 150, &secret, NULL, 1));
    assert_argument(fer_cookie_take(NULL, 54, bytes, &gateway_public, out));
    assert_argument(fer_cookie_take(bytes, 54, NULL, &gateway_public, out));
    assert_argument(fer_cookie_take(bytes, 54, bytes, NULL, out));
    assert_argument(fer_cookie_take(bytes, 54, bytes, &gateway_public, NULL));
}

static void test_greeter_refuses_null(void **state)
{
    static const struct fer_entropy_ops hollow = {NULL};
    const fer_greeter_config good = {
        .window_bits = WINDOW, .retry_ms = 1, .entropy = {&fixture_entropy_ops, &device_entropy}};
    fer_greeter_config config = good;
    fer_greeter *made = NULL;

    (void)state;
    assert_int_equal(FER_ERR_ARENA, fer_greeter_create(NULL, &good, &made));
    assert_argument(fer_greeter_create(&device_arena, NULL, &made));
    assert_argument(fer_greeter_create(&device_arena, &good, NULL));
    config.entropy.ops = NULL;
    assert_argument(fer_greeter_create(&device_arena, &config, &made));
    config.entropy.ops = &hollow;
    assert_argument(fer_greeter_create(&device_arena, &config, &made));
    config = good;
    config.retry_ms = 0;
    assert_argument(fer_greeter_create(&device_arena, &config, &made));
    config = good;
    config.window_bits = 65;
    assert_argument(fer_greeter_create(&device_arena, &config, &made));
    assert_null(made);
    assert_argument(fer_greeter_rekey(greeter, NULL));
    assert_argument(fer_greeter_take(greeter, now, NULL, 200, &length));
    assert_argument(fer_greeter_take(greeter, now, out, sizeof out, NULL));
    assert_argument(fer_greeter_feed(greeter, now, NULL, 100));
}

static void test_responder_refuses_null(void **state)
{
    static const struct fer_entropy_ops hollow = {NULL};
    const fer_identity identity = get_identity();
    const fer_identity nobody = {3, NULL, 6, NULL, 0};
    fer_responder_config config = responder->config;
    fer_responder *made = NULL;
    fer_ticket ticket = {{0}};
    fer_opened told;
    uint32_t who;
    fer_greeted mark;

    (void)state;
    assert_int_equal(FER_ERR_ARENA, fer_responder_create(NULL, &config, &made));
    assert_argument(fer_responder_create(&gateway_arena, NULL, &made));
    assert_argument(fer_responder_create(&gateway_arena, &config, NULL));
    for (unsigned wrong = 0; wrong < 7; wrong++) {
        config = responder->config;
        config.gateway = wrong == 0 ? NULL : config.gateway;
        config.contexts = wrong == 1 ? 0 : wrong == 2 ? CONTEXTS + 1 : config.contexts;
        config.sessions = wrong == 3 ? 0 : config.sessions;
        config.window_bits = wrong == 4 ? 65 : config.window_bits;
        config.entropy.ops = wrong == 5 ? NULL : wrong == 6 ? &hollow : config.entropy.ops;
        assert_argument(fer_responder_create(&gateway_arena, &config, &made));
    }
    config = responder->config;
    config.sessions = 0xFFFFFFFEu; /* more than any memory */
    assert_int_equal(FER_ERR_ARENA, fer_responder_create(&gateway_arena, &config, &made));
    assert_null(made);
    assert_argument(fer_responder_pin(responder, context, NULL, &device_public, durable));
    assert_argument(fer_responder_pin(responder, context, &nobody, &device_public, durable));
    assert_argument(fer_responder_pin(responder, context, &identity, NULL, durable));
    assert_argument(fer_responder_pin(responder, CONTEXTS, &identity, &device_public, durable));
    assert_argument(fer_responder_forget(responder, CONTEXTS));
    for (unsigned missing = 0; missing < 5; missing++) {
        assert_argument(fer_responder_greet(
            responder, missing == 0 ? NULL : bytes, 150, missing == 1 ? NULL : out, sizeof out,
            missing == 2 ? NULL : &length, missing == 3 ? NULL : &who,
            missing == 4 ? NULL : &mark));
    }
    assert_argument(fer_responder_open(responder, NULL, 40, out, sizeof out, &told));
    assert_argument(fer_responder_open(responder, bytes, 40, NULL, sizeof out, &told));
    assert_argument(fer_responder_open(responder, bytes, 40, out, sizeof out, NULL));
    assert_argument(fer_responder_commit(responder, NULL));
    assert_int_not_equal(FER_OK, fer_responder_commit(responder, &ticket));
    assert_argument(fer_responder_seal(responder, CONTEXTS, bytes, 1, out, sizeof out, &length));
    shake();
    carry_up();
    assert_argument(fer_responder_seal(responder, context, NULL, 1, out, sizeof out, &length));
    assert_argument(fer_responder_seal(responder, context, bytes, 1, NULL, sizeof out, &length));
    assert_argument(fer_responder_seal(responder, context, bytes, 1, out, sizeof out, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_handshake_refuses_false_handles, open_all),
        cmocka_unit_test_setup(test_greeter_refuses_false_handles, open_all),
        cmocka_unit_test_setup(test_responder_refuses_false_handles, open_all),
        cmocka_unit_test_setup(test_handshake_refuses_null, open_all),
        cmocka_unit_test_setup(test_greeting_refuses_null, open_all),
        cmocka_unit_test_setup(test_greeter_refuses_null, open_all),
        cmocka_unit_test_setup(test_responder_refuses_null, open_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
