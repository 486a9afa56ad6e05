/* Ferrule: drawing from a port of entropy (floor 0). */
#ifndef FERRULE_INTERNAL_DRAW_H
#define FERRULE_INTERNAL_DRAW_H

#include <stdbool.h>
#include <stddef.h>

#include "ferrule/port.h"
#include "ferrule/status.h"
#include "internal/wipe.h"

static inline bool fer_can_draw(fer_entropy entropy)
{
    return entropy.ops != NULL && entropy.ops->fill != NULL;
}

/* What the caller is told of a source's answer. */
static inline fer_status fer_draw_status(int answer)
{
    if (answer == FER_PORT_OK) {
        return FER_OK;
    }
    return answer == FER_PORT_NOT_NOW ? FER_NOT_NOW : FER_TROUBLE_ENTROPY;
}

/* Fills out with n bytes; zeros where the source does not answer FER_PORT_OK (CLOSED). */
static inline fer_status fer_draw(fer_entropy entropy, uint8_t *out, size_t n)
{
    const int answer = entropy.ops->fill(entropy.context, out, n);

    if (answer != FER_PORT_OK) {
        fer_wipe(out, n);
    }
    return fer_draw_status(answer);
}

#endif
