/* Ferrule: carving from an arena (floor 0). */
#ifndef FERRULE_INTERNAL_ARENA_H
#define FERRULE_INTERNAL_ARENA_H

#include "ferrule/arena.h"

/* Carves n zeroed bytes aligned to FER_ARENA_ALIGN. Null if the arena is invalid or too small;
 * the arena is then as it was. Create functions add up what they need, or mark and rewind, so
 * that they are all or nothing. */
void *fer_arena_carve(fer_arena *arena, size_t n);

/* Wipes a handle's memory (WIPE) and, under AddressSanitizer, poisons it until it is rewound. */
void fer_arena_retire(void *handle, size_t n);

#endif
