/* Misuse: the caller chooses a nonce.
 * Expect: too many arguments to function */
#include <ferrule/ferrule.h>

fer_status use(fer_sealer *sealer, const uint8_t *text, size_t n, const uint8_t *nonce,
               uint8_t *out, size_t *length);
fer_status use(fer_sealer *sealer, const uint8_t *text, size_t n, const uint8_t *nonce,
               uint8_t *out, size_t *length)
{
    (void)nonce;
#ifdef MISUSE
    return fer_sealer_seal(sealer, text, n, out, n + FER_OVERHEAD_MAX, length, nonce);
#else
    return fer_sealer_seal(sealer, text, n, out, n + FER_OVERHEAD_MAX, length);
#endif
}
