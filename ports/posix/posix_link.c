#include "posix_link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static int give_up(int fd, const char **why, const char *cause)
{
    *why = cause;
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

static bool find_speed(uint32_t baud, speed_t *speed)
{
    static const struct {
        uint32_t baud;
        speed_t speed;
    } speeds[] = {{1200, B1200},       {2400, B2400},      {4800, B4800},     {9600, B9600},
                  {19200, B19200},     {38400, B38400},    {57600, B57600},   {115200, B115200},
                  {230400, B230400},   {460800, B460800},  {921600, B921600}, {1000000, B1000000},
                  {2000000, B2000000}, {3000000, B3000000}};

    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        if (speeds[i].baud == baud) {
            *speed = speeds[i].speed;
            return true;
        }
    }
    return false;
}

int posix_open_serial(const char *path, uint32_t baud, const char **why)
{
    struct termios line;
    speed_t speed = B0;

    if (!find_speed(baud, &speed)) {
        return give_up(-1, why, "not a speed of serial lines (try 115200)");
    }
    /* Without O_NONBLOCK, open waits for a carrier that many lines never raise. */
    const int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return give_up(fd, why, strerror(errno));
    }
    if (tcgetattr(fd, &line) != 0) {
        return give_up(fd, why, errno == ENOTTY ? "is not a serial device" : strerror(errno));
    }
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    if (cfsetspeed(&line, speed) != 0 || tcsetattr(fd, TCSANOW, &line) != 0 ||
        ioctl(fd, TIOCEXCL) != 0 || fcntl(fd, F_SETFL, 0) != 0) {
        return give_up(fd, why, strerror(errno));
    }
    return fd;
}

int posix_connect_unix(const char *path, const char **why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path) {
        return give_up(-1, why, "the name is too long for a socket");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return give_up(fd, why, strerror(errno));
    }
    return fd;
}

int posix_connect_udp(const char *where, const char **why)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    const char *colon = strrchr(where, ':');
    struct addrinfo *found;
    char host[256];
    int fd = -1;

    if (colon == NULL || colon == where || (size_t)(colon - where) >= sizeof host) {
        return give_up(-1, why, "HOST:PORT is wanted");
    }
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
    const int cause = getaddrinfo(host, colon + 1, &hints, &found);
    if (cause != 0) {
        return give_up(-1, why, gai_strerror(cause));
    }
    for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            fd = give_up(fd, why, strerror(errno));
        }
    }
    freeaddrinfo(found);
    return fd;
}

bool posix_send_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t sent = write(fd, bytes, n);
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
