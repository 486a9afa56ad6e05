/* Misuse: the same, where the arena is made at run time.
 * Flags: -DFER_CONFIG_DEVICE_WINDOW=128
 * Expect: undefined (reference to|symbol:) .?fer_config_v1_w128 */
#include <ferrule/ferrule.h>

int main(void)
{
    /* MISUSE differs by its flags alone. */
    static fer_arena_cell cells[16];
    fer_arena memory;

    return fer_arena_init(&memory, cells, 16) != FER_OK;
}
