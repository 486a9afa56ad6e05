/* Tests: the packets of a greeting, their checks and cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ferrule/greeting.h"

enum { ROUTE = 4, PACKET = 256, CHECKS = 2 * FER_GREETING_MAC_BYTES };

static const fer_static_public gateway = {{1, 2, 3}};
static const fer_static_public other_gateway = {{1, 2, 4}};
static const fer_cookie_secret secret = {{5, 6}};
static const fer_cookie_secret other_secret = {{5, 7}};
static const uint8_t address[] = "192.0.2.1:4433";

static int fill(void *context, uint8_t *out, size_t n)
{
    memset(out, 0x33, n);
    return *(const int *)context;
}

static const struct fer_entropy_ops ops = {fill};
static int answer = FER_PORT_OK;
static const fer_entropy entropy = {&ops, &answer};

/* A first packet whose Noise message is all 0x5C. */
static size_t make_first(uint8_t out[PACKET], const uint8_t *cookie)
{
    const fer_greeting greeting = {.type = FER_GREETING_FIRST,
                                   .route_length = ROUTE,
                                   .route = {0xA1, 0xB2, 0xC3, 0xD4},
                                   .generation = 300,
                                   .attempt = 7};
    size_t n = 0;

    assert_int_equal(FER_OK, fer_greeting_begin(&greeting, out, PACKET, &n));
    assert_int_equal(n, FER_GREETING_FIRST_HEADER(ROUTE));
    memset(out + n, 0x5C, 96);
    assert_int_equal(FER_OK, fer_greeting_end(out, n + 96, PACKET, &gateway, cookie, &n));
    assert_int_equal(n, FER_GREETING_FIRST_SIZE(ROUTE, 0));
    return n;
}

static void test_first_packet(void **state)
{
    static const uint8_t header[] = {0x04, 0xA1, 0xB2, 0xC3, 0xD4, 1, 0x2C, 1, 0, 0, 7, 0, 0, 0};
    uint8_t packet[PACKET];
    fer_greeting greeting;
    memset(packet, 0xEE, sizeof packet);
    size_t n = make_first(packet, NULL);

    (void)state;
    assert_memory_equal(packet, header, sizeof header);
    assert_int_equal(FER_OK, fer_greeting_inspect(packet, n, &greeting));
    assert_int_equal(greeting.type, FER_GREETING_FIRST);
    assert_int_equal(greeting.route_length, ROUTE);
    assert_memory_equal(greeting.route, header + 1, ROUTE);
    assert_int_equal(greeting.generation, 300);
    assert_int_equal(greeting.attempt, 7);
    assert_ptr_equal(greeting.message, packet + sizeof header);
    assert_int_equal(greeting.message_length, 96);
    for (size_t at = n - FER_GREETING_MAC_BYTES; at < n; at++) { /* no cookie: zeros */
        assert_int_equal(packet[at], 0);
    }
    assert_int_equal(FER_OK, fer_greeting_check(packet, n, &gateway));
}

static void test_second_packet(void **state)
{
    static const uint8_t header[] = {0x22, 0x11, 0x22, 2, 9, 0, 0, 0};
    const fer_greeting second = {
        .type = FER_GREETING_SECOND, .route_length = 2, .route = {0x11, 0x22}, .attempt = 9};
    uint8_t packet[PACKET] = {0};
    fer_greeting greeting = {.generation = 77};
    size_t n = 0;

    (void)state;
    assert_int_equal(FER_OK, fer_greeting_begin(&second, packet, sizeof packet, &n));
    assert_int_equal(n, FER_GREETING_SECOND_HEADER(2));
    assert_memory_equal(packet, header, sizeof header);
    assert_int_equal(FER_OK,
                     fer_greeting_inspect(packet, FER_GREETING_SECOND_SIZE(2, 3), &greeting));
    assert_int_equal(greeting.type, FER_GREETING_SECOND);
    assert_int_equal(greeting.generation, 0);
    assert_int_equal(greeting.attempt, 9);
    assert_int_equal(greeting.message_length, 48 + 3);
    assert_int_equal(FER_DROP_MALFORMED,
                     fer_greeting_inspect(packet, FER_GREETING_SECOND_SIZE(2, 0) - 1, &greeting));
    assert_int_equal(FER_DROP_MALFORMED, fer_greeting_check(packet, n + 48, &gateway));
}

static void expect_malformed(const uint8_t *packet, size_t n)
{
    static const fer_greeting none;
    fer_greeting greeting;

    memset(&greeting, 0xEE, sizeof greeting);
    assert_int_equal(FER_DROP_MALFORMED, fer_greeting_inspect(packet, n, &greeting));
    assert_memory_equal(&greeting, &none, sizeof none);
    assert_int_equal(FER_DROP_MALFORMED, fer_greeting_check(packet, n, &gateway));
}

static void test_each_rejection(void **state)
{
    static uint8_t longest[FER_NOISE_MESSAGE_MAX + 64];
    uint8_t packet[PACKET];
    size_t n = make_first(packet, NULL);

    (void)state;
    for (size_t cut = 0; cut < n; cut++) {
        expect_malformed(packet, cut);
    }
    for (unsigned bit = 0; bit < 8; bit++) {
        uint8_t first = packet[0];
        packet[0] ^= (uint8_t)(1u << bit);
        if (bit != 1 && bit != 2) { /* those choose another length of route */
            expect_malformed(packet, n);
        }
        packet[0] = first;
    }
    for (unsigned type = 0; type < 256; type++) {
        packet[5] = (uint8_t)type;
        if (type != FER_GREETING_FIRST) {
            expect_malformed(packet, n);
        }
    }
    packet[5] = FER_GREETING_FIRST;
    memset(packet + 6, 0xFF, 4); /* the generation that is none */
    expect_malformed(packet, n);
    packet[6] = 0;
    memset(packet + 10, 0xFF, 4); /* the attempt that is none */
    expect_malformed(packet, n);
    n = FER_GREETING_FIRST_HEADER(ROUTE) + FER_NOISE_MESSAGE_MAX;
    (void)make_first(longest, NULL);
    expect_malformed(longest, n + 1);
    assert_int_equal(FER_OK, fer_greeting_inspect(longest, n, &(fer_greeting){.attempt = 0}));
}

static void test_begin_refuses(void **state)
{
    fer_greeting greeting = {.type = FER_GREETING_FIRST, .route_length = 3};
    uint8_t out[PACKET];
    size_t n;

    (void)state;
    assert_int_equal(FER_ERR_ARGUMENT, fer_greeting_begin(&greeting, out, sizeof out, &n));
    greeting.route_length = 8;
    assert_int_equal(FER_ERR_CAPACITY,
                     fer_greeting_begin(&greeting, out, FER_GREETING_FIRST_HEADER(8) - 1, &n));
    greeting.attempt = 0xFFFFFFFFu;
    assert_int_equal(FER_ERR_ARGUMENT, fer_greeting_begin(&greeting, out, sizeof out, &n));
    greeting.attempt = 0;
    greeting.generation = 0xFFFFFFFFu;
    assert_int_equal(FER_ERR_ARGUMENT, fer_greeting_begin(&greeting, out, sizeof out, &n));
    greeting.generation = 0;
    greeting.type = (fer_greeting_type)4;
    assert_int_equal(FER_ERR_ARGUMENT, fer_greeting_begin(&greeting, out, sizeof out, &n));
    assert_int_equal(FER_ERR_CAPACITY, fer_greeting_end(out, 100, 131, &gateway, NULL, &n));
    assert_int_equal(FER_ERR_CAPACITY, fer_greeting_end(out, SIZE_MAX, 131, &gateway, NULL, &n));
    assert_int_equal(FER_OK, fer_greeting_end(out, 100, 132, &gateway, NULL, &n));
    assert_int_equal(n, 132);
}

/* Every byte of a first packet but the second check is under the first one. */
static void test_first_check(void **state)
{
    uint8_t packet[PACKET];
    size_t n = make_first(packet, NULL);

    (void)state;
    assert_int_equal(FER_DROP_FORGED, fer_greeting_check(packet, n, &other_gateway));
    for (size_t at = 6; at < n - FER_GREETING_MAC_BYTES; at++) {
        packet[at] ^= 0x10;
        assert_int_equal(FER_DROP_FORGED, fer_greeting_check(packet, n, &gateway));
        packet[at] ^= 0x10;
    }
    assert_int_equal(FER_OK, fer_greeting_check(packet, n, &gateway));
}

static void get_cookie(const uint8_t *packet, size_t n, uint8_t cookie[FER_COOKIE_BYTES])
{
    uint8_t out[PACKET];
    size_t length = 0;

    assert_int_equal(FER_OK, fer_cookie_offer(packet, n, &gateway, &secret, address, sizeof address,
                                              entropy, out, sizeof out, &length));
    assert_int_equal(length, FER_COOKIE_SIZE(ROUTE));
    assert_int_equal(out[0], 0xE4);
    assert_int_equal(FER_OK, fer_cookie_take(out, length, packet + n - CHECKS, &gateway, cookie));
}

static void test_cookie(void **state)
{
    uint8_t packet[PACKET];
    uint8_t cookie[FER_COOKIE_BYTES];
    size_t n = make_first(packet, NULL);

    (void)state;
    assert_int_equal(FER_DROP_FORGED,
                     fer_cookie_check(packet, n, &secret, address, sizeof address));
    get_cookie(packet, n, cookie);
    n = make_first(packet, cookie);
    assert_int_equal(FER_OK, fer_greeting_check(packet, n, &gateway));
    assert_int_equal(FER_OK, fer_cookie_check(packet, n, &secret, address, sizeof address));
    assert_int_equal(FER_DROP_FORGED,
                     fer_cookie_check(packet, n, &other_secret, address, sizeof address));
    assert_int_equal(FER_DROP_FORGED,
                     fer_cookie_check(packet, n, &secret, address, sizeof address - 1));
    for (size_t at = 6; at < n; at++) { /* it is over the whole packet */
        packet[at] ^= 0x10;
        assert_int_equal(FER_DROP_FORGED,
                         fer_cookie_check(packet, n, &secret, address, sizeof address));
        packet[at] ^= 0x10;
    }
}

/* A cookie packet serves the first packet it answers, from the gateway it was meant for. */
static void test_cookie_is_bound(void **state)
{
    uint8_t packet[PACKET];
    uint8_t offer[PACKET];
    uint8_t cookie[FER_COOKIE_BYTES];
    size_t n = make_first(packet, NULL);
    size_t length = 0;

    (void)state;
    assert_int_equal(FER_OK, fer_cookie_offer(packet, n, &gateway, &secret, address, sizeof address,
                                              entropy, offer, sizeof offer, &length));
    assert_int_equal(FER_DROP_FORGED,
                     fer_cookie_take(offer, length, packet + n - CHECKS, &other_gateway, cookie));
    for (size_t at = 6; at < length; at++) {
        offer[at] ^= 1;
        assert_int_equal(FER_DROP_FORGED,
                         fer_cookie_take(offer, length, packet + n - CHECKS, &gateway, cookie));
        offer[at] ^= 1;
    }
    packet[n - FER_GREETING_MAC_BYTES - 1] ^= 1; /* another first check, so another packet */
    assert_int_equal(FER_DROP_FORGED,
                     fer_cookie_take(offer, length, packet + n - CHECKS, &gateway, cookie));
    assert_int_equal(FER_DROP_MALFORMED,
                     fer_cookie_take(packet, n, packet + n - CHECKS, &gateway, cookie));
}

static void test_cookie_needs_entropy(void **state)
{
    uint8_t packet[PACKET];
    uint8_t out[PACKET];
    size_t n = make_first(packet, NULL);
    size_t length = 0;

    (void)state;
    answer = FER_PORT_FAILED;
    assert_int_equal(FER_TROUBLE_ENTROPY,
                     fer_cookie_offer(packet, n, &gateway, &secret, address, sizeof address,
                                      entropy, out, sizeof out, &length));
    answer = FER_PORT_NOT_NOW;
    assert_int_equal(FER_NOT_NOW,
                     fer_cookie_offer(packet, n, &gateway, &secret, address, sizeof address,
                                      entropy, out, sizeof out, &length));
    answer = FER_PORT_OK;
    static const struct fer_entropy_ops hollow = {NULL};
    assert_int_equal(FER_ERR_ARGUMENT,
                     fer_cookie_offer(packet, n, &gateway, &secret, address, sizeof address,
                                      (fer_entropy){&hollow, NULL}, out, sizeof out, &length));
    assert_int_equal(FER_ERR_CAPACITY,
                     fer_cookie_offer(packet, n, &gateway, &secret, address, sizeof address,
                                      entropy, out, FER_COOKIE_SIZE(ROUTE) - 1, &length));
    assert_int_equal(FER_DROP_MALFORMED,
                     fer_cookie_offer(packet, n - 1, &gateway, &secret, address, sizeof address,
                                      entropy, out, sizeof out, &length));
    assert_int_equal(length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_packet),    cmocka_unit_test(test_second_packet),
        cmocka_unit_test(test_each_rejection),  cmocka_unit_test(test_begin_refuses),
        cmocka_unit_test(test_first_check),     cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_cookie_is_bound), cmocka_unit_test(test_cookie_needs_entropy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
