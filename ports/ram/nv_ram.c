#include "nv_ram.h"

#include <stdbool.h>
#include <string.h>

enum { ERASED = 0xFF };

static const fer_nv_geometry geometry = {NV_RAM_BLOCK, NV_RAM_BLOCKS, NV_RAM_GRANULE, ERASED,
                                         FER_NV_OVERWRITE};

static bool is_inside(uint32_t block, uint32_t offset, size_t n)
{
    return block < NV_RAM_BLOCKS && offset <= NV_RAM_BLOCK && n <= NV_RAM_BLOCK - offset;
}

static int ram_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const nv_ram *memory = context;
    if (!is_inside(block, offset, n)) {
        return FER_PORT_FAILED;
    }
    memcpy(out, memory->bytes + block * NV_RAM_BLOCK + offset, n);
    return FER_PORT_OK;
}

static int ram_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    nv_ram *memory = context;
    if (!is_inside(block, offset, n) || offset % NV_RAM_GRANULE != 0 || n % NV_RAM_GRANULE != 0) {
        return FER_PORT_FAILED;
    }
    for (size_t i = 0; i < n; i++) { /* programming only clears bits */
        memory->bytes[block * NV_RAM_BLOCK + offset + i] &= in[i];
    }
    return FER_PORT_OK;
}

static int ram_erase(void *context, uint32_t block)
{
    nv_ram *memory = context;
    if (!is_inside(block, 0, NV_RAM_BLOCK)) {
        return FER_PORT_FAILED;
    }
    memset(memory->bytes + block * NV_RAM_BLOCK, ERASED, NV_RAM_BLOCK);
    return FER_PORT_OK;
}

fer_nv nv_ram_start(nv_ram *memory)
{
    static const struct fer_nv_ops ops = {ram_read, ram_program, ram_erase, NULL};
    const fer_nv nv = {&ops, &geometry, memory};
    memset(memory->bytes, ERASED, sizeof memory->bytes);
    return nv;
}
