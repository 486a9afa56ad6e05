/* Ferrule port: links of a POSIX system, as file descriptors that poll can wait for. Each open
 * answers a descriptor, or -1 and in *why one line of static text that names the cause.
 * Concurrency: any thread. Opening may block, for a host name to be looked up. */
#ifndef FERRULE_PORTS_POSIX_LINK_H
#define FERRULE_PORTS_POSIX_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A serial line at `baud`, raw, 8N1, for this process alone. */
int posix_open_serial(const char *path, uint32_t baud, const char **why);

/* A unix stream socket that somebody listens on. */
int posix_connect_unix(const char *path, const char **why);

/* To `where`, HOST:PORT, connected: send and receive whole datagrams. */
int posix_connect_udp(const char *where, const char **why);

/* Sends n bytes over the descriptor fd, all of them; a datagram goes whole. Goes on after signals.
 * False: the link is full or down; of a stream some bytes may have left. */
bool posix_send_all(int fd, const uint8_t *bytes, size_t n);

#endif
