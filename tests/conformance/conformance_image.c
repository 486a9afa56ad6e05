/* Firmware that proves its own driver: nv_image, flash over a file of the debugging host. It ends
 * with 0 where nothing was found. */
#include <stdio.h>

#include <semihost.h>

#include "ferrule/conformance.h"
#include "nv_image.h"

static const char *const path = "conformance.img";

static nv_image image;

FER_CONFORMANCE_MEMORY(memory, NV_IMAGE_BLOCKS, NV_IMAGE_GRANULE);

/* A file as long as the flash, of garbage: nothing may depend on what was there before. */
static bool make_file(void)
{
    int file = sys_semihost_open(path, SH_OPEN_W_B);

    static const uint8_t garbage[NV_IMAGE_BLOCK] = {0x3C, 0, 0xA5};
    bool made = file >= 0;
    for (unsigned i = 0; i < NV_IMAGE_BLOCKS && made; i++) {
        made = sys_semihost_write(file, garbage, sizeof garbage) == 0;
    }
    return made && sys_semihost_close(file) == 0;
}

static void report(void *context, const fer_conformance_finding *finding)
{
    (void)context;
    printf("%s: %s Block %ld, offset %ld: expected %ld, got %ld.\n", finding->name,
           finding->sentence, (long)finding->block, (long)finding->offset, (long)finding->expected,
           (long)finding->got);
}

static bool reopen(void *context)
{
    nv_image *flash = context;
    return sys_semihost_close(flash->file) == 0 && nv_image_open(flash, path);
}

static bool check(const fer_conformance_config *config)
{
    fer_conformance_result driver, strict, block;

    if (fer_conformance_check_driver(config, &driver) != FER_OK ||
        fer_conformance_check_store(config, FER_STORE_STRICT, &strict) != FER_OK ||
        fer_conformance_check_store(config, FER_STORE_BLOCK, &block) != FER_OK) {
        return false;
    }
    printf("conformance: nothing found; %lu cuts, %lu erases of a block\n",
           (unsigned long)(strict.cuts + block.cuts),
           (unsigned long)(driver.erases + strict.erases + block.erases));
    return driver.complete;
}

int main(void)
{
    static const struct fer_conformance_ops hooks = {report, reopen, 0};
    const fer_conformance_config config = {
        .nv = {&nv_image_ops, &nv_image_geometry, &image},
        .destroy = FER_CONFORMANCE_DESTROY_THE_REGION,
        .flags = FER_CONFORMANCE_ASK_OUTSIDE,
        .erases = 200,
        .programs = 100000,
        .lives = 30,
        .seed = 1,
        .ops = &hooks,
        .context = &image,
        .memory = memory,
        .cells = sizeof memory / sizeof memory[0],
    };

    return make_file() && nv_image_open(&image, path) && check(&config) ? 0 : 1;
}
