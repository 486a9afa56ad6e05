/* Ferrule gateway: commands on their way. A device that was heard gets the open command that is
 * next in its line, marked as sent before the bytes leave. It gets it again, freshly sealed,
 * whenever it shows a sign of life without having answered: a command that was lost, or was stale,
 * comes again, and its id keeps it from running twice. */
#include <string.h>

#include "command.h"
#include "server.h"

#define POLL_MS 200
#define EXPIRE_EVERY_MS 1000
#define SEND_EVERY_MS 250 /* to one device */
#define BACKOFF_MAX_MS 30000
#define TURN_MS 20 /* then links have their turn: each mark is flushed to the disk */

void commands_note(struct device *device, const struct accepted *record,
                   const struct origin *origin)
{
    if (record->opened.lane != FER_LANE_LIVE || !origin->answers || !device->registered.acks) {
        return;
    }
    device->command.heard = true;
    device->command.path.link = origin->link_id;
    device->command.path.address_length = 0;
    if (origin->address != NULL && origin->address_length <= sizeof device->command.path.address) {
        memcpy(&device->command.path.address, origin->address, origin->address_length);
        device->command.path.address_length = origin->address_length;
    }
}

/* Seals with the newest live record as reference: all that the core accepted is durable here. */
static bool send_one(struct server *server, struct device *device, const struct command *command)
{
    uint8_t plaintext[FER_COMMAND_MAX + 32u];
    uint8_t record[COMMAND_RECORD_MAX];
    size_t n = 0;
    size_t length = 0;
    const struct reference newest = sessions_reference(device);
    const fer_command sealed = {
        command->id, newest.generation, newest.sequence, {command->body, command->length}};
    fer_status status = fer_telemetry_encode_command(&sealed, plaintext, sizeof plaintext, &n);
    if (status == FER_OK) {
        status = sessions_seal(&server->sessions, &server->contexts, device, plaintext, n, record,
                               sizeof record, &length);
    }
    explicit_bzero(plaintext, sizeof plaintext);
    if (status != FER_OK) {
        SAY("device %s: command %u is not sent: %s", device->registered.id, command->id,
            fer_status_text(status));
        return false;
    }
    return links_send(server, &device->command.path, record, length);
}

static int64_t get_backoff(uint32_t sends)
{
    const int64_t wait = (int64_t)SEND_EVERY_MS << (sends < 8 ? sends : 8);
    return wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS;
}

/* Answers an SQLite code; the sign of life is spent in every case but a database that is busy. */
static int serve(struct server *server, struct device *device)
{
    struct device_command *line = &device->command;
    struct command command;
    bool marked = false;
    const int64_t now = server_monotonic_ms();
    int rc = command_next(&server->db, device->registered.id, device->registered.epoch,
                          server_unix_ms(), &command);
    if (rc != SQLITE_ROW) {
        line->open = line->open && rc != SQLITE_DONE;
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
    }
    if (command.id != line->id) {
        line->id = command.id;
        line->sends = 0;
    } else if (now < line->sent_ms + get_backoff(line->sends)) {
        return SQLITE_OK; /* the timer asks again */
    }
    rc = command_mark_sent(&server->db, device->registered.id, command.id, server_unix_ms(),
                           &marked);
    if (rc != SQLITE_OK || !marked) {
        return rc;
    }
    line->heard = false;
    line->sent_ms = now;
    line->sends++;
    server->counters.commands_sent += send_one(server, device, &command);
    return SQLITE_OK;
}

static bool is_due(const struct device *device, int64_t now)
{
    return device->open && !device->superseded && (device->heard || device->in_session) &&
           device->command.open && device->command.heard &&
           now >= device->command.sent_ms + SEND_EVERY_MS;
}

/* Goes on where it stopped the last time, so that everyone's turn comes. */
void commands_serve(struct server *server)
{
    const size_t count = server->contexts.count;
    const int64_t now = server_monotonic_ms();
    int rc = SQLITE_OK;
    bool over = false;
    for (size_t i = 0; i < count && server->commands_open && rc == SQLITE_OK && !over; i++) {
        struct device *device = &server->contexts.devices[server->command_turn++ % count];
        if (is_due(device, now)) {
            rc = serve(server, device);
            over = server_monotonic_ms() > now + TURN_MS;
        }
    }
    if (rc != SQLITE_OK && !database_may_pass(rc)) {
        struct fault fault;
        database_explain(&server->db, rc, "send commands", &fault);
        SAY("%s", fault.text);
    }
}

/* ---- what others changed ---------------------------------------------------------------- */

static void note_open(void *context, const char *identity)
{
    struct server *server = context;
    struct device *device = contexts_find(&server->contexts, identity);
    server->commands_open = true;
    if (device != NULL) {
        device->command.open = true;
    }
}

void commands_look(struct server *server)
{
    server->commands_open = false;
    if (command_list_open(&server->db, note_open, server) != SQLITE_OK) {
        server->commands_open = true; /* until the database can be read again */
        server->commands_version = 0;
    }
}

static void print_expired(void *context, const struct command *command)
{
    const struct server *server = context;
    if (!server->options.quiet) {
        lines_print_closed(stdout, command);
    }
}

static void expire(struct server *server, int64_t now)
{
    if (!server->commands_open || now < server->expired_ms + EXPIRE_EVERY_MS) {
        return;
    }
    server->expired_ms = now;
    if (command_expire(&server->db, server_unix_ms(), print_expired, server) == SQLITE_OK) {
        (void)fflush(stdout);
    }
    commands_look(server);
}

/* A read of one number, five times a second; more only where another program changed something. */
static void on_poll(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    int64_t version = 0;
    (void)fd;
    (void)what;
    if (server->stalled_since_ms != 0 || command_get_version(&server->db, &version) != SQLITE_OK) {
        return;
    }
    if (version != server->commands_version) {
        server->commands_version = version;
        commands_look(server);
    }
    expire(server, server_monotonic_ms());
    if (server->queue_count == 0) { /* else the commit that is due serves them */
        commands_serve(server);
    }
}

bool commands_start(struct server *server)
{
    const struct timeval period = {.tv_sec = 0, .tv_usec = POLL_MS * 1000};
    server->command_timer = event_new(server->base, -1, EV_PERSIST, on_poll, server);
    return server->command_timer != NULL && event_add(server->command_timer, &period) == 0;
}
