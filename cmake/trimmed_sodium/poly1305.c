/* libsodium's Poly1305, unmodified, as one unit whose implementation is fixed: see chacha20.c. */
static int _crypto_onetimeauth_poly1305_pick_best_implementation(void);

#include "crypto_onetimeauth/poly1305/onetimeauth_poly1305.h"
#define crypto_onetimeauth_poly1305_implementation crypto_onetimeauth_poly1305_implementation const

#include "crypto_onetimeauth/poly1305/donna/poly1305_donna.c"
#include "crypto_onetimeauth/poly1305/onetimeauth_poly1305.c"
