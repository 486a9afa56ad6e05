/* Misuse: a handle is copied, and with it its counter.
 * Expect: incomplete type|undefined type|storage size of 'copy' isn't known */
#include <ferrule/ferrule.h>

uint8_t use(fer_sealer *sealer);
uint8_t use(fer_sealer *sealer)
{
#ifdef MISUSE
    fer_sealer copy = *sealer;
#else
    fer_sealer *copy = sealer;
#endif
    (void)&copy;
    return 0;
}
