#include "nv_ram.h"

#include <string.h>

enum { BLOCK = 1024, BLOCKS = 2 };

static uint8_t memory[BLOCKS][BLOCK];

void nv_ram_clear(void)
{
    memset(memory, 0xFF, sizeof memory);
}

static int ram_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context;
    memcpy(out, memory[block] + offset, n);
    return FER_PORT_OK;
}

static int ram_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++) {
        memory[block][offset + i] &= in[i];
    }
    return FER_PORT_OK;
}

static int ram_erase(void *context, uint32_t block)
{
    (void)context;
    memset(memory[block], 0xFF, BLOCK);
    return FER_PORT_OK;
}

static const struct fer_nv_ops ops = {ram_read, ram_program, ram_erase, 0};
static const fer_nv_geometry geometry = {BLOCK, BLOCKS, NV_RAM_GRANULE, 0xFF, FER_NV_OVERWRITE};
const fer_nv nv_ram = {&ops, &geometry, 0};
