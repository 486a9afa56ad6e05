/* Tests: the two places where a secret may decide: accept or refuse. Both functions are called in
 * place of the originals, call them, and declare their answer known. Nothing else is. */
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

/* By symbol interposition: libsodium's comparison of tags, inside its AEAD. */
int crypto_verify_16(const unsigned char *x, const unsigned char *y);

int crypto_verify_16(const unsigned char *x, const unsigned char *y)
{
    int (*real)(const unsigned char *, const unsigned char *) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "crypto_verify_16");

    if (symbol == NULL) {
        abort();
    }
    memcpy(&real, &symbol, sizeof real);
    int answer = real(x, y);
    ct_public(&answer, sizeof answer);
    return answer;
}
