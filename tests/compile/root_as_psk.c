/* Misuse: a root key stands for a pre-shared one.
 * Expect: incompatible pointer type|incompatible pointer types */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define KEY fer_root_key
#else
#define KEY fer_preshared_key
#endif

void use(fer_handshake_config *config, const KEY *key);
void use(fer_handshake_config *config, const KEY *key)
{
    config->psk = key;
}
