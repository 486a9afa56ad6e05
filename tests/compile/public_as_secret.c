/* Misuse: a public key stands for a secret one.
 * Expect: incompatible pointer type|incompatible pointer types */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define KEY fer_static_public
#else
#define KEY fer_static_secret
#endif

void use(fer_handshake_config *config, const KEY *key);
void use(fer_handshake_config *config, const KEY *key)
{
    config->own_secret = key;
}
