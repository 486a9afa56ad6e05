/* Bench: what is taken from the heap. These stand in front of the C library's own functions, for
 * this program and for every library in it. */
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *block, size_t n);
void *__libc_memalign(size_t alignment, size_t n);
void __libc_free(void *block);

static struct heap *charged;

struct heap *heap_charge(struct heap *heap)
{
    struct heap *before = charged;

    charged = heap;
    return before;
}

static void add(void *block)
{
    if (charged != NULL && block != NULL) {
        charged->calls++;
        charged->live += (long)malloc_usable_size(block);
        charged->peak = charged->live > charged->peak ? charged->live : charged->peak;
    }
}

void *malloc(size_t n)
{
    void *block = __libc_malloc(n);

    add(block);
    return block;
}

void *calloc(size_t count, size_t n)
{
    void *block = __libc_calloc(count, n);

    add(block);
    return block;
}

void *memalign(size_t alignment, size_t n)
{
    void *block = __libc_memalign(alignment, n);

    add(block);
    return block;
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

int posix_memalign(void **block, size_t alignment, size_t n)
{
    void *made = memalign(alignment, n);

    *block = made != NULL ? made : *block;
    return made != NULL ? 0 : ENOMEM;
}

void *realloc(void *block, size_t n)
{
    const long before = charged != NULL && block != NULL ? (long)malloc_usable_size(block) : 0;
    void *moved = __libc_realloc(block, n);

    if (charged != NULL && (moved != NULL || n == 0)) {
        charged->live -= before;
    }
    add(moved);
    return moved;
}

void free(void *block)
{
    if (charged != NULL && block != NULL) {
        charged->calls++;
        charged->live -= (long)malloc_usable_size(block);
    }
    __libc_free(block);
}
