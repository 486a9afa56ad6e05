/* Ferrule: arena (floor 0). Carving only moves `used` up, rewinding only down; both stay multiples
 * of FER_ARENA_ALIGN, so that whatever fits still fits when it is rounded up. */
#include <string.h>

#include "internal/arena.h"
#include "internal/poison.h"
#include "internal/wipe.h"

/* What FER_ARENA and fer_arena_init point to. An application built with other configuration
 * macros asks the linker for another name. */
const unsigned char FER_CONFIG_TAG = 1;

static bool is_valid(const fer_arena *arena)
{
    return arena != NULL && arena->config == &FER_CONFIG_TAG && arena->base != NULL &&
           arena->used <= arena->size && (arena->used | arena->size) % FER_ARENA_ALIGN == 0;
}

static uint8_t *get_bytes(const fer_arena *arena, size_t at)
{
    return (uint8_t *)arena->base + at;
}

fer_status fer_arena_init_tagged(fer_arena *arena, fer_arena_cell *storage, size_t cells,
                                 const unsigned char *config)
{
    if (arena == NULL || storage == NULL || config != &FER_CONFIG_TAG ||
        cells > SIZE_MAX / sizeof *storage) {
        return FER_ERR_ARGUMENT;
    }
    arena->base = storage;
    arena->size = cells * sizeof *storage;
    arena->used = 0;
    arena->config = config;
    FER_POISON(arena->base, arena->size);
    return FER_OK;
}

size_t fer_arena_room(const fer_arena *arena)
{
    return is_valid(arena) ? arena->size - arena->used : 0;
}

fer_status fer_arena_mark(const fer_arena *arena, fer_arena_position *position)
{
    if (!is_valid(arena) || position == NULL) {
        return FER_ERR_ARGUMENT;
    }
    position->used = arena->used;
    return FER_OK;
}

/* Wipes `n` bytes from `at`, closed handles among them (WIPE). */
static void reclaim(const fer_arena *arena, size_t at, size_t n)
{
    FER_UNPOISON(get_bytes(arena, at), n);
    fer_wipe(get_bytes(arena, at), n);
}

fer_status fer_arena_rewind(fer_arena *arena, fer_arena_position position)
{
    if (!is_valid(arena) || position.used > arena->used || position.used % FER_ARENA_ALIGN != 0) {
        return FER_ERR_ARGUMENT;
    }
    reclaim(arena, position.used, arena->used - position.used);
    FER_POISON(get_bytes(arena, position.used), arena->used - position.used);
    arena->used = position.used;
    return FER_OK;
}

void fer_arena_close(fer_arena *arena)
{
    if (!is_valid(arena)) {
        return;
    }
    reclaim(arena, 0, arena->used);
    FER_UNPOISON(arena->base, arena->size);
    memset(arena, 0, sizeof *arena);
}

void *fer_arena_carve(fer_arena *arena, size_t n)
{
    uint8_t *carved;

    if (!is_valid(arena) || n > arena->size - arena->used) {
        return NULL;
    }
    carved = get_bytes(arena, arena->used);
    arena->used += FER_ARENA_ROUND(n);
    FER_UNPOISON(carved, FER_ARENA_ROUND(n));
    memset(carved, 0, FER_ARENA_ROUND(n));
    return carved;
}

void fer_arena_retire(void *handle, size_t n)
{
    FER_UNPOISON(handle, FER_ARENA_ROUND(n)); /* it may hold arenas of its own */
    fer_wipe(handle, n);
    FER_POISON(handle, FER_ARENA_ROUND(n));
}
