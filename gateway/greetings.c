/* In this order: what costs nothing, the keyed check, under load a cookie, and only then the curve.
 * An answer waits for its device's mark to be durable: what was answered once starts nothing after
 * a restart (ONCE). */
#include "greetings.h"

#include <string.h>

#include <netinet/in.h>

#include "entropy.h"
#include "server.h"

#define COMPUTED_A_SECOND 32u
#define COOKIE_MS 120000
#define ADDRESS_MAX 32u

bool greetings_is_one(const uint8_t *packet, size_t n)
{
    fer_greeting greeting;
    return fer_greeting_inspect(packet, n, &greeting) == FER_OK &&
           greeting.type == FER_GREETING_FIRST;
}

/* ---- load ---- */

static void start_second(struct greetings *greetings)
{
    const int64_t second = server_monotonic_ms() / 1000;
    if (second != greetings->second) {
        greetings->second = second;
        greetings->computed = 0;
    }
}

/* What the transport says of a sender: address and port, or which stream. No padding. */
static size_t write_address(const struct origin *origin, uint8_t out[ADDRESS_MAX])
{
    memset(out, 0, ADDRESS_MAX);
    if (origin->address == NULL) {
        memcpy(out, &origin->link_id, sizeof origin->link_id);
        return sizeof origin->link_id;
    }
    const sa_family_t family = origin->address->sa_family;
    memcpy(out, &family, sizeof family);
    if (family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)origin->address;
        memcpy(out + 2, &six->sin6_port, 2);
        memcpy(out + 4, &six->sin6_addr, 16);
        memcpy(out + 20, &six->sin6_scope_id, 4);
        return 24;
    }
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)origin->address;
    memcpy(out + 2, &four->sin_port, 2);
    memcpy(out + 4, &four->sin_addr, 4);
    return 8;
}

/* A fresh secret every two minutes, and the one before: a cookie serves for two to four. */
static bool renew_secrets(struct greetings *greetings)
{
    const int64_t now = server_monotonic_ms();
    if (greetings->drawn_ms != 0 && now - greetings->drawn_ms < COOKIE_MS) {
        return true;
    }
    fer_cookie_secret fresh[2];
    if (!host_random(fresh, sizeof fresh)) {
        return false;
    }
    const bool recent = greetings->drawn_ms != 0 && now - greetings->drawn_ms < 2 * COOKIE_MS;
    greetings->secrets[1] = recent ? greetings->secrets[0] : fresh[1];
    greetings->secrets[0] = fresh[0];
    greetings->drawn_ms = now;
    explicit_bzero(fresh, sizeof fresh);
    return true;
}

static struct device_ack path_of(const struct origin *origin)
{
    struct device_ack path = {.link = origin->link_id};
    if (origin->address != NULL && origin->address_length <= sizeof path.address) {
        memcpy(&path.address, origin->address, origin->address_length);
        path.address_length = origin->address_length;
    }
    return path;
}

static void offer_cookie(struct server *server, const uint8_t *packet, size_t n,
                         const struct origin *origin, const uint8_t *address, size_t length)
{
    uint8_t out[FER_COOKIE_SIZE(FER_ROUTE_MAX)];
    size_t written = 0;
    const struct device_ack path = path_of(origin);
    if (fer_cookie_offer(packet, n, &server->sessions.own, &server->greetings.secrets[0], address,
                         length, server->entropy, out, sizeof out, &written) == FER_OK &&
        links_send(server, &path, out, written)) {
        server->counters.cookies_offered++;
    } else {
        report_greeting(server, GREETING_NO_ROOM, packet, n, origin);
    }
}

/* Whether this one is heard now: always, or under load with a cookie, which it is sent else. */
static bool admit(struct server *server, const uint8_t *packet, size_t n,
                  const struct origin *origin)
{
    struct greetings *greetings = &server->greetings;
    uint8_t address[ADDRESS_MAX];
    start_second(greetings);
    if (greetings->computed < COMPUTED_A_SECOND && !origin->pressed) {
        return true;
    }
    if (!renew_secrets(greetings)) {
        report_greeting(server, GREETING_NO_ROOM, packet, n, origin);
        return false;
    }
    const size_t length = write_address(origin, address);
    for (size_t i = 0; i < 2; i++) {
        if (fer_cookie_check(packet, n, &greetings->secrets[i], address, length) == FER_OK) {
            return true;
        }
    }
    offer_cookie(server, packet, n, origin, address, length);
    return false;
}

/* ---- the answer ---- */

static enum greeting_refusal refusal_of(fer_status status)
{
    switch (status) {
    case FER_DROP_ROUTE:
        return GREETING_ROUTE;
    case FER_DROP_REPLAY:
        return GREETING_REPLAY;
    case FER_DROP_OLD:
        return GREETING_OLD;
    case FER_DROP_FAR:
        return GREETING_FAR;
    case FER_DROP_FORGED:
        return GREETING_FORGED;
    default:
        return GREETING_NO_ROOM;
    }
}

/* In place of one that waits already. */
static void keep_answer(struct server *server, uint32_t context, fer_greeted mark,
                        const struct device_answer *answer)
{
    struct device *device = contexts_device(&server->contexts, context);
    const bool waits = device->answer.length != 0;
    struct device *next = waits ? device->answer.next : server->greetings.waiting;
    device->answer = *answer;
    device->answer.next = next;
    device->greeted = mark;
    device->greeted_ms = server_monotonic_ms();
    if (!waits) {
        server->greetings.waiting = device;
    }
    if (server->stalled_since_ms == 0) {
        commit_soon(server);
    }
}

static void hear(struct server *server, const uint8_t *packet, size_t n,
                 const struct origin *origin)
{
    struct device_answer answer = {.path = path_of(origin)};
    uint32_t context = 0;
    fer_greeted mark;
    const fer_status status =
        fer_responder_greet(server->sessions.responder, packet, n, answer.bytes,
                            sizeof answer.bytes, &answer.length, &context, &mark);
    const bool computed = status == FER_OK || refusal_of(status) >= GREETING_FORGED;
    server->greetings.computed += computed;
    server->counters.greetings_computed += computed;
    if (status == FER_OK) {
        keep_answer(server, context, mark, &answer);
    } else {
        report_greeting(server, refusal_of(status), packet, n, origin);
    }
}

void greetings_take(struct server *server, const uint8_t *packet, size_t n,
                    const struct origin *origin)
{
    if (server->sessions.responder == NULL) {
        report_greeting(server, GREETING_NO_KEY, packet, n, origin);
    } else if (!origin->answers) {
        report_greeting(server, GREETING_ONE_WAY, packet, n, origin);
    } else if (fer_greeting_check(packet, n, &server->sessions.own) != FER_OK) {
        report_greeting(server, GREETING_CHECK, packet, n, origin);
    } else if (admit(server, packet, n, origin)) {
        hear(server, packet, n, origin);
    }
}

/* ---- storing and sending ---- */

int greetings_store(struct server *server)
{
    int rc = SQLITE_OK;
    for (struct device *device = server->greetings.waiting; device != NULL && rc == SQLITE_OK;
         device = device->answer.next) {
        bool superseded = false;
        rc = database_save_greeted(&server->db, device->registered.id, device->registered.epoch,
                                   device->greeted, &superseded);
        device->superseded = device->superseded || superseded;
    }
    return rc;
}

static void answer_one(struct server *server, struct device *device)
{
    const struct device_answer *answer = &device->answer;
    if (device->superseded) {
        server->reload = true; /* it was issued again: these keys are of the past */
    }
    if (device->open && !device->superseded &&
        links_send(server, &answer->path, answer->bytes, answer->length)) {
        server->counters.greetings_answered++;
    } else {
        server->counters.greetings_unsent++;
    }
}

void greetings_answer(struct server *server)
{
    while (server->greetings.waiting != NULL) {
        struct device *device = server->greetings.waiting;
        server->greetings.waiting = device->answer.next;
        answer_one(server, device);
        device->answer = (struct device_answer){0};
    }
}
