/* Misuse: a pre-shared key stands for the peer's static one.
 * Expect: incompatible pointer type|incompatible pointer types */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define KEY fer_preshared_key
#else
#define KEY fer_static_public
#endif

void use(fer_handshake_config *config, const KEY *key);
void use(fer_handshake_config *config, const KEY *key)
{
    config->peer = key;
}
