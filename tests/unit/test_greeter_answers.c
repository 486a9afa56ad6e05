/* Tests: what a device takes for an answer to its greeting, and what others can do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/schedule.h"
#include "session_kit.h"

/* A gateway's side of a first packet, by hand. */
static fer_handshake *read_first(const struct packet *first)
{
    FER_ARENA(arena, FER_HANDSHAKE_SIZE);
    uint8_t prologue[8 + 32 + FER_GREETING_FIRST_HEADER(ROUTE)] = "ferrule1";
    fer_credential credential = get_credential(0, 0);
    fer_preshared_key psk;
    fer_secret key;
    fer_chain chain;
    fer_greeting packet;
    fer_handshake *side = NULL;
    size_t n;
    uint8_t none[1];

    assert_int_equal(FER_OK, fer_credential_read(&credential, NULL, NULL, &chain));
    fer_schedule_psk(&chain, 0, &key);
    memcpy(psk.bytes, key.bytes, sizeof psk);
    fer_schedule_id_salt(FER_MODE_PROVISIONED, 3, (const uint8_t *)"pump-7", 6, prologue + 8);
    memcpy(prologue + 8 + 32, first->bytes, FER_GREETING_FIRST_HEADER(ROUTE));
    const fer_handshake_config config = {.pattern = &fer_pattern_ik,
                                         .role = FER_RESPONDER,
                                         .psk_place = 2,
                                         .prologue = prologue,
                                         .prologue_length = sizeof prologue,
                                         .own_secret = &gateway_secret,
                                         .own_public = &gateway_public,
                                         .psk = &psk,
                                         .entropy = {&fixture_entropy_ops, &gateway_entropy}};
    assert_int_equal(FER_OK, fer_arena_rewind(&arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_handshake_create(&arena, &config, &side));
    assert_int_equal(FER_OK, fer_greeting_inspect(first->bytes, first->length, &packet));
    assert_int_equal(FER_OK, fer_handshake_read(side, packet.message, packet.message_length, none,
                                                sizeof none, &n));
    return side;
}

/* What is not the answer to the last packet leaves the attempt alone, a forged one too. */
static void test_answers(void **state)
{
    struct packet first;
    struct packet second;
    struct packet late;

    (void)state;
    take_first(&first);
    assert_int_equal(FER_OK, greet(&first, &late));
    now += 2u * RETRY_MS;
    take_first(&first);
    assert_int_equal(FER_DROP_OLD, fer_greeter_feed(greeter, now, late.bytes, late.length));
    assert_int_equal(FER_OK, greet(&first, &second));
    assert_int_equal(FER_DROP_ROUTE, fer_greeter_feed(greeter, now, first.bytes, first.length));
    assert_int_equal(FER_DROP_MALFORMED, fer_greeter_feed(greeter, now, second.bytes, 20));
    second.bytes[2] ^= 1; /* another device's route */
    assert_int_equal(FER_DROP_ROUTE, fer_greeter_feed(greeter, now, second.bytes, second.length));
    second.bytes[2] ^= 1;
    for (size_t at = FER_GREETING_SECOND_HEADER(ROUTE); at < second.length; at += 7) {
        second.bytes[at] ^= 1;
        assert_int_equal(FER_DROP_FORGED,
                         fer_greeter_feed(greeter, now, second.bytes, second.length));
        second.bytes[at] ^= 1;
    }
    memset(second.bytes + second.length, 0, 60); /* longer than an answer can be */
    assert_int_equal(FER_DROP_FORGED,
                     fer_greeter_feed(greeter, now, second.bytes, second.length + 60));
    assert_null(fer_greeter_get_sealer(greeter));
    assert_int_equal(FER_OK, fer_greeter_feed(greeter, now, second.bytes, second.length));
    carry_up();
}

/* So many of them end it: nobody keeps a device computing. Those of other lengths cost nothing, and
 * do not count. */
static void test_many_forged_answers(void **state)
{
    struct packet first;
    struct packet second;
    enum { MOST = 16 };

    (void)state;
    for (unsigned forged = MOST - 1; forged <= MOST; forged++) {
        take_first(&first);
        assert_int_equal(FER_OK, greet(&first, &second));
        memset(second.bytes + second.length, 0, 60);
        second.bytes[second.length - 1] ^= 1;
        for (unsigned i = 0; i < forged; i++) {
            assert_int_equal(FER_DROP_FORGED,
                             fer_greeter_feed(greeter, now, second.bytes, second.length));
            assert_int_equal(forged == MOST && i == MOST - 1 ? FER_DROP_ROUTE : FER_DROP_FORGED,
                             fer_greeter_feed(greeter, now, second.bytes, second.length + 60));
        }
        second.bytes[second.length - 1] ^= 1;
        assert_int_equal(forged < MOST ? FER_OK : FER_DROP_ROUTE,
                         fer_greeter_feed(greeter, now, second.bytes, second.length));
        now += RENEW_MS;
    }
    shake(); /* the next attempt does not know of it */
}

/* A session needs a route of its own, of a length that exists; nor does a greeting carry more. */
static void test_answers_without_a_route(void **state)
{
    static const uint8_t payload[FER_ROUTE_MAX] = {1, 2, 3, 4};
    static const size_t lengths[] = {0, 1, 3, 7};

    (void)state;
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct packet first;
        struct packet second = {.length = 0};
        size_t n = 0;

        take_first(&first);
        fer_handshake *side = read_first(&first);
        const fer_greeting header = {.type = FER_GREETING_SECOND,
                                     .route_length = ROUTE,
                                     .route = {0xA1, 0xB2, 0xC3, 0xD4},
                                     .attempt = i + 1u};
        assert_int_equal(FER_OK, fer_greeting_begin(&header, second.bytes, PACKET, &n));
        assert_int_equal(FER_OK, fer_handshake_write(side, payload, lengths[i], second.bytes + n,
                                                     PACKET - n, &second.length));
        assert_int_equal(FER_DROP_FORGED,
                         fer_greeter_feed(greeter, now, second.bytes, n + second.length));
        assert_null(fer_greeter_get_sealer(greeter));
        assert_int_equal(FER_DROP_ROUTE, /* it came from the gateway: the attempt is over */
                         fer_greeter_feed(greeter, now, second.bytes, n + second.length));
        now += 100u * RETRY_MS;
    }
    shake();
}

static void test_answer_twice(void **state)
{
    struct packet first;
    struct packet second;

    (void)state;
    take_first(&first);
    assert_int_equal(FER_OK, greet(&first, &second));
    assert_int_equal(FER_OK, fer_greeter_feed(greeter, now, second.bytes, second.length));
    const fer_sealer *sealer = fer_greeter_get_sealer(greeter);
    assert_int_equal(FER_DROP_ROUTE, fer_greeter_feed(greeter, now, second.bytes, second.length));
    assert_ptr_equal(sealer, fer_greeter_get_sealer(greeter));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_answers, setup),
        cmocka_unit_test_setup(test_many_forged_answers, setup),
        cmocka_unit_test_setup(test_answers_without_a_route, setup),
        cmocka_unit_test_setup(test_answer_twice, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
