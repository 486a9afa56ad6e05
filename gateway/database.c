#include "database.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "schema.h"

static const char *const statement_sql[DATABASE_STATEMENTS] = {
    [DATABASE_SAVE_STATE] = "UPDATE device SET snapshot = ?3, saved_ms = ?4"
                            " WHERE identity = ?1 AND epoch = ?2",
    [DATABASE_SAVE_GREETED] = "UPDATE device SET greeted_generation = ?3, greeted_attempt = ?4"
                              " WHERE identity = ?1 AND epoch = ?2",
    [DATABASE_ADD_RECORD] = "INSERT INTO record(identity, epoch, kind, generation, lane, sequence,"
                            " received_ms, link, kept, tag, session)"
                            " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"
                            " ON CONFLICT DO NOTHING",
    [DATABASE_ADD_READING] = "INSERT INTO reading VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    [DATABASE_ADD_EVENT] = "INSERT INTO event VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [DATABASE_ADD_HEALTH] = "INSERT INTO health VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,"
                            "?12)",
    [DATABASE_ADD_SERIES] =
        "INSERT INTO series VALUES(?1,?2,?3,?4,?5) ON CONFLICT(identity, series)"
        " DO UPDATE SET name = excluded.name, unit = excluded.unit,"
        " record = excluded.record",
    [DATABASE_ADD_RAW] = "INSERT INTO raw VALUES(?1,?2,?3)",
    [DATABASE_FIND_TAG] = "SELECT tag FROM record WHERE identity = ?1 AND epoch = ?2 AND kind = ?3"
                          " AND generation = ?4 AND lane = ?5 AND sequence = ?6"
                          " AND session = ?7",
    [DATABASE_ADD_ALARM] = "INSERT INTO alarm VALUES(?1,?2,?3,?4,?5,?6,?6,?7)"
                           " ON CONFLICT(identity, epoch, kind) DO UPDATE SET"
                           " generation = excluded.generation, sequence = excluded.sequence,"
                           " last_ms = excluded.last_ms, count = count + excluded.count",
};

sqlite3_stmt *database_prepare(struct database *db, enum database_statement which, int *rc)
{
    sqlite3_stmt **statement = &db->statements[which];
    if (*statement == NULL) {
        *rc = sqlite3_prepare_v3(db->handle, statement_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                 statement, NULL);
    } else {
        (void)sqlite3_reset(*statement);
        *rc = sqlite3_clear_bindings(*statement);
    }
    return *rc == SQLITE_OK ? *statement : NULL;
}

int database_run(struct database *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

/* What an operator can do about a result code. */
static const char *advice(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_FULL:
        return "free some space";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another program holds it";
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return "make the file and its folder writable for this user";
    case SQLITE_CANTOPEN:
        return "does it exist, in a folder that this user can write?";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "it is damaged: restore it, then issue new credentials to its devices";
    default:
        return "see the cause";
    }
}

void database_explain(const struct database *db, int rc, const char *tried, struct fault *fault)
{
    FAULT(fault, "database %.200s: cannot %s: %s (%s)", db->path, tried, sqlite3_errstr(rc),
          advice(rc));
}

bool database_may_pass(int rc)
{
    const int primary = rc & 0xFF;
    return primary == SQLITE_FULL || primary == SQLITE_BUSY || primary == SQLITE_LOCKED ||
           primary == SQLITE_NOMEM || primary == SQLITE_INTERRUPT;
}

static int query_number(struct database *db, const char *sql, int64_t *value)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        *value = sqlite3_column_int64(statement, 0);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

static int make_tables(struct database *db)
{
    char sql[64];
    int rc = database_run(db, SCHEMA_SQL);
    if (rc == SQLITE_OK) {
        (void)snprintf(sql, sizeof sql, "PRAGMA application_id=%d", SCHEMA_APPLICATION);
        rc = database_run(db, sql);
    }
    if (rc == SQLITE_OK) {
        (void)snprintf(sql, sizeof sql, "PRAGMA user_version=%d", SCHEMA_VERSION);
        rc = database_run(db, sql);
    }
    return rc;
}

/* An empty file becomes ours, all or nothing; anything else must be. */
static bool check_schema(struct database *db, enum database_mode mode, struct fault *fault)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;
    int rc = mode == DATABASE_CREATE ? database_run(db, "BEGIN IMMEDIATE") : SQLITE_OK;
    if (rc == SQLITE_OK) {
        rc = query_number(db, "PRAGMA application_id", &application);
    }
    if (rc == SQLITE_OK) {
        rc = query_number(db, "PRAGMA user_version", &version);
    }
    if (rc == SQLITE_OK) {
        rc = query_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    }
    if (rc == SQLITE_OK && mode == DATABASE_CREATE && tables == 0) {
        rc = make_tables(db);
        application = SCHEMA_APPLICATION;
        version = SCHEMA_VERSION;
    }
    if (rc == SQLITE_OK && mode == DATABASE_CREATE) {
        rc = database_run(db, "COMMIT");
    }
    if (rc != SQLITE_OK) {
        database_explain(db, rc, "read its tables", fault);
    } else if (application != SCHEMA_APPLICATION) {
        FAULT(fault, "database %.200s: is not Ferrule's: make one with 'ferrule provision'",
              db->path);
    } else if (version > SCHEMA_VERSION) {
        FAULT(fault,
              "database %.200s: has format %" PRId64 ", this program knows %d: use a newer program",
              db->path, version, SCHEMA_VERSION);
    } else if (version < SCHEMA_VERSION) {
        FAULT(fault,
              "database %.200s: has format %" PRId64 " of an older program, this one knows %d and "
              "does not convert it: export its rows with the older one, then make a new database "
              "and issue every device again with 'ferrule provision --reissue'",
              db->path, version, SCHEMA_VERSION);
    } else {
        return true;
    }
    return false;
}

static bool configure(struct database *db, enum database_mode mode, struct fault *fault)
{
    int rc = sqlite3_busy_timeout(db->handle, 2000);
    (void)sqlite3_extended_result_codes(db->handle, 1);
    if (rc == SQLITE_OK) {
        rc = database_run(db, "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
                              "PRAGMA cell_size_check=ON");
    }
    if (rc == SQLITE_OK && mode != DATABASE_READ) {
        rc = database_run(db, "PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL;"
                              "PRAGMA synchronous=FULL");
    }
    if (rc == SQLITE_OK && mode != DATABASE_READ) {
        /* Told now rather than at the first record: read-only, or full. */
        rc = database_run(db, "BEGIN IMMEDIATE; UPDATE device SET saved_ms = saved_ms; ROLLBACK");
    }
    if (rc != SQLITE_OK) {
        database_explain(db, rc, mode == DATABASE_READ ? "open" : "write", fault);
        return false;
    }
    return true;
}

/* Made by us, so that no moment exists at which others can read it. SQLite gives its -wal and -shm
 * files the same mode. */
static bool make_private(const char *path, struct fault *fault)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        FAULT(fault, "database %.200s: %s", path, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

bool database_open(struct database *db, const char *path, enum database_mode mode,
                   struct fault *fault)
{
    memset(db, 0, sizeof *db);
    if (strlen(path) >= sizeof db->path) {
        FAULT(fault, "database: the name is too long");
        return false;
    }
    strcpy(db->path, path);
    if (mode == DATABASE_CREATE && !make_private(path, fault)) {
        return false;
    }
    if (access(path, F_OK) != 0) {
        FAULT(fault, "database %.200s: %s: 'ferrule provision' makes it", path, strerror(errno));
        return false;
    }
    if (!files_check_private(path, fault)) {
        return false;
    }
    const int flags = mode == DATABASE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    const int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (rc != SQLITE_OK) {
        database_explain(db, rc, "open", fault);
    } else if (configure(db, DATABASE_READ, fault) && check_schema(db, mode, fault) &&
               (mode == DATABASE_READ || configure(db, DATABASE_WRITE, fault))) {
        return true;
    }
    database_close(db);
    return false;
}

void database_close(struct database *db)
{
    for (size_t i = 0; i < DATABASE_STATEMENTS; i++) {
        (void)sqlite3_finalize(db->statements[i]);
        db->statements[i] = NULL;
    }
    (void)sqlite3_close(db->handle);
    db->handle = NULL;
}
