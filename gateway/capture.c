/* Ferrule gateway: captured bytes, from a regular file or a pipe. Either a stream of frames, or
 * datagrams, each behind its length in two bytes, little-endian. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link.h"

#define PIECE 8192u
#define UNFINISHED_MAX (2u + UINT16_MAX) /* of a datagram */

/* Takes whole datagrams out of what has gathered; keeps the rest. */
static void take_datagrams(struct link *link)
{
    const struct origin origin = {.link = link->name, .link_id = link->id};
    size_t at = 0;
    while (link->buffered - at >= 2) {
        const size_t n = link->buffer[at] | (size_t)link->buffer[at + 1] << 8;
        if (link->buffered - at - 2 < n) {
            break;
        }
        (void)ingest_record(link->server, link->buffer + at + 2, n, &origin);
        at += 2 + n;
    }
    memmove(link->buffer, link->buffer + at, link->buffered - at);
    link->buffered -= at;
}

static void finish(struct link *link)
{
    struct server *server = link->server;
    if (link->buffered > 0) {
        SAY("%s: ends inside a datagram, %zu bytes are left", link->name, link->buffered);
        server->counters.frames_broken++;
        server->counters.frame_bytes_dropped += link->buffered;
    }
    link_close(link);
    if (server->stalled_since_ms == 0) {
        (void)commit_flush(server);
    }
}

static void again(struct link *link)
{
    const struct timeval now = {0};
    (void)evtimer_add(link->event, &now);
}

/* One piece of the file, then other events have their turn. */
static void on_piece(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    uint8_t *piece = link->buffer + link->buffered;
    (void)fd;
    (void)what;
    if (ingest_is_full(link->server)) {
        return; /* until capture_resume */
    }
    const ssize_t n = read(link->fd, piece, PIECE);
    if (n < 0 && errno == EINTR) {
        again(link);
        return;
    }
    if (n < 0) {
        SAY("%s: %s", link->name, strerror(errno));
        link->server->exit_code = 1;
    }
    if (n <= 0) {
        finish(link);
        return;
    }
    if (link->server->options.datagrams) {
        link->buffered += (size_t)n;
        take_datagrams(link);
    } else {
        link_feed(link, piece, (size_t)n);
    }
    again(link);
}

bool capture_start(struct link *link, struct fault *fault)
{
    struct stat about;
    if (fstat(link->fd, &about) == 0 && S_ISDIR(about.st_mode)) {
        FAULT(fault, "%s: is a folder", link->name);
        return false;
    }
    const bool waits = S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode) || isatty(link->fd);
    if (waits && !link->server->options.datagrams) {
        return stream_start(link, fault); /* whose reader must not block the loop */
    }
    link->buffer = malloc(UNFINISHED_MAX + PIECE);
    link->event = evtimer_new(link->server->base, on_piece, link);
    if (link->buffer == NULL || link->event == NULL || !link_add_decoder(link, fault)) {
        FAULT(fault, "%s: out of memory", link->name);
        return false;
    }
    again(link);
    return true;
}

void capture_resume(struct link *link)
{
    again(link);
}
