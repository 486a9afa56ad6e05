/* Misuse: the application reads or sets a field of a handle.
 * Expect: incomplete (type|definition)|undefined type */
#include <ferrule/ferrule.h>

fer_status use(fer_sealer *sealer, uint32_t *next);
fer_status use(fer_sealer *sealer, uint32_t *next)
{
#ifdef MISUSE
    *next = sealer->sequence;
    return FER_OK;
#else
    return fer_sealer_get_next(sealer, next);
#endif
}
