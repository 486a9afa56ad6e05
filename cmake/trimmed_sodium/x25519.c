/* libsodium's X25519, unmodified, by its ladder alone. Upstream reaches it through a table that also
 * names the multiplication of the base point, and with it 30 KB of multiples that link-time
 * optimisation does not remove. Here nothing refers to that table, so --gc-sections does. */
#include "crypto_scalarmult_curve25519.h"

#include "crypto_scalarmult/curve25519/ref10/x25519_ref10.c"

int crypto_scalarmult_curve25519(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
    return crypto_scalarmult_curve25519_ref10(q, n, p);
}
