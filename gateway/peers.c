#include "peers.h"

#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Older kernels look through all sockets of a port for each datagram. */
#define PEERS_MAX 256u
#define IDLE_US 60000000 /* then another may have its place */
#define ROOM_BYTES (256 << 10)
#define DESCRIPTORS_MAX 640 /* the rest of a usual limit of 1024 is for connections and files */

struct peer {
    int fd;
    struct event *event;
    struct sockaddr_storage address;
    socklen_t length;
    int64_t heard_us;
};

struct peers {
    struct event_base *base;
    int fd;
    event_callback_fn call;
    void *context;
    uint32_t overflowed; /* on sockets that are closed */
    size_t count;
    struct peer all[PEERS_MAX];
};

struct peers *peers_create(struct event_base *base, int fd, event_callback_fn call, void *context)
{
    struct peers *peers = calloc(1, sizeof *peers);
    if (peers != NULL) {
        *peers = (struct peers){.base = base, .fd = fd, .call = call, .context = context};
    }
    return peers;
}

/* The kernel counts since the socket was made, modulo 2^32. */
static uint32_t count_overflowed(int fd)
{
    uint32_t counts[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof counts;
    return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, counts, &length) == 0 ? counts[SK_MEMINFO_DROPS]
                                                                        : 0;
}

static void close_peer(struct peers *peers, struct peer *peer)
{
    peers->overflowed += count_overflowed(peer->fd);
    if (peer->event != NULL) {
        event_free(peer->event);
    }
    close(peer->fd);
}

void peers_free(struct peers *peers)
{
    for (size_t i = 0; peers != NULL && i < peers->count; i++) {
        close_peer(peers, &peers->all[i]);
    }
    free(peers);
}

/* A second socket on the link's port, which for no more than this moment may be shared: another
 * program's attempt to take the port fails before and after. */
static int open_socket(const struct peers *peers, const struct sockaddr_storage *address,
                       socklen_t length)
{
    static const int yes = 1;
    static const int no = 0;
    static const int room = ROOM_BYTES;
    struct sockaddr_storage own;
    socklen_t own_length = sizeof own;
    const int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    const bool bound = getsockname(peers->fd, (struct sockaddr *)&own, &own_length) == 0 &&
                       setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0 &&
                       setsockopt(peers->fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0 &&
                       bind(fd, (const struct sockaddr *)&own, own_length) == 0 &&
                       connect(fd, (const struct sockaddr *)address, length) == 0;
    (void)setsockopt(peers->fd, SOL_SOCKET, SO_REUSEPORT, &no, sizeof no);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &no, sizeof no);
    if (!bound || fd >= DESCRIPTORS_MAX) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A place that is free or has been idle; null: none. */
static struct peer *find_place(struct peers *peers, int64_t now_us)
{
    struct peer *oldest = &peers->all[0];
    if (peers->count < PEERS_MAX) {
        return &peers->all[peers->count];
    }
    for (size_t i = 1; i < PEERS_MAX; i++) {
        oldest = peers->all[i].heard_us < oldest->heard_us ? &peers->all[i] : oldest;
    }
    return now_us - oldest->heard_us > IDLE_US ? oldest : NULL;
}

static bool has_socket(const struct peers *peers, const struct sockaddr_storage *address,
                       socklen_t length)
{
    for (size_t i = 0; i < peers->count; i++) {
        if (peers->all[i].length == length &&
            memcmp(&peers->all[i].address, address, length) == 0) {
            return true;
        }
    }
    return false;
}

void peers_add(struct peers *peers, const struct sockaddr_storage *address, socklen_t length,
               int64_t now_us)
{
    if (length > sizeof *address || has_socket(peers, address, length)) {
        return;
    }
    struct peer *place = find_place(peers, now_us);
    if (place == NULL) {
        return;
    }
    struct peer peer = {.address = *address,
                        .length = length,
                        .heard_us = now_us,
                        .fd = open_socket(peers, address, length)};
    if (peer.fd < 0) {
        return;
    }
    peer.event = event_new(peers->base, peer.fd, EV_READ | EV_PERSIST, peers->call, peers->context);
    if (peer.event == NULL || event_add(peer.event, NULL) != 0) {
        close_peer(peers, &peer);
        return;
    }
    if (place == &peers->all[peers->count]) {
        peers->count++;
    } else {
        close_peer(peers, place);
    }
    *place = peer;
}

void peers_heard(struct peers *peers, int fd, int64_t now_us)
{
    for (size_t i = 0; i < peers->count; i++) {
        if (peers->all[i].fd == fd) {
            peers->all[i].heard_us = now_us;
        }
    }
}

uint32_t peers_overflowed(const struct peers *peers)
{
    uint32_t sum = peers->overflowed + count_overflowed(peers->fd);
    for (size_t i = 0; i < peers->count; i++) {
        sum += count_overflowed(peers->all[i].fd);
    }
    return sum;
}
