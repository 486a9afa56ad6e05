#include "nv_image.h"

#include <semihost.h>
#include <string.h>

enum { ERASED = 0xFF, CHUNK = 64 };
#define REGION (NV_IMAGE_BLOCK * NV_IMAGE_BLOCKS)

const fer_nv_geometry nv_image_geometry = {NV_IMAGE_BLOCK, NV_IMAGE_BLOCKS, NV_IMAGE_GRANULE,
                                           ERASED, FER_NV_OVERWRITE};

bool nv_image_open(nv_image *image, const char *path)
{
    image->file = sys_semihost_open(path, SH_OPEN_R_PLUS_B);
    return image->file >= 0 && sys_semihost_flen(image->file) >= (int)REGION;
}

/* Semihosting answers the number of bytes that were NOT transferred. */
static int transfer(bool moved)
{
    return moved ? FER_PORT_OK : FER_PORT_FAILED;
}

static int read_at(const nv_image *image, size_t at, uint8_t *out, size_t n)
{
    return transfer(sys_semihost_seek(image->file, at) == 0 &&
                    sys_semihost_read(image->file, out, n) == 0);
}

static int write_at(const nv_image *image, size_t at, const uint8_t *in, size_t n)
{
    return transfer(sys_semihost_seek(image->file, at) == 0 &&
                    sys_semihost_write(image->file, in, n) == 0);
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
    return read_at(image, block * NV_IMAGE_BLOCK + offset, out, n);
}

/* At most a chunk. */
static int clear_bits(const nv_image *image, size_t at, const uint8_t *in, size_t n)
{
    uint8_t bytes[CHUNK];
    if (read_at(image, at, bytes, n) != FER_PORT_OK) {
        return FER_PORT_FAILED;
    }
    for (size_t i = 0; i < n; i++) {
        bytes[i] &= in[i];
    }
    return write_at(image, at, bytes, n);
}

static int image_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                         size_t n)
{
    const nv_image *image = context;
    if (check_range(block, offset, n) != FER_PORT_OK || offset % NV_IMAGE_GRANULE != 0 ||
        n % NV_IMAGE_GRANULE != 0) {
        return FER_PORT_FAILED;
    }
    size_t at = block * NV_IMAGE_BLOCK + offset;
    int answer = FER_PORT_OK;
    for (size_t done = 0; done < n && answer == FER_PORT_OK; done += CHUNK) {
        answer = clear_bits(image, at + done, in + done, n - done < CHUNK ? n - done : CHUNK);
    }
    return answer;
}

static int image_erase(void *context, uint32_t block)
{
    const nv_image *image = context;
    if (check_range(block, 0, NV_IMAGE_BLOCK) != FER_PORT_OK) {
        return FER_PORT_FAILED;
    }
    uint8_t bytes[CHUNK];
    memset(bytes, ERASED, sizeof bytes);
    int answer = FER_PORT_OK;
    for (size_t done = 0; done < NV_IMAGE_BLOCK && answer == FER_PORT_OK; done += CHUNK) {
        answer = write_at(image, block * NV_IMAGE_BLOCK + done, bytes, CHUNK);
    }
    return answer;
}

const struct fer_nv_ops nv_image_ops = {image_read, image_program, image_erase, 0};
