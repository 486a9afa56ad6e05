/* Preloaded into the gateway by gateway_session: the process is killed in place of sending the
 * first answer to a greeting, so after its mark was stored. */
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER 0x20 /* kind 0, down; but for the route's length */

typedef ssize_t sendto_call(int fd, const void *bytes, size_t n, int flags,
                            __CONST_SOCKADDR_ARG address, socklen_t length);

/* glibc's own type of the address, else this is another function than the header's. */
ssize_t sendto(int fd, const void *bytes, size_t n, int flags, __CONST_SOCKADDR_ARG address,
               socklen_t length)
{
    sendto_call *real = NULL;
    if (n > 0 && (*(const uint8_t *)bytes & 0xF8) == ANSWER) {
        (void)kill(getpid(), SIGKILL);
    }
    *(void **)&real = dlsym(RTLD_NEXT, "sendto");
    return real(fd, bytes, n, flags, address, length);
}
