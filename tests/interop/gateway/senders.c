/* gateway_senders: what source addresses may waste. Time is the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "senders.h"

/* So few that no five of them meet in one set of the table. */
enum { KNOWN = 40, BURST = 200, SECOND = 1000000, RATION_BURST = 100000 };

static struct senders *senders;
static int64_t now;

static int setup(void **state)
{
    (void)state;
    senders = senders_create();
    now = senders_now() + SECOND;
    return senders == NULL;
}

static int teardown(void **state)
{
    (void)state;
    senders_free(senders);
    return 0;
}

static struct sockaddr_storage address_of(uint32_t number, uint16_t port)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};
    struct sockaddr_in *four = (struct sockaddr_in *)&address;

    four->sin_addr.s_addr = htonl(number);
    four->sin_port = htons(port);
    return address;
}

static struct sender *find(uint32_t number)
{
    const struct sockaddr_storage address = address_of(number, 1);

    return senders_find(senders, &address, now);
}

static bool may(uint32_t number)
{
    return senders_admit(senders, find(number), now);
}

static void waste(uint32_t number, int times, int64_t took_us)
{
    for (int i = 0; i < times; i++) {
        senders_refused(senders, find(number), took_us);
    }
}

static void test_a_burst_then_some_a_second(void **state)
{
    (void)state;
    waste(1, BURST - 1, 0);
    assert_true(may(1));
    waste(1, 1, 0);
    assert_false(may(1));
    now += SECOND / 2; /* refills 50 */
    for (int i = 0; i < 50; i++) {
        assert_true(may(1));
        waste(1, 1, 0);
    }
    assert_false(may(1));
    now += 1000 * (int64_t)SECOND;
    waste(1, BURST, 0);
    assert_false(may(1));
}

static void test_ports_share_and_others_do_not(void **state)
{
    const struct sockaddr_storage other_port = address_of(1, 77);
    struct sockaddr_storage six = {.ss_family = AF_INET6};

    (void)state;
    waste(1, BURST, 0);
    assert_false(senders_admit(senders, senders_find(senders, &other_port, now), now));
    assert_true(may(2));
    assert_true(senders_admit(senders, senders_find(senders, &six, now), now));
    waste(0, BURST, 0); /* 0.0.0.0 is not :: */
    assert_true(senders_admit(senders, senders_find(senders, &six, now), now));
    for (int i = 0; i < BURST; i++) {
        senders_refused(senders, senders_find(senders, &six, now), 0);
    }
    assert_false(senders_admit(senders, senders_find(senders, &six, now), now));
    ((struct sockaddr_in6 *)&six)->sin6_addr.s6_addr[15] = 1;
    assert_true(senders_admit(senders, senders_find(senders, &six, now), now));
}

static void test_strangers_share_a_ration_of_time(void **state)
{
    (void)state;
    senders_accepted(senders, find(7));
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(may(1000 + i));
        waste(1000 + i, 1, RATION_BURST / 100);
    }
    assert_false(may(5000));
    assert_true(may(7));
    now += 4000; /* a quarter of it */
    assert_true(may(5000));
    waste(5000, 1, 1000);
    assert_false(may(5001));
}

static void test_pressed_before_the_ration_is_gone(void **state)
{
    (void)state;
    senders_accepted(senders, find(7));
    assert_true(may(7));
    waste(7, 1, RATION_BURST); /* known: another ration */
    waste(1, 1, RATION_BURST / 2);
    assert_false(senders_are_pressed(senders));
    waste(2, 1, 1);
    assert_true(senders_are_pressed(senders));
    assert_true(may(3));
    now += 400; /* a hundred more */
    assert_true(may(3));
    assert_false(senders_are_pressed(senders));
}

static void test_a_long_refusal_is_paid_back(void **state)
{
    (void)state;
    assert_true(may(1));
    waste(1, 1, 3 * RATION_BURST);
    now += 4 * 2 * RATION_BURST - 4;
    assert_false(may(2));
    now += 8;
    assert_true(may(2));
}

static void test_known_ones_share_another(void **state)
{
    (void)state;
    senders_accepted(senders, find(7));
    senders_accepted(senders, find(8));
    assert_true(may(8));
    waste(7, 10, RATION_BURST / 10);
    assert_false(may(8));
    assert_true(may(1));
}

static void test_strangers_displace_no_known_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < KNOWN; i++) {
        senders_accepted(senders, find(i));
    }
    waste(3, BURST, 0);
    for (uint32_t i = 0; i < 200000; i++) {
        now += 1;
        (void)find(0x10000 + i);
    }
    for (uint32_t i = 0; i < KNOWN; i++) {
        assert_true(find(i)->known);
    }
    assert_in_range(find(3)->tokens, 20, 20); /* what that time refills: no fresh bucket */
    assert_false(find(0x99999)->known);
}

/* More known addresses than places: the table stays as large as it is, strangers share one bucket,
 * and an address that is accepted gets a place all the same. */
static void test_full_of_known_ones(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        now += 1;
        senders_accepted(senders, find(i));
    }
    assert_true(find(99999)->known);
    assert_ptr_equal(find(200000), find(200001));
    waste(200000, BURST, 0);
    assert_false(may(200001));
    senders_accepted(senders, find(200000));
    assert_true(find(200000)->known);
    assert_ptr_not_equal(find(200000), find(200001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_burst_then_some_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ports_share_and_others_do_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strangers_share_a_ration_of_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pressed_before_the_ration_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_long_refusal_is_paid_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_known_ones_share_another, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strangers_displace_no_known_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_of_known_ones, setup, teardown),
    };

    return cmocka_run_group_tests_name("senders", tests, NULL, NULL);
}
