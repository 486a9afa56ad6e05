/* Ferrule: arena. Every byte the library keeps comes from memory that the caller owns.
 *
 *     FER_ARENA(arena, FER_DEVICE_SIZE(64, 0, 0));
 *     fer_device_create(&arena, &config, &device);
 *
 * Creating is all or nothing: a create function that fails leaves the arena as it was.
 * Memory:      the storage belongs to the caller and must outlive every handle carved from it.
 * Concurrency: an arena has no lock; create handles from one thread.
 * Under AddressSanitizer the part not carved and closed handles are poisoned. */
#ifndef FERRULE_ARENA_H
#define FERRULE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/attributes.h"
#include "ferrule/config.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Unit and alignment of carving, in bytes. */
#define FER_ARENA_ALIGN 8u

/* n rounded up to whole units: a constant expression where n is one. */
#define FER_ARENA_ROUND(n) (((n) + (FER_ARENA_ALIGN - 1u)) / FER_ARENA_ALIGN * FER_ARENA_ALIGN)

/* Size of an object of some pointers and some bytes, for the FER_…_SIZE macros. */
#define FER_ARENA_SIZEOF(pointers, bytes) FER_ARENA_ROUND((pointers) * sizeof(void *) + (bytes))

/* A unit of arena storage. */
typedef uint64_t FER_MAY_ALIAS fer_arena_cell;

/* Fields are the library's. Make one with FER_ARENA or fer_arena_init. */
typedef struct fer_arena {
    fer_arena_cell *base;        /* the storage */
    size_t size;                 /* bytes of it */
    size_t used;                 /* bytes carved */
    const unsigned char *config; /* &FER_CONFIG_TAG; anything else is not an arena */
} fer_arena;

/* Defines a static arena `name` of at least `bytes` bytes, a constant expression. */
#define FER_ARENA(name, bytes)                                                      \
    static fer_arena_cell name##_storage[FER_ARENA_ROUND(bytes) / FER_ARENA_ALIGN]; \
    static fer_arena name = {name##_storage, sizeof name##_storage, 0, &FER_CONFIG_TAG}

/* Stops the compilation where arena `name`, made by FER_ARENA, is too small for `bytes` bytes: say
 * beside each create function what it needs, and the arena cannot fall behind. */
#define FER_ARENA_HOLDS(name, bytes)                                    \
    FER_STATIC_ASSERT(sizeof(name##_storage) >= FER_ARENA_ROUND(bytes), \
                      "this arena is too small: enlarge its FER_ARENA")

/* A position in an arena, from fer_arena_mark. */
typedef struct fer_arena_position {
    size_t used; /* bytes carved then */
} fer_arena_position;

/* What fer_arena_init calls; statuses and `cells` as for it. `config` is &FER_CONFIG_TAG as the
 * application's headers spell it. */
FER_MUST_USE fer_status fer_arena_init_tagged(fer_arena *arena, fer_arena_cell *storage,
                                              size_t cells, const unsigned char *config);

/* Makes an arena of `cells` cells that the caller owns. Inline, so that it is the application that
 * names the configuration tag. `storage` must live until the arena is closed. FER_ERR_ARGUMENT: a
 * null pointer, or more bytes than a size_t counts. */
FER_MUST_USE static inline fer_status fer_arena_init(fer_arena *arena, fer_arena_cell *storage,
                                                     size_t cells)
{
    return fer_arena_init_tagged(arena, storage, cells, &FER_CONFIG_TAG);
}

/* Bytes not yet carved; 0 for a null or invalid arena. */
size_t fer_arena_room(const fer_arena *arena);

/* Remembers in *position how far the arena is carved. FER_ERR_ARGUMENT: a null pointer, or no
 * arena. */
FER_MUST_USE fer_status fer_arena_mark(const fer_arena *arena, fer_arena_position *position);

/* Gives back and wipes (WIPE) everything carved since the mark. Close those handles first: the
 * library cannot know them, and a handle into rewound memory fails its tag check from then on.
 * FER_ERR_ARGUMENT: no arena, or the position lies ahead of what is carved. */
FER_MUST_USE fer_status fer_arena_rewind(fer_arena *arena, fer_arena_position position);

/* Wipes everything carved and gives the storage back to the caller, for any other use; the arena
 * is none from then on. Close its handles first. Storage on a stack or on a heap needs it before
 * it goes out of scope: AddressSanitizer would remember it as poisoned. Null or closed: no effect.
 */
void fer_arena_close(fer_arena *arena);

#ifdef __cplusplus
}
#endif
#endif
