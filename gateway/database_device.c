/* Ferrule gateway: database, the part that keeps devices and their secret state. */
#include <stdlib.h>
#include <string.h>

#include "database.h"

void device_state_free(struct device_state *state)
{
    if (state->snapshot != NULL) {
        explicit_bzero(state->snapshot, state->snapshot_length);
        free(state->snapshot);
    }
    *state = (struct device_state){0};
}

static int copy_state(sqlite3_stmt *row, struct device_state *state)
{
    const void *route = sqlite3_column_blob(row, 1);
    const size_t route_length = (size_t)sqlite3_column_bytes(row, 1);
    const void *snapshot = sqlite3_column_blob(row, 2);
    const size_t n = (size_t)sqlite3_column_bytes(row, 2);
    if (route_length > sizeof state->route || snapshot == NULL || n == 0) {
        return SQLITE_CORRUPT;
    }
    state->snapshot = malloc(n);
    if (state->snapshot == NULL) {
        return SQLITE_NOMEM;
    }
    memcpy(state->snapshot, snapshot, n);
    state->snapshot_length = n;
    if (route_length > 0) {
        memcpy(state->route, route, route_length);
    }
    state->route_length = route_length;
    state->epoch = (uint32_t)sqlite3_column_int64(row, 0);
    state->greeted.generation = (uint32_t)sqlite3_column_int64(row, 3);
    state->greeted.attempt = (uint32_t)sqlite3_column_int64(row, 4);
    return SQLITE_ROW;
}

int database_get_state(struct database *db, const char *id, struct device_state *state)
{
    sqlite3_stmt *statement = NULL;
    *state = (struct device_state){0};
    int rc = sqlite3_prepare_v2(db->handle,
                                "SELECT epoch, route, snapshot, greeted_generation, greeted_attempt"
                                " FROM device WHERE identity = ?1",
                                -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        rc = copy_state(statement, state);
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

int database_was_issued(struct database *db, const char *id, uint32_t epoch, bool *issued)
{
    sqlite3_stmt *statement = NULL;
    int rc =
        sqlite3_prepare_v2(db->handle, "SELECT 1 FROM issued WHERE identity = ?1 AND epoch = ?2",
                           -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, epoch);
        rc = sqlite3_step(statement);
    }
    *issued = rc == SQLITE_ROW;
    (void)sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int put(struct database *db, const char *sql, const char *id,
               const struct device_state *state, int64_t now_ms)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, state->epoch);
        (void)sqlite3_bind_int64(statement, 3, now_ms);
        if (sqlite3_bind_parameter_count(statement) == 5) {
            (void)sqlite3_bind_blob(statement, 4, state->route, (int)state->route_length,
                                    SQLITE_STATIC);
            rc = sqlite3_bind_blob(statement, 5, state->snapshot, (int)state->snapshot_length,
                                   SQLITE_STATIC);
        }
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int database_put_device(struct database *db, const char *id, const struct device_state *state,
                        int64_t now_ms)
{
    const int rc = put(db, "INSERT INTO issued VALUES(?1, ?2, ?3)", id, state, now_ms);
    if (rc != SQLITE_OK) {
        return rc;
    }
    return put(db,
               "INSERT INTO device(identity, epoch, saved_ms, route, snapshot)"
               " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(identity) DO UPDATE SET"
               " epoch = excluded.epoch, saved_ms = excluded.saved_ms, route = excluded.route,"
               " snapshot = excluded.snapshot, greeted_generation = 0, greeted_attempt = 0",
               id, state, now_ms);
}

int database_save_state(struct database *db, const char *id, uint32_t epoch,
                        const uint8_t *snapshot, size_t n, int64_t now_ms, bool *superseded)
{
    int rc = SQLITE_OK;
    sqlite3_stmt *statement = database_prepare(db, DATABASE_SAVE_STATE, &rc);
    if (statement == NULL) {
        return rc;
    }
    (void)sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, epoch);
    (void)sqlite3_bind_blob(statement, 3, snapshot, (int)n, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 4, now_ms);
    rc = sqlite3_step(statement);
    *superseded = rc == SQLITE_DONE && sqlite3_changes(db->handle) == 0;
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int database_save_greeted(struct database *db, const char *id, uint32_t epoch, fer_greeted mark,
                          bool *superseded)
{
    int rc = SQLITE_OK;
    sqlite3_stmt *statement = database_prepare(db, DATABASE_SAVE_GREETED, &rc);
    if (statement == NULL) {
        return rc;
    }
    (void)sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, epoch);
    (void)sqlite3_bind_int64(statement, 3, mark.generation);
    (void)sqlite3_bind_int64(statement, 4, mark.attempt);
    rc = sqlite3_step(statement);
    *superseded = rc == SQLITE_DONE && sqlite3_changes(db->handle) == 0;
    (void)sqlite3_reset(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
