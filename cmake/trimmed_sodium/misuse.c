/* libsodium calls this when its caller broke a contract (a length beyond what an algorithm may
 * process). Ferrule's own bounds make that unreachable; if it is reached all the same, going on
 * would mean using a key in a way nobody analysed, so the program stops here (CLOSED). */
#include "core.h"

void sodium_misuse(void)
{
    for (;;) {
        __builtin_trap();
    }
}
