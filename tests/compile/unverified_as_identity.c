/* Misuse: what a header merely claims stands for an identity.
 * Expect: incompatible pointer type */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define WHO fer_unverified
#else
#define WHO fer_identity
#endif

fer_status use(fer_root_key *root, const WHO *who, fer_credential *credential);
fer_status use(fer_root_key *root, const WHO *who, fer_credential *credential)
{
    return fer_keychain_mint(root, who, credential);
}
