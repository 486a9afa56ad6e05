/* Bench: what is taken from the heap, counted between the program and its C library. */
#ifndef FERRULE_BENCH_PEERS_HEAP_H
#define FERRULE_BENCH_PEERS_HEAP_H

#include <stddef.h>

struct heap {
    size_t calls; /* that allocate or release */
    long live;    /* bytes taken and not yet given back, as the allocator rounds them */
    long peak;
};

/* Whose allocations count from here on: null for nobody's. Answers whose they were before. A block
 * that is released counts for whoever's turn it is. */
struct heap *heap_charge(struct heap *heap);

#endif
