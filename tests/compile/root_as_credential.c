/* Misuse: a root key stands for a credential.
 * Expect: incompatible pointer type */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define SECRET fer_root_key
#else
#define SECRET fer_credential
#endif

fer_status use(fer_store *store, SECRET *secret);
fer_status use(fer_store *store, SECRET *secret)
{
    return fer_store_install(store, secret);
}
