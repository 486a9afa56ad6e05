#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static int fail(int fd, const char *what, const char *why)
{
    fprintf(stderr, "posix-device: %s: %s\n", what, why);
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

int link_open_udp(const char *where)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    const char *colon = strrchr(where, ':');
    struct addrinfo *found;
    char host[256];
    int fd = -1;

    if (colon == NULL || colon == where || (size_t)(colon - where) >= sizeof host) {
        return fail(-1, where, "HOST:PORT is wanted");
    }
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
    int cause = getaddrinfo(host, colon + 1, &hints, &found);
    if (cause != 0) {
        return fail(-1, where, gai_strerror(cause));
    }
    for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            (void)close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd >= 0 ? fd : fail(fd, where, strerror(errno));
}

int link_open_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof address.sun_path) {
        return fail(fd, path, "too long for a socket");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return fail(fd, path, strerror(errno));
    }
    return fd;
}

int link_open_serial(const char *path)
{
    struct termios line;
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, &line) != 0) {
        return fail(fd, path, strerror(errno));
    }
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    if (cfsetspeed(&line, B115200) != 0 || tcsetattr(fd, TCSANOW, &line) != 0) {
        return fail(fd, path, strerror(errno));
    }
    return fd;
}

bool link_send(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = write(fd, bytes, n);
        if (sent < 0 && errno != EINTR) {
            return false;
        }
        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
        }
    }
    return true;
}
