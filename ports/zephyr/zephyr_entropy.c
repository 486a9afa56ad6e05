#include <zephyr/random/random.h>

#include "zephyr_port.h"

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    return sys_csrand_get(out, n) == 0 ? FER_PORT_OK : FER_PORT_FAILED;
}

fer_entropy zephyr_entropy(void)
{
    static const struct fer_entropy_ops ops = {fill};
    const fer_entropy entropy = {&ops, NULL};
    return entropy;
}
