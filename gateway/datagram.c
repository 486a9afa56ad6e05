/* Ferrule gateway: UDP. Each datagram is one record. Many are fetched at once, and who wasted too
 * much of our time already is dropped before a byte of his is looked at. */
#include <stdlib.h>
#include <string.h>

#include <netdb.h>

#include "link.h"
#include "peers.h"
#include "senders.h"

#define DATAGRAM_MAX 65536u
#define BATCH 32u
#define TURN_US 2000 /* then other links, signals and the commit have their turn */

struct datagrams {
    struct senders *senders;
    struct peers *peers;
    struct mmsghdr headers[BATCH];
    struct iovec pieces[BATCH];
    struct sockaddr_storage addresses[BATCH];
    uint8_t bytes[BATCH][DATAGRAM_MAX];
};

static void name_address(const struct sockaddr_storage *address, socklen_t length,
                         char name[LINK_NAME_SIZE])
{
    char host[48];
    char port[8];
    if (getnameinfo((const struct sockaddr *)address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        strcpy(host, "?");
        strcpy(port, "?");
    }
    (void)snprintf(name, LINK_NAME_SIZE, "udp:%s:%s", host, port);
}

/* Counted each time, told once. */
static void throttle(struct server *server, struct sender *sender, const uint8_t *record, size_t n,
                     const struct sockaddr_storage *address, socklen_t length)
{
    char name[LINK_NAME_SIZE];
    if (sender->told) {
        server->counters.rejected[REJECT_THROTTLED]++;
        return;
    }
    name_address(address, length, name);
    const struct origin origin = {.link = name};
    report_reject(server, REJECT_THROTTLED, record, n, &origin);
    sender->told = true;
}

static void judge(struct link *link, struct sender *sender, const uint8_t *record, size_t n,
                  const struct sockaddr_storage *address, socklen_t length)
{
    struct senders *senders = link->datagrams->senders;
    const int64_t from = senders_now();
    char name[LINK_NAME_SIZE];
    name_address(address, length, name);
    const struct origin origin = {.link = name,
                                  .link_id = link->id,
                                  .answers = true,
                                  .pressed = senders_are_pressed(senders),
                                  .address = (const struct sockaddr *)address,
                                  .address_length = length};
    if (ingest_record(link->server, record, n, &origin)) {
        senders_accepted(senders, sender);
        peers_add(link->datagrams->peers, address, length, from);
    } else if (!ingest_is_full(link->server)) {
        senders_refused(senders, sender, senders_now() - from);
    }
}

static void take_datagram(struct link *link, size_t i)
{
    struct datagrams *datagrams = link->datagrams;
    const struct sockaddr_storage *address = &datagrams->addresses[i];
    const socklen_t length = datagrams->headers[i].msg_hdr.msg_namelen;
    const size_t n = datagrams->headers[i].msg_len;
    const int64_t now = senders_now();
    struct sender *sender = senders_find(datagrams->senders, address, now);
    if (senders_admit(datagrams->senders, sender, now)) {
        judge(link, sender, datagrams->bytes[i], n, address, length);
    } else {
        throttle(link->server, sender, datagrams->bytes[i], n, address, length);
    }
}

static void on_datagrams(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    struct datagrams *datagrams = link->datagrams;
    const int64_t now = senders_now();
    int count = (int)BATCH;
    (void)what;
    peers_heard(datagrams->peers, fd, now);
    while (count == (int)BATCH && senders_now() < now + TURN_US) {
        for (size_t i = 0; i < BATCH; i++) { /* the kernel writes it */
            datagrams->headers[i].msg_hdr.msg_namelen = sizeof datagrams->addresses[i];
        }
        count = recvmmsg(fd, datagrams->headers, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            take_datagram(link, (size_t)i);
        }
    }
}

static bool make_room(struct link *link)
{
    struct datagrams *datagrams = calloc(1, sizeof *datagrams);
    link->datagrams = datagrams;
    if (datagrams == NULL) {
        return false;
    }
    for (size_t i = 0; i < BATCH; i++) {
        datagrams->pieces[i] = (struct iovec){datagrams->bytes[i], DATAGRAM_MAX};
        datagrams->headers[i].msg_hdr = (struct msghdr){.msg_name = &datagrams->addresses[i],
                                                        .msg_iov = &datagrams->pieces[i],
                                                        .msg_iovlen = 1};
    }
    datagrams->senders = senders_create();
    datagrams->peers = peers_create(link->server->base, link->fd, on_datagrams, link);
    return datagrams->senders != NULL && datagrams->peers != NULL;
}

bool datagram_start(struct link *link, struct fault *fault)
{
    const bool room = make_room(link);
    link->event = event_new(link->server->base, link->fd, EV_READ | EV_PERSIST, on_datagrams, link);
    if (!room || link->event == NULL || event_add(link->event, NULL) != 0) {
        FAULT(fault, "%s: out of memory, or no random numbers", link->name);
        return false;
    }
    return true;
}

void datagram_free(struct link *link)
{
    if (link->datagrams != NULL) {
        peers_free(link->datagrams->peers);
        senders_free(link->datagrams->senders);
        free(link->datagrams);
    }
}

uint32_t datagram_overflowed(const struct link *link)
{
    return link->datagrams != NULL && link->datagrams->peers != NULL
               ? peers_overflowed(link->datagrams->peers)
               : 0;
}

bool datagram_send(struct link *link, const struct device_ack *ack, const uint8_t *record, size_t n)
{
    return sendto(link->fd, record, n, MSG_DONTWAIT, (const struct sockaddr *)&ack->address,
                  ack->address_length) == (ssize_t)n;
}
