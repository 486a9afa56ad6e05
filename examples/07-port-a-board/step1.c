/* Step 1: it links. Library, libsodium and nanopb build for the core, and an arena fits the RAM. */
#include "ferrule/ferrule.h"

FER_ARENA(arena, FER_DEVICE_SIZE(32, 128, 64, 4));

int main(void)
{
    const fer_device_config config = fer_device_config_default(); /* no memory, so no device yet */
    fer_device *device = 0;

    return fer_device_create(&arena, &config, &device) == FER_ERR_ARGUMENT ? 0 : 1;
}
