/* ferrule-gateway: receives records, opens them, stores what they say. */
#include "server.h"

#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "entropy.h"
#include "files.h"
#include "server_options.h"

#define BUSY_MS 50

static int64_t read_clock(clockid_t which)
{
    struct timespec now = {0};
    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t server_unix_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t server_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* A fresh core over a fresh registry; the former ones stay if that fails. */
static bool load(struct server *server, struct fault *fault)
{
    struct registry registry;
    struct contexts contexts;
    struct sessions sessions;
    if (!registry_load(server->options.registry, &registry, fault)) {
        return false;
    }
    if (!contexts_load(&contexts, &registry, &server->db, server->options.max_skip, server->entropy,
                       fault)) {
        registry_free(&registry);
        return false;
    }
    if (!sessions_load(&sessions, server->options.key, &contexts, server->entropy, fault)) {
        contexts_free(&contexts);
        registry_free(&registry);
        return false;
    }
    sessions_keep(&sessions, &contexts, &server->sessions, &server->contexts);
    registry_free(&server->registry);
    sessions_free(&server->sessions);
    contexts_free(&server->contexts);
    server->registry = registry;
    server->contexts = contexts;
    server->sessions = sessions;
    commands_look(server);
    return true;
}

void server_reload(struct server *server)
{
    struct fault fault = {""};
    if (!load(server, &fault)) {
        SAY("reload: %s: going on as before", fault.text);
    } else {
        SAY("reloaded: %zu of %zu devices are open", server->contexts.open, server->contexts.count);
    }
}

static void on_commit(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)commit_flush(context);
}

static void on_stop(evutil_socket_t signal, short what, void *context)
{
    struct server *server = context;
    (void)signal;
    (void)what;
    server->stopping = true;
    (void)event_base_loopbreak(server->base);
}

static void on_hangup(evutil_socket_t signal, short what, void *context)
{
    struct server *server = context;
    (void)signal;
    (void)what;
    server->reload = true;
    (void)commit_flush(server);
}

/* Keys of a session that stay after it give none of the forward secrecy that it was begun for. */
static void on_second(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    const int64_t age_ms = (int64_t)server->options.session_s * 1000;
    (void)fd;
    (void)what;
    server->counters.sessions_expired +=
        sessions_expire(&server->sessions, &server->contexts, server_monotonic_ms() - age_ms);
}

static bool start_session_timer(struct server *server)
{
    const struct timeval second = {.tv_sec = 1};
    if (server->options.session_s == 0 || server->options.key == NULL) {
        return true;
    }
    server->session_timer = event_new(server->base, -1, EV_PERSIST, on_second, server);
    return server->session_timer != NULL && event_add(server->session_timer, &second) == 0;
}

static void on_question(evutil_socket_t signal, short what, void *context)
{
    (void)signal;
    (void)what;
    report_summary(context);
}

/* Two priorities: commit and signals before links, which are interrupted for them, so that no flood
 * of bytes delays either. */
static bool open_base(struct server *server)
{
    static const struct timeval turn = {.tv_usec = 2000};
    struct event_config *config = event_config_new();
    if (config != NULL && event_config_set_max_dispatch_interval(config, &turn, -1, 1) == 0) {
        server->base = event_base_new_with_config(config);
    }
    if (config != NULL) {
        event_config_free(config);
    }
    return server->base != NULL && event_base_priority_init(server->base, 2) == 0;
}

static bool open_loop(struct server *server, struct fault *fault)
{
    static const struct {
        int signal;
        event_callback_fn call;
    } signals[] = {
        {SIGINT, on_stop}, {SIGTERM, on_stop}, {SIGHUP, on_hangup}, {SIGUSR1, on_question}};
    bool done = open_base(server);
    if (done) {
        server->commit_timer = evtimer_new(server->base, on_commit, server);
        done = server->commit_timer != NULL && event_priority_set(server->commit_timer, 0) == 0 &&
               commands_start(server) && start_session_timer(server);
    }
    for (size_t i = 0; i < SIGNALS && done; i++) {
        server->signals[i] = evsignal_new(server->base, signals[i].signal, signals[i].call, server);
        done = server->signals[i] != NULL && event_priority_set(server->signals[i], 0) == 0 &&
               event_add(server->signals[i], NULL) == 0;
    }
    if (!done) {
        FAULT(fault, "the event loop does not start");
        return false;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    return true;
}

static bool open_database(struct server *server, struct fault *fault)
{
    bool busy = false;
    int lock = -1; /* held until the process ends */
    if (!database_open(&server->db, server->options.database, DATABASE_READ, fault)) {
        return false;
    }
    database_close(&server->db);
    if (!files_lock(server->options.database, "lock", false, &lock, &busy, fault)) {
        if (busy) {
            FAULT(fault, "database %s: another ferrule-gateway is using it",
                  server->options.database);
        }
        return false;
    }
    if (!database_open(&server->db, server->options.database, DATABASE_WRITE, fault)) {
        return false;
    }
    /* The loop has its own back-off: while SQLite waits for a lock, datagrams would overflow the
     * kernel's buffer, uncounted (HONEST). */
    (void)sqlite3_busy_timeout(server->db.handle, BUSY_MS);
    if (server->options.max_db_mb > 0) {
        char sql[80];
        (void)snprintf(sql, sizeof sql, "PRAGMA max_page_count=%u",
                       server->options.max_db_mb * 256u); /* pages of 4 KiB */
        const int rc = database_run(&server->db, sql);
        if (rc != SQLITE_OK) {
            database_explain(&server->db, rc, "limit its size", fault);
            return false;
        }
    }
    return true;
}

static bool open_all(struct server *server, struct fault *fault)
{
    server->entropy = host_entropy();
    if (!open_loop(server, fault) || !open_database(server, fault) || !load(server, fault)) {
        return false;
    }
    for (size_t i = 0; i < server->options.source_count; i++) {
        if (!links_open(server, &server->options.sources[i], fault)) {
            return false;
        }
    }
    return true;
}

/* What is queued is stored, if it can be. */
static void settle(struct server *server)
{
    links_close_all(server);
    if (server->stopping && commit_waits(server)) {
        server->options.patience_s = 0;
        (void)commit_flush(server);
    }
    report_summary(server);
}

/* Wipes every key and what plaintext is left. */
static void release(struct server *server)
{
    links_close_all(server);
    commit_forget(server);
    explicit_bzero(&server->greetings, sizeof server->greetings);
    sessions_free(&server->sessions);
    contexts_free(&server->contexts);
    registry_free(&server->registry);
    database_close(&server->db);
    for (size_t i = 0; i < SIGNALS; i++) {
        if (server->signals[i] != NULL) {
            event_free(server->signals[i]);
        }
    }
    if (server->session_timer != NULL) {
        event_free(server->session_timer);
    }
    if (server->command_timer != NULL) {
        event_free(server->command_timer);
    }
    if (server->commit_timer != NULL) {
        event_free(server->commit_timer);
    }
    if (server->base != NULL) {
        /* A callback that was put off holds a stream which was freed meanwhile: let it go. */
        (void)event_base_loop(server->base, EVLOOP_NONBLOCK);
        event_base_free(server->base);
    }
}

int main(int argc, char **argv)
{
    struct server server = {.exit_code = EXIT_SUCCESS};
    struct fault fault = {""};
    server.queue_end = &server.queue;
    server_options_parse(argc, argv, &server.options);
    if (!open_all(&server, &fault)) {
        SAY("%s", fault.text);
        server.exit_code = EXIT_FAILURE;
    } else {
        SAY("ready: %zu of %zu devices are open", server.contexts.open, server.contexts.count);
        (void)event_base_dispatch(server.base);
        settle(&server);
    }
    release(&server);
    return server.exit_code;
}
