/* Misuse: the size of an arena is not a constant.
 * Expect: isn't constant|variably modified|cannot have 'static' storage|not an integer constant */
#include <ferrule/ferrule.h>

size_t use(size_t bits);
size_t use(size_t bits)
{
#ifdef MISUSE
    FER_ARENA(memory, FER_REPLAY_SIZE(bits));
#else
    FER_ARENA(memory, FER_REPLAY_SIZE(64u));
#endif
    (void)bits;
    return fer_arena_room(&memory);
}
