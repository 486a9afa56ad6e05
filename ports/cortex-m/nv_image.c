#include "nv_image.h"

#include <semihost.h>
#include <string.h>

enum { ERASED = 0xFF };

const fer_nv_geometry nv_image_geometry = {NV_IMAGE_BLOCK, NV_IMAGE_BLOCKS, NV_IMAGE_GRANULE,
                                           ERASED, FER_NV_OVERWRITE};

bool nv_image_open(nv_image *image, const char *path)
{
    image->file = sys_semihost_open(path, SH_OPEN_R_PLUS_B);
    return image->file >= 0 &&
           sys_semihost_read(image->file, image->bytes, sizeof image->bytes) == 0;
}

/* Semihosting answers the number of bytes that were NOT transferred. */
static int write_through(nv_image *image, size_t at, size_t n)
{
    if (sys_semihost_seek(image->file, at) != 0 ||
        sys_semihost_write(image->file, image->bytes + at, n) != 0) {
        return FER_PORT_FAILED;
    }
    return FER_PORT_OK;
}

static int check_range(uint32_t block, uint32_t offset, size_t n)
{
    bool inside =
        block < NV_IMAGE_BLOCKS && offset <= NV_IMAGE_BLOCK && n <= NV_IMAGE_BLOCK - offset;
    return inside ? FER_PORT_OK : FER_PORT_FAILED;
}

static int image_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const nv_image *image = context;
    if (check_range(block, offset, n) != FER_PORT_OK) {
        return FER_PORT_FAILED;
    }
    memcpy(out, image->bytes + block * NV_IMAGE_BLOCK + offset, n);
    return FER_PORT_OK;
}

static int image_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                         size_t n)
{
    nv_image *image = context;
    if (check_range(block, offset, n) != FER_PORT_OK || offset % NV_IMAGE_GRANULE != 0 ||
        n % NV_IMAGE_GRANULE != 0) {
        return FER_PORT_FAILED;
    }
    size_t at = block * NV_IMAGE_BLOCK + offset;
    for (size_t i = 0; i < n; i++) {
        image->bytes[at + i] &= in[i];
    }
    return write_through(image, at, n);
}

static int image_erase(void *context, uint32_t block)
{
    nv_image *image = context;
    if (check_range(block, 0, NV_IMAGE_BLOCK) != FER_PORT_OK) {
        return FER_PORT_FAILED;
    }
    memset(image->bytes + block * NV_IMAGE_BLOCK, ERASED, NV_IMAGE_BLOCK);
    return write_through(image, block * NV_IMAGE_BLOCK, NV_IMAGE_BLOCK);
}

const struct fer_nv_ops nv_image_ops = {image_read, image_program, image_erase, 0};
