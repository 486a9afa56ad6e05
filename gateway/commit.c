#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define BACKOFF_FIRST_MS 100u
#define BACKOFF_MAX_MS 5000u

static void arm(struct server *server, uint32_t ms)
{
    const struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    (void)evtimer_add(server->commit_timer, &delay);
}

void commit_soon(struct server *server)
{
    if (!evtimer_pending(server->commit_timer, NULL)) {
        arm(server, server->options.commit_ms);
    }
}

/* One device's state as of now; the devices that were issued again meanwhile are told apart. */
static int save_device(struct server *server, struct device *device)
{
    uint8_t snapshot[CONTEXTS_SNAPSHOT_MAX];
    size_t n = 0;
    bool superseded = false;
    if (fer_gateway_export(server->contexts.core, device->context, snapshot, sizeof snapshot, &n) !=
        FER_OK) {
        return SQLITE_INTERNAL;
    }
    const int rc = database_save_state(&server->db, device->registered.id, device->registered.epoch,
                                       snapshot, n, server_unix_ms(), &superseded);
    explicit_bzero(snapshot, sizeof snapshot);
    device->superseded = device->superseded || superseded;
    return rc;
}

/* A contradiction is seen here only, so its alarm is stored in the same transaction: afterwards the
 * window has the number, and the record is not accepted a second time. */
static int store_record(struct server *server, struct accepted *record)
{
    const int rc = rows_add(&server->db, record);
    if (record->contradicts) {
        const struct record_key key = accepted_key(record);
        record->contradicts = false;
        alarm_raise(server, record->device, DEVICE_BACKWARDS, key.generation, key.sequence);
    }
    return rc;
}

/* Everything queued and every state behind it, in one transaction. */
static int store(struct server *server)
{
    int rc = database_run(&server->db, "BEGIN IMMEDIATE");
    for (struct accepted *record = server->queue; record != NULL && rc == SQLITE_OK;
         record = record->next) {
        rc = store_record(server, record);
    }
    server->round++;
    for (struct accepted *record = server->queue; record != NULL && rc == SQLITE_OK;
         record = record->next) {
        if (record->device->saved_in != server->round) {
            record->device->saved_in = server->round;
            rc = save_device(server, record->device);
        }
    }
    if (rc == SQLITE_OK) {
        rc = greetings_store(server);
    }
    if (rc == SQLITE_OK) {
        rc = alarm_store(server);
    }
    if (rc == SQLITE_OK) {
        rc = database_run(&server->db, "COMMIT");
    }
    if (rc != SQLITE_OK) {
        (void)database_run(&server->db, "ROLLBACK"); /* SQLite may have done so already */
    }
    return rc;
}

/* Empties the queue; plaintext does not stay in freed memory (WIPE). */
static void release(struct server *server)
{
    struct accepted *record = server->queue;
    while (record != NULL) {
        struct accepted *next = record->next;
        explicit_bzero(record->bytes, record->size);
        free(record);
        record = next;
    }
    server->queue = NULL;
    server->queue_end = &server->queue;
    server->queue_count = 0;
    server->queue_bytes = 0;
}

void commit_forget(struct server *server)
{
    release(server);
}

static void print_lines(struct server *server)
{
    if (server->options.quiet) {
        return;
    }
    for (const struct accepted *record = server->queue; record != NULL; record = record->next) {
        if (!record->duplicate) {
            lines_print(stdout, record);
        }
    }
    if (fflush(stdout) != 0) {
        SAY("standard output: %s: stopping; everything accepted is in the database",
            strerror(errno));
        server->exit_code = 1;
        (void)event_base_loopbreak(server->base);
        server->options.quiet = true;
    }
}

static void after_success(struct server *server)
{
    for (const struct accepted *record = server->queue; record != NULL; record = record->next) {
        server->counters.duplicate += record->duplicate;
        server->counters.stored += !record->duplicate;
    }
    server->counters.groups++;
    alarm_tell(server);
    print_lines(server);
    for (const struct accepted *record = server->queue; record != NULL; record = record->next) {
        struct device *device = record->device;
        if (device->superseded && device->open) {
            SAY("device %s was issued again: its old keys are closed", device->registered.id);
            sessions_forget(&server->sessions, device);
            contexts_close_device(&server->contexts, device);
            server->reload = true;
        }
    }
    greetings_answer(server);
    acks_send(server);
    release(server);
    commands_serve(server);
    if (server->stalled_since_ms != 0) {
        SAY("database %s: storing again", server->db.path);
        server->stalled_since_ms = 0;
        server->stalled_cause = SQLITE_OK;
        links_resume(server);
    }
}

static void give_up(struct server *server)
{
    SAY("%zu accepted records are not stored; none of them was acknowledged, and the devices' "
        "state is as it was before them",
        server->queue_count);
    server->exit_code = 1;
    (void)event_base_loopbreak(server->base);
}

static void after_failure(struct server *server, int rc)
{
    struct fault fault;
    const int64_t now = server_monotonic_ms();
    const bool hopeless = !database_may_pass(rc);
    if (rc != server->stalled_cause) {
        database_explain(&server->db, rc, "store accepted records", &fault);
        SAY("%s%s", fault.text, hopeless ? "" : "; trying again");
        server->stalled_cause = rc;
    }
    if (server->stalled_since_ms == 0) {
        server->stalled_since_ms = now;
        server->backoff_ms = BACKOFF_FIRST_MS;
    }
    if (hopeless || now - server->stalled_since_ms >= (int64_t)server->options.patience_s * 1000) {
        give_up(server);
        return;
    }
    server->counters.retries++;
    arm(server, server->backoff_ms);
    server->backoff_ms =
        server->backoff_ms < BACKOFF_MAX_MS / 2 ? 2 * server->backoff_ms : BACKOFF_MAX_MS;
}

bool commit_flush(struct server *server)
{
    while (commit_waits(server)) {
        const int rc = store(server);
        if (rc != SQLITE_OK) {
            after_failure(server, rc);
            return false;
        }
        after_success(server);
    }
    if (server->reload) {
        server->reload = false;
        server_reload(server);
    }
    links_check_done(server);
    return true;
}
