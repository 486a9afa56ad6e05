/* Ferrule gateway: one link. Streams (serial, unix, files) go through a frame decoder; datagrams
 * are records as they are. */
#ifndef FERRULE_GATEWAY_LINK_H
#define FERRULE_GATEWAY_LINK_H

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "ferrule/frame.h"
#include "server.h"

struct datagrams;

struct link {
    struct link *next;
    struct server *server;
    uint32_t id;
    enum source_kind kind;
    char name[LINK_NAME_SIZE];
    bool is_source; /* named on the command line, not accepted by a listener */
    bool at_end;    /* a stream whose peer is gone, with input that waits for the database */
    int fd;
    struct bufferevent *stream; /* serial, unix, pipes */
    struct event *event;        /* datagrams, listeners, regular files */
    fer_arena arena;
    fer_arena_cell *storage;
    fer_frame_decoder *decoder;
    uint8_t *buffer; /* captures: a piece, behind what is left of an unfinished datagram */
    size_t buffered;
    struct datagrams *datagrams; /* UDP */
    char unlink_path[108];
};

struct link *link_create(struct server *server, enum source_kind kind, const char *name, int fd,
                         struct fault *fault);
bool link_add_decoder(struct link *link, struct fault *fault);
/* Closes it, adds its counts to the server's, frees it. */
void link_close(struct link *link);

/* One piece of a stream. */
void link_feed(struct link *link, const uint8_t *bytes, size_t n);

bool stream_start(struct link *link, struct fault *fault);
void stream_resume(struct link *link);
bool stream_send(struct link *link, const uint8_t *record, size_t n);
bool capture_start(struct link *link, struct fault *fault);
void capture_resume(struct link *link);
bool listener_start(struct link *link, struct fault *fault);
bool datagram_start(struct link *link, struct fault *fault);
void datagram_free(struct link *link);
/* How many the kernel dropped because we were too slow (HONEST). */
uint32_t datagram_overflowed(const struct link *link);
bool datagram_send(struct link *link, const struct device_ack *ack, const uint8_t *record,
                   size_t n);

/* File descriptors, by kind of source; -1 with the cause in *fault. */
int open_serial(const char *path, uint32_t baud, struct fault *fault);
int open_unix(const char *path, struct fault *fault);
int open_listener(const char *path, struct fault *fault);
int open_udp(const char *where, struct fault *fault);
int open_capture(const char *path, struct fault *fault);

#endif
