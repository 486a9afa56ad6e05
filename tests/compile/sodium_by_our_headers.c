/* Misuse: an application relies on libsodium's names, which our headers must not bring in.
 * Expect: undeclared|use of undeclared identifier|implicit declaration */
#include <ferrule/ferrule.h>

#ifndef MISUSE
/* So the names are free for the application's own. */
enum { crypto_aead_chacha20poly1305_ietf_KEYBYTES = 32 };
#endif

unsigned use(void);
unsigned use(void)
{
    return crypto_aead_chacha20poly1305_ietf_KEYBYTES;
}
