/* Ferrule gateway: what refused records tell of a device. It went backwards (its flash was
 * restored, its blob installed twice, its image cloned), or so far ahead that an operator must
 * decide.
 *
 * Backwards is proven by two authentic records of one number; a replay is one record twice, and has
 * one tag. Below the floor the keys are gone, and a claim that verifies is a suspicion: it vouches
 * for the header alone, and a record that was never received may be replayed as well.
 *
 * Anyone can send what is looked at here, so looks are few: the database is asked at most every
 * 100 ms for a device, and so often a second for all of them; a device's alarm sounds once a
 * minute. */
#include <inttypes.h>
#include <stdio.h>

#include "server.h"

#define ALARM_EVERY_MS 60000
#define LOOK_EVERY_MS 100
#define LOOKS_A_SECOND 200u

_Static_assert(DATABASE_TAG_BYTES == FER_TAG_BYTES, "the database keeps whole tags");

static const char *const kinds[DEVICE_ALARMS] = {
    [DEVICE_BACKWARDS] = "backwards",
    [DEVICE_SUSPECTED] = "suspected",
};

/* True: one more look into the database may be had for this device now. */
static bool may_look(struct server *server, struct device *device, int64_t now)
{
    if (now / 1000 != server->looks.second) {
        server->looks = (struct limiter){.second = now / 1000};
    }
    if (now < device->look_not_before_ms || server->looks.said >= LOOKS_A_SECOND) {
        return false;
    }
    device->look_not_before_ms = now + LOOK_EVERY_MS;
    server->looks.said++;
    return true;
}

void alarm_raise(struct server *server, struct device *device, enum device_alarm_kind kind,
                 uint32_t generation, uint32_t sequence)
{
    struct device_alarm *alarm = &device->alarms[kind];
    const int64_t now = server_monotonic_ms();
    if (now < alarm->not_before_ms) {
        return;
    }
    alarm->not_before_ms = now + ALARM_EVERY_MS;
    alarm->noticed_ms = server_unix_ms();
    alarm->generation = generation;
    alarm->sequence = sequence;
    alarm->waiting++;
    server->alarms_waiting++;
    server->counters.alarms[kind]++;
    if (kind == DEVICE_BACKWARDS) {
        SAY("ALARM device %s went backwards: it sealed two records of generation %" PRIu32
            " sequence %" PRIu32 "; a copy of its memory is or was in use: take it out of service, "
            "issue it again with 'ferrule provision --reissue'",
            device->registered.id, generation, sequence);
    } else {
        SAY("ALARM device %s may have gone backwards: a record of generation %" PRIu32
            " sequence %" PRIu32 ", long past, is not the one that was stored; or someone replays "
            "what never arrived, or changes what did",
            device->registered.id, generation, sequence);
    }
    commit_soon(server);
}

/* A record that is not new: is it the one that was accepted? */
static void look_back(struct server *server, struct device *device, const fer_unverified *header,
                      const uint8_t *record, size_t n, uint8_t *scratch)
{
    const struct record_key key = {.id = device->registered.id,
                                   .epoch = device->registered.epoch,
                                   .kind = header->kind,
                                   .generation = header->generation,
                                   .lane = header->lane,
                                   .sequence = header->sequence};
    const int64_t now = server_monotonic_ms();
    enum database_tag found;
    fer_gateway_state state;
    if (fer_gateway_get_state(server->contexts.core, device->context, &state) != FER_OK) {
        return;
    }
    const bool below = header->generation < state.floor;
    const enum device_alarm_kind kind = below ? DEVICE_SUSPECTED : DEVICE_BACKWARDS;
    /* Below the floor a look costs one short HMAC, and goes before the limit of looks: so that
     * forged headers do not use it up. */
    if (now < device->alarms[kind].not_before_ms ||
        (below &&
         fer_gateway_verify(server->contexts.core, record, n, scratch, n) != FER_DROP_OLD) ||
        !may_look(server, device, now) ||
        database_compare_tag(&server->db, &key, record + n - DATABASE_TAG_BYTES, &found) !=
            SQLITE_OK ||
        found == DATABASE_TAG_SAME) {
        return;
    }
    if (below || (found == DATABASE_TAG_OTHER &&
                  fer_gateway_verify(server->contexts.core, record, n, scratch, n) == FER_OK)) {
        alarm_raise(server, device, kind, header->generation, header->sequence);
    }
}

/* The core has verified the claim: this is the device's own word, though it may be a replay. */
static void advise_resync(struct server *server, struct device *device, uint32_t generation)
{
    const int64_t now = server_monotonic_ms();
    fer_gateway_state state;
    if (now < device->far_not_before_ms ||
        fer_gateway_get_state(server->contexts.core, device->context, &state) != FER_OK) {
        return;
    }
    device->far_not_before_ms = now + ALARM_EVERY_MS;
    SAY("device %s claims generation %" PRIu32 ", more than %" PRIu32 " after %" PRIu32
        ": if it was restarted so often, stop this gateway and run: ferrule resync -r '%s' -d '%s'"
        " -i %s --generation %" PRIu32,
        device->registered.id, generation, server->options.max_skip, state.generation,
        server->options.registry, server->options.database, device->registered.id, generation);
}

void alarm_look(struct server *server, fer_status status, const uint8_t *record, size_t n,
                uint8_t *scratch)
{
    fer_unverified header;
    uint32_t number = 0;
    if ((status != FER_DROP_FAR && status != FER_DROP_OLD && status != FER_DROP_REPLAY) ||
        fer_gateway_inspect(server->contexts.core, record, n, &number, &header) != FER_OK) {
        return;
    }
    struct device *device = contexts_device(&server->contexts, number);
    if (device == NULL) {
        return;
    }
    if (status == FER_DROP_FAR) {
        advise_resync(server, device, header.generation);
    } else {
        look_back(server, device, &header, record, n, scratch);
    }
}

/* ---- storing and telling ---- */

/* Calls for every alarm that waits, until one fails. */
static int each_waiting(struct server *server,
                        int (*call)(struct server *server, const struct device *device,
                                    enum device_alarm_kind kind, struct device_alarm *alarm))
{
    int rc = SQLITE_OK;
    for (size_t i = 0; server->alarms_waiting > 0 && i < server->contexts.count; i++) {
        struct device *device = &server->contexts.devices[i];
        for (unsigned kind = 0; kind < DEVICE_ALARMS && rc == SQLITE_OK; kind++) {
            if (device->alarms[kind].waiting > 0) {
                rc = call(server, device, (enum device_alarm_kind)kind, &device->alarms[kind]);
            }
        }
    }
    return rc;
}

static int store_one(struct server *server, const struct device *device,
                     enum device_alarm_kind kind, struct device_alarm *alarm)
{
    const struct record_key key = {.id = device->registered.id,
                                   .epoch = device->registered.epoch,
                                   .generation = alarm->generation,
                                   .sequence = alarm->sequence};
    return database_add_alarm(&server->db, kinds[kind], &key, alarm->noticed_ms, alarm->waiting);
}

/* As JSON; nothing of it needs escapes, the registry sees to that. */
static int tell_one(struct server *server, const struct device *device, enum device_alarm_kind kind,
                    struct device_alarm *alarm)
{
    if (!server->options.quiet) {
        printf("{\"type\":\"alarm\",\"device\":\"%s\",\"epoch\":%" PRIu32 ",\"kind\":\"%s\""
               ",\"generation\":%" PRIu32 ",\"sequence\":%" PRIu32 ",\"noticed_ms\":%" PRId64 "}\n",
               device->registered.id, device->registered.epoch, kinds[kind], alarm->generation,
               alarm->sequence, alarm->noticed_ms);
    }
    server->alarms_waiting -= alarm->waiting;
    alarm->waiting = 0;
    return SQLITE_OK;
}

int alarm_store(struct server *server)
{
    return each_waiting(server, store_one);
}

void alarm_tell(struct server *server)
{
    (void)each_waiting(server, tell_one);
}
