/* Tests: the places where a secret may decide: accept or refuse. These functions are called in
 * place of the originals, call them, and declare their answer known. Nothing else is, but for the
 * points that products are of: they are sent, even if some under a key. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ct/secret.h"

/* By the linker's --wrap: the library's comparison of checks, claims and roots. */
bool __real_fer_crypto_equal(const uint8_t *a, const uint8_t *b, size_t n);
bool __wrap_fer_crypto_equal(const uint8_t *a, const uint8_t *b, size_t n);

bool __wrap_fer_crypto_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    bool equal = __real_fer_crypto_equal(a, b, n);

    ct_public(&equal, sizeof equal);
    return equal;
}

/* The next of a name, behind ours. */
static void *find(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (symbol == NULL) {
        abort();
    }
    return symbol;
}

/* By symbol interposition: libsodium's comparison of tags, inside its AEAD. */
int crypto_verify_16(const unsigned char *x, const unsigned char *y);

int crypto_verify_16(const unsigned char *x, const unsigned char *y)
{
    int (*real)(const unsigned char *, const unsigned char *) = NULL;
    void *symbol = find("crypto_verify_16");

    memcpy(&real, &symbol, sizeof real);
    int answer = real(x, y);
    ct_public(&answer, sizeof answer);
    return answer;
}

/* Likewise, whether a product is zero: it is then of a point of small order, and of no secret. */
int crypto_scalarmult_curve25519(unsigned char *q, const unsigned char *n, const unsigned char *p);

int crypto_scalarmult_curve25519(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
    int (*real)(unsigned char *, const unsigned char *, const unsigned char *) = NULL;
    void *symbol = find("crypto_scalarmult_curve25519");
    unsigned char point[32];

    memcpy(point, p, sizeof point);
    ct_public(point, sizeof point);
    memcpy(&real, &symbol, sizeof real);
    int answer = real(q, n, point);
    ct_public(&answer, sizeof answer);
    return answer;
}

int sodium_is_zero(const unsigned char *n, const size_t nlen);

int sodium_is_zero(const unsigned char *n, const size_t nlen)
{
    int (*real)(const unsigned char *, size_t) = NULL;
    void *symbol = find("sodium_is_zero");

    memcpy(&real, &symbol, sizeof real);
    int answer = real(n, nlen);
    ct_public(&answer, sizeof answer);
    return answer;
}
