/* Ferrule gateway: from names to file descriptors. Each failure is one line that names the cause.
 */
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "link.h"
#include "posix_link.h"

static int set_nonblocking(int fd)
{
    return fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? fd : -1;
}

int open_serial(const char *path, uint32_t baud, struct fault *fault)
{
    const char *why = "";
    const int fd = posix_open_serial(path, baud, &why);
    if (fd < 0) {
        FAULT(fault, "serial device %s at %u baud: %s", path, baud, why);
    }
    return set_nonblocking(fd);
}

int open_unix(const char *path, struct fault *fault)
{
    const char *why = "";
    const int fd = posix_connect_unix(path, &why);
    if (fd < 0) {
        FAULT(fault, "socket %s: %s", path, why);
    }
    return set_nonblocking(fd);
}

static bool unix_address(const char *path, struct sockaddr_un *address, struct fault *fault)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        FAULT(fault, "socket %.200s: the name is longer than %zu bytes", path,
              sizeof address->sun_path - 1);
        return false;
    }
    strcpy(address->sun_path, path);
    return true;
}

/* Removes a socket that a dead process left; one that answers is in use. */
static void remove_stale(const char *path, const struct sockaddr_un *address)
{
    struct stat about;
    if (lstat(path, &about) != 0 || !S_ISSOCK(about.st_mode)) {
        return;
    }
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED) {
        (void)unlink(path);
    }
    close(fd);
}

int open_listener(const char *path, struct fault *fault)
{
    struct sockaddr_un address;
    if (!unix_address(path, &address, fault)) {
        return -1;
    }
    remove_stale(path, &address);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const mode_t mask = umask(0077);
    const bool bound = fd >= 0 &&
                       bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                       listen(fd, 16) == 0;
    const int cause = errno;
    (void)umask(mask);
    if (!bound) {
        FAULT(fault, "socket %s: %s", path, strerror(cause));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

/* HOST:PORT, [HOST]:PORT or PORT into its two parts. */
static bool split(const char *where, char host[64], char port[8])
{
    const char *colon = strrchr(where, ':');
    const char *digits = colon != NULL ? colon + 1 : where;
    const char *from = where;
    size_t n = colon != NULL ? (size_t)(colon - where) : 0;
    if (n >= 2 && from[0] == '[' && from[n - 1] == ']') {
        from++;
        n -= 2;
    }
    if (n >= 64 || strlen(digits) >= 8 || strlen(digits) == 0 || (colon != NULL && n == 0)) {
        return false;
    }
    memcpy(host, from, n);
    host[n] = '\0';
    strcpy(port, digits);
    return true;
}

int open_udp(const char *where, struct fault *fault)
{
    char host[64];
    char port[8];
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_DGRAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (!split(where, host, port)) {
        FAULT(fault, "--udp %.100s: must be PORT, ADDRESS:PORT or [ADDRESS]:PORT", where);
        return -1;
    }
    const int problem = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (problem != 0) {
        FAULT(fault, "--udp %s: %s (an address in digits and a port are wanted)", where,
              gai_strerror(problem));
        return -1;
    }
    const int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* A commit may take a while: as much of this as the system allows, or all of it if we may. */
    const int room = 8 << 20;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    }
    const bool bound = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0;
    if (!bound) {
        FAULT(fault, "UDP port %s: %s", where, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
    }
    freeaddrinfo(found);
    return bound ? fd : -1;
}

int open_capture(const char *path, struct fault *fault)
{
    const int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                          : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        FAULT(fault, "file %s: %s", path, strerror(errno));
    }
    return fd;
}
