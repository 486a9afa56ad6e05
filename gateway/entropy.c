#include "entropy.h"

#include <errno.h>
#include <sys/random.h>

bool host_random(void *out, size_t n)
{
    uint8_t *at = out;
    while (n > 0) {
        const ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    return host_random(out, n) ? FER_PORT_OK : FER_PORT_FAILED;
}

fer_entropy host_entropy(void)
{
    static const struct fer_entropy_ops ops = {.fill = fill};
    return (fer_entropy){.ops = &ops, .context = NULL};
}
