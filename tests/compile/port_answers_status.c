/* Misuse: a port function answers in statuses, whose values mean something else there.
 * Expect: incompatible (pointer|function pointer) type */
#include <ferrule/port.h>
#include <ferrule/status.h>

#ifdef MISUSE
#define ANSWER fer_status
#else
#define ANSWER int
#endif

static ANSWER fill(void *context, uint8_t *out, size_t n)
{
    (void)context, (void)out, (void)n;
    return 0;
}

const struct fer_entropy_ops ops = {fill};
