/* Ferrule gateway: peers. A device that was heard on a datagram link gets a socket of its own,
 * connected to its address and port: the kernel then queues what it sends apart, so that a flood on
 * the port, however fast, cannot push it out before we read it. Everything else comes by the link's
 * socket, as does what a peer sends from another port. */
#ifndef FERRULE_GATEWAY_PEERS_H
#define FERRULE_GATEWAY_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <sys/socket.h>

struct peers;

/* For the link whose socket is fd. `call` is what the event loop calls for each socket that can be
 * read. Null: out of memory. */
struct peers *peers_create(struct event_base *base, int fd, event_callback_fn call, void *context);
void peers_free(struct peers *peers);

/* A record from this address was accepted, on the link's socket. Does nothing where it has a socket
 * already, or where all are taken by peers that were heard of late; after a failure it stays on the
 * link's. */
void peers_add(struct peers *peers, const struct sockaddr_storage *address, socklen_t length,
               int64_t now_us);

/* A socket is being read; nothing happens if it is the link's. */
void peers_heard(struct peers *peers, int fd, int64_t now_us);

/* What the kernel dropped on the link's socket and all others because we were too slow (HONEST). */
uint32_t peers_overflowed(const struct peers *peers);

#endif
