/* Zephyr's port over flash, time and locks that this program plays. */
#include <stdio.h>
#include <string.h>

#include <zephyr/drivers/flash.h>
#include <zephyr/random/random.h>

#include "flash.h"
#include "zephyr_port.h"

/* ---- what stands in for Zephyr ------------------------------------------------------------ */

enum { FIRST = 0x10000, NO_AREA = 9 };
static const struct device chip = {"flash"};
static struct flash_area area = {1, FIRST, FLASH_SIZE, &chip};
static uint32_t align = 4;
static off_t odd_page; /* if not 0, this page is twice as large */
static int64_t uptime;
static unsigned irq_level;
static int random_answer;

int flash_area_open(uint8_t id, const struct flash_area **found)
{
    *found = &area;
    return id == NO_AREA ? -2 : 0;
}

int flash_area_read(const struct flash_area *of, off_t offset, void *out, size_t n)
{
    return of == &area && offset >= 0 ? flash_get((size_t)offset, out, n) : -5;
}

int flash_area_write(const struct flash_area *of, off_t offset, const void *in, size_t n)
{
    return of == &area && offset >= 0 ? flash_put((size_t)offset, in, n, align) : -5;
}

int flash_area_erase(const struct flash_area *of, off_t offset, size_t n)
{
    return of == &area && offset >= 0 ? flash_wipe((size_t)offset, n) : -5;
}

uint32_t flash_area_align(const struct flash_area *of)
{
    (void)of;
    return align;
}

uint8_t flash_area_erased_val(const struct flash_area *of)
{
    (void)of;
    return 0xFF;
}

int flash_get_page_info_by_offs(const struct device *dev, off_t offset,
                                struct flash_pages_info *info)
{
    if (dev != &chip || offset < FIRST || offset >= FIRST + FLASH_SIZE) {
        return -22;
    }
    info->index = (uint32_t)(offset / FLASH_PAGE);
    info->start_offset = offset - offset % FLASH_PAGE;
    info->size =
        info->start_offset - FIRST == odd_page && odd_page != 0 ? 2 * FLASH_PAGE : FLASH_PAGE;
    return 0;
}

int64_t k_uptime_get(void)
{
    return uptime;
}

unsigned int irq_lock(void)
{
    return irq_level++;
}

void irq_unlock(unsigned int key)
{
    CHECK(key + 1 == irq_level);
    irq_level = key;
}

int k_mutex_init(struct k_mutex *mutex)
{
    mutex->held = 0;
    return 0;
}

int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout)
{
    CHECK(timeout.ms == K_FOREVER.ms && mutex->held == 0);
    mutex->held++;
    return 0;
}

int k_mutex_unlock(struct k_mutex *mutex)
{
    mutex->held--;
    return 0;
}

int sys_csrand_get(void *out, size_t n)
{
    memset(out, 0x5A, n);
    return random_answer;
}

/* ---- the port ----------------------------------------------------------------------------- */

static void check_flash(void)
{
    zephyr_nv nv;
    fer_nv port;

    CHECK(zephyr_nv_start(&nv, 1, FER_NV_OVERWRITE, &port));
    CHECK(port.geometry->block_size == FLASH_PAGE && port.geometry->block_count == FLASH_PAGES);
    CHECK(port.geometry->granule == 4 && port.geometry->erased == 0xFF);
    check_driver(port);
    align = 8;
    CHECK(zephyr_nv_start(&nv, 1, 0, &port));
    CHECK(port.geometry->granule == 8 && port.geometry->flags == 0);
    check_driver(port);
}

static void check_refusals(void)
{
    zephyr_nv nv;
    fer_nv port;

    CHECK(!zephyr_nv_start(&nv, NO_AREA, 0, &port));
    align = 1024;
    CHECK(!zephyr_nv_start(&nv, 1, 0, &port));
    align = 4;
    odd_page = FLASH_PAGE;
    CHECK(!zephyr_nv_start(&nv, 1, 0, &port));
    odd_page = 0;
    area.fa_size = FLASH_PAGE;
    CHECK(!zephyr_nv_start(&nv, 1, 0, &port));
    area.fa_size = FLASH_SIZE - 1;
    CHECK(!zephyr_nv_start(&nv, 1, 0, &port));
    area.fa_size = FLASH_SIZE;
}

static void check_the_rest(void)
{
    zephyr_lock lock;
    fer_lock port = zephyr_lock_start(&lock);
    uintptr_t outer = port.ops->mask(port.context), inner = port.ops->mask(port.context);
    uint64_t ms = 0;
    uint8_t key[4] = {0};

    CHECK(irq_level == 2);
    port.ops->unmask(port.context, inner);
    port.ops->unmask(port.context, outer);
    CHECK(irq_level == 0);
    port.ops->take(port.context);
    CHECK(lock.mutex.held == 1);
    port.ops->give(port.context);
    CHECK(lock.mutex.held == 0);
    uptime = INT64_C(5000000000);
    CHECK(zephyr_clock().ops->monotonic_ms(NULL, &ms) == FER_PORT_OK && ms == 5000000000u);
    CHECK(zephyr_entropy().ops->fill(NULL, key, sizeof key) == FER_PORT_OK && key[3] == 0x5A);
    random_answer = -5;
    CHECK(zephyr_entropy().ops->fill(NULL, key, sizeof key) == FER_PORT_FAILED);
}

int main(void)
{
    check_flash();
    check_refusals();
    check_the_rest();
    puts(failures == 0 ? "the port of Zephyr keeps its contracts" : "FAILED");
    return failures != 0;
}
