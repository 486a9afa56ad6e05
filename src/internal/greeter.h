/* Ferrule: the body of fer_greeter, and what the device facade does with one (floor 5). */
#ifndef FERRULE_INTERNAL_GREETER_H
#define FERRULE_INTERNAL_GREETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/greeter.h"
#include "internal/bytes.h"
#include "internal/greeter_hooks.h"

/* Marks of the time at which live records were sealed, the newer first: the record of this number,
 * and all after it, were sealed then or later. */
typedef struct fer_marks {
    uint64_t ms[2];
    uint32_t first[2];
    uint32_t of; /* the generation of the records + 1; 0: there are none */
} fer_marks;

struct fer_greeter {
    fer_greeter_head head;
    fer_greeter_config config;
    fer_handshake *handshake; /* of the attempt under way; null: none */
    fer_sealer *sealer;
    fer_opener *opener;
    fer_arena scratch;  /* the handshake */
    fer_arena inner[2]; /* sessions: the current one's, and the next one's */
    uint8_t current;    /* which of them */
    bool keyed;         /* the keys below are of a generation */
    bool has_cookie;
    bool first_had_cookie; /* the last packet was made with one */
    uint8_t forged;        /* answers to it that were none */
    bool waiting;          /* something was asked, and nothing heard since `silent_since` */
    uint8_t jitter;        /* of the packet under way, random */
    uint8_t tries;         /* attempts without an answer, up to BACKOFF_MAX */
    uint32_t attempt;      /* the last one used */
    uint64_t due;          /* no first packet before */
    uint64_t began;        /* the session */
    uint64_t silent_since;
    fer_marks marks; /* of the session's records */
    fer_credential_info info;
    fer_preshared_key psk;
    fer_hedge hedge;
    uint8_t cookie[FER_COOKIE_BYTES];
    uint8_t check[FER_GREETING_MAC_BYTES]; /* of the packet under way: cookies are bound to it */
};

/* The sealer of a session in which somebody listens; null: there is none. */
fer_sealer *fer_greeter_get_live(const fer_greeter *greeter, uint64_t now);

/* Whether nothing was heard for so long that the next record should ask for an answer. */
bool fer_greeter_doubts(const fer_greeter *greeter, uint64_t now);

/* Ends the session and forgets the keys: attempts that were made are forgotten too, so that only
 * another generation's may follow. */
void fer_greeter_suspend(fer_greeter *greeter);

#endif
