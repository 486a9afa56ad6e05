/* Ferrule gateway: streams with a way back: serial lines, unix sockets, pipes. */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"

#define PIECE 1024u
#define TURN_MS 2
#define UNREAD_MAX (64u << 10)
#define UNSENT_MAX 4096u
#define ACCEPTED_LINKS_MAX 64u

/* Comes back to what waits in the buffer, after other events. */
static void again(struct link *link)
{
    bufferevent_trigger(link->stream, EV_READ,
                        BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* Reads until nothing is left, its turn is over or the queue is full; the rest waits in the
 * buffer. */
static void drain(struct link *link)
{
    uint8_t piece[PIECE];
    struct evbuffer *input = bufferevent_get_input(link->stream);
    const int64_t end = server_monotonic_ms() + TURN_MS;
    while (!ingest_is_full(link->server) && evbuffer_get_length(input) > 0) {
        if (server_monotonic_ms() > end) {
            again(link);
            return;
        }
        const int n = evbuffer_remove(input, piece, sizeof piece);
        if (n <= 0) {
            return;
        }
        link_feed(link, piece, (size_t)n);
    }
    if (ingest_is_full(link->server)) {
        (void)bufferevent_disable(link->stream, EV_READ);
    }
}

/* After the peer's last byte: what it sent is taken as far as the database keeps up; the rest waits
 * for its next turn, or for stream_resume. */
static void finish(struct link *link)
{
    struct server *server = link->server;
    struct evbuffer *input = bufferevent_get_input(link->stream);
    link->at_end = true;
    drain(link);
    if (evbuffer_get_length(input) == 0) {
        link_close(link);
        if (server->stalled_since_ms == 0) {
            (void)commit_flush(server);
        }
    }
}

static void on_read(struct bufferevent *stream, void *context)
{
    struct link *link = context;
    (void)stream;
    if (link->at_end) {
        finish(link);
    } else {
        drain(link);
    }
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    struct link *link = context;
    const int cause = EVUTIL_SOCKET_ERROR();
    (void)stream;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0) {
        return;
    }
    if (link->kind == SOURCE_SERIAL) {
        SAY("%s: %s", link->name,
            (what & BEV_EVENT_ERROR) != 0 ? strerror(cause) : "the device went away");
        link->server->exit_code = 1;
    } else if (link->kind != SOURCE_FILE && link->is_source) {
        SAY("%s: the peer closed the connection", link->name);
    }
    finish(link);
}

bool stream_start(struct link *link, struct fault *fault)
{
    link->stream = bufferevent_socket_new(link->server->base, link->fd, 0);
    if (link->stream == NULL || !link_add_decoder(link, fault)) {
        FAULT(fault, "%s: out of memory", link->name);
        return false;
    }
    bufferevent_setcb(link->stream, on_read, NULL, on_event, link);
    bufferevent_setwatermark(link->stream, EV_READ, 0, UNREAD_MAX);
    if (bufferevent_enable(link->stream, EV_READ | EV_WRITE) != 0) {
        FAULT(fault, "%s: cannot be waited for", link->name);
        return false;
    }
    return true;
}

void stream_resume(struct link *link)
{
    if (!link->at_end) {
        (void)bufferevent_enable(link->stream, EV_READ);
    }
    again(link);
}

/* Whole frames or nothing: half a frame would spoil the next. */
bool stream_send(struct link *link, const uint8_t *record, size_t n)
{
    uint8_t frame[FER_FRAME_SIZE(COMMAND_RECORD_MAX)];
    size_t length = 0;
    if (n > COMMAND_RECORD_MAX ||
        evbuffer_get_length(bufferevent_get_output(link->stream)) > UNSENT_MAX) {
        return false;
    }
    /* The leading delimiter ends whatever noise the line carried before. */
    static const uint8_t delimiter = 0;
    return fer_frame_encode(record, n, frame, sizeof frame, &length) == FER_OK &&
           bufferevent_write(link->stream, &delimiter, 1) == 0 &&
           bufferevent_write(link->stream, frame, length) == 0;
}

static size_t count_accepted(const struct server *server)
{
    size_t count = 0;
    for (const struct link *link = server->links; link != NULL; link = link->next) {
        count += link->kind == SOURCE_LISTEN_UNIX && !link->is_source;
    }
    return count;
}

static void on_connection(evutil_socket_t listener, short what, void *context)
{
    const struct link *parent = context;
    struct server *server = parent->server;
    struct fault fault = {""};
    (void)what;
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (count_accepted(server) >= ACCEPTED_LINKS_MAX) {
        SAY("%s: %u connections already, one more is refused", parent->name, ACCEPTED_LINKS_MAX);
        close(fd);
        return;
    }
    struct link *link = link_create(server, SOURCE_LISTEN_UNIX, parent->name, fd, &fault);
    if (link == NULL) {
        SAY("%s", fault.text);
    } else if (!stream_start(link, &fault)) {
        SAY("%s", fault.text);
        link_close(link);
    }
}

bool listener_start(struct link *link, struct fault *fault)
{
    link->event =
        event_new(link->server->base, link->fd, EV_READ | EV_PERSIST, on_connection, link);
    if (link->event == NULL || event_add(link->event, NULL) != 0) {
        FAULT(fault, "%s: cannot be waited for", link->name);
        return false;
    }
    return true;
}
