#include "flash.h"

#include <stdio.h>
#include <string.h>

#include "ferrule/conformance.h"

int flash_fails;
int failures;
static uint8_t bytes[FLASH_SIZE];

static int refuses(size_t offset, size_t n, size_t granule)
{
    return flash_fails || offset > FLASH_SIZE || n > FLASH_SIZE - offset || offset % granule != 0 ||
           n % granule != 0;
}

int flash_get(size_t offset, void *out, size_t n)
{
    if (refuses(offset, n, 1)) {
        return -1;
    }
    memcpy(out, bytes + offset, n);
    return 0;
}

int flash_put(size_t offset, const void *in, size_t n, size_t granule)
{
    if (refuses(offset, n, granule)) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        bytes[offset + i] &= ((const uint8_t *)in)[i];
    }
    return 0;
}

int flash_wipe(size_t offset, size_t n)
{
    if (refuses(offset, n, FLASH_PAGE)) {
        return -1;
    }
    memset(bytes + offset, 0xFF, n);
    return 0;
}

void check(int holds, const char *what, int line)
{
    if (!holds) {
        printf("line %d: %s does not hold\n", line, what);
        failures++;
    }
}

static void report(void *context, const fer_conformance_finding *finding)
{
    (void)context;
    printf("%s: %s Block %ld, offset %ld\n", finding->name, finding->sentence, (long)finding->block,
           (long)finding->offset);
}

static const struct fer_conformance_ops hooks = {report, 0, 0};
FER_CONFORMANCE_MEMORY(memory, FLASH_PAGES, 8);

static void check_by_kit(fer_nv nv)
{
    const fer_conformance_config config = {.nv = nv,
                                           .destroy = FER_CONFORMANCE_DESTROY_THE_REGION,
                                           .erases = 1000,
                                           .programs = 100000,
                                           .lives = 40,
                                           .seed = 1,
                                           .flags = FER_CONFORMANCE_ASK_OUTSIDE,
                                           .ops = &hooks,
                                           .memory = memory,
                                           .cells = sizeof memory / sizeof memory[0]};
    fer_conformance_result result;

    CHECK(fer_conformance_check_driver(&config, &result) == FER_OK);
    CHECK(result.complete);
    CHECK(fer_conformance_check_store(&config, FER_STORE_STRICT, &result) == FER_OK);
    CHECK(result.cuts > 20);
}

void check_driver(fer_nv nv)
{
    uint8_t byte[8] = {0};

    check_by_kit(nv);
    flash_fails = 1;
    CHECK(nv.ops->read(nv.context, 0, 0, byte, sizeof byte) == FER_PORT_FAILED);
    CHECK(nv.ops->program(nv.context, 0, 0, byte, sizeof byte) == FER_PORT_FAILED);
    CHECK(nv.ops->erase(nv.context, 0) == FER_PORT_FAILED);
    flash_fails = 0;
}
