#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link.h"

struct link *link_create(struct server *server, enum source_kind kind, const char *name, int fd,
                         struct fault *fault)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        FAULT(fault, "%s: out of memory", name);
        close(fd);
        return NULL;
    }
    link->server = server;
    link->kind = kind;
    link->fd = fd;
    link->id = ++server->next_link_id;
    (void)snprintf(link->name, sizeof link->name, "%s", name);
    link->next = server->links;
    server->links = link;
    return link;
}

bool link_add_decoder(struct link *link, struct fault *fault)
{
    const size_t cells = FER_FRAME_DECODER_SIZE(RECORD_MAX) / FER_ARENA_ALIGN;
    link->storage = calloc(cells, sizeof *link->storage);
    if (link->storage == NULL || fer_arena_init(&link->arena, link->storage, cells) != FER_OK ||
        fer_frame_decoder_create(&link->arena, RECORD_MAX, &link->decoder) != FER_OK) {
        FAULT(fault, "%s: out of memory", link->name);
        return false;
    }
    return true;
}

static void add_counts(const struct link *link, struct counters *counters)
{
    fer_frame_counts frames;
    if (link->decoder != NULL && fer_frame_decoder_get_counts(link->decoder, &frames) == FER_OK) {
        counters->frames += frames.frames;
        counters->frames_oversized += frames.oversized;
        counters->frames_broken += frames.malformed;
        counters->frame_bytes_dropped += frames.bytes;
    }
    if (link->kind == SOURCE_UDP) {
        counters->datagrams_overflowed += datagram_overflowed(link);
    }
}

void links_add_counts(const struct server *server, struct counters *counters)
{
    for (const struct link *link = server->links; link != NULL; link = link->next) {
        add_counts(link, counters);
    }
}

void link_close(struct link *link)
{
    struct link **place = &link->server->links;
    while (*place != link) {
        place = &(*place)->next;
    }
    *place = link->next;
    add_counts(link, &link->server->counters);
    fer_frame_decoder_close(&link->decoder);
    if (link->stream != NULL) {
        bufferevent_free(link->stream);
    }
    if (link->event != NULL) {
        event_free(link->event);
    }
    if (link->unlink_path[0] != '\0') {
        (void)unlink(link->unlink_path);
    }
    close(link->fd);
    link->server->sources_open -= link->is_source;
    free(link->storage);
    datagram_free(link);
    free(link->buffer);
    free(link);
}

void link_feed(struct link *link, const uint8_t *bytes, size_t n)
{
    const struct origin origin = {
        .link = link->name, .link_id = link->id, .answers = link->kind != SOURCE_FILE};
    while (n > 0) {
        uint8_t *frame = NULL;
        size_t length = 0;
        size_t used = 0;
        const fer_status status =
            fer_frame_decoder_feed(link->decoder, bytes, n, &used, &frame, &length);
        if (status == FER_OK) {
            (void)ingest_record(link->server, frame, length, &origin);
        } else if (status != FER_EMPTY) {
            SAY("%s: %s", link->name, fer_status_text(status));
            return;
        }
        bytes += used;
        n -= used;
    }
}

/* Opens a source and the link over it. */
bool links_open(struct server *server, const struct source *source, struct fault *fault)
{
    int fd = -1;
    switch (source->kind) {
    case SOURCE_SERIAL:
        fd = open_serial(source->where, server->options.baud, fault);
        break;
    case SOURCE_UNIX:
        fd = open_unix(source->where, fault);
        break;
    case SOURCE_LISTEN_UNIX:
        fd = open_listener(source->where, fault);
        break;
    case SOURCE_UDP:
        fd = open_udp(source->where, fault);
        break;
    case SOURCE_FILE:
        fd = open_capture(source->where, fault);
        break;
    }
    if (fd < 0) {
        return false;
    }
    struct link *link = link_create(server, source->kind, source->where, fd, fault);
    if (link == NULL) {
        return false;
    }
    link->is_source = true;
    server->sources_open++;
    switch (source->kind) {
    case SOURCE_LISTEN_UNIX:
        (void)snprintf(link->unlink_path, sizeof link->unlink_path, "%s", source->where);
        return listener_start(link, fault);
    case SOURCE_UDP:
        return datagram_start(link, fault);
    case SOURCE_FILE:
        return capture_start(link, fault);
    default:
        return stream_start(link, fault);
    }
}

bool links_send(struct server *server, const struct device_ack *ack, const uint8_t *record,
                size_t n)
{
    for (struct link *link = server->links; link != NULL; link = link->next) {
        if (link->id == ack->link) {
            return link->kind == SOURCE_UDP ? datagram_send(link, ack, record, n)
                                            : stream_send(link, record, n);
        }
    }
    return false;
}

void links_resume(struct server *server)
{
    for (struct link *link = server->links; link != NULL; link = link->next) {
        if (link->stream != NULL) {
            stream_resume(link);
        } else if (link->kind == SOURCE_FILE) {
            capture_resume(link);
        }
    }
}

void links_close_all(struct server *server)
{
    while (server->links != NULL) {
        link_close(server->links); /* takes it off the list. NOLINT(clang-analyzer-unix.Malloc) */
    }
}

void links_check_done(struct server *server)
{
    if (server->sources_open == 0 && !commit_waits(server)) {
        (void)event_base_loopexit(server->base, NULL);
    }
}
