/* Misuse: a sealer stands for an opener.
 * Expect: incompatible pointer type */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define HANDLE fer_sealer
#else
#define HANDLE fer_opener
#endif

fer_status use(const HANDLE *handle, const uint8_t *record, size_t n, uint8_t *out,
               fer_opened *opened);
fer_status use(const HANDLE *handle, const uint8_t *record, size_t n, uint8_t *out,
               fer_opened *opened)
{
    return fer_opener_open(handle, record, n, out, n, opened);
}
