/* Ferrule gateway: UDP. Each datagram is one record. Whoever wastes our time is limited by source
 * address, never by the route it claims, which anyone can claim. */
#include <stdlib.h>
#include <string.h>

#include <netdb.h>
#include <netinet/in.h>

#include "link.h"

#define DATAGRAM_MAX 65536u
#define DATAGRAMS_AT_ONCE 64 /* then other links have their turn */
#define REJECTS_BURST 200u
#define REJECTS_A_SECOND 100

static uint64_t fold(const void *bytes, size_t n)
{
    const uint8_t *byte = bytes;
    uint64_t key = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) {
        key = (key ^ byte[i]) * 1099511628211u;
    }
    return key;
}

/* The bucket of an address, whatever its port. Addresses that meet in one place take turns. */
static struct sender *find_sender(struct link *link, const struct sockaddr_storage *address)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    const uint64_t key = address->ss_family == AF_INET6
                             ? fold(&six->sin6_addr, sizeof six->sin6_addr)
                             : fold(&four->sin_addr, sizeof four->sin_addr);
    const int64_t now = server_monotonic_ms();
    struct sender *sender = &link->senders[key % SENDERS];
    if (sender->key != key) {
        *sender = (struct sender){.key = key, .refilled_ms = now, .tokens = REJECTS_BURST};
    }
    const int64_t refill = (now - sender->refilled_ms) * REJECTS_A_SECOND / 1000;
    if (refill > 0) {
        sender->refilled_ms = now;
        sender->tokens = sender->tokens + refill > REJECTS_BURST
                             ? REJECTS_BURST
                             : sender->tokens + (uint32_t)refill;
    }
    return sender;
}

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

static void take_datagram(struct link *link, size_t n, const struct sockaddr_storage *address,
                          socklen_t length)
{
    char name[LINK_NAME_SIZE];
    name_address(address, length, name);
    const struct origin origin = {.link = name,
                                  .link_id = link->id,
                                  .answers = true,
                                  .address = (const struct sockaddr *)address,
                                  .address_length = length};
    struct sender *sender = find_sender(link, address);
    if (sender->tokens == 0) {
        report_reject(link->server, REJECT_THROTTLED, link->buffer, n, &origin);
    } else if (!ingest_record(link->server, link->buffer, n, &origin) &&
               !ingest_is_full(link->server)) {
        sender->tokens--;
    }
}

static void on_datagrams(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    (void)what;
    for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        struct sockaddr_storage address;
        socklen_t length = sizeof address;
        memset(&address, 0, sizeof address);
        const ssize_t n = recvfrom(fd, link->buffer, DATAGRAM_MAX, MSG_DONTWAIT,
                                   (struct sockaddr *)&address, &length);
        if (n < 0) {
            return;
        }
        take_datagram(link, (size_t)n, &address, length);
    }
}

bool datagram_start(struct link *link, struct fault *fault)
{
    link->buffer = malloc(DATAGRAM_MAX);
    link->senders = calloc(SENDERS, sizeof *link->senders);
    link->event = event_new(link->server->base, link->fd, EV_READ | EV_PERSIST, on_datagrams, link);
    if (link->buffer == NULL || link->senders == NULL || link->event == NULL ||
        event_add(link->event, NULL) != 0) {
        FAULT(fault, "%s: out of memory", link->name);
        return false;
    }
    return true;
}

bool datagram_send(struct link *link, const struct device_ack *ack, const uint8_t *record, size_t n)
{
    return sendto(link->fd, record, n, MSG_DONTWAIT, (const struct sockaddr *)&ack->address,
                  ack->address_length) == (ssize_t)n;
}
