/* Misuse: an opener stands for a sealer.
 * Expect: incompatible pointer type */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define HANDLE fer_opener
#else
#define HANDLE fer_sealer
#endif

fer_status use(HANDLE *handle, const uint8_t *text, size_t n, uint8_t *out, size_t *length);
fer_status use(HANDLE *handle, const uint8_t *text, size_t n, uint8_t *out, size_t *length)
{
    return fer_sealer_seal(handle, text, n, out, n + FER_OVERHEAD_MAX, length);
}
