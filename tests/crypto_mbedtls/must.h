/* What cannot fail by the contract must not go on if it does after all (CLOSED). */
#ifndef FERRULE_TESTS_CRYPTO_MBEDTLS_MUST_H
#define FERRULE_TESTS_CRYPTO_MBEDTLS_MUST_H

#include <stdlib.h>

static inline void must(int error)
{
    if (error != 0) {
        abort(); /* a hash that is wrong would be a key that somebody knows */
    }
}

#endif
