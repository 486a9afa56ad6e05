/* Ferrule gateway: the database's tables. docs in gateway/README.md. */
#ifndef FERRULE_GATEWAY_SCHEMA_H
#define FERRULE_GATEWAY_SCHEMA_H

#define SCHEMA_APPLICATION 0x46657231 /* "Fer1" */
#define SCHEMA_VERSION 2

/* Strict tables, so that no column ever holds another type than its own. A reading's `value` is
 * what SQL can say of it; `bits` is the double itself, because SQLite turns NaN into NULL and -0.0
 * into 0.0.
 *
 * Every session begins at generation 0 and sequence 0. So a record of kind 2 is known by the mark
 * of the greeting that its session began with, which an identity never has twice in an epoch:
 * `generation` is the one it greeted in, `session` the attempt. Of kind 1, `session` is 0. */
#define SCHEMA_SQL                                                                                \
    "CREATE TABLE issued("                                                                        \
    " identity TEXT NOT NULL, epoch INTEGER NOT NULL, issued_ms INTEGER NOT NULL,"                \
    " PRIMARY KEY(identity, epoch)) STRICT;"                                                      \
    "CREATE TABLE device("                                                                        \
    " identity TEXT PRIMARY KEY NOT NULL, epoch INTEGER NOT NULL, route BLOB NOT NULL,"           \
    " snapshot BLOB NOT NULL, saved_ms INTEGER NOT NULL," /* its last greeting: what it may never \
                                                             repeat */                            \
    " greeted_generation INTEGER NOT NULL DEFAULT 0,"                                             \
    " greeted_attempt INTEGER NOT NULL DEFAULT 0,"                                                \
    " FOREIGN KEY(identity, epoch) REFERENCES issued) STRICT;"                                    \
    "CREATE TABLE record("                                                                        \
    " id INTEGER PRIMARY KEY, identity TEXT NOT NULL, epoch INTEGER NOT NULL,"                    \
    " kind INTEGER NOT NULL, generation INTEGER NOT NULL,"                                        \
    " session INTEGER NOT NULL,"                                                                  \
    " lane INTEGER NOT NULL, sequence INTEGER NOT NULL, received_ms INTEGER NOT NULL, link TEXT " \
    "NOT NULL,"                                                                                   \
    " kept BLOB,"         /* the plaintext, where this build does not understand all of it */     \
    " tag BLOB NOT NULL," /* as received: a second record of one number has another */            \
    " UNIQUE(identity, epoch, kind, generation, session, lane, sequence),"                        \
    " FOREIGN KEY(identity, epoch) REFERENCES issued) STRICT;"                                    \
    "CREATE TABLE reading("                                                                       \
    " record INTEGER NOT NULL REFERENCES record, item INTEGER NOT NULL,"                          \
    " series INTEGER NOT NULL, time_ms INTEGER NOT NULL, since_boot INTEGER NOT NULL,"            \
    " unix_ms INTEGER," /* time_ms, or where it falls by arrival; null: cannot be known */        \
    " value REAL, bits INTEGER NOT NULL,"                                                         \
    " PRIMARY KEY(record, item)) STRICT, WITHOUT ROWID;"                                          \
    "CREATE TABLE event("                                                                         \
    " record INTEGER NOT NULL REFERENCES record, item INTEGER NOT NULL,"                          \
    " time_ms INTEGER NOT NULL, since_boot INTEGER NOT NULL, unix_ms INTEGER,"                    \
    " severity INTEGER NOT NULL, text TEXT NOT NULL,"                                             \
    " PRIMARY KEY(record, item)) STRICT, WITHOUT ROWID;"                                          \
    "CREATE TABLE health("                                                                        \
    " record INTEGER NOT NULL REFERENCES record, item INTEGER NOT NULL,"                          \
    " uptime_ms INTEGER NOT NULL, generation INTEGER NOT NULL,"                                   \
    " readings_dropped INTEGER NOT NULL, messages_dropped INTEGER NOT NULL,"                      \
    " inbound_rejected INTEGER NOT NULL, inbound_frames_dropped INTEGER NOT NULL,"                \
    " records_sealed INTEGER NOT NULL, burns_delayed INTEGER NOT NULL,"                           \
    " commands_stale INTEGER NOT NULL, commands_repeated INTEGER NOT NULL,"                       \
    " PRIMARY KEY(record, item)) STRICT, WITHOUT ROWID;"                                          \
    "CREATE TABLE raw("                                                                           \
    " record INTEGER NOT NULL REFERENCES record, item INTEGER NOT NULL, bytes BLOB NOT NULL,"     \
    " PRIMARY KEY(record, item)) STRICT, WITHOUT ROWID;"                                          \
    "CREATE TABLE series("                                                                        \
    " identity TEXT NOT NULL, series INTEGER NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL,"   \
    " record INTEGER NOT NULL REFERENCES record,"                                                 \
    " PRIMARY KEY(identity, series)) STRICT, WITHOUT ROWID;"                                      \
    "CREATE TABLE alarm("                                                                         \
    " identity TEXT NOT NULL, epoch INTEGER NOT NULL, kind TEXT NOT NULL,"                        \
    " generation INTEGER NOT NULL, sequence INTEGER NOT NULL," /* of the newest one */            \
    " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, count INTEGER NOT NULL,"               \
    " PRIMARY KEY(identity, epoch, kind),"                                                        \
    " FOREIGN KEY(identity, epoch) REFERENCES issued) STRICT, WITHOUT ROWID;"                     \
    "CREATE TABLE command("                                                                       \
    " identity TEXT NOT NULL, id INTEGER NOT NULL CHECK(id BETWEEN 1 AND 4294967295),"            \
    " epoch INTEGER NOT NULL, body BLOB NOT NULL, created_ms INTEGER NOT NULL,"                   \
    " expires_ms INTEGER NOT NULL, state TEXT NOT NULL CHECK(state IN ('queued', 'sent',"         \
    " 'done', 'refused', 'failed', 'expired', 'cancelled')), sends INTEGER NOT NULL,"             \
    " last_sent_ms INTEGER, code INTEGER, text TEXT, done_ms INTEGER,"                            \
    " PRIMARY KEY(identity, id),"                                                                 \
    " FOREIGN KEY(identity, epoch) REFERENCES issued) STRICT;"                                    \
    "CREATE INDEX command_open ON command(identity, id) WHERE state IN ('queued','sent');"

#endif
