/* Misuse: an application is built with other configuration macros than the library.
 * Flags: -DFER_CONFIG_DEVICE_WINDOW=128
 * Expect: undefined (reference to|symbol:) .?fer_config_v1_w128 */
#include <ferrule/ferrule.h>

/* MISUSE differs by its flags alone. */
FER_ARENA(memory, FER_REPLAY_SIZE(64u));

int main(void)
{
    return fer_arena_room(&memory) == 0;
}
