/* Ferrule gateway: contexts. The core filled with the devices of the registry and their state from
 * the database. A device whose state is missing, or is not what the registry says, stays closed
 * (CLOSED): it has no context, and its records are counted and dropped. */
#ifndef FERRULE_GATEWAY_CONTEXTS_H
#define FERRULE_GATEWAY_CONTEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include "database.h"
#include "ferrule/arena.h"
#include "ferrule/gateway.h"
#include "ferrule/responder.h"
#include "registry.h"

/* Part of the format of every snapshot: another value needs new snapshots. */
#define CONTEXTS_WINDOW_BITS 256u
#define CONTEXTS_EARLIER 8u
#define CONTEXTS_SNAPSHOT_MAX FER_SNAPSHOT_SIZE(CONTEXTS_EARLIER, CONTEXTS_WINDOW_BITS)

/* The receipt that a device waits for. */
struct device_ack {
    bool due;
    uint32_t link;
    struct sockaddr_storage address; /* datagram links */
    socklen_t address_length;
    uint32_t generation;
    uint32_t sequence;
    int64_t not_before_ms; /* monotonic: at most a few a second */
};

/* A device that went backwards: proven by a second record of one number, or suspected. */
enum device_alarm_kind { DEVICE_BACKWARDS, DEVICE_SUSPECTED, DEVICE_ALARMS };

struct device_alarm {
    uint32_t waiting;    /* to be stored */
    uint32_t generation; /* of the newest of them */
    uint32_t sequence;
    int64_t noticed_ms;    /* since 1970 */
    int64_t not_before_ms; /* monotonic: one a minute */
};

/* Where a device's commands stand; see commands.c. */
struct device_command {
    struct device_ack path; /* how it was heard last */
    bool open;              /* the database has some for it */
    bool heard;             /* since the last one was sent */
    uint32_t id;            /* of the last one that was sent, and how often in this run */
    uint32_t sends;
    int64_t sent_ms; /* monotonic */
};

/* A device's current session. Its records tell it from the next one by their route. */
struct device_session {
    bool open;
    uint8_t route_length;
    uint8_t route[FER_ROUTE_MAX];
    fer_greeted mark;  /* of the greeting that it began with, … */
    int64_t began_ms;  /* … and when that was answered; monotonic */
    bool heard;        /* sequence is that of a record */
    uint32_t sequence; /* the newest live record that was accepted in it */
};

/* An answer to a greeting, which waits for its mark to be durable. */
struct device;
struct device_answer {
    size_t length;       /* 0: none waits */
    struct device *next; /* of those that wait */
    struct device_ack path;
    uint8_t bytes[FER_GREETING_SECOND_SIZE(FER_ROUTE_MAX, FER_ROUTE_MAX)];
};

struct device {
    struct registry_device registered;
    uint32_t context;
    bool open;         /* has a context */
    bool superseded;   /* was issued again while we ran */
    bool heard;        /* generation and sequence below are those of a record */
    uint64_t saved_in; /* the commit that last stored its state */
    uint32_t generation;
    uint32_t sequence; /* the newest live record that the core accepted */
    struct device_ack ack;
    struct device_alarm alarms[DEVICE_ALARMS];
    int64_t look_not_before_ms; /* monotonic: how soon a refused record is looked up again, … */
    int64_t far_not_before_ms;  /* … and how soon a resync is advised again */
    struct device_command command;
    struct device_session session;
    struct device_answer answer;
    fer_greeted greeted; /* its last greeting that was answered, or will be */
    int64_t
        greeted_ms;  /* monotonic, when that was; 0: its session has begun, or none comes of it */
    bool in_session; /* its newest live record came in the session: so do answers */
};

struct contexts {
    fer_arena arena;
    fer_arena_cell *storage;
    fer_gateway *core;
    struct device *devices; /* one for each device of the registry, in its order */
    size_t count;
    size_t open;
    struct device **by_context;
    struct device **by_id; /* sorted, as is the next: anyone can have them searched */
    struct device **by_route;
};

/* How far ahead a claimed generation is followed, unless the operator says otherwise. */
#define CONTEXTS_MAX_SKIP (1u << 18)

/* The core's configuration for this many contexts. */
fer_gateway_config contexts_config(size_t count, uint32_t max_skip, fer_entropy entropy);

/* Makes an empty core. */
bool contexts_create(struct contexts *contexts, size_t count, uint32_t max_skip,
                     fer_entropy entropy, struct fault *fault);

/* Makes a core of every enabled device; says one line for each that stays closed. */
bool contexts_load(struct contexts *contexts, const struct registry *registry, struct database *db,
                   uint32_t max_skip, fer_entropy entropy, struct fault *fault);

/* The device of a context number; null: none. */
struct device *contexts_device(const struct contexts *contexts, uint32_t context);

/* The device of this identity; null: none. */
struct device *contexts_find(const struct contexts *contexts, const char *id);

/* The device that has this route but no context; null: none. */
const struct device *contexts_closed(const struct contexts *contexts, const uint8_t *bytes,
                                     size_t length);

/* Takes a device's context away. */
void contexts_close_device(struct contexts *contexts, struct device *device);

/* Wipes every key. */
void contexts_free(struct contexts *contexts);

#endif
