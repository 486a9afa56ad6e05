/* Ferrule gateway: commands. What people want devices to do, in the database: written by `ferrule
 * send`, sealed and sent by ferrule-gateway, closed by the result that a device reports.
 *
 * Functions answer SQLite's result codes, as those of database.h do. */
#ifndef FERRULE_GATEWAY_COMMAND_H
#define FERRULE_GATEWAY_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "database.h"
#include "ferrule/telemetry.h"

/* The states of a command; `queued` and `sent` are open, the others final but for `expired`, which
 * a late result replaces. */
#define COMMAND_OPEN "('queued','sent')"

/* One command, as `ferrule commands` and the gateway see it. */
struct command {
    uint32_t id;
    uint32_t epoch;
    int64_t created_ms;
    int64_t expires_ms;
    int64_t last_sent_ms;
    int64_t done_ms;
    uint32_t sends;
    char identity[64];
    char state[16];
    char text[FER_COMMAND_MAX + 1]; /* of the result; printable */
    uint8_t body[FER_COMMAND_MAX];
    size_t length;
};

/* Enters a command for the epoch that the device has now, with an id above every one before it and
 * not below the time of day in seconds, so that a database restored from a backup gives out none
 * again. SQLITE_NOTFOUND: the database does not know the device. */
int command_add(struct database *db, const char *identity, const uint8_t *body, size_t n,
                int64_t now_ms, int64_t expires_ms, uint32_t *id);

/* SQLITE_ROW: the open command of this device that is next in line. SQLITE_DONE: there is none. */
int command_next(struct database *db, const char *identity, uint32_t epoch, int64_t now_ms,
                 struct command *command);

/* Durable before the bytes leave. *marked false: it is no longer open. */
int command_mark_sent(struct database *db, const char *identity, uint32_t id, int64_t now_ms,
                      bool *marked);

/* What a device reports, inside the transaction of its record. A result that is known stays; one
 * that nobody knew gives way, and a command that came too late stays open. */
int command_store_result(struct database *db, const char *identity, uint32_t epoch,
                         const fer_result *result, int64_t now_ms);

/* Closes every open command that is past its time, or of an epoch before the device's; tells each
 * to `call` after the commit. */
int command_expire(struct database *db, int64_t now_ms,
                   void (*call)(void *context, const struct command *command), void *context);

/* *cancelled false: it is not open. */
int command_cancel(struct database *db, const char *identity, uint32_t id, int64_t now_ms,
                   bool *cancelled);

/* Each command in turn, oldest first; of one device, or with null of all; with id 0 all of them. */
int command_list(struct database *db, const char *identity, uint32_t id,
                 void (*call)(void *context, const struct command *command), void *context);

/* Each identity with open commands. */
int command_list_open(struct database *db, void (*call)(void *context, const char *identity),
                      void *context);

/* A number that changes when another connection has changed the database. */
int command_get_version(struct database *db, int64_t *version);

/* A result's code in a word: that of the command's state but for unknown. */
const char *command_code_name(fer_result_code code);

#endif
