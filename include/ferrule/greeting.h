/* Ferrule: greeting. The packets that carry an IK handshake between a device and its gateway, and
 * what keeps a flood of them cheap (docs/WIRE.md, section greeting; compare WireGuard's mac1, mac2
 * and cookie).
 *
 * A gateway does no curve operation for a packet whose first check fails: only who knows the
 * gateway's public key can make one. Under load it asks for a cookie as well: only who receives at
 * the address he sends from has one. Both are hashes.
 * Concurrency: pure functions on the caller's memory; any thread, no ISR; nothing blocks. TOTAL. */
#ifndef FERRULE_GREETING_H
#define FERRULE_GREETING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/attributes.h"
#include "ferrule/handshake.h"
#include "ferrule/port.h"
#include "ferrule/record.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of one check, and of a cookie. */
#define FER_GREETING_MAC_BYTES 16u
#define FER_COOKIE_BYTES 16u

/* Header of the first packet: first byte, route, type, generation, attempt. Bytes. */
#define FER_GREETING_FIRST_HEADER(route) (1u + (route) + 1u + 4u + 4u)
/* The whole first packet: header, Noise message with its payload, two checks. */
#define FER_GREETING_FIRST_SIZE(route, payload) \
    (FER_GREETING_FIRST_HEADER(route) + 96u + (payload) + 2u * FER_GREETING_MAC_BYTES)
/* The answer: first byte, route, type, attempt, Noise message with its payload. */
#define FER_GREETING_SECOND_HEADER(route) (1u + (route) + 1u + 4u)
#define FER_GREETING_SECOND_SIZE(route, payload) \
    (FER_GREETING_SECOND_HEADER(route) + 48u + (payload))
/* A cookie on its way: first byte, route, type, salt, sealed cookie. */
#define FER_COOKIE_SIZE(route) (1u + (route) + 1u + 16u + FER_COOKIE_BYTES + FER_TAG_BYTES)

/* The byte behind the route. */
typedef enum fer_greeting_type {
    FER_GREETING_FIRST = 1,  /* up: Noise message 1 */
    FER_GREETING_SECOND = 2, /* down: Noise message 2 */
    FER_GREETING_COOKIE = 3  /* down: come again, with this */
} fer_greeting_type;

/* A packet taken apart. Nothing vouches for it. Slices point into the packet. */
typedef struct fer_greeting {
    fer_greeting_type type;       /* first, second or cookie */
    uint8_t route_length;         /* 0, 2, 4 or 8 */
    uint8_t route[FER_ROUTE_MAX]; /* its first route_length bytes */
    uint32_t generation;          /* first */
    uint32_t attempt;             /* first, and echoed in the second */
    size_t header_length;         /* bytes before the message: what the prologue binds */
    const uint8_t *message;       /* Noise message, or salt and sealed cookie */
    size_t message_length;        /* in bytes */
} fer_greeting;

/* FER_DROP_MALFORMED: no packet of a greeting. Pure. */
FER_MUST_USE fer_status fer_greeting_inspect(const uint8_t *packet, size_t n,
                                             fer_greeting *greeting);

/* Writes the header of a packet and sets *length. FER_ERR_ARGUMENT: a type, route length,
 * generation or attempt that cannot be. FER_ERR_CAPACITY. */
FER_MUST_USE fer_status fer_greeting_begin(const fer_greeting *greeting, uint8_t *out,
                                           size_t capacity, size_t *length);

/* ---- the first packet's checks ---------------------------------------------------------- */

/* Appends both checks to the n bytes of header and message: the first under the gateway's public
 * key, the second under a cookie, or zeros without one (null). The packet has room for
 * `capacity` bytes; *length is n + 32. FER_ERR_CAPACITY: that is more. */
FER_MUST_USE fer_status fer_greeting_end(uint8_t *packet, size_t n, size_t capacity,
                                         const fer_static_public *gateway, const uint8_t *cookie,
                                         size_t *length);

/* FER_OK: whoever made this first packet knows the gateway's public key. Else FER_DROP_FORGED, and
 * FER_DROP_MALFORMED as inspect. Two hashes. */
FER_MUST_USE fer_status fer_greeting_check(const uint8_t *packet, size_t n,
                                           const fer_static_public *gateway);

/* ---- cookies ---------------------------------------------------------------------------- */

/* A gateway's secret for cookies. Draw another every two minutes, and keep the one before. */
typedef struct fer_cookie_secret {
    uint8_t bytes[32]; /* drawn at random */
} fer_cookie_secret;

/* Writes the packet that sends an address its cookie, in answer to a first packet that passed
 * fer_greeting_check. `address` is what the transport says of the sender, address_length bytes that
 * tell one from another. FER_TROUBLE_ENTROPY, FER_NOT_NOW: no salt. */
FER_MUST_USE fer_status fer_cookie_offer(const uint8_t *packet, size_t n,
                                         const fer_static_public *gateway,
                                         const fer_cookie_secret *secret, const uint8_t *address,
                                         size_t address_length, fer_entropy entropy, uint8_t *out,
                                         size_t capacity, size_t *length);

/* FER_OK: the packet's second check was made with the cookie of this address, address_length bytes.
 * Else FER_DROP_FORGED. */
FER_MUST_USE fer_status fer_cookie_check(const uint8_t *packet, size_t n,
                                         const fer_cookie_secret *secret, const uint8_t *address,
                                         size_t address_length);

/* A device takes its cookie out of the gateway's packet. `check` is the first check of the packet
 * that it sent, to which a cookie is bound. FER_DROP_FORGED: not made for it. */
FER_MUST_USE fer_status fer_cookie_take(const uint8_t *packet, size_t n,
                                        const uint8_t check[FER_GREETING_MAC_BYTES],
                                        const fer_static_public *gateway,
                                        uint8_t cookie[FER_COOKIE_BYTES]);

#ifdef __cplusplus
}
#endif
#endif
