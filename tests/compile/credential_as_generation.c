/* Misuse: a stored credential stands for the single-use keys of a generation.
 * Expect: incompatible pointer type */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define KEYS fer_credential
#else
#define KEYS fer_generation
#endif

fer_status use(fer_arena *arena, KEYS *keys, const fer_sealer_config *config, fer_sealer **sealer);
fer_status use(fer_arena *arena, KEYS *keys, const fer_sealer_config *config, fer_sealer **sealer)
{
    return fer_sealer_create(arena, keys, config, sealer);
}
