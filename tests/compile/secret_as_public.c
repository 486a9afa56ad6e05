/* Misuse: a secret key would be sent as the public one.
 * Expect: incompatible pointer type|incompatible pointer types */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define KEY fer_static_secret
#else
#define KEY fer_static_public
#endif

void use(fer_handshake_config *config, const KEY *key);
void use(fer_handshake_config *config, const KEY *key)
{
    config->own_public = key;
}
