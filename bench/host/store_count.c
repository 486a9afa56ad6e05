/* Bench: what a generation costs a store's memory, counted under the port: programs, bytes
 * programmed and erases over one whole turn of the region, for each policy, with one copy and with
 * two; and what a device's records cost it once their generation is burned, which must be nothing.
 *
 * Prints, a line each: policy, copies, generations, programs, bytes, erases; then "sealing" and the
 * programs and erases of a thousand records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/ferrule.h"

enum { BLOCK = 2048, BLOCKS_MAX = 4, GRANULE = 8, SLOT = 144, RECORDS = 1000 };

struct medium {
    uint8_t bytes[BLOCKS_MAX][BLOCK];
    unsigned programs;
    unsigned programmed; /* bytes */
    unsigned erases;
};

static struct medium medium;
FER_ARENA(arena,
          FER_DEVICE_SIZE(16, 0, 0, GRANULE) + FER_STORE_SIZE(GRANULE) + 2 * FER_STORE_MIRROR_SIZE);

static int medium_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const struct medium *m = context;

    memcpy(out, m->bytes[block] + offset, n);
    return FER_PORT_OK;
}

static int medium_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                          size_t n)
{
    struct medium *m = context;

    for (size_t i = 0; i < n; i++) {
        m->bytes[block][offset + i] &= in[i];
    }
    m->programs++;
    m->programmed += (unsigned)n;
    return FER_PORT_OK;
}

static int medium_erase(void *context, uint32_t block)
{
    struct medium *m = context;

    memset(m->bytes[block], 0xFF, BLOCK);
    m->erases++;
    return FER_PORT_OK;
}

static const struct fer_nv_ops ops = {medium_read, medium_program, medium_erase, NULL};

static void expect(fer_status status)
{
    if (status != FER_OK) {
        (void)fprintf(stderr, "store_count: %s\n", fer_status_text(status));
        exit(EXIT_FAILURE);
    }
}

static void start_counting(void)
{
    medium.programs = 0;
    medium.programmed = 0;
    medium.erases = 0;
}

/* A fresh region with a credential in it. */
static fer_store *provision(const fer_nv *nv, fer_store_policy policy)
{
    static const uint8_t name[] = {'p', 'u', 'm', 'p'};
    fer_identity identity = {1, name, sizeof name, NULL, 0};
    fer_store_config config = {
        .nv = *nv,
        .policy = policy,
        .mirror = nv->geometry->block_count >= FER_STORE_MIRROR_BLOCKS ? &fer_store_mirror : NULL};
    fer_store *store = NULL;
    fer_credential credential;
    fer_root_key root;

    memset(&root, 0x5A, sizeof root);
    memset(&medium, 0xFF, sizeof medium);
    arena.used = 0;
    expect(fer_keychain_mint(&root, &identity, &credential));
    expect(fer_store_create(&arena, &config, &store));
    expect(fer_store_install(store, &credential));
    return store;
}

static void count_turn(const char *name, fer_store_policy policy, uint32_t copies)
{
    const fer_nv_geometry geometry = {BLOCK, 2 * copies, GRANULE, 0xFF,
                                      policy == FER_STORE_STRICT ? FER_NV_OVERWRITE : 0};
    const fer_nv nv = {&ops, &geometry, &medium};
    fer_store *store = provision(&nv, policy);
    unsigned turn = 2 * (BLOCK / SLOT);
    fer_credential credential;

    for (unsigned i = 0; i < 2 * turn; i++) { /* the first turn finds blank blocks */
        if (i == turn) {
            start_counting();
        }
        expect(fer_store_burn(store, &credential));
        while (fer_store_maintain(store) == FER_OK) {
        }
    }
    (void)printf("%s %u %u %u %u %u\n", name, (unsigned)copies, turn, medium.programs,
                 medium.programmed, medium.erases);
    fer_store_close(&store);
}

static void count_sealing(void)
{
    const fer_nv_geometry geometry = {BLOCK, BLOCKS_MAX, GRANULE, 0xFF, FER_NV_OVERWRITE};
    fer_device_config config = fer_device_config_default();
    fer_device *device = NULL;
    uint8_t frame[FER_FRAME_SIZE(128)];
    size_t length;

    config.nv = (fer_nv){&ops, &geometry, &medium};
    config.mirror = &fer_store_mirror;
    config.readings = 16;
    config.messages = 0;
    config.inbound = 0;
    fer_store *store = provision(&config.nv, FER_STORE_STRICT);
    fer_store_close(&store);
    expect(fer_device_create(&arena, &config, &device));
    for (unsigned i = 0; i <= RECORDS; i++) {
        fer_device_record(device, 1, i);
        expect(fer_device_take(device, frame, sizeof frame, &length));
        if (i == 0) { /* that one burned */
            start_counting();
        }
    }
    (void)printf("sealing %u\n", medium.programs + medium.erases);
    fer_device_close(&device);
}

int main(void)
{
    count_turn("strict", FER_STORE_STRICT, 1);
    count_turn("strict", FER_STORE_STRICT, 2);
    count_turn("block", FER_STORE_BLOCK, 1);
    count_turn("block", FER_STORE_BLOCK, 2);
    count_sealing();
    return EXIT_SUCCESS;
}
