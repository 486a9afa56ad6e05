#include "entropy.h"

#include "posix.h"

fer_entropy host_entropy(void)
{
    return posix_entropy();
}

bool host_random(void *out, size_t n)
{
    const fer_entropy entropy = posix_entropy();
    return entropy.ops->fill(entropy.context, out, n) == FER_PORT_OK;
}
