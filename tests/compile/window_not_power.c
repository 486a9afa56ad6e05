/* Misuse: a configured window that the library cannot have.
 * Flags: -DFER_CONFIG_DEVICE_WINDOW=100
 * Expect: FER_CONFIG_DEVICE_WINDOW */
#include <ferrule/ferrule.h>

/* MISUSE differs by its flags alone. */
int window = FER_CONFIG_DEVICE_WINDOW;
