/* Ferrule: conformance, the credentials that a store should yield, and the search for what is left
 * of spent ones. They come from a second store, over a perfect memory in RAM. */
#ifndef FERRULE_PORTS_CONFORMANCE_CHAIN_H
#define FERRULE_PORTS_CONFORMANCE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/store.h"

enum {
    KIT_KEY = 32,      /* bytes of a chain key */
    KIT_KEYS = 32,     /* that are searched for: those spent last */
    KIT_MEMORY = 1024, /* of the perfect store: 2 blocks */
    KIT_FILTER = 128   /* words */
};

typedef struct kit_chain {
    fer_arena_cell *cells; /* FER_STORE_SIZE(1) bytes */
    fer_arena arena;
    fer_store *store;
    uint32_t known; /* generations burned so far */
    fer_credential newest;
    uint8_t keys[KIT_KEYS][KIT_KEY]; /* of generation g at g % KIT_KEYS */
    uint32_t filter[KIT_FILTER];     /* a bit for each 4 bytes, at 0, 4, 8, …, of the keys */
    uint8_t memory[KIT_MEMORY];
} kit_chain;

/* Mints and installs credential 0; a copy is for the store under test. False: out of order. */
bool fer_conformance_chain_start(kit_chain *chain, fer_credential *first);
/* Whether this is the credential of that generation, which rises from call to call. What it and all
 * before it were counts as spent from here on. */
bool fer_conformance_chain_is(kit_chain *chain, uint32_t generation, const fer_credential *yielded);
/* Whether 8 bytes of a spent chain key stand anywhere in these n. */
bool fer_conformance_chain_is_in(const kit_chain *chain, const uint8_t *bytes, uint32_t n);

#endif
