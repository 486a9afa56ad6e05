/* Ferrule: record. Sealed records: a sealer makes them, an opener opens them. Two types, so that
 * neither can stand for the other. Bytes in docs/WIRE.md, section record.
 *
 * Seal takes no nonce. Numbers come from the sealer alone, advance before keystream exists, and
 * never go back (NONCE). ChaCha20-Poly1305 as in RFC 8439 section 2.8.
 * Concurrency: a handle belongs to one thread at a time; nothing blocks, no ISR. */
#ifndef FERRULE_RECORD_H
#define FERRULE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/config.h"
#include "ferrule/keychain.h"
#include "ferrule/port.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a record's tag. */
#define FER_TAG_BYTES 16u

/* Bytes a record adds to its plaintext, for a route of `route` bytes. */
#define FER_OVERHEAD_SHORT(route) (1u + (route) + 3u + FER_TAG_BYTES)
#define FER_OVERHEAD_FULL(route) (1u + (route) + 12u + FER_TAG_BYTES)
#define FER_OVERHEAD_DOWN(route) (1u + (route) + 16u + FER_TAG_BYTES)
#define FER_OVERHEAD_MAX FER_OVERHEAD_DOWN(FER_ROUTE_MAX)

/* Longest plaintext of one record, in bytes. */
#define FER_PLAINTEXT_MAX 65000u

/* Smallest datagram the device facade supports, in bytes. */
#define FER_DATAGRAM_MIN 32u

/* What a first byte begins. */
typedef enum fer_kind {
    FER_KIND_HANDSHAKE = 0,   /* a greeting: see greeting.h */
    FER_KIND_PROVISIONED = 1, /* a record under the keys of provisioning */
    FER_KIND_SESSION = 2,     /* a record of a session */
    FER_KIND_REJECT = 3       /* a cookie: see greeting.h */
} fer_kind;

/* Which way a record goes. */
typedef enum fer_direction {
    FER_UP = 0,  /* from device to gateway; in a session from initiator to responder */
    FER_DOWN = 1 /* back */
} fer_direction;

/* Two sequences side by side, so that a backlog and live records do not push each other out of the
 * window. */
typedef enum fer_lane {
    FER_LANE_LIVE = 0,   /* sealed to be sent now */
    FER_LANE_BACKLOG = 1 /* sealed to be stored, and sent at any later time */
} fer_lane;

/* How much a header says. */
typedef enum fer_form {
    FER_FORM_SHORT = 0, /* the low bits of generation and sequence */
    FER_FORM_FULL = 1   /* all of both, and up a claim that vouches for them */
} fer_form;

/* When an up sealer on the live lane uses the full form. */
typedef enum fer_way {
    FER_TWO_WAY = 0, /* until acknowledged, then again every 64 records without news */
    FER_ONE_WAY = 1  /* the first 4, then every 32nd record of a generation */
} fer_way;

/* ---- sealing ---------------------------------------------------------------------------- */

/* Seals the records of one generation, direction and lane. */
typedef struct fer_sealer fer_sealer;

/* Arena bytes of a sealer. */
#define FER_SEALER_SIZE FER_ARENA_SIZEOF(2, 88)

/* What a sealer is for. */
typedef struct fer_sealer_config {
    fer_direction direction; /* FER_UP: device to gateway */
    fer_lane lane;           /* of an up sealer; backlog is always full form */
    fer_way way;             /* of an up sealer on the live lane */
    fer_entropy entropy;     /* of a down sealer: the salt of each message */
} fer_sealer_config;

/* Takes the key of the configured direction and lane out of *generation. FER_ERR_ORDER if it was
 * taken before (NONCE). FER_ERR_ARGUMENT: no generation, or a configuration that cannot be.
 * FER_ERR_ARENA. */
FER_MUST_USE fer_status fer_sealer_create(fer_arena *arena, fer_generation *generation,
                                          const fer_sealer_config *config, fer_sealer **sealer);

/* Bytes the next record will add to its plaintext; 0 for a bad handle. Needed to place a plaintext
 * for sealing in place: at out + overhead - FER_TAG_BYTES. */
size_t fer_sealer_get_overhead(const fer_sealer *sealer);

/* Seals n bytes into out and sets *length to n + overhead. `plaintext` is disjoint from out or
 * lies exactly at out + overhead - FER_TAG_BYTES. Out needs n + overhead bytes, else
 * FER_ERR_CAPACITY and no number is used. FER_RENEW_EXHAUSTED: all numbers are used.
 * FER_TROUBLE_ENTROPY: no salt, nothing sealed, a number is lost. On failure out is zeroed as far
 * as written. */
FER_MUST_USE fer_status fer_sealer_seal(fer_sealer *sealer, const uint8_t *plaintext, size_t n,
                                        uint8_t *out, size_t capacity, size_t *length);

/* The peer has been heard: short form may be used. Call it when a downlink has opened.
 * FER_ERR_HANDLE: no sealer. */
FER_MUST_USE fer_status fer_sealer_acknowledge(fer_sealer *sealer);

/* Tells in *sequence the number the next record will carry; FER_SEQUENCE_END where none is left.
 * FER_ERR_HANDLE: no sealer. */
FER_MUST_USE fer_status fer_sealer_get_next(const fer_sealer *sealer, uint32_t *sequence);

/* Wipes the handle and sets the caller's pointer to null. Null or closed: no effect. */
void fer_sealer_close(fer_sealer **sealer);

/* ---- opening ---------------------------------------------------------------------------- */

/* Opens the records of one generation and direction, one or both lanes. For an uplink that spans
 * generations see gateway.h. */
typedef struct fer_opener fer_opener;

/* Arena bytes of an opener whose windows have `bits` numbers. */
#define FER_OPENER_SIZE(bits) (FER_ARENA_SIZEOF(3, 128) + 2u * FER_ARENA_ROUND((bits) / 8u))

/* What an opener is for. */
typedef struct fer_opener_config {
    fer_direction direction; /* of the records to open */
    uint32_t window_bits;    /* power of two, 64 to 8192 */
} fer_opener_config;

/* Proof that a record was authenticated; only the opener that gave it takes it. */
typedef struct fer_ticket {
    uint64_t opaque[4]; /* the opener's */
} fer_ticket;

/* What an opened record says of itself; authenticated. */
typedef struct fer_opened {
    uint32_t context;    /* gateway.h: number of the context; 0 for an opener */
    uint32_t generation; /* of the keys that opened it */
    uint32_t sequence;   /* its number, of that generation and lane */
    size_t length;       /* bytes of plaintext */
    fer_kind kind;       /* of its context */
    fer_lane lane;       /* that it was sealed on */
    fer_form form;       /* of its header */
    fer_ticket ticket;   /* for commit */
} fer_opened;

/* Takes the keys of the configured direction out of *generation. FER_ERR_ORDER: they were taken
 * before. FER_ERR_ARGUMENT: no generation, or a configuration that cannot be. FER_ERR_ARENA. */
FER_MUST_USE fer_status fer_opener_create(fer_arena *arena, fer_generation *generation,
                                          const fer_opener_config *config, fer_opener **opener);

/* Authenticates a record and yields its plaintext; receive state does not change (two phases: see
 * commit). `out` needs n - overhead bytes; it is disjoint from record, or lies exactly where the
 * ciphertext does. *opened tells what it is. FER_DROP_…: out is zeroed (FIRST); an in-place
 * ciphertext is lost. */
FER_MUST_USE fer_status fer_opener_open(const fer_opener *opener, const uint8_t *record, size_t n,
                                        uint8_t *out, size_t capacity, fer_opened *opened);

/* Accepts an opened record: moves the window and spends the ticket. FER_DROP_REPLAY or
 * FER_DROP_OLD: its number was accepted, or fell behind, since it was opened (ONCE). FER_ERR_ORDER:
 * the ticket is spent, or another opener's. */
FER_MUST_USE fer_status fer_opener_commit(fer_opener *opener, fer_ticket *ticket);

/* Forgets an opened record: spends the ticket, and the number stays acceptable. */
void fer_ticket_abort(fer_ticket *ticket);

/* Open and commit in one call; answers as either. */
FER_MUST_USE fer_status fer_opener_receive(fer_opener *opener, const uint8_t *record, size_t n,
                                           uint8_t *out, size_t capacity, fer_opened *opened);

/* Wipes the handle and sets the caller's pointer to null. Null or closed: no effect. */
void fer_opener_close(fer_opener **opener);

/* ---- looking without keys --------------------------------------------------------------- */

/* What a header claims. Nothing vouches for it: no function takes this type as identity. For
 * routing, captures and `ferrule explain`. */
typedef struct fer_unverified {
    fer_kind kind;                /* of context */
    fer_direction direction;      /* up or down */
    fer_form form;                /* of the header */
    fer_lane lane;                /* live or backlog */
    uint8_t route_length;         /* 0, 2, 4 or 8 */
    uint8_t header_length;        /* bytes before the ciphertext */
    uint8_t route[FER_ROUTE_MAX]; /* its first route_length bytes */
    uint32_t generation;          /* short form: the low 8 bits */
    uint32_t sequence;            /* short form: the low 16 bits */
    uint32_t claim;               /* up, full form */
    uint64_t salt;                /* down */
} fer_unverified;

/* Parses a header; FER_DROP_MALFORMED where no record of kind 1 or 2 can begin like this, or the
 * record is shorter than its header and tag. Pure; any thread or ISR. TOTAL. */
FER_MUST_USE fer_status fer_record_inspect(const uint8_t *record, size_t n, fer_unverified *header);

#ifdef __cplusplus
}
#endif
#endif
