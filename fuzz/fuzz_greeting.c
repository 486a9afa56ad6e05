/* Fuzz: the packets of a greeting. The first byte chooses: the rest as it is; with a good first
 * check put under it, so that it goes deep; or as an offered cookie. Asserted: what inspect accepts
 * is written back the same, and lies within the input; a check holds only where it was made. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/greeting.h"

enum { LONGEST = 512, CHECKS = 2 * FER_GREETING_MAC_BYTES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const fer_static_public gateway = {{1, 2, 3}};
static const fer_cookie_secret secret = {{4, 5, 6}};
static const uint8_t address[] = {192, 0, 2, 1};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 0x42, n);
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy_ops = {fill};

static bool inspect(const uint8_t *packet, size_t n, fer_greeting *greeting)
{
    uint8_t header[32];
    size_t length = 0;

    if (fer_greeting_inspect(packet, n, greeting) != FER_OK) {
        return false;
    }
    must(greeting->message == packet + greeting->header_length);
    must(greeting->header_length + greeting->message_length <= n);
    must(fer_greeting_begin(greeting, header, sizeof header, &length) == FER_OK);
    must(length == greeting->header_length && memcmp(header, packet, length) == 0);
    return true;
}

/* A packet whose checks are good is answered with a cookie that its sender can take. */
static void answer(const uint8_t *packet, size_t n)
{
    uint8_t offer[FER_COOKIE_SIZE(FER_ROUTE_MAX)];
    uint8_t cookie[FER_COOKIE_BYTES];
    uint8_t again[LONGEST + 32];
    size_t length = 0;
    size_t whole = 0;

    must(fer_greeting_check(packet, n, &gateway) == FER_OK);
    must(fer_cookie_check(packet, n, &secret, address, sizeof address) != FER_OK);
    must(fer_cookie_offer(packet, n, &gateway, &secret, address, sizeof address,
                          (fer_entropy){&entropy_ops, NULL}, offer, sizeof offer,
                          &length) == FER_OK);
    must(fer_cookie_take(offer, length, packet + n - CHECKS, &gateway, cookie) == FER_OK);
    memcpy(again, packet, n - 32);
    must(fer_greeting_end(again, n - 32, sizeof again, &gateway, cookie, &whole) == FER_OK);
    must(fer_cookie_check(again, whole, &secret, address, sizeof address) == FER_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t packet[LONGEST + 32];
    fer_greeting greeting;
    uint8_t cookie[FER_COOKIE_BYTES] = {0};
    size_t length = 0;

    if (n == 0 || n - 1 > LONGEST) {
        return 0;
    }
    memcpy(packet, data + 1, n - 1);
    if ((data[0] & 1u) == 0) {
        (void)inspect(packet, n - 1, &greeting);
        (void)!fer_greeting_check(packet, n - 1, &gateway);
        must(fer_cookie_take(packet, n - 1, cookie, &gateway, cookie) != FER_OK);
        return 0;
    }
    must(fer_greeting_end(packet, n - 1, sizeof packet, &gateway, NULL, &length) == FER_OK);
    if (inspect(packet, length, &greeting) && greeting.type == FER_GREETING_FIRST) {
        answer(packet, length);
    }
    return 0;
}
