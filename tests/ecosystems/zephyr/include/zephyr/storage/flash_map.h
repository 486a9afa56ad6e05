/* See kernel.h. */
#ifndef STAND_IN_ZEPHYR_FLASH_MAP_H
#define STAND_IN_ZEPHYR_FLASH_MAP_H

#include <zephyr/kernel.h>

struct flash_area {
    uint8_t fa_id;
    off_t fa_off;
    size_t fa_size;
    const struct device *fa_dev;
};

int flash_area_open(uint8_t id, const struct flash_area **area);
int flash_area_read(const struct flash_area *area, off_t offset, void *out, size_t n);
int flash_area_write(const struct flash_area *area, off_t offset, const void *in, size_t n);
int flash_area_erase(const struct flash_area *area, off_t offset, size_t n);
uint32_t flash_area_align(const struct flash_area *area);
uint8_t flash_area_erased_val(const struct flash_area *area);

enum { partition_storage_partition = 1 };
#define FIXED_PARTITION_ID(label) ((uint8_t)partition_##label)

#endif
