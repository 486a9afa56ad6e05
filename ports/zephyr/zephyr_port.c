#include "zephyr_port.h"

#include <zephyr/drivers/flash.h>

/* ---- flash -------------------------------------------------------------------------------- */

static bool is_inside(const zephyr_nv *nv, uint32_t block, uint32_t offset, size_t n)
{
    return block < nv->geometry.block_count && offset <= nv->geometry.block_size &&
           n <= nv->geometry.block_size - offset;
}

static off_t place(const zephyr_nv *nv, uint32_t block, uint32_t offset)
{
    return (off_t)block * (off_t)nv->geometry.block_size + (off_t)offset;
}

static int answer(int error)
{
    return error == 0 ? FER_PORT_OK : FER_PORT_FAILED;
}

static int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const zephyr_nv *nv = context;

    return is_inside(nv, block, offset, n)
               ? answer(flash_area_read(nv->area, place(nv, block, offset), out, n))
               : FER_PORT_FAILED;
}

static int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    const zephyr_nv *nv = context;

    return is_inside(nv, block, offset, n)
               ? answer(flash_area_write(nv->area, place(nv, block, offset), in, n))
               : FER_PORT_FAILED;
}

static int nv_erase(void *context, uint32_t block)
{
    const zephyr_nv *nv = context;

    return is_inside(nv, block, 0, nv->geometry.block_size)
               ? answer(flash_area_erase(nv->area, place(nv, block, 0), nv->geometry.block_size))
               : FER_PORT_FAILED;
}

/* The size of the pages that the partition begins with, where all of them have it; else 0. */
static uint32_t page_size(const struct flash_area *area)
{
    struct flash_pages_info page;
    size_t size = 0;

    for (size_t at = 0; at < area->fa_size; at += size) {
        if (flash_get_page_info_by_offs(area->fa_dev, area->fa_off + (off_t)at, &page) != 0 ||
            page.start_offset != area->fa_off + (off_t)at || page.size == 0 ||
            (size != 0 && page.size != size) || page.size > area->fa_size - at) {
            return 0;
        }
        size = page.size;
    }
    return (uint32_t)size;
}

bool zephyr_nv_start(zephyr_nv *nv, uint8_t id, uint8_t flags, fer_nv *port)
{
    static const struct fer_nv_ops ops = {nv_read, nv_program, nv_erase, NULL};
    uint32_t size, granule;

    if (flash_area_open(id, &nv->area) != 0) {
        return false;
    }
    size = page_size(nv->area);
    granule = flash_area_align(nv->area);
    if (size == 0 || nv->area->fa_size / size < 2 || granule == 0 || granule > 512) {
        return false;
    }
    nv->geometry.block_size = size;
    nv->geometry.block_count = (uint32_t)(nv->area->fa_size / size);
    nv->geometry.granule = (uint16_t)granule;
    nv->geometry.erased = flash_area_erased_val(nv->area);
    nv->geometry.flags = flags;
    port->ops = &ops;
    port->geometry = &nv->geometry;
    port->context = nv;
    return true;
}

/* ---- clock -------------------------------------------------------------------------------- */

static int monotonic_ms(void *context, uint64_t *ms)
{
    (void)context;
    *ms = (uint64_t)k_uptime_get();
    return FER_PORT_OK;
}

fer_clock zephyr_clock(void)
{
    static const struct fer_clock_ops ops = {monotonic_ms, NULL};
    const fer_clock clock = {&ops, NULL};
    return clock;
}

/* ---- lock --------------------------------------------------------------------------------- */

static uintptr_t mask(void *context)
{
    (void)context;
    return irq_lock();
}

static void unmask(void *context, uintptr_t state)
{
    (void)context;
    irq_unlock((unsigned int)state);
}

static void take(void *context)
{
    zephyr_lock *lock = context;
    (void)k_mutex_lock(&lock->mutex, K_FOREVER);
}

static void give(void *context)
{
    zephyr_lock *lock = context;
    (void)k_mutex_unlock(&lock->mutex);
}

fer_lock zephyr_lock_start(zephyr_lock *lock)
{
    static const struct fer_lock_ops ops = {mask, unmask, take, give};
    const fer_lock port = {&ops, lock};

    (void)k_mutex_init(&lock->mutex);
    return port;
}
