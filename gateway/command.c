#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* What is bound to SQL, in order: a text, a number, or bytes. */
struct value {
    enum { VALUE_TEXT, VALUE_NUMBER, VALUE_BYTES } type;
    const void *bytes;
    size_t n;
    int64_t number;
};

#define TEXT(text)             \
    {                          \
        VALUE_TEXT, text, 0, 0 \
    }
#define NUMBER(number)                \
    {                                 \
        VALUE_NUMBER, NULL, 0, number \
    }
#define BYTES(bytes, n)          \
    {                            \
        VALUE_BYTES, bytes, n, 0 \
    }
#define COUNT(values) (sizeof(values) / sizeof(values)[0])

static int bind(sqlite3_stmt *statement, int column, const struct value *value)
{
    switch (value->type) {
    case VALUE_TEXT:
        return sqlite3_bind_text(statement, column, value->bytes, -1, SQLITE_STATIC);
    case VALUE_NUMBER:
        return sqlite3_bind_int64(statement, column, value->number);
    default:
        return sqlite3_bind_blob(statement, column, value->n > 0 ? value->bytes : "", (int)value->n,
                                 SQLITE_STATIC);
    }
}

/* Prepares SQL and binds to it. */
static int prepare(struct database *db, sqlite3_stmt **statement, const char *sql,
                   const struct value *values, size_t count)
{
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, statement, NULL);
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        rc = bind(*statement, (int)i + 1, &values[i]);
    }
    return rc;
}

/* Runs a statement that yields no rows; *changed: it met some. */
static int finish(struct database *db, sqlite3_stmt *statement, int rc, bool *changed)
{
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    *changed = rc == SQLITE_DONE && sqlite3_changes(db->handle) > 0;
    (void)sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- rows ------------------------------------------------------------------------------- */

#define COLUMNS                                                                                  \
    "id, epoch, created_ms, expires_ms, coalesce(last_sent_ms, 0), coalesce(done_ms, 0), sends," \
    " identity, state, coalesce(text, ''), body"

static void copy_text(sqlite3_stmt *row, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    (void)snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
}

static void read_command(sqlite3_stmt *row, struct command *command)
{
    memset(command, 0, sizeof *command);
    command->id = (uint32_t)sqlite3_column_int64(row, 0);
    command->epoch = (uint32_t)sqlite3_column_int64(row, 1);
    command->created_ms = sqlite3_column_int64(row, 2);
    command->expires_ms = sqlite3_column_int64(row, 3);
    command->last_sent_ms = sqlite3_column_int64(row, 4);
    command->done_ms = sqlite3_column_int64(row, 5);
    command->sends = (uint32_t)sqlite3_column_int64(row, 6);
    copy_text(row, 7, command->identity, sizeof command->identity);
    copy_text(row, 8, command->state, sizeof command->state);
    copy_text(row, 9, command->text, sizeof command->text);
    const void *body = sqlite3_column_blob(row, 10);
    const size_t n = (size_t)sqlite3_column_bytes(row, 10);
    command->length = n < sizeof command->body ? n : sizeof command->body;
    if (command->length > 0) {
        memcpy(command->body, body, command->length);
    }
}

static int each(sqlite3_stmt *rows, int rc,
                void (*call)(void *context, const struct command *command), void *context)
{
    struct command command;
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(rows);
        if (rc == SQLITE_ROW) {
            read_command(rows, &command);
            call(context, &command);
        }
    }
    (void)sqlite3_finalize(rows);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int command_list(struct database *db, const char *identity, uint32_t id,
                 void (*call)(void *context, const struct command *command), void *context)
{
    const struct value values[] = {TEXT(identity), NUMBER(id)};
    sqlite3_stmt *rows = NULL;
    const int rc = prepare(db, &rows,
                           "SELECT " COLUMNS " FROM command WHERE (?1 IS NULL OR identity = ?1)"
                           " AND (?2 = 0 OR id = ?2) ORDER BY created_ms, identity, id",
                           values, COUNT(values));
    return each(rows, rc, call, context);
}

/* ---- entering --------------------------------------------------------------------------- */

int command_add(struct database *db, const char *identity, const uint8_t *body, size_t n,
                int64_t now_ms, int64_t expires_ms, uint32_t *id)
{
    const struct value values[] = {TEXT(identity), NUMBER(now_ms), NUMBER(expires_ms),
                                   BYTES(body, n)};
    sqlite3_stmt *row = NULL;
    int rc = prepare(db, &row,
                     "INSERT INTO command(identity, id, epoch, body, created_ms, expires_ms, state,"
                     " sends) SELECT identity, max(?2 / 1000, 1 + coalesce((SELECT max(c.id) FROM"
                     " command c WHERE c.identity = ?1), 0)), epoch, ?4, ?2, ?3, 'queued', 0"
                     " FROM device WHERE identity = ?1 RETURNING id",
                     values, COUNT(values));
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(row);
    }
    if (rc == SQLITE_DONE) {
        rc = SQLITE_NOTFOUND;
    }
    while (rc == SQLITE_ROW) {
        *id = (uint32_t)sqlite3_column_int64(row, 0);
        rc = sqlite3_step(row); /* only its end says that the row is stored */
    }
    (void)sqlite3_finalize(row);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int command_cancel(struct database *db, const char *identity, uint32_t id, int64_t now_ms,
                   bool *cancelled)
{
    const struct value values[] = {TEXT(identity), NUMBER(id), NUMBER(now_ms)};
    sqlite3_stmt *row = NULL;
    const int rc = prepare(db, &row,
                           "UPDATE command SET state = 'cancelled', done_ms = ?3 WHERE identity ="
                           " ?1 AND id = ?2 AND state IN " COMMAND_OPEN,
                           values, COUNT(values));
    return finish(db, row, rc, cancelled);
}

/* ---- sending ---------------------------------------------------------------------------- */

int command_next(struct database *db, const char *identity, uint32_t epoch, int64_t now_ms,
                 struct command *command)
{
    const struct value values[] = {TEXT(identity), NUMBER(epoch), NUMBER(now_ms)};
    sqlite3_stmt *row = NULL;
    int rc = prepare(db, &row,
                     "SELECT " COLUMNS " FROM command WHERE identity = ?1 AND epoch = ?2 AND"
                     " expires_ms > ?3 AND state IN " COMMAND_OPEN " ORDER BY id LIMIT 1",
                     values, COUNT(values));
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(row);
    }
    if (rc == SQLITE_ROW) {
        read_command(row, command);
    }
    (void)sqlite3_finalize(row);
    return rc;
}

int command_mark_sent(struct database *db, const char *identity, uint32_t id, int64_t now_ms,
                      bool *marked)
{
    const struct value values[] = {TEXT(identity), NUMBER(id), NUMBER(now_ms)};
    sqlite3_stmt *row = NULL;
    const int rc = prepare(db, &row,
                           "UPDATE command SET state = 'sent', sends = sends + 1, last_sent_ms ="
                           " ?3 WHERE identity = ?1 AND id = ?2 AND state IN " COMMAND_OPEN,
                           values, COUNT(values));
    return finish(db, row, rc, marked);
}

int command_list_open(struct database *db, void (*call)(void *context, const char *identity),
                      void *context)
{
    sqlite3_stmt *rows = NULL;
    int rc = prepare(db, &rows,
                     "SELECT DISTINCT identity FROM command WHERE state IN " COMMAND_OPEN, NULL, 0);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(rows);
        if (rc == SQLITE_ROW) {
            call(context, (const char *)sqlite3_column_text(rows, 0));
        }
    }
    (void)sqlite3_finalize(rows);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int command_get_version(struct database *db, int64_t *version)
{
    sqlite3_stmt *row = NULL;
    int rc = prepare(db, &row, "PRAGMA data_version", NULL, 0);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(row);
    }
    if (rc == SQLITE_ROW) {
        *version = sqlite3_column_int64(row, 0);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(row);
    return rc;
}

/* ---- ends ------------------------------------------------------------------------------- */

const char *command_code_name(fer_result_code code)
{
    static const char *const names[] = {"done", "refused", "failed", "stale", "unknown"};
    return (unsigned)code < sizeof names / sizeof *names ? names[code] : "failed";
}

/* Whether it was carried out, as far as anybody knows. */
static const char *state_of(fer_result_code code)
{
    switch (code) {
    case FER_RESULT_DONE:
        return "done";
    case FER_RESULT_REFUSED:
        return "refused";
    default:
        return "failed";
    }
}

int command_store_result(struct database *db, const char *identity, uint32_t epoch,
                         const fer_result *result, int64_t now_ms)
{
    char clean[FER_COMMAND_MAX + 1];
    const struct value values[] = {
        TEXT(identity),       NUMBER(result->id), NUMBER(epoch), TEXT(state_of(result->code)),
        NUMBER(result->code), TEXT(clean),        NUMBER(now_ms)};
    sqlite3_stmt *row = NULL;
    bool changed = false;
    if (result->code == FER_RESULT_STALE) {
        return SQLITE_OK; /* it stays open, and goes out again with a fresh reference */
    }
    text_clean(result->text.bytes, result->text.length, clean);
    const int rc = prepare(db, &row,
                           "UPDATE command SET state = ?4, code = ?5, text = ?6, done_ms = ?7"
                           " WHERE identity = ?1 AND id = ?2 AND epoch = ?3"
                           " AND (state IN ('queued','sent','expired') OR (code = 4 AND ?5 <> 4))",
                           values, COUNT(values));
    return finish(db, row, rc, &changed);
}

/* What was closed, until its commit is done. */
struct closed {
    struct command *commands;
    size_t count;
};

static void keep(void *context, const struct command *command)
{
    struct closed *closed = context;
    struct command *more = realloc(closed->commands, (closed->count + 1) * sizeof *more);
    if (more == NULL) {
        SAY("out of memory: the end of command %u of device %s is not printed", command->id,
            command->identity);
        return;
    }
    closed->commands = more;
    more[closed->count++] = *command;
}

int command_expire(struct database *db, int64_t now_ms,
                   void (*call)(void *context, const struct command *command), void *context)
{
    struct closed closed = {NULL, 0};
    const struct value values[] = {NUMBER(now_ms)};
    sqlite3_stmt *rows = NULL;
    int rc = prepare(db, &rows,
                     "UPDATE command SET done_ms = ?1, state = CASE WHEN expires_ms <= ?1 THEN"
                     " 'expired' ELSE 'cancelled' END WHERE state IN " COMMAND_OPEN
                     " AND (expires_ms <= ?1 OR NOT EXISTS (SELECT 1 FROM device d WHERE"
                     " d.identity = command.identity AND d.epoch = command.epoch))"
                     " RETURNING " COLUMNS,
                     values, COUNT(values));
    rc = each(rows, rc, keep, &closed);
    for (size_t i = 0; i < closed.count && rc == SQLITE_OK; i++) {
        call(context, &closed.commands[i]);
    }
    free(closed.commands);
    return rc;
}
