/* Tests: sessions from the device's side: when it greets, with what keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/schedule.h"
#include "session_kit.h"

static fer_status try_take(void)
{
    struct packet packet;

    return fer_greeter_take(greeter, now, packet.bytes, sizeof packet.bytes, &packet.length);
}

/* Waits double with each attempt that is not answered, up to 64 times, longer by a half at most. */
static void test_waits(void **state)
{
    uint64_t wait = RETRY_MS;

    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(FER_OK, try_take());
        now += wait - 1;
        assert_int_equal(FER_EMPTY, try_take());
        now += wait / 2 + 1;
        if (i < 6) {
            wait *= 2;
        }
    }
}

/* Devices with different ephemeral keys do not come back at one moment. */
static void test_waits_vary(void **state)
{
    uint64_t moments[8];
    unsigned different = 0;

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        device_entropy.value = (uint8_t)(i * 31u);
        boot(0);
        assert_int_equal(FER_OK, try_take());
        uint64_t from = now;
        while (try_take() == FER_EMPTY) {
            now++;
        }
        moments[i] = now - from;
        assert_in_range(moments[i], RETRY_MS, RETRY_MS + RETRY_MS / 2);
        different += moments[i] != moments[0];
    }
    assert_true(different >= 5);
}

static void test_renews(void **state)
{
    (void)state;
    shake();
    now += RENEW_MS - 1;
    assert_int_equal(FER_EMPTY, try_take());
    now++;
    assert_int_equal(FER_OK, try_take());
    assert_non_null(fer_greeter_get_sealer(greeter)); /* which goes on meanwhile */
    carry_up();
}

/* A restarted gateway knows no session: its silence brings a new one, not its word. */
static void test_greets_on_silence(void **state)
{
    struct packet record;

    (void)state;
    shake();
    carry_up();
    start_gateway();
    seal_up(&record);
    assert_int_equal(FER_DROP_ROUTE, receive_up(&record));
    fer_greeter_sent(greeter, now);
    now += SILENCE_MS - 1;
    fer_greeter_sent(greeter, now); /* the first unanswered one counts */
    assert_int_equal(FER_EMPTY, try_take());
    now += 1 + SILENCE_MS / 2; /* varied by up to a half */
    shake();
    carry_up();
    carry_down();
    fer_greeter_heard(greeter, now);
    now += 2u * SILENCE_MS;
    assert_int_equal(FER_EMPTY, try_take()); /* nothing was sent: nobody owes an answer */
}

static void test_attempts_rise(void **state)
{
    struct packet first;
    fer_greeting greeting;

    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        take_first(&first);
        assert_int_equal(FER_OK, fer_greeting_inspect(first.bytes, first.length, &greeting));
        assert_int_equal(greeting.attempt, i);
        assert_int_equal(greeting.generation, 0);
        now += 1000u * RETRY_MS;
    }
    fer_credential credential = get_credential(0, 7);
    assert_int_equal(FER_OK, fer_greeter_rekey(greeter, &credential)); /* burned while it ran */
    take_first(&first);
    assert_int_equal(FER_OK, fer_greeting_inspect(first.bytes, first.length, &greeting));
    assert_int_equal(greeting.attempt, 1);
    assert_int_equal(greeting.generation, 7);
}

/* Under load: the next packet comes at once, with the cookie; it is another attempt. */
static void test_cookie(void **state)
{
    static const fer_cookie_secret secret = {{9}};
    static const uint8_t address[] = "a";
    struct packet first;
    struct packet offer;

    (void)state;
    take_first(&first);
    assert_int_equal(FER_DROP_FORGED,
                     fer_cookie_check(first.bytes, first.length, &secret, address, 1));
    assert_int_equal(FER_OK,
                     fer_cookie_offer(first.bytes, first.length, &gateway_public, &secret, address,
                                      1, (fer_entropy){&fixture_entropy_ops, &gateway_entropy},
                                      offer.bytes, sizeof offer.bytes, &offer.length));
    offer.bytes[offer.length - 1] ^= 1;
    assert_int_equal(FER_DROP_FORGED, fer_greeter_feed(greeter, now, offer.bytes, offer.length));
    assert_int_equal(FER_EMPTY, try_take());
    offer.bytes[offer.length - 1] ^= 1;
    assert_int_equal(FER_EMPTY, fer_greeter_feed(greeter, now, offer.bytes, offer.length));
    take_first(&first);
    assert_int_equal(FER_OK, fer_cookie_check(first.bytes, first.length, &secret, address, 1));
    assert_int_equal(FER_OK, greet(&first, &offer));
    assert_int_equal(FER_OK, fer_greeter_feed(greeter, now, offer.bytes, offer.length));
}

static void offer_cookie(const struct packet *first, struct packet *offer)
{
    static const fer_cookie_secret secret = {{9}};

    assert_int_equal(FER_OK, fer_cookie_offer(first->bytes, first->length, &gateway_public, &secret,
                                              (const uint8_t *)"a", 1,
                                              (fer_entropy){&fixture_entropy_ops, &gateway_entropy},
                                              offer->bytes, sizeof offer->bytes, &offer->length));
}

/* Cookie after cookie: a device does not greet faster for it than twice a wait. */
static void test_cookies_without_end(void **state)
{
    struct packet first;
    struct packet offer;
    unsigned sent = 0;

    (void)state;
    take_first(&first);
    for (unsigned i = 0; i < 20; i++) {
        offer_cookie(&first, &offer);
        assert_int_equal(FER_EMPTY, fer_greeter_feed(greeter, now, offer.bytes, offer.length));
        fer_status status =
            fer_greeter_take(greeter, now, first.bytes, sizeof first.bytes, &first.length);
        if (status != FER_OK) {
            break;
        }
        sent++;
    }
    assert_int_equal(sent, 1);
    now += 3u * RETRY_MS;
    take_first(&first); /* with the cookie that came last */
    const fer_cookie_secret secret = {{9}};
    assert_int_equal(FER_OK,
                     fer_cookie_check(first.bytes, first.length, &secret, (const uint8_t *)"a", 1));
    now += 6u * RETRY_MS;
    take_first(&first); /* without one: it may be asked for another at once */
    offer_cookie(&first, &offer);
    assert_int_equal(FER_EMPTY, fer_greeter_feed(greeter, now, offer.bytes, offer.length));
    take_first(&first);
}

/* The same generation again: (generation, attempt) never comes twice. */
static void test_rekey_with_the_same_generation(void **state)
{
    struct packet first;
    fer_greeting greeting;
    fer_credential credential = get_credential(0, 0);
    fer_credential broken = credential;

    (void)state;
    take_first(&first);
    broken.bytes[100] ^= 1;
    assert_int_equal(FER_DROP_MALFORMED, fer_greeter_rekey(greeter, &broken));
    assert_int_equal(FER_OK, fer_greeter_rekey(greeter, &credential));
    now += 2u * RETRY_MS;
    take_first(&first);
    assert_int_equal(FER_OK, fer_greeting_inspect(first.bytes, first.length, &greeting));
    assert_int_equal(greeting.attempt, 2);
}

/* An ephemeral key is what docs/WIRE.md says, from the hedge and the attempt on the wire. */
static void test_hedge(void **state)
{
    fer_credential credential = get_credential(0, 0);
    struct packet first;
    fer_static_public point;
    fer_static_secret drawn;
    fer_chain chain;
    fer_secret hedge;
    fer_secret ephemeral;

    (void)state;
    assert_int_equal(FER_OK, fer_credential_read(&credential, NULL, NULL, &chain));
    fer_schedule_hedge(&chain, 0, &hedge);
    for (uint32_t attempt = 1; attempt <= 2; attempt++) {
        device_entropy.value = 9;
        (void)fixture_fill(&device_entropy, drawn.bytes, sizeof drawn.bytes);
        device_entropy.value = 9;
        take_first(&first);
        fer_schedule_ephemeral(&hedge, drawn.bytes, attempt, &ephemeral);
        memcpy(drawn.bytes, ephemeral.bytes, sizeof drawn.bytes);
        assert_int_equal(FER_OK, fer_static_get_public(&drawn, &point));
        assert_memory_equal(point.bytes, first.bytes + FER_GREETING_FIRST_HEADER(ROUTE),
                            sizeof point);
        now += 100u * RETRY_MS;
    }
}

/* New keys end the attempt that was made with the former. */
static void test_rekey_ends_the_attempt(void **state)
{
    fer_credential credential = get_credential(0, 1);
    struct packet first;
    struct packet second;

    (void)state;
    take_first(&first);
    assert_int_equal(FER_OK, greet(&first, &second));
    assert_int_equal(FER_OK, fer_greeter_rekey(greeter, &credential));
    assert_int_equal(FER_DROP_ROUTE, fer_greeter_feed(greeter, now, second.bytes, second.length));
    assert_null(fer_greeter_get_sealer(greeter));
}

/* After a session waits begin short again. */
static void test_a_session_ends_the_backoff(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(FER_OK, try_take());
        now += 100u * RETRY_MS;
    }
    shake();
    now += RENEW_MS;
    assert_int_equal(FER_OK, try_take());
    now += RETRY_MS + RETRY_MS / 2u;
    assert_int_equal(FER_OK, try_take());
}

/* The macro's bytes are enough. */
static void test_size(void **state)
{
    FER_ARENA(exact, FER_GREETER_SIZE(WINDOW));
    const fer_greeter_config config = {
        .window_bits = WINDOW, .retry_ms = 1, .entropy = {&fixture_entropy_ops, &device_entropy}};
    fer_greeter *made = NULL;

    (void)state;
    assert_int_equal(FER_OK, fer_greeter_create(&exact, &config, &made));
    fer_greeter_close(&made);
}

/* The same bytes of entropy at each boot: ephemeral keys differ all the same. */
static void test_stuck_entropy(void **state)
{
    struct packet first;
    struct packet second;
    size_t at = FER_GREETING_FIRST_HEADER(ROUTE);

    (void)state;
    device_entropy.value = 7;
    boot(1);
    take_first(&first);
    device_entropy.value = 7;
    boot(2);
    take_first(&second);
    assert_memory_not_equal(first.bytes + at, second.bytes + at, 32);
    device_entropy.value = 7;
    boot(2);
    take_first(&first);
    assert_memory_equal(first.bytes + at, second.bytes + at,
                        32); /* so it is the hedge that helps */
}

static void test_refusals_that_change_nothing(void **state)
{
    const fer_greeting answer = {
        .type = FER_GREETING_SECOND, .route_length = ROUTE, .route = {0xA1, 0xB2, 0xC3, 0xD4}};
    struct packet first;
    fer_greeting greeting;
    size_t length;

    (void)state;
    assert_int_equal(FER_ERR_CAPACITY,
                     fer_greeter_take(greeter, now, first.bytes,
                                      FER_GREETING_FIRST_SIZE(ROUTE, 0) - 1, &length));
    device_entropy.fail_at = 1;
    assert_int_equal(FER_TROUBLE_ENTROPY, try_take());
    memset(&first, 0, sizeof first); /* no attempt is left that an answer could be to */
    assert_int_equal(FER_OK, fer_greeting_begin(&answer, first.bytes, PACKET, &length));
    assert_int_equal(FER_DROP_ROUTE, fer_greeter_feed(greeter, now, first.bytes, 80));
    assert_int_equal(FER_OK, fer_greeter_take(greeter, now, first.bytes,
                                              FER_GREETING_FIRST_SIZE(ROUTE, 0), &first.length));
    assert_int_equal(FER_OK, fer_greeting_inspect(first.bytes, first.length, &greeting));
    assert_int_equal(greeting.attempt, 1);
    make_greeter();
    assert_int_equal(FER_ERR_ORDER, try_take()); /* no keys yet */
    fer_credential broken = get_credential(0, 0);
    broken.bytes[100] ^= 1;
    assert_int_equal(FER_DROP_MALFORMED, fer_greeter_rekey(greeter, &broken));
    assert_int_equal(FER_ERR_ORDER, try_take());
}

static void test_handles(void **state)
{
    size_t length;
    uint8_t out[PACKET];

    (void)state;
    fer_greeter_close(&greeter);
    assert_null(greeter);
    assert_int_equal(FER_ERR_HANDLE, fer_greeter_take(greeter, now, out, sizeof out, &length));
    assert_int_equal(FER_ERR_HANDLE, fer_greeter_feed(greeter, now, out, sizeof out));
    assert_null(fer_greeter_get_sealer(greeter));
    assert_null(fer_greeter_get_opener(greeter));
    fer_greeter_heard(greeter, now);
    fer_greeter_sent(greeter, now);
    fer_greeter_close(&greeter);
    fer_greeter_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_waits, setup),
        cmocka_unit_test_setup(test_waits_vary, setup),
        cmocka_unit_test_setup(test_renews, setup),
        cmocka_unit_test_setup(test_greets_on_silence, setup),
        cmocka_unit_test_setup(test_attempts_rise, setup),
        cmocka_unit_test_setup(test_cookies_without_end, setup),
        cmocka_unit_test_setup(test_rekey_with_the_same_generation, setup),
        cmocka_unit_test_setup(test_hedge, setup),
        cmocka_unit_test_setup(test_rekey_ends_the_attempt, setup),
        cmocka_unit_test_setup(test_a_session_ends_the_backoff, setup),
        cmocka_unit_test_setup(test_size, setup),
        cmocka_unit_test_setup(test_cookie, setup),
        cmocka_unit_test_setup(test_stuck_entropy, setup),
        cmocka_unit_test_setup(test_refusals_that_change_nothing, setup),
        cmocka_unit_test_setup(test_handles, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
