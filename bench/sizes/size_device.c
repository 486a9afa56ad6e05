/* The smallest program that is a whole seal-only device: it records readings and events and seals
 * them under generations burned from its store. Linked for its size, never run: its flash driver
 * does nothing, because a driver is the application's. With SIZE_MIRROR it keeps two copies. */
#include "ferrule/ferrule.h"

static int nothing_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context, (void)block, (void)offset, (void)out, (void)n;
    return FER_PORT_FAILED;
}

static int nothing_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                           size_t n)
{
    (void)context, (void)block, (void)offset, (void)in, (void)n;
    return FER_PORT_FAILED;
}

static int nothing_erase(void *context, uint32_t block)
{
    (void)context, (void)block;
    return FER_PORT_FAILED;
}

static const struct fer_nv_ops ops = {nothing_read, nothing_program, nothing_erase, 0};
static const fer_nv_geometry geometry = {1024, 4, 4, 0xFF, FER_NV_OVERWRITE};

FER_ARENA(arena, FER_DEVICE_SIZE(16, 64, 0, 4) + FER_STORE_MIRROR_SIZE);

volatile double sensor;
volatile uint8_t link;

int main(void)
{
    fer_device_config config = fer_device_config_default();
    config.nv = (fer_nv){&ops, &geometry, 0};
    config.readings = 16;
    config.messages = 64;
    config.inbound = 0;
#ifdef SIZE_MIRROR
    config.mirror = &fer_store_mirror;
#endif
    fer_device *device;
    if (fer_device_create(&arena, &config, &device) != FER_OK ||
        fer_device_event(device, FER_INFO, "start") != FER_OK) {
        return 1;
    }
    for (;;) {
        uint8_t frame[FER_FRAME_SIZE(128)];
        size_t n;
        fer_device_record(device, 1, sensor);
        while (fer_device_take(device, frame, sizeof frame, &n) == FER_OK) {
            for (size_t i = 0; i < n; i++) {
                link = frame[i];
            }
        }
    }
}
