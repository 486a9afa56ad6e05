#include <inttypes.h>

#include "server.h"
#include "text.h"

#define LINES_A_SECOND 5u

static const char *const reasons[REJECT_REASONS] = {
    [REJECT_MALFORMED] = "malformed",      [REJECT_ROUTE] = "unknown-route",
    [REJECT_CLOSED] = "closed-device",     [REJECT_OLD] = "old",
    [REJECT_FAR] = "far-future",           [REJECT_REPLAY] = "replayed",
    [REJECT_CLAIM] = "claim-forged",       [REJECT_TAG] = "tag-forged",
    [REJECT_VERSION] = "version",          [REJECT_THROTTLED] = "throttled",
    [REJECT_BEHIND] = "database-behind",   [REJECT_MEMORY] = "out-of-memory",
    [REJECT_SESSION] = "session-required",
};

static const char *const refusals[GREETING_REFUSALS] = {
    [GREETING_NO_KEY] = "greeting-no-key",       [GREETING_ONE_WAY] = "greeting-one-way",
    [GREETING_ROUTE] = "greeting-unknown-route", [GREETING_CHECK] = "greeting-check-forged",
    [GREETING_REPLAY] = "greeting-replayed",     [GREETING_OLD] = "greeting-old",
    [GREETING_FAR] = "greeting-far-future",      [GREETING_FORGED] = "greeting-forged",
    [GREETING_NO_ROOM] = "greeting-no-room",
};

/* True: one more line may be said now. Tells how many were not. */
static bool may_say(struct limiter *limiter)
{
    const int64_t second = server_monotonic_ms() / 1000;
    if (second != limiter->second) {
        if (limiter->hidden > 0) {
            SAY("… and %" PRIu64 " more rejects, counted in the summary", limiter->hidden);
        }
        *limiter = (struct limiter){.second = second};
    }
    if (limiter->said >= LINES_A_SECOND) {
        limiter->hidden++;
        return false;
    }
    limiter->said++;
    return true;
}

void report_reject(struct server *server, enum reject reason, const uint8_t *record, size_t n,
                   const struct origin *origin)
{
    fer_unverified header;
    char route[2 * FER_ROUTE_MAX + 1];
    server->counters.rejected[reason]++;
    if (!may_say(&server->limiter)) {
        return;
    }
    if (fer_record_inspect(record, n, &header) != FER_OK) {
        SAY("reject %s: %zu bytes from %s", reasons[reason], n, origin->link);
        return;
    }
    text_to_hex(header.route, header.route_length, route);
    SAY("reject %s: %zu bytes from %s, claims route %s generation %" PRIu32 " sequence %" PRIu32
        "%s%s",
        reasons[reason], n, origin->link, route[0] != '\0' ? route : "(none)", header.generation,
        header.sequence, header.form == FER_FORM_SHORT ? " short" : " full",
        header.lane == FER_LANE_BACKLOG ? " backlog" : "");
}

void report_greeting(struct server *server, enum greeting_refusal reason, const uint8_t *packet,
                     size_t n, const struct origin *origin)
{
    fer_greeting greeting;
    char route[2 * FER_ROUTE_MAX + 1];
    server->counters.greetings_refused[reason]++;
    if (!may_say(&server->limiter) || fer_greeting_inspect(packet, n, &greeting) != FER_OK) {
        return;
    }
    text_to_hex(greeting.route, greeting.route_length, route);
    SAY("reject %s: %zu bytes from %s, claims route %s generation %" PRIu32 " attempt %" PRIu32,
        refusals[reason], n, origin->link, route[0] != '\0' ? route : "(none)", greeting.generation,
        greeting.attempt);
}

static void report_sessions(const struct server *server)
{
    const struct counters *counters = &server->counters;
    SAY("summary: greetings-answered=%" PRIu64 " greetings-computed=%" PRIu64
        " greetings-unsent=%" PRIu64 " cookies-offered=%" PRIu64 " sessions-open=%zu"
        " sessions-expired=%" PRIu64,
        counters->greetings_answered, counters->greetings_computed, counters->greetings_unsent,
        counters->cookies_offered, sessions_count(&server->contexts), counters->sessions_expired);
    fprintf(stderr, "%s: summary: refused", program_invocation_short_name);
    for (size_t i = 0; i < GREETING_REFUSALS; i++) {
        fprintf(stderr, " %s=%" PRIu64, refusals[i], counters->greetings_refused[i]);
    }
    fputc('\n', stderr);
}

void report_summary(const struct server *server)
{
    struct counters total = server->counters;
    const struct counters *counters = &total;
    links_add_counts(server, &total);
    SAY("summary: accepted=%" PRIu64 " stored=%" PRIu64 " duplicate=%" PRIu64
        " malformed-envelope=%" PRIu64 " late=%" PRIu64 " not-stored=%zu groups=%" PRIu64
        " retries=%" PRIu64,
        counters->accepted, counters->stored, counters->duplicate, counters->malformed,
        counters->late, server->queue_count, counters->groups, counters->retries);
    fprintf(stderr, "%s: summary: rejected", program_invocation_short_name);
    for (size_t i = 0; i < REJECT_REASONS; i++) {
        fprintf(stderr, " %s=%" PRIu64, reasons[i], counters->rejected[i]);
    }
    fputc('\n', stderr);
    SAY("summary: frames=%" PRIu64 " oversized=%" PRIu64 " broken=%" PRIu64
        " bytes-dropped=%" PRIu64 " datagrams-overflowed=%" PRIu64 " acks-sent=%" PRIu64
        " acks-held=%" PRIu64 " commands-sent=%" PRIu64,
        counters->frames, counters->frames_oversized, counters->frames_broken,
        counters->frame_bytes_dropped, counters->datagrams_overflowed, counters->acks_sent,
        counters->acks_held, counters->commands_sent);
    SAY("summary: alarms backwards=%" PRIu64 " suspected=%" PRIu64,
        counters->alarms[DEVICE_BACKWARDS], counters->alarms[DEVICE_SUSPECTED]);
    report_sessions(server);
}
