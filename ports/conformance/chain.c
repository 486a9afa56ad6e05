/* Ferrule: conformance, the true chain of the credentials that are tested with. */
#include "chain.h"

#include <string.h>

#include "ferrule/credential.h"
#include "ferrule/keychain.h"

/* Where the chain key stands in a credential: docs/WIRE.md, section credential. */
enum { CHAIN_AT = 88, PIECE = 4, WINDOW = 8 };

_Static_assert(CHAIN_AT + KIT_KEY <= FER_CREDENTIAL_BYTES, "the chain key is part of a credential");

/* ---- a perfect memory ------------------------------------------------------------------- */

static const fer_nv_geometry geometry = {KIT_MEMORY / 2u, 2, 1, 0xFF, FER_NV_REWRITE};

static int memory_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const kit_chain *chain = context;

    memcpy(out, chain->memory + block * geometry.block_size + offset, n);
    return FER_PORT_OK;
}

static int memory_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                          size_t n)
{
    kit_chain *chain = context;

    memcpy(chain->memory + block * geometry.block_size + offset, in, n);
    return FER_PORT_OK;
}

static const struct fer_nv_ops memory_ops = {memory_read, memory_program, 0, 0};

/* ---- the chain -------------------------------------------------------------------------- */

/* A root that everybody knows: nothing may ever be sealed under it. */
static bool mint(fer_credential *credential)
{
    static const uint8_t name[] = {'c', 'o', 'n', 'f', 'o', 'r', 'm', 'a', 'n', 'c', 'e'};
    const fer_identity identity = {1, name, sizeof name, 0, 0};
    fer_root_key root;

    for (uint8_t i = 0; i < FER_ROOT_BYTES; i++) {
        root.bytes[i] = (uint8_t)(0x31 + 7 * i);
    }
    return fer_keychain_mint(&root, &identity, credential) == FER_OK;
}

bool fer_conformance_chain_start(kit_chain *chain, fer_credential *first)
{
    fer_store_config config = {.nv = {&memory_ops, &geometry, chain}, .policy = FER_STORE_STRICT};

    fer_store_close(&chain->store);
    chain->known = 0;
    memset(chain->keys, 0, sizeof chain->keys);
    memset(chain->memory, geometry.erased, sizeof chain->memory);
    if (!mint(first) ||
        fer_arena_init(&chain->arena, chain->cells, FER_STORE_SIZE(1) / FER_ARENA_ALIGN) !=
            FER_OK ||
        fer_store_create(&chain->arena, &config, &chain->store) != FER_OK) {
        return false;
    }
    chain->newest = *first;
    return fer_store_install(chain->store, &chain->newest) == FER_OK;
}

static uint32_t hash(const uint8_t *piece)
{
    uint32_t word = (uint32_t)piece[0] | (uint32_t)piece[1] << 8 | (uint32_t)piece[2] << 16 |
                    (uint32_t)piece[3] << 24;

    return word * 0x9E3779B1u >> 20; /* 12 bits: one of the filter's */
}

static void fill_filter(kit_chain *chain)
{
    uint32_t spent = chain->known < KIT_KEYS ? chain->known : KIT_KEYS;

    memset(chain->filter, 0, sizeof chain->filter);
    for (uint32_t key = 0; key < spent; key++) {
        for (uint32_t i = 0; i < KIT_KEY; i += PIECE) {
            uint32_t bit = hash(chain->keys[key] + i);
            chain->filter[bit / 32u] |= 1u << bit % 32u;
        }
    }
}

bool fer_conformance_chain_is(kit_chain *chain, uint32_t generation, const fer_credential *yielded)
{
    while (chain->known <= generation) {
        if (fer_store_burn(chain->store, &chain->newest) != FER_OK) {
            return false;
        }
        memcpy(chain->keys[chain->known % KIT_KEYS], chain->newest.bytes + CHAIN_AT, KIT_KEY);
        chain->known++;
    }
    fill_filter(chain);
    return chain->known == generation + 1u &&
           memcmp(yielded->bytes, chain->newest.bytes, sizeof yielded->bytes) == 0;
}

/* ---- what is left of it ----------------------------------------------------------------- */

/* Whether the 4 bytes at `at` are piece i of a key, amid 8 that are the key's. */
static bool is_piece(const kit_chain *chain, const uint8_t *bytes, uint32_t n, uint32_t at,
                     uint32_t key, uint32_t i)
{
    for (uint32_t back = 0; back < PIECE; back++) {
        if (back <= at && back <= i && at - back + WINDOW <= n && i - back + WINDOW <= KIT_KEY &&
            memcmp(bytes + at - back, chain->keys[key] + i - back, WINDOW) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_spent(const kit_chain *chain, const uint8_t *bytes, uint32_t n, uint32_t at)
{
    for (uint32_t key = 0; key < KIT_KEYS && key < chain->known; key++) {
        for (uint32_t i = 0; i < KIT_KEY; i += PIECE) {
            if (memcmp(bytes + at, chain->keys[key] + i, PIECE) == 0 &&
                is_piece(chain, bytes, n, at, key, i)) {
                return true;
            }
        }
    }
    return false;
}

/* Any 8 bytes of a key hold one of its pieces whole: only pieces are looked for. */
bool fer_conformance_chain_is_in(const kit_chain *chain, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t at = 0; at + PIECE <= n; at++) {
        uint32_t bit = hash(bytes + at);

        if ((chain->filter[bit / 32u] & 1u << bit % 32u) != 0 && is_spent(chain, bytes, n, at)) {
            return true;
        }
    }
    return false;
}
