/* Misuse: flash that would be worn out before the years asked.
 * Expect: lifetime: the flash wears out */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define BOOTS 500u
#else
#define BOOTS 5u
#endif

FER_LIFETIME_HOLDS(10, 2048u, 2u, 1u, 10000u, FER_STORE_STRICT, 8u, FER_NV_OVERWRITE, BOOTS, 5000u,
                   0u, 0u);
