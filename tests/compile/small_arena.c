/* Misuse: an arena is too small for what it must hold.
 * Expect: static (assertion|_assert) failed|is too small */
#include <ferrule/ferrule.h>

#ifdef MISUSE
FER_ARENA(memory, FER_DEVICE_SIZE(32, 128, 64, 8));
#else
FER_ARENA(memory, FER_DEVICE_SIZE(64, 128, 64, 8));
#endif
FER_ARENA_HOLDS(memory, FER_DEVICE_SIZE(64, 128, 64, 8));

size_t use(void);
size_t use(void)
{
    return fer_arena_room(&memory);
}
