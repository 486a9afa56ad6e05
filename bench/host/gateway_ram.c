/* Bench: RAM of each context of a gateway, and of each earlier generation kept open in it. Prints
 * the two numbers of bytes, from what the constants reserve; there a gateway must find room. */
#include <stdio.h>
#include <stdlib.h>

#include "ferrule/ferrule.h"

enum { FEW = 16, MANY = FEW + 1024, WINDOW = 64, CACHE = 1 };

FER_ARENA(few, FER_GATEWAY_SIZE(FEW, 0, WINDOW, CACHE));
FER_ARENA(many, FER_GATEWAY_SIZE(MANY, 0, WINDOW, CACHE));
FER_ARENA(kept, FER_GATEWAY_SIZE(MANY, 1, WINDOW, CACHE));

static bool fits(fer_arena *arena, uint32_t contexts, uint32_t earlier)
{
    fer_gateway_config config = fer_gateway_config_default();
    fer_gateway *gateway;

    config.contexts = contexts;
    config.window_bits = WINDOW;
    config.earlier = earlier;
    config.cache = CACHE;
    return fer_gateway_create(arena, &config, &gateway) == FER_OK;
}

/* Bytes of each of n, rounded up. */
static size_t share(size_t bytes, size_t n)
{
    return (bytes + n - 1) / n;
}

int main(void)
{
    if (!fits(&few, FEW, 0) || !fits(&many, MANY, 0) || !fits(&kept, MANY, 1)) {
        (void)fprintf(stderr, "gateway_ram: the constants reserve too little\n");
        return EXIT_FAILURE;
    }
    (void)printf("%zu %zu\n", share(sizeof many_storage - sizeof few_storage, MANY - FEW),
                 share(sizeof kept_storage - sizeof many_storage, MANY));
    return EXIT_SUCCESS;
}
