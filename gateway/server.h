/* Ferrule gateway: the parts of ferrule-gateway and what they share. One thread, one event loop.
 *
 *     link --bytes--> ingest --accepted--> queue --group commit--> database, then lines and acks
 *
 * The core's memory is ahead of the database only by what is queued. Should the process die, both
 * are as they were at the last commit, so that a device's resent records are accepted (ONCE). */
#ifndef FERRULE_GATEWAY_SERVER_H
#define FERRULE_GATEWAY_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <sys/socket.h>

#include "accepted.h"
#include "contexts.h"
#include "database.h"
#include "greetings.h"
#include "registry.h"
#include "sessions.h"

#define SOURCES_MAX 16u
#define SIGNALS 4
#define RECORD_MAX (FER_PLAINTEXT_MAX + FER_OVERHEAD_MAX)

/* The longest record that goes down: a command. */
#define COMMAND_RECORD_MAX (FER_COMMAND_MAX + 32u + FER_OVERHEAD_MAX)

/* Above either, streams are not read and datagrams are dropped until a commit succeeds. */
#define QUEUE_RECORDS_MAX 4096u
#define QUEUE_BYTES_MAX (8u << 20)

enum source_kind { SOURCE_SERIAL, SOURCE_UNIX, SOURCE_LISTEN_UNIX, SOURCE_UDP, SOURCE_FILE };

struct source {
    enum source_kind kind;
    const char *where;
};

struct options {
    const char *registry;
    const char *database;
    const char *key; /* the file of our static secret; null: no sessions */
    struct source sources[SOURCES_MAX];
    size_t source_count;
    uint32_t baud;
    uint32_t commit_ms;
    uint32_t commit_records;
    uint32_t max_db_mb; /* 0: no limit */
    uint32_t patience_s;
    uint32_t max_skip;
    uint32_t session_s; /* a session's longest life; 0: none ends by its age */
    bool datagrams;
    bool acks;
    bool quiet;
};

/* Why a record was dropped (HONEST): each has its counter in the summary. */
enum reject {
    REJECT_MALFORMED,
    REJECT_ROUTE,
    REJECT_CLOSED,
    REJECT_OLD,
    REJECT_FAR,
    REJECT_REPLAY,
    REJECT_CLAIM,
    REJECT_TAG,
    REJECT_SESSION, /* a live record outside a session, where the registry requires one */
    REJECT_VERSION,
    REJECT_THROTTLED,
    REJECT_BEHIND,
    REJECT_MEMORY,
    REJECT_REASONS
};

struct counters {
    uint64_t accepted;
    uint64_t stored;
    uint64_t duplicate;
    uint64_t malformed;
    uint64_t late;
    uint64_t groups;
    uint64_t retries;
    uint64_t rejected[REJECT_REASONS];
    uint64_t frames;
    uint64_t frames_oversized;
    uint64_t frames_broken;
    uint64_t frame_bytes_dropped;
    uint64_t datagrams_overflowed; /* dropped by the kernel before we could read them */
    uint64_t acks_sent;
    uint64_t alarms[DEVICE_ALARMS];
    uint64_t commands_sent;
    uint64_t greetings_answered;
    uint64_t greetings_computed; /* that reached the curve */
    uint64_t greetings_unsent;   /* their link was gone or full when their mark was durable */
    uint64_t greetings_refused[GREETING_REFUSALS];
    uint64_t cookies_offered;
    uint64_t sessions_expired;
    uint64_t acks_held; /* too soon after the last one, or the link had no room */
};

/* Keeps floods of lines off standard error. */
struct limiter {
    int64_t second;
    unsigned said;
    uint64_t hidden;
};

/* Where a record came from. */
struct origin {
    const char *link;
    uint32_t link_id;
    bool answers; /* the link has a way back */
    bool pressed; /* strangers have used up most of their time there */
    const struct sockaddr *address;
    socklen_t address_length;
};

struct link;

struct server {
    struct options options;
    struct registry registry;
    struct database db;
    struct contexts contexts;
    struct sessions sessions;
    struct greetings greetings;
    fer_entropy entropy;
    struct event_base *base;
    struct event *commit_timer;
    struct event *command_timer;
    struct event *session_timer;
    int64_t commands_version; /* of the database, when commands were looked for */
    int64_t expired_ms;       /* monotonic: when they last were */
    bool commands_open;       /* some device has one */
    size_t command_turn;      /* whose turn is next */
    struct event *signals[SIGNALS];
    struct link *links;
    uint32_t next_link_id;
    size_t sources_open;
    struct accepted *queue;
    struct accepted **queue_end;
    size_t queue_count;
    size_t queue_bytes;
    int64_t stalled_since_ms; /* monotonic; 0: the last commit succeeded */
    uint32_t backoff_ms;
    int stalled_cause;
    uint64_t round; /* number of the commit under way */
    bool reload;
    bool stopping;
    int exit_code;
    uint32_t alarms_waiting; /* to be stored */
    struct limiter limiter;
    struct limiter looks;
    struct counters counters;
};

int64_t server_unix_ms(void);
int64_t server_monotonic_ms(void);

/* Reads registry and state again; on failure says why and goes on as before. Nothing may wait to be
 * stored. */
void server_reload(struct server *server);

/* ---- ingest: from bytes to the queue ---- */

/* Opens one record and queues it, or counts why not. True: accepted. */
bool ingest_record(struct server *server, const uint8_t *record, size_t n,
                   const struct origin *origin);
bool ingest_is_full(const struct server *server);

/* ---- commit: from the queue to the database ---- */

/* Makes everything queued durable. Success prints lines and sends acks; failure keeps the queue,
 * says why once, and arms a later try or ends the loop. True: the queue is empty. */
bool commit_flush(struct server *server);
void commit_soon(struct server *server);
void commit_forget(struct server *server);

/* True while something waits to be stored. */
static inline bool commit_waits(const struct server *server)
{
    return server->queue_count > 0 || server->alarms_waiting > 0 ||
           server->greetings.waiting != NULL;
}

/* ---- alarm: devices that went backwards, or far ahead ---- */

/* Looks at a record that the core refused with this status; scratch has room for n bytes. */
void alarm_look(struct server *server, fer_status status, const uint8_t *record, size_t n,
                uint8_t *scratch);
/* Raises an alarm of a device, at most one of a kind in a minute. */
void alarm_raise(struct server *server, struct device *device, enum device_alarm_kind kind,
                 uint32_t generation, uint32_t sequence);
/* Stores what waits, in the caller's transaction; tells it, after the commit. */
int alarm_store(struct server *server);
void alarm_tell(struct server *server);

/* ---- acks ---- */

void acks_note(struct server *server, struct device *device, const struct accepted *record,
               const struct origin *origin);
/* For the devices of the records just stored, which are still queued. */
void acks_send(struct server *server);

/* ---- commands ---- */

/* Starts to look for them. */
bool commands_start(struct server *server);
/* Notes how a device can be reached. */
void commands_note(struct device *device, const struct accepted *record,
                   const struct origin *origin);
/* Sends what is due to the devices that were heard; all that the core accepted must be stored. */
void commands_serve(struct server *server);
/* Reads which devices have open ones. */
void commands_look(struct server *server);

/* ---- links ---- */

bool links_open(struct server *server, const struct source *source, struct fault *fault);
/* Sends one record back by the link of this id. False: gone, or no room. */
bool links_send(struct server *server, const struct device_ack *ack, const uint8_t *record,
                size_t n);
void links_resume(struct server *server);
void links_close_all(struct server *server);
/* Adds what the links that are open have counted so far; closed ones are in server->counters. */
void links_add_counts(const struct server *server, struct counters *counters);
/* Ends the loop when no source is left and everything is stored. */
void links_check_done(struct server *server);

/* ---- report ---- */

void report_reject(struct server *server, enum reject reason, const uint8_t *record, size_t n,
                   const struct origin *origin);
void report_greeting(struct server *server, enum greeting_refusal reason, const uint8_t *packet,
                     size_t n, const struct origin *origin);
void report_summary(const struct server *server);

#endif
