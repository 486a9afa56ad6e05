/* NOR flash in RAM for the stand-ins of Zephyr and ESP-IDF, and what their tests share. */
#ifndef FERRULE_TESTS_ECOSYSTEMS_FLASH_H
#define FERRULE_TESTS_ECOSYSTEMS_FLASH_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/port.h"

enum { FLASH_PAGE = 4096, FLASH_PAGES = 4, FLASH_SIZE = FLASH_PAGE * FLASH_PAGES };

/* 0, or an error where the range is not inside, is not aligned to `granule`, or flash_fails is set.
 */
extern int flash_fails;
int flash_get(size_t offset, void *out, size_t n);
int flash_put(size_t offset, const void *in, size_t n, size_t granule);
int flash_wipe(size_t offset, size_t n);

/* How often check did not hold; the rest of the program's exit code. */
extern int failures;
#define CHECK(holds) check((holds), #holds, __LINE__)
void check(int holds, const char *what, int line);

/* Puts a driver over this flash to the conformance kit, and makes a failing flash show. */
void check_driver(fer_nv nv);

#endif
