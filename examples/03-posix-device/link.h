/* Example 03: the three links. All are file descriptors that poll can wait for. */
#ifndef EXAMPLE_LINK_H
#define EXAMPLE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each answers a descriptor, or -1 after saying on stderr why not. */
int link_open_udp(const char *where);   /* HOST:PORT */
int link_open_unix(const char *path);   /* a listening stream socket */
int link_open_serial(const char *path); /* 115200 8N1, raw */

/* Sends all of it; a datagram goes whole. False: not now, and the same bytes may be sent again. */
bool link_send(int fd, const uint8_t *bytes, size_t n);

#endif
