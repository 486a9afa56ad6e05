/* Ferrule: the state of a responder (floor 5's own). */
#ifndef FERRULE_INTERNAL_RESPONDER_H
#define FERRULE_INTERNAL_RESPONDER_H

#include <stdbool.h>

#include "ferrule/responder.h"
#include "internal/credential.h"
#include "internal/handle.h"

#define FER_NO_SESSION 0xFFFFFFFFu

/* A device that may greet: one for each context. */
struct fer_peer {
    fer_credential_info info; /* identity, epoch and route */
    fer_static_public device;
    fer_greeted last;
    uint8_t fingerprint[8]; /* of the context that it was pinned to */
    uint32_t current;       /* index of a session, or FER_NO_SESSION */
    uint32_t pending;
    bool pinned;
};

struct fer_responder_session {
    fer_sealer *sealer; /* null: free */
    fer_opener *opener;
    fer_arena inner; /* holds both: wiped whole when the session ends (WIPE) */
    uint32_t first;  /* of the sessions whose routes fall into this place's bucket */
    uint32_t next;   /* in the same bucket */
    uint32_t context;
    uint32_t serial;     /* never the same for two sessions in a row: tickets carry it */
    uint32_t generation; /* of the greeting, whose chain gave the pre-shared key */
    uint8_t route[FER_ROUTE_MAX];
    uint8_t route_length;
};

struct fer_responder {
    fer_tag tag;
    fer_responder_config config;
    struct fer_peer *peers;
    struct fer_responder_session *sessions;
    fer_arena scratch; /* one handshake, for the time of a greeting */
    uint32_t serial;
};

bool fer_responder_is_open(const fer_responder *responder);

/* The peer of a context that may greet, or null: also where the context is gone, or another's by
 * now (fer_gateway_remove), so that nothing of one device becomes another's. */
struct fer_peer *fer_responder_get_peer(const fer_responder *responder, uint32_t context);

/* The session of a route, or FER_NO_SESSION. A few steps: routes are random. */
uint32_t fer_responder_find(const fer_responder *responder, const uint8_t *route, uint8_t length);

/* A place for one more session, or FER_NO_SESSION. */
uint32_t fer_responder_find_free(const fer_responder *responder);

/* Lets a session be found by its route. */
void fer_responder_list(fer_responder *responder, uint32_t session);

/* Ends a session, if there is one: its keys are wiped. */
void fer_responder_end(fer_responder *responder, uint32_t *session);

#endif
