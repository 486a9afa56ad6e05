/* Ferrule gateway: database. One SQLite file with the secret state of every device and the rows
 * that came from them. State and rows move in one transaction, so that they never disagree (ONCE).
 *
 * WAL with synchronous=FULL: one flush to disk per commit where the rollback journal needs two or
 * three, readers (export, decode) beside the writer, and a commit that returned survives a power
 * cut. secure_delete overwrites spent keys inside the file (WIPE, as far as the disk allows).
 *
 * Functions answer SQLite's result codes; database_explain turns one into a line. */
#ifndef FERRULE_GATEWAY_DATABASE_H
#define FERRULE_GATEWAY_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "ferrule/config.h"
#include "ferrule/responder.h"
#include "say.h"

#define DATABASE_TAG_BYTES 16u /* of a record */

enum database_mode { DATABASE_READ, DATABASE_WRITE, DATABASE_CREATE };

enum database_statement {
    DATABASE_SAVE_STATE,
    DATABASE_SAVE_GREETED,
    DATABASE_ADD_RECORD,
    DATABASE_ADD_READING,
    DATABASE_ADD_EVENT,
    DATABASE_ADD_HEALTH,
    DATABASE_ADD_SERIES,
    DATABASE_ADD_RAW,
    DATABASE_FIND_TAG,
    DATABASE_ADD_ALARM,
    DATABASE_STATEMENTS
};

struct database {
    sqlite3 *handle;
    sqlite3_stmt *statements[DATABASE_STATEMENTS]; /* prepared at the first use */
    char path[4096];
};

/* What the database holds of a device. */
struct device_state {
    uint32_t epoch;
    uint8_t route[FER_ROUTE_MAX];
    size_t route_length;
    uint8_t *snapshot; /* secret; wiped and freed by device_state_free */
    size_t snapshot_length;
    fer_greeted greeted; /* its last greeting */
};

/* Opens and checks: ours, of a version we know, private to its owner. */
bool database_open(struct database *db, const char *path, enum database_mode mode,
                   struct fault *fault);
void database_close(struct database *db);

/* The next use of a prepared statement, reset; null with the code in *rc. */
sqlite3_stmt *database_prepare(struct database *db, enum database_statement which, int *rc);

/* Runs SQL without results. */
int database_run(struct database *db, const char *sql);

/* One line: the path, what was tried, SQLite's cause and what to do. */
void database_explain(const struct database *db, int rc, const char *tried, struct fault *fault);

/* True where trying again may help (full, locked, out of memory). */
bool database_may_pass(int rc);

/* SQLITE_ROW: *state is filled; SQLITE_DONE: nothing is known of this identity. */
int database_get_state(struct database *db, const char *id, struct device_state *state);
void device_state_free(struct device_state *state);

/* One record's place among those of an identity. */
struct record_key {
    const char *id;
    uint32_t epoch;
    uint32_t kind;
    uint32_t generation;
    uint32_t session; /* kind 2: attempt of the greeting; generation is that of the greeting too */
    uint32_t lane;
    uint32_t sequence;
};

/* Whether a record with this key was stored, and if so whether its tag is another one. */
enum database_tag { DATABASE_TAG_NONE, DATABASE_TAG_SAME, DATABASE_TAG_OTHER };
int database_compare_tag(struct database *db, const struct record_key *key,
                         const uint8_t tag[DATABASE_TAG_BYTES], enum database_tag *found);

/* Adds `count` alarms of a kind, the newest of them about this key, to what is stored. */
int database_add_alarm(struct database *db, const char *kind, const struct record_key *key,
                       int64_t now_ms, uint32_t count);

/* For provisioning, in a transaction: true in *issued if this epoch was ever given to id. */
int database_was_issued(struct database *db, const char *id, uint32_t epoch, bool *issued);
int database_put_device(struct database *db, const char *id, const struct device_state *state,
                        int64_t now_ms);

/* Stores the mark of a device's last greeting; *superseded as below. */
int database_save_greeted(struct database *db, const char *id, uint32_t epoch, fer_greeted mark,
                          bool *superseded);

/* Stores a device's newer state. *superseded: it was issued again, so nothing was stored. */
int database_save_state(struct database *db, const char *id, uint32_t epoch,
                        const uint8_t *snapshot, size_t n, int64_t now_ms, bool *superseded);

#endif
