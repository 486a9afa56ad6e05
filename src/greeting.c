/* Ferrule: greeting (floor 4), docs/WIRE.md, section greeting. All keys here follow from a public
 * key, or are a gateway's own: nothing of an identity is at stake. */
#include "ferrule/greeting.h"

#include <string.h>

#include "crypto/curve.h"
#include "internal/bytes.h"
#include "internal/draw.h"
#include "internal/record.h"

enum { SALT = 16, CHECKS = 2 * FER_GREETING_MAC_BYTES, MESSAGE_LEAST = 48, FIRST_LEAST = 96 };

static const uint8_t label_check[] = {'f', 'e', 'r', 'r', 'u', 'l', 'e', '1', 'm', 'a', 'c', '1'};
static const uint8_t label_cookie[] = {'f', 'e', 'r', 'r', 'u', 'l', 'e', '1', 'c', 'o', 'o', 'k'};

/* ---- packets ---------------------------------------------------------------------------- */

/* The only first bytes: kind 0 or 3 (a cookie), full form and lane unused. */
static bool first_byte_is(unsigned first, fer_greeting_type type)
{
    unsigned kind = type == FER_GREETING_COOKIE ? FER_KIND_REJECT : FER_KIND_HANDSHAKE;
    unsigned down = type == FER_GREETING_FIRST ? 0u : FER_FIRST_DOWN;
    unsigned route = 3u << FER_FIRST_ROUTE_SHIFT;

    return (first & ~route) == (kind << FER_FIRST_KIND_SHIFT | down);
}

static bool parse(fer_reader *reader, fer_greeting *greeting)
{
    unsigned first = fer_read_u8(reader);

    greeting->route_length = (uint8_t)fer_header_route(first);
    fer_read_bytes(reader, greeting->route, greeting->route_length);
    greeting->type = (fer_greeting_type)fer_read_u8(reader);
    if (greeting->type == FER_GREETING_FIRST) {
        greeting->generation = fer_read_u32(reader);
    }
    if (greeting->type != FER_GREETING_COOKIE) {
        greeting->attempt = fer_read_u32(reader);
    }
    greeting->header_length = reader->at;
    greeting->message_length = fer_reader_left(reader);
    greeting->message = fer_read_span(reader, greeting->message_length);
    return !reader->failed && first_byte_is(first, greeting->type) &&
           greeting->generation != FER_SEQUENCE_END && greeting->attempt != FER_SEQUENCE_END;
}

/* Whether the message can be one of its type; a first packet's checks are no part of it. */
static bool fits(fer_greeting *greeting)
{
    size_t n = greeting->message_length;

    switch (greeting->type) {
    case FER_GREETING_FIRST:
        greeting->message_length = n - CHECKS;
        return n >= FIRST_LEAST + CHECKS && n <= FER_NOISE_MESSAGE_MAX;
    case FER_GREETING_SECOND:
        return n >= MESSAGE_LEAST && n <= FER_NOISE_MESSAGE_MAX;
    case FER_GREETING_COOKIE:
        return n == SALT + FER_COOKIE_BYTES + FER_TAG_BYTES;
    default:
        return false;
    }
}

fer_status fer_greeting_inspect(const uint8_t *packet, size_t n, fer_greeting *greeting)
{
    if (packet == NULL || greeting == NULL) {
        return FER_ERR_ARGUMENT;
    }
    fer_reader reader = fer_reader_over(packet, n);
    memset(greeting, 0, sizeof *greeting);
    if (!parse(&reader, greeting) || !fits(greeting)) {
        memset(greeting, 0, sizeof *greeting);
        return FER_DROP_MALFORMED;
    }
    return FER_OK;
}

fer_status fer_greeting_begin(const fer_greeting *greeting, uint8_t *out, size_t capacity,
                              size_t *length)
{
    if (greeting == NULL || out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    unsigned type = (unsigned)greeting->type;
    unsigned route = greeting->route_length;
    bool has_attempt = type != FER_GREETING_COOKIE;
    if (type < FER_GREETING_FIRST || type > FER_GREETING_COOKIE ||
        (route != 0 && route != 2 && route != 4 && route != 8) ||
        greeting->generation == FER_SEQUENCE_END || greeting->attempt == FER_SEQUENCE_END) {
        return FER_ERR_ARGUMENT;
    }
    fer_record_name name;
    fer_record_name_build(&name, has_attempt ? FER_KIND_HANDSHAKE : FER_KIND_REJECT,
                          type == FER_GREETING_FIRST ? 0u : FER_FIRST_DOWN, greeting->route, route);
    fer_writer writer = fer_writer_over(out, capacity);
    fer_write_bytes(&writer, name.bytes, name.length);
    fer_write_u8(&writer, (uint8_t)type);
    if (type == FER_GREETING_FIRST) {
        fer_write_u32(&writer, greeting->generation);
    }
    if (has_attempt) {
        fer_write_u32(&writer, greeting->attempt);
    }
    *length = writer.at;
    return writer.failed ? FER_ERR_CAPACITY : FER_OK;
}

/* ---- checks ----------------------------------------------------------------------------- */

/* A key that everyone has who knows the gateway. */
static void derive_key(const uint8_t label[12], const fer_static_public *gateway,
                       uint8_t key[FER_HASH_BYTES])
{
    fer_crypto_hash_pair(label, 12, gateway->bytes, sizeof gateway->bytes, key);
}

/* The first check of n bytes: 16 bytes into out. */
static void compute_check(const uint8_t *packet, size_t n, const fer_static_public *gateway,
                          uint8_t out[FER_GREETING_MAC_BYTES])
{
    uint8_t key[FER_HASH_BYTES];
    uint8_t mac[FER_HASH_BYTES];

    derive_key(label_check, gateway, key);
    fer_crypto_mac(key, sizeof key, packet, n, NULL, 0, mac);
    memcpy(out, mac, FER_GREETING_MAC_BYTES);
}

/* The second: under a cookie, over the first too. */
static void compute_second(const uint8_t *packet, size_t n, const uint8_t cookie[FER_COOKIE_BYTES],
                           uint8_t out[FER_GREETING_MAC_BYTES])
{
    uint8_t mac[FER_HASH_BYTES];

    fer_crypto_mac(cookie, FER_COOKIE_BYTES, packet, n, NULL, 0, mac);
    memcpy(out, mac, FER_GREETING_MAC_BYTES);
}

fer_status fer_greeting_end(uint8_t *packet, size_t n, size_t capacity,
                            const fer_static_public *gateway, const uint8_t *cookie, size_t *length)
{
    if (packet == NULL || gateway == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (n > SIZE_MAX - CHECKS || capacity < n + CHECKS) {
        return FER_ERR_CAPACITY;
    }
    compute_check(packet, n, gateway, packet + n);
    n += FER_GREETING_MAC_BYTES;
    if (cookie == NULL) {
        memset(packet + n, 0, FER_GREETING_MAC_BYTES);
    } else {
        compute_second(packet, n, cookie, packet + n);
    }
    *length = n + FER_GREETING_MAC_BYTES;
    return FER_OK;
}

/* Bytes of a first packet before its checks; 0 where it is none. */
static size_t measure_first(const uint8_t *packet, size_t n)
{
    fer_greeting greeting;

    if (fer_greeting_inspect(packet, n, &greeting) != FER_OK ||
        greeting.type != FER_GREETING_FIRST) {
        return 0;
    }
    return n - CHECKS;
}

fer_status fer_greeting_check(const uint8_t *packet, size_t n, const fer_static_public *gateway)
{
    uint8_t check[FER_GREETING_MAC_BYTES];

    if (packet == NULL || gateway == NULL) {
        return FER_ERR_ARGUMENT;
    }
    size_t checked = measure_first(packet, n);
    if (checked == 0) {
        return FER_DROP_MALFORMED;
    }
    compute_check(packet, checked, gateway, check);
    return fer_crypto_equal(check, packet + checked, sizeof check) ? FER_OK : FER_DROP_FORGED;
}

/* ---- cookies ---------------------------------------------------------------------------- */

/* What a gateway need not remember: it follows from its secret and the address. */
static void make_cookie(const fer_cookie_secret *secret, const uint8_t *address, size_t n,
                        uint8_t cookie[FER_COOKIE_BYTES])
{
    uint8_t mac[FER_HASH_BYTES];

    fer_crypto_mac(secret->bytes, sizeof secret->bytes, address, n, NULL, 0, mac);
    memcpy(cookie, mac, FER_COOKIE_BYTES);
}

/* A key for one cookie alone: the salt is fresh each time, so its nonce may be zero (NONCE). */
static void derive_cookie_key(const fer_static_public *gateway, const uint8_t salt[SALT],
                              fer_secret *key)
{
    uint8_t base[FER_HASH_BYTES];

    derive_key(label_cookie, gateway, base);
    fer_crypto_mac(base, sizeof base, salt, SALT, NULL, 0, key->bytes);
}

fer_status fer_cookie_offer(const uint8_t *packet, size_t n, const fer_static_public *gateway,
                            const fer_cookie_secret *secret, const uint8_t *address,
                            size_t address_length, fer_entropy entropy, uint8_t *out,
                            size_t capacity, size_t *length)
{
    static const uint8_t nonce[FER_NONCE_BYTES];
    uint8_t cookie[FER_COOKIE_BYTES];
    fer_greeting greeting;
    fer_secret key;

    if (packet == NULL || gateway == NULL || secret == NULL ||
        (address == NULL && address_length != 0) || !fer_can_draw(entropy) || out == NULL ||
        length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    size_t checked = measure_first(packet, n);
    if (checked == 0 || fer_greeting_inspect(packet, n, &greeting) != FER_OK) {
        return FER_DROP_MALFORMED;
    }
    if (capacity < FER_COOKIE_SIZE(greeting.route_length)) {
        return FER_ERR_CAPACITY;
    }
    greeting.type = FER_GREETING_COOKIE;
    size_t at = 0;
    fer_status status = fer_greeting_begin(&greeting, out, capacity, &at);
    if (status == FER_OK) {
        status = fer_draw(entropy, out + at, SALT);
    }
    if (status != FER_OK) {
        return status;
    }
    make_cookie(secret, address, address_length, cookie);
    derive_cookie_key(gateway, out + at, &key);
    status = fer_crypto_seal(&key, nonce, packet + checked, FER_GREETING_MAC_BYTES, cookie,
                             sizeof cookie, out + at + SALT);
    fer_wipe(&key, sizeof key);
    *length = FER_COOKIE_SIZE(greeting.route_length);
    return status;
}

fer_status fer_cookie_check(const uint8_t *packet, size_t n, const fer_cookie_secret *secret,
                            const uint8_t *address, size_t address_length)
{
    uint8_t cookie[FER_COOKIE_BYTES];
    uint8_t check[FER_GREETING_MAC_BYTES];

    if (packet == NULL || secret == NULL || (address == NULL && address_length != 0)) {
        return FER_ERR_ARGUMENT;
    }
    size_t checked = measure_first(packet, n);
    if (checked == 0) {
        return FER_DROP_MALFORMED;
    }
    checked += FER_GREETING_MAC_BYTES;
    make_cookie(secret, address, address_length, cookie);
    compute_second(packet, checked, cookie, check);
    return fer_crypto_equal(check, packet + checked, sizeof check) ? FER_OK : FER_DROP_FORGED;
}

fer_status fer_cookie_take(const uint8_t *packet, size_t n,
                           const uint8_t check[FER_GREETING_MAC_BYTES],
                           const fer_static_public *gateway, uint8_t cookie[FER_COOKIE_BYTES])
{
    static const uint8_t nonce[FER_NONCE_BYTES];
    fer_greeting greeting;
    fer_secret key;

    if (packet == NULL || check == NULL || gateway == NULL || cookie == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (fer_greeting_inspect(packet, n, &greeting) != FER_OK ||
        greeting.type != FER_GREETING_COOKIE) {
        return FER_DROP_MALFORMED;
    }
    derive_cookie_key(gateway, greeting.message, &key);
    fer_status status = fer_crypto_open(&key, nonce, check, FER_GREETING_MAC_BYTES,
                                        greeting.message + SALT, FER_COOKIE_BYTES, cookie);
    fer_wipe(&key, sizeof key);
    return status;
}
