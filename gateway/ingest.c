#include <stdlib.h>
#include <string.h>

#include "server.h"

bool ingest_is_full(const struct server *server)
{
    return server->queue_count >= QUEUE_RECORDS_MAX || server->queue_bytes >= QUEUE_BYTES_MAX;
}

static uint32_t count_forged_claims(const struct server *server)
{
    fer_gateway_counts counts;
    return fer_gateway_get_counts(server->contexts.core, &counts) == FER_OK ? counts.claim_forged
                                                                            : 0;
}

/* Which counter a refused record belongs to. */
static enum reject reason_of(const struct server *server, fer_status status,
                             uint32_t claims_forged_before, const uint8_t *record, size_t n)
{
    fer_unverified header;
    switch (status) {
    case FER_DROP_ROUTE:
        return fer_record_inspect(record, n, &header) == FER_OK &&
                       contexts_closed(&server->contexts, header.route, header.route_length) != NULL
                   ? REJECT_CLOSED
                   : REJECT_ROUTE;
    case FER_DROP_OLD:
        return REJECT_OLD;
    case FER_DROP_FAR:
        return REJECT_FAR;
    case FER_DROP_REPLAY:
        return REJECT_REPLAY;
    case FER_DROP_VERSION:
        return REJECT_VERSION;
    case FER_DROP_FORGED:
        return count_forged_claims(server) != claims_forged_before ? REJECT_CLAIM : REJECT_TAG;
    default:
        return REJECT_MALFORMED;
    }
}

static void note_newest_of_session(struct device *device, const fer_opened *opened)
{
    if (opened->lane != FER_LANE_LIVE) {
        return;
    }
    if (!device->session.heard || opened->sequence > device->session.sequence) {
        device->session.sequence = opened->sequence;
        device->session.heard = true;
    }
    device->in_session = true;
}

static void note_newest(struct server *server, struct device *device, struct accepted *accepted)
{
    const fer_opened *opened = &accepted->opened;
    if (opened->kind == FER_KIND_SESSION) {
        note_newest_of_session(device, opened);
        return;
    }
    accepted->late = device->heard && opened->generation < device->generation;
    server->counters.late += accepted->late;
    if (opened->lane != FER_LANE_LIVE) {
        return;
    }
    device->in_session = false;
    if (!device->heard || opened->generation > device->generation ||
        (opened->generation == device->generation && opened->sequence > device->sequence)) {
        device->generation = opened->generation;
        device->sequence = opened->sequence;
        device->heard = true;
    }
}

/* A live record outside a session, of a device that the registry lets speak in sessions alone. The
 * backlog lane stays open to it: what was sealed to be stored was sealed before there was a
 * session, and is as authentic. */
static bool lacks_session(const struct server *server, const uint8_t *record, size_t n)
{
    fer_unverified header;
    uint32_t context = 0;
    if (fer_gateway_inspect(server->contexts.core, record, n, &context, &header) != FER_OK ||
        header.lane != FER_LANE_LIVE) {
        return false;
    }
    const struct device *device = contexts_device(&server->contexts, context);
    return device != NULL && device->registered.session_required;
}

static fer_status open_record(struct server *server, const uint8_t *record, size_t n,
                              struct accepted *accepted)
{
    fer_gateway *core = server->contexts.core;
    if (n > 0 && record[0] >> 6 == FER_KIND_SESSION) {
        return sessions_receive(&server->sessions, &server->contexts, record, n, accepted->bytes,
                                &accepted->opened, &accepted->session);
    }
    fer_status status = fer_gateway_open(core, record, n, accepted->bytes, n, &accepted->opened);
    return status == FER_OK ? fer_gateway_commit(core, &accepted->opened.ticket) : status;
}

static void enqueue(struct server *server, struct accepted *accepted, const uint8_t *record,
                    const struct origin *origin)
{
    struct device *device = contexts_device(&server->contexts, accepted->opened.context);
    accepted->device = device;
    accepted->received_ms = server_unix_ms();
    memcpy(accepted->tag, record + accepted->size - sizeof accepted->tag, sizeof accepted->tag);
    (void)snprintf(accepted->link, sizeof accepted->link, "%s", origin->link);
    accepted_judge(accepted);
    note_newest(server, device, accepted);
    acks_note(server, device, accepted, origin);
    if (server->options.acks) {
        commands_note(device, accepted, origin);
    }
    *server->queue_end = accepted;
    server->queue_end = &accepted->next;
    server->queue_count++;
    server->queue_bytes += accepted->size;
    server->counters.accepted++;
    server->counters.malformed += accepted->malformed;
}

bool ingest_record(struct server *server, const uint8_t *record, size_t n,
                   const struct origin *origin)
{
    if (ingest_is_full(server)) {
        report_reject(server, REJECT_BEHIND, record, n, origin);
        return false;
    }
    if (greetings_is_one(record, n)) {
        greetings_take(server, record, n, origin);
        return false; /* whatever comes of it: only a record makes a sender known */
    }
    if (lacks_session(server, record, n)) {
        report_reject(server, REJECT_SESSION, record, n, origin);
        return false;
    }
    /* The place for the plaintext exists before the core moves: an accepted record is never lost
     * for want of memory. */
    struct accepted *accepted = calloc(1, sizeof *accepted + n);
    if (accepted == NULL) {
        report_reject(server, REJECT_MEMORY, record, n, origin);
        return false;
    }
    accepted->size = n;
    const uint32_t forged_claims = count_forged_claims(server);
    const fer_status status = open_record(server, record, n, accepted);
    if (status != FER_OK) {
        report_reject(server, reason_of(server, status, forged_claims, record, n), record, n,
                      origin);
        alarm_look(server, status, record, n, accepted->bytes);
        explicit_bzero(accepted->bytes, n);
        free(accepted);
        return false;
    }
    enqueue(server, accepted, record, origin);
    if (server->stalled_since_ms == 0 &&
        (server->queue_count >= server->options.commit_records || ingest_is_full(server))) {
        (void)commit_flush(server);
    } else {
        commit_soon(server);
    }
    return true;
}
