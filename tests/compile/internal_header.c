/* Misuse: an application includes what is not its own.
 * Expect: No such file|file not found */
#ifdef MISUSE
#include <internal/keychain.h>
#else
#include <ferrule/keychain.h>
#endif

typedef fer_generation generation;
