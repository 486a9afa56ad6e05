/* Ferrule tests: repeatable randomness for property tests. A run is named by its seed: FERRULE_SEED
 * in the environment, else a fixed one. */
#ifndef FERRULE_TESTS_RANDOM_H
#define FERRULE_TESTS_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct test_random {
    uint64_t state;
} test_random;

/* Says the seed, so that a failure can be run again. */
static inline test_random test_random_start(const char *test)
{
    const char *given = getenv("FERRULE_SEED");
    unsigned long seed = given == NULL ? 20261122ul : strtoul(given, NULL, 0);
    test_random random = {seed};

    printf("%s: to run this again, set FERRULE_SEED=%lu\n", test, seed);
    return random;
}

/* SplitMix64 (Steele, Lea and Flood, 2014), upper half. */
static inline uint32_t test_random_next(test_random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

/* A number from 0 to limit - 1; limit is at least 1. */
static inline uint32_t test_random_below(test_random *random, uint32_t limit)
{
    return (uint32_t)((uint64_t)test_random_next(random) * limit >> 32);
}

static inline void test_random_fill(test_random *random, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)test_random_next(random);
    }
}

#endif
