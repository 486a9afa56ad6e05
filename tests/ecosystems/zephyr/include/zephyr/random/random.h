/* See kernel.h. */
#ifndef STAND_IN_ZEPHYR_RANDOM_H
#define STAND_IN_ZEPHYR_RANDOM_H

#include <stddef.h>

int sys_csrand_get(void *out, size_t n);

#endif
