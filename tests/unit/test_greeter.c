/* Tests: sessions from the device's side: when it greets, what it takes for an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
    now++;
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

/* What is not the answer to the last packet leaves the attempt alone; what is, and forged, ends it.
 */
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
    second.bytes[second.length - 1] ^= 1;
    assert_int_equal(FER_DROP_FORGED, fer_greeter_feed(greeter, now, second.bytes, second.length));
    second.bytes[second.length - 1] ^= 1;
    assert_int_equal(FER_DROP_ROUTE, fer_greeter_feed(greeter, now, second.bytes, second.length));
    now += 10u * RETRY_MS;
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
    struct packet first;
    fer_greeting greeting;
    size_t length;

    (void)state;
    assert_int_equal(FER_ERR_CAPACITY,
                     fer_greeter_take(greeter, now, first.bytes,
                                      FER_GREETING_FIRST_SIZE(ROUTE, 0) - 1, &length));
    device_entropy.fail_at = 1;
    assert_int_equal(FER_TROUBLE_ENTROPY, try_take());
    take_first(&first);
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
        cmocka_unit_test_setup(test_answers, setup),
        cmocka_unit_test_setup(test_answer_twice, setup),
        cmocka_unit_test_setup(test_cookie, setup),
        cmocka_unit_test_setup(test_stuck_entropy, setup),
        cmocka_unit_test_setup(test_refusals_that_change_nothing, setup),
        cmocka_unit_test_setup(test_handles, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
