/* Ferrule gateway: the rows of one record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accepted.h"
#include "command.h"
#include "text.h"

/* What the visitor carries; the first failure stays, and the transaction is rolled back for it. */
struct rows {
    struct database *db;
    const struct accepted *record;
    struct placing placing;
    int64_t id;
    int64_t item;
    int rc;
};

/* The next item's statement with its record and number bound; null: nothing more is stored. */
static sqlite3_stmt *begin_row(struct rows *rows, enum database_statement which)
{
    if (rows->rc != SQLITE_OK) {
        return NULL;
    }
    sqlite3_stmt *row = database_prepare(rows->db, which, &rows->rc);
    if (row != NULL) {
        (void)sqlite3_bind_int64(row, 1, rows->id);
        (void)sqlite3_bind_int64(row, 2, rows->item++);
    }
    return row;
}

/* A binding that failed leaves NULL, which the NOT NULL columns refuse. */
static void end_row(struct rows *rows, sqlite3_stmt *row)
{
    const int rc = sqlite3_step(row);
    rows->rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
    (void)sqlite3_reset(row);
}

static void bind_place(const struct rows *rows, sqlite3_stmt *row, int column, int64_t time_ms,
                       fer_time_base base)
{
    int64_t unix_ms = 0;
    if (placing_find(&rows->placing, time_ms, base, &unix_ms)) {
        (void)sqlite3_bind_int64(row, column, unix_ms);
    }
}

static int bind_clean(sqlite3_stmt *row, int column, fer_slice text)
{
    char clean[FER_TEXT_MAX + 1];
    const size_t n = text.length < FER_TEXT_MAX ? text.length : FER_TEXT_MAX;
    text_clean(text.bytes, n, clean);
    return sqlite3_bind_text(row, column, clean, -1, SQLITE_TRANSIENT);
}

static void add_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    struct rows *rows = context;
    sqlite3_stmt *row = begin_row(rows, DATABASE_ADD_READING);
    if (row == NULL) {
        return;
    }
    (void)sqlite3_bind_int64(row, 3, reading->series);
    (void)sqlite3_bind_int64(row, 4, reading->time_ms);
    (void)sqlite3_bind_int64(row, 5, base == FER_TIME_BOOT);
    bind_place(rows, row, 6, reading->time_ms, base);
    (void)sqlite3_bind_double(row, 7, reading->value);
    (void)sqlite3_bind_int64(row, 8, text_double_bits(reading->value));
    end_row(rows, row);
}

static void add_event(void *context, const fer_event *event)
{
    struct rows *rows = context;
    sqlite3_stmt *row = begin_row(rows, DATABASE_ADD_EVENT);
    if (row == NULL) {
        return;
    }
    (void)sqlite3_bind_int64(row, 3, event->time_ms);
    (void)sqlite3_bind_int64(row, 4, event->base == FER_TIME_BOOT);
    bind_place(rows, row, 5, event->time_ms, event->base);
    (void)sqlite3_bind_int64(row, 6, event->severity);
    (void)bind_clean(row, 7, event->text);
    end_row(rows, row);
}

static void add_health(void *context, const fer_health *health)
{
    struct rows *rows = context;
    sqlite3_stmt *row = begin_row(rows, DATABASE_ADD_HEALTH);
    if (row == NULL) {
        return;
    }
    const uint32_t counts[] = {
        health->generation,       health->readings_dropped,       health->messages_dropped,
        health->inbound_rejected, health->inbound_frames_dropped, health->records_sealed,
        health->burns_delayed,    health->commands_stale,         health->commands_repeated};
    const uint64_t uptime = health->uptime_ms < INT64_MAX ? health->uptime_ms : INT64_MAX;
    (void)sqlite3_bind_int64(row, 3, (int64_t)uptime);
    for (int i = 0; i < (int)(sizeof counts / sizeof *counts); i++) {
        (void)sqlite3_bind_int64(row, 4 + i, counts[i]);
    }
    end_row(rows, row);
}

static void add_raw(void *context, fer_slice raw)
{
    struct rows *rows = context;
    sqlite3_stmt *row = begin_row(rows, DATABASE_ADD_RAW);
    if (row == NULL) {
        return;
    }
    (void)sqlite3_bind_blob(row, 3, raw.length > 0 ? raw.bytes : (const uint8_t *)"",
                            (int)raw.length, SQLITE_STATIC);
    end_row(rows, row);
}

static void add_result(void *context, const fer_result *result)
{
    struct rows *rows = context;
    const struct registry_device *device = &rows->record->device->registered;
    if (rows->rc == SQLITE_OK) {
        rows->rc = command_store_result(rows->db, device->id, device->epoch, result,
                                        rows->record->received_ms);
    }
}

static void add_series(void *context, const fer_series *series)
{
    struct rows *rows = context;
    if (rows->rc != SQLITE_OK) {
        return;
    }
    sqlite3_stmt *row = database_prepare(rows->db, DATABASE_ADD_SERIES, &rows->rc);
    if (row == NULL) {
        return;
    }
    (void)sqlite3_bind_text(row, 1, rows->record->device->registered.id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(row, 2, series->series);
    (void)bind_clean(row, 3, series->name);
    (void)bind_clean(row, 4, series->unit);
    (void)sqlite3_bind_int64(row, 5, rows->id);
    end_row(rows, row);
}

/* Two authentic records of one number: the device went backwards, whatever the window knows. */
static int compare_duplicate(struct database *db, struct accepted *record)
{
    const struct record_key key = accepted_key(record);
    enum database_tag found;
    const int rc = database_compare_tag(db, &key, record->tag, &found);
    record->contradicts = found == DATABASE_TAG_OTHER;
    return rc;
}

static int add_record(struct database *db, struct accepted *record)
{
    const struct record_key key = accepted_key(record);
    int rc = SQLITE_OK;
    sqlite3_stmt *row = database_prepare(db, DATABASE_ADD_RECORD, &rc);
    if (row == NULL) {
        return rc;
    }
    (void)sqlite3_bind_text(row, 1, key.id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(row, 2, key.epoch);
    (void)sqlite3_bind_int64(row, 3, key.kind);
    (void)sqlite3_bind_int64(row, 4, key.generation);
    (void)sqlite3_bind_int64(row, 5, key.lane);
    (void)sqlite3_bind_int64(row, 6, key.sequence);
    (void)sqlite3_bind_int64(row, 7, record->received_ms);
    (void)sqlite3_bind_text(row, 8, record->link, -1, SQLITE_STATIC);
    if (record->keep) {
        (void)sqlite3_bind_blob(row, 9, record->bytes, (int)record->opened.length, SQLITE_STATIC);
    }
    (void)sqlite3_bind_int64(row, 11, key.session);
    (void)sqlite3_bind_blob(row, 10, record->tag, (int)sizeof record->tag, SQLITE_STATIC);
    rc = sqlite3_step(row);
    (void)sqlite3_reset(row);
    record->duplicate = rc == SQLITE_DONE && sqlite3_changes(db->handle) == 0;
    if (record->duplicate) {
        return compare_duplicate(db, record);
    }
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int rows_add(struct database *db, struct accepted *record)
{
    struct rows rows = {.db = db, .record = record, .rc = add_record(db, record)};
    if (rows.rc != SQLITE_OK || record->duplicate || record->malformed) {
        return rows.rc;
    }
    rows.id = sqlite3_last_insert_rowid(db->handle);
    rows.placing = placing_of(record);
    const fer_telemetry_visitor visitor = {.on_reading = add_reading,
                                           .on_event = add_event,
                                           .on_health = add_health,
                                           .on_raw = add_raw,
                                           .on_series = add_series,
                                           .on_result = add_result,
                                           .context = &rows};
    if (fer_telemetry_decode(record->bytes, record->opened.length, &visitor) != FER_OK) {
        return SQLITE_INTERNAL; /* it decoded when it was accepted */
    }
    return rows.rc;
}
