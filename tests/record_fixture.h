/* What the tests of record, sealer, opener and gateway share: a credential and its generations from
 * fixed bytes, and entropy that counts. Include after cmocka.h. */
#ifndef FERRULE_TESTS_RECORD_FIXTURE_H
#define FERRULE_TESTS_RECORD_FIXTURE_H

#include <stdbool.h>
#include <string.h>

#include "ferrule/keychain.h"
#include "ferrule/record.h"
#include "internal/credential.h"

static const uint8_t fixture_route[FER_ROUTE_MAX] = {0xA1, 0xB2, 0xC3, 0xD4,
                                                     0xE5, 0xF6, 0x07, 0x18};

/* Credential 0 of an identity of six letters, epoch 3; root bytes 0x40, 0x41, …, plus 37 `who`. */
static inline void fixture_mint_as(fer_credential *credential, uint8_t who, const char *name,
                                   const uint8_t *route, size_t route_length)
{
    fer_root_key root;
    fer_identity identity = {3, (const uint8_t *)name, 6, route, route_length};

    for (unsigned i = 0; i < sizeof root.bytes; i++) {
        root.bytes[i] = (uint8_t)(0x40u + i + who * 37u);
    }
    assert_int_equal(fer_keychain_mint(&root, &identity, credential), FER_OK);
}

static inline void fixture_mint(fer_credential *credential, uint8_t who, const uint8_t *route,
                                size_t route_length)
{
    fixture_mint_as(credential, who, "pump-7", route, route_length);
}

/* The keys of `generation`, in place: fer_generation must not be copied. */
static inline void fixture_generation(fer_generation *keys, uint8_t who, size_t route_length,
                                      uint32_t generation)
{
    fer_credential credential;

    fixture_mint(&credential, who, fixture_route, route_length);
    while (generation-- > 0) {
        assert_int_equal(fer_credential_advance(&credential), FER_OK);
    }
    assert_int_equal(fer_keychain_expand(&credential, keys), FER_OK);
}

/* Entropy that yields 0, 1, 2, …; `fail_at` counts down to a failure (0: never). */
struct fixture_entropy {
    uint8_t value;
    unsigned fail_at;
};

static inline int fixture_fill(void *context, uint8_t *out, size_t n)
{
    struct fixture_entropy *entropy = context;

    for (size_t i = 0; i < n; i++) {
        out[i] = entropy->value++;
    }
    return entropy->fail_at != 0 && --entropy->fail_at == 0 ? FER_PORT_FAILED : FER_PORT_OK;
}

static const struct fer_entropy_ops fixture_entropy_ops = {fixture_fill};

/* Whether n bytes all have this value. */
static inline bool fixture_is_all(const uint8_t *bytes, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

#endif
