/* Ferrule gateway: greetings. First packets of devices that want a session: which are looked at,
 * which are sent a cookie first, and when an answer leaves. */
#ifndef FERRULE_GATEWAY_GREETINGS_H
#define FERRULE_GATEWAY_GREETINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/greeting.h"

struct server;
struct origin;
struct device;

/* Why one was refused (HONEST). Only the last three may have cost curve operations. */
enum greeting_refusal {
    GREETING_NO_KEY,  /* the gateway has none */
    GREETING_ONE_WAY, /* came in a capture: nobody waits for an answer */
    GREETING_ROUTE,   /* of no device that may greet */
    GREETING_CHECK,   /* made without our public key */
    GREETING_REPLAY,  /* not newer than the device's mark */
    GREETING_OLD,     /* of a generation that is not opened any more */
    GREETING_FAR,     /* too far ahead */
    GREETING_FORGED,  /* with another static key than the device's, or changed */
    GREETING_NO_ROOM, /* no room, or no entropy, now */
    GREETING_REFUSALS
};

/* When greetings are too many, and the secrets of the cookies that are asked for then. */
struct greetings {
    int64_t second;    /* monotonic */
    uint32_t computed; /* in it: greetings that reached the curve */
    int64_t drawn_ms;  /* monotonic: when secrets[0] was; 0: never */
    fer_cookie_secret secrets[2];
    struct device *waiting; /* whose answers wait for a commit */
};

/* Whether these bytes begin a session, or claim to. */
bool greetings_is_one(const uint8_t *packet, size_t n);

/* Takes one. */
void greetings_take(struct server *server, const uint8_t *packet, size_t n,
                    const struct origin *origin);

/* Stores the marks of those that wait, in the caller's transaction; sends their answers, after the
 * commit. */
int greetings_store(struct server *server);
void greetings_answer(struct server *server);

#endif
