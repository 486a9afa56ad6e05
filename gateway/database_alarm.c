/* Ferrule gateway: what the database knows of a refused record, and alarms. */
#include <string.h>

#include "database.h"

static sqlite3_stmt *bind_key(struct database *db, enum database_statement which,
                              const struct record_key *key, int *rc)
{
    sqlite3_stmt *statement = database_prepare(db, which, rc);
    if (statement != NULL) {
        (void)sqlite3_bind_text(statement, 1, key->id, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, key->epoch);
    }
    return statement;
}

int database_compare_tag(struct database *db, const struct record_key *key,
                         const uint8_t tag[DATABASE_TAG_BYTES], enum database_tag *found)
{
    int rc = SQLITE_OK;
    sqlite3_stmt *row = bind_key(db, DATABASE_FIND_TAG, key, &rc);
    *found = DATABASE_TAG_NONE;
    if (row == NULL) {
        return rc;
    }
    (void)sqlite3_bind_int64(row, 3, key->kind);
    (void)sqlite3_bind_int64(row, 4, key->generation);
    (void)sqlite3_bind_int64(row, 5, key->lane);
    (void)sqlite3_bind_int64(row, 6, key->sequence);
    (void)sqlite3_bind_int64(row, 7, key->session);
    rc = sqlite3_step(row);
    if (rc == SQLITE_ROW) {
        const void *stored = sqlite3_column_blob(row, 0);
        const bool same = sqlite3_column_bytes(row, 0) == (int)DATABASE_TAG_BYTES &&
                          memcmp(stored, tag, DATABASE_TAG_BYTES) == 0;
        *found = same ? DATABASE_TAG_SAME : DATABASE_TAG_OTHER;
    }
    (void)sqlite3_reset(row);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int database_add_alarm(struct database *db, const char *kind, const struct record_key *key,
                       int64_t now_ms, uint32_t count)
{
    int rc = SQLITE_OK;
    sqlite3_stmt *row = bind_key(db, DATABASE_ADD_ALARM, key, &rc);
    if (row == NULL) {
        return rc;
    }
    (void)sqlite3_bind_text(row, 3, kind, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(row, 4, key->generation);
    (void)sqlite3_bind_int64(row, 5, key->sequence);
    (void)sqlite3_bind_int64(row, 6, now_ms);
    (void)sqlite3_bind_int64(row, 7, count);
    rc = sqlite3_step(row);
    (void)sqlite3_reset(row);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
