/* Fuzz: the store's recovery, which reads whatever flash holds, in one ring or two.
 *
 * Input: a byte that chooses the medium, the policy and whether there is a hardware counter, then
 * commands that fill its region: raw bytes
 * anywhere, or what a store would have written (entries, marks, destroyed and unreadable slots),
 * in any order and place. Asserted: calls are bounded; two loads agree; nothing is yielded where no
 * entry verifies; what is yielded is not below what get_info told, nor below the counter; every
 * later burn, each of a new handle, yields more, with fer_store_maintain before every second. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/store.h"
#include "internal/credential.h"

enum { BLOCK = 640, BLOCKS = 5, GRANULE_MAX = 64, CALLS_MAX = 20000, COUNTER_AT = 6 };

typedef struct medium {
    fer_nv_geometry geometry;
    uint8_t bytes[BLOCK * BLOCKS];
    uint8_t unreadable[BLOCK * BLOCKS];
    uint32_t calls;
    bool mirror;
    bool has_counter;
    uint32_t counter;
} medium;

static medium region;
static fer_arena_cell
    storage[(FER_STORE_SIZE(GRANULE_MAX) + FER_STORE_MIRROR_SIZE) / FER_ARENA_ALIGN];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static size_t locate(medium *m, uint32_t block, uint32_t offset, size_t n)
{
    must(block < m->geometry.block_count && offset <= BLOCK && n <= BLOCK - offset);
    must(++m->calls < CALLS_MAX);
    return (size_t)block * BLOCK + offset;
}

static int region_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    medium *m = context;
    size_t at = locate(m, block, offset, n);

    for (size_t i = 0; i < n; i++) {
        if (m->unreadable[at + i] != 0) {
            return FER_PORT_UNCORRECTABLE;
        }
    }
    memcpy(out, m->bytes + at, n);
    return FER_PORT_OK;
}

static int region_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                          size_t n)
{
    medium *m = context;
    size_t at = locate(m, block, offset, n);

    must(offset % m->geometry.granule == 0 && n % m->geometry.granule == 0);
    for (size_t i = 0; i < n; i++) {
        m->bytes[at + i] =
            m->geometry.erased != 0 ? m->bytes[at + i] & in[i] : m->bytes[at + i] | in[i];
        m->unreadable[at + i] = 0;
    }
    return FER_PORT_OK;
}

static int region_erase(void *context, uint32_t block)
{
    medium *m = context;
    size_t at = locate(m, block, 0, BLOCK);

    memset(m->bytes + at, m->geometry.erased, BLOCK);
    memset(m->unreadable + at, 0, BLOCK);
    return FER_PORT_OK;
}

static int counter_read(void *context, uint32_t *value)
{
    *value = ((const medium *)context)->counter;
    return FER_PORT_OK;
}

static int counter_raise(void *context, uint32_t value)
{
    medium *m = context;

    must(value > m->counter);
    m->counter = value;
    return FER_PORT_OK;
}

static fer_credential entry_of(uint32_t generation)
{
    fer_credential_info info = {.generation = generation, .identity = "f", .identity_length = 1};
    fer_claim_key claim;
    fer_chain chain;
    fer_credential made;

    memset(&claim, 1, sizeof claim);
    memset(&chain, 2, sizeof chain);
    if (fer_credential_build(&info, &claim, &chain, &made) != FER_OK) {
        memset(&made, 0, sizeof made);
    }
    return made;
}

/* Executes one command; returns how many bytes of the input it took. */
static size_t obey(const uint8_t *in, size_t n)
{
    uint32_t body = region.geometry.granule > 8
                        ? (128u + region.geometry.granule - 1u) / region.geometry.granule *
                              region.geometry.granule
                        : 128u;
    uint32_t cell = region.geometry.granule > 8 ? region.geometry.granule : 8u;
    uint32_t size = body + 2 * cell;
    uint32_t slots = BLOCK / size;
    uint32_t slot = in[1] % (slots * region.geometry.block_count);
    uint8_t *at = region.bytes + slot / slots * BLOCK + slot % slots * size;
    fer_credential entry =
        entry_of(n > 2 ? (in[2] < 250 ? in[2] : 0xFFFFFFFFu - (255u - in[2])) : 0);

    switch (in[0] % 8) {
    case 0:
        memcpy(at, entry.bytes, sizeof entry.bytes);
        return 3;
    case 1:
        memcpy(at, entry.bytes, sizeof entry.bytes);
        memcpy(at + body, "FerruleV", 8);
        return 3;
    case 2:
        memcpy(at + body + cell, "FerruleD", 8);
        return 2;
    case 3:
        memcpy(at + body + cell, "FerruleE", 8);
        return 2;
    case 4:
        memset(at, (uint8_t)~region.geometry.erased, size);
        return 2;
    case 5:
        memset(region.unreadable + (at - region.bytes), 1, size);
        return 2;
    case 6:
        memset(at, region.geometry.erased, size);
        return 2;
    default:
        memcpy(at, in + 2, n - 2 < size ? n - 2 : size);
        return n - 2 < size ? n : size + 2;
    }
}

static bool holds_an_entry(void)
{
    fer_credential credential;

    for (size_t at = 0; at + FER_CREDENTIAL_BYTES <= sizeof region.bytes; at++) {
        if (region.bytes[at] == 'F' &&
            fer_credential_parse(region.bytes + at, FER_CREDENTIAL_BYTES, &credential) == FER_OK) {
            return true;
        }
    }
    return false;
}

static fer_store *load(fer_store_policy policy)
{
    static const struct fer_nv_ops ops = {region_read, region_program, region_erase, NULL};
    static fer_arena arena;
    static const struct fer_counter_ops counter_ops = {counter_read, counter_raise};
    static const fer_counter counter = {&counter_ops, &region};
    fer_store_config config = {{&ops, &region.geometry, &region},
                               policy,
                               region.has_counter ? &counter : NULL,
                               region.mirror ? &fer_store_mirror : NULL};
    fer_store *store = NULL;

    must(fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]) == FER_OK);
    must(fer_store_create(&arena, &config, &store) == FER_OK);
    region.calls = 0;
    return store;
}

/* One burn of a fresh handle: at least `floor`, or no credential at all. */
static bool burn(fer_store_policy policy, uint32_t floor, uint32_t *generation)
{
    static const fer_credential zero;
    fer_credential credential;
    fer_credential_info info;
    fer_store *store = load(policy);

    if ((floor & 1u) != 0) {
        (void)!fer_store_maintain(store);
        region.calls = 0;
    }
    fer_status status = fer_store_burn(store, &credential);

    if (status != FER_OK) {
        must(memcmp(&credential, &zero, sizeof zero) == 0);
        return false;
    }
    must(fer_credential_get_info(&credential, &info) == FER_OK && info.generation >= floor);
    must(!region.has_counter || region.counter == info.generation + 1);
    *generation = info.generation;
    return true;
}

static void fill_region(uint8_t choice, const uint8_t *data, size_t n)
{
    static const uint16_t granules[4] = {1, 8, 32, 64};

    memset(&region, 0, sizeof region);
    region.has_counter = (choice & 64u) != 0;
    region.counter = region.has_counter && n > 0 ? data[0] % COUNTER_AT : 0;
    region.geometry = (fer_nv_geometry){
        BLOCK, (choice & 32u) != 0 ? BLOCKS : 3u, granules[choice >> 1 & 3u],
        (choice & 8u) != 0 ? 0x00 : 0xFF, (choice & 16u) != 0 ? FER_NV_OVERWRITE : 0};
    region.mirror = region.geometry.block_count == BLOCKS && (choice & 128u) == 0;
    memset(region.bytes, region.geometry.erased, sizeof region.bytes);
    while (n >= 2) {
        size_t took = obey(data, n);
        took = took < n ? took : n;
        data += took;
        n -= took;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fer_credential_info info;
    fer_credential_info again;
    uint32_t generation = 0;

    if (n == 0) {
        return 0;
    }
    fer_store_policy policy = (data[0] & 1u) != 0 ? FER_STORE_BLOCK : FER_STORE_STRICT;
    fill_region(data[0], data + 1, n - 1);
    memset(&info, 0, sizeof info); /* padding included: they are compared whole */
    memset(&again, 0, sizeof again);
    fer_status status = fer_store_get_info(load(policy), &info);
    must(fer_store_get_info(load(policy), &again) == status);
    must(memcmp(&info, &again, sizeof info) == 0);
    must(status != FER_OK || holds_an_entry());
    for (int i = 0; i < 8; i++) {
        uint32_t floor = i == 0 ? info.generation : generation + 1;
        bool yielded = burn(policy, floor, &generation);
        must(!yielded || status == FER_OK);
        if (!yielded && i > 0) {
            break;
        }
    }
    return 0;
}
