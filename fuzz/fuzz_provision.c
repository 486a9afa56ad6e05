/* Fuzz: fer_provision, which reads a blob from outside before any key exists.
 *
 * Input: a byte of options, a byte for the length of the hardware id, then the blob. Options make
 * the credential's check and the binding fit, so that what is behind them is reached.
 * Asserted: only whole blobs install, and only as configuration and binding allow; a refusal leaves
 * blob and region as they were; a success wipes the blob, and the same again is out of order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/provision.h"
#include "internal/credential.h"

enum {
    OPTION_SIGN = 1,
    OPTION_BIND = 2,
    OPTION_DEMAND = 4,
    OPTION_NO_ID = 8,
    CHECK_AT = 120,
    BLOCK = 432,
    BLOCKS = 2,
    BLOB_MAX = 200
};

static const fer_nv_geometry geometry = {BLOCK, BLOCKS, 4, 0xFF, FER_NV_OVERWRITE};

static uint8_t region[BLOCKS * BLOCK];
static fer_arena_cell storage[FER_STORE_SIZE(4) / FER_ARENA_ALIGN];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static uint8_t *locate(uint32_t block, uint32_t offset, size_t n)
{
    must(block < BLOCKS && offset <= BLOCK && n <= BLOCK - offset);
    return region + (size_t)block * BLOCK + offset;
}

static int region_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context;
    memcpy(out, locate(block, offset, n), n);
    return FER_PORT_OK;
}

static int region_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                          size_t n)
{
    uint8_t *out = locate(block, offset, n);

    (void)context;
    for (size_t i = 0; i < n; i++) {
        out[i] &= in[i];
    }
    return FER_PORT_OK;
}

static int region_erase(void *context, uint32_t block)
{
    (void)context;
    memset(locate(block, 0, BLOCK), 0xFF, BLOCK);
    return FER_PORT_OK;
}

static fer_store *create(void)
{
    static const struct fer_nv_ops ops = {region_read, region_program, region_erase, NULL};
    const fer_store_config config = {.nv = {&ops, &geometry, NULL}, .policy = FER_STORE_STRICT};
    fer_store *store = NULL;
    fer_arena arena;

    memset(region, 0xFF, sizeof region);
    must(fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]) == FER_OK);
    must(fer_store_create(&arena, &config, &store) == FER_OK);
    return store;
}

/* Makes the check, and the binding to the configured id, what they should be. */
static void fit(uint8_t *blob, size_t n, unsigned options, const fer_provision_config *config)
{
    uint8_t hash[FER_HASH_BYTES];
    fer_credential credential;

    if ((options & OPTION_SIGN) != 0 && n >= FER_CREDENTIAL_BYTES) {
        fer_crypto_hash(blob, CHECK_AT, hash);
        memcpy(blob + CHECK_AT, hash, FER_CREDENTIAL_BYTES - CHECK_AT);
    }
    if ((options & OPTION_BIND) != 0 && n == FER_BLOB_BYTES && config->hardware != NULL &&
        fer_credential_parse(blob, FER_CREDENTIAL_BYTES, &credential) == FER_OK) {
        must(fer_provision_bind(&credential, config->hardware, config->hardware_length, blob) ==
             FER_OK);
    }
}

static void check_refused(fer_status status, const uint8_t *blob, const uint8_t *before)
{
    must(fer_status_get_group(status) == FER_GROUP_DROP_INPUT);
    must(memcmp(blob, before, BLOB_MAX) == 0);
    for (size_t i = 0; i < sizeof region; i++) {
        must(region[i] == 0xFF);
    }
}

static void check_installed(fer_store *store, const fer_provision_config *config, uint8_t *blob,
                            size_t n, const uint8_t *before)
{
    uint8_t again[FER_BLOB_BYTES];
    fer_credential first;
    fer_credential_info info;
    fer_credential_info told;

    must(n == FER_CREDENTIAL_BYTES || n == FER_BLOB_BYTES);
    must(config->bound == 0 || n == FER_BLOB_BYTES);
    must(config->hardware != NULL || n == FER_CREDENTIAL_BYTES);
    for (size_t i = 0; i < n; i++) {
        must(blob[i] == 0);
    }
    must(fer_credential_parse(before, FER_CREDENTIAL_BYTES, &first) == FER_OK);
    if (n == FER_BLOB_BYTES) {
        must(fer_provision_bind(&first, config->hardware, config->hardware_length, again) ==
             FER_OK);
        must(memcmp(again, before, n) == 0);
    }
    must(fer_credential_get_info(&first, &info) == FER_OK);
    must(fer_store_get_info(store, &told) == FER_OK);
    must(told.generation == info.generation && told.epoch == info.epoch);
    memcpy(blob, before, n);
    must(fer_provision(store, config, blob, n) == FER_ERR_ORDER);
    must(memcmp(blob, before, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t id[FER_HARDWARE_MAX] = "the chip's unique id";
    uint8_t blob[BLOB_MAX] = {0};
    uint8_t before[BLOB_MAX];

    if (n < 2 || n - 2 > BLOB_MAX) {
        return 0;
    }
    const unsigned options = data[0];
    fer_provision_config config = {id, data[1] % FER_HARDWARE_MAX + 1u,
                                   (options & OPTION_DEMAND) != 0};
    if ((options & OPTION_NO_ID) != 0) {
        config = (fer_provision_config){NULL, 0, 0};
    }
    n -= 2;
    memcpy(blob, data + 2, n);
    fit(blob, n, options, &config);
    memcpy(before, blob, sizeof before);
    fer_store *store = create();
    fer_status status = fer_provision(store, &config, blob, n);
    if (status == FER_OK) {
        check_installed(store, &config, blob, n, before);
    } else {
        check_refused(status, blob, before);
    }
    fer_store_close(&store);
    return 0;
}
