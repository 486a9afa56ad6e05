/* A whole device with sessions: it greets by IKpsk2, seals in the session, hears what comes down in
 * it, and answers commands. Linked for its size, never run: its drivers do nothing, because a
 * driver is the application's. */
#include "ferrule/ferrule.h"

enum { INBOUND = 96 };

FER_ARENA(arena, FER_DEVICE_SIZE(16, 64, INBOUND, 4) + FER_GREETER_SIZE(64));

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

static int nothing_filled(void *context, uint8_t *out, size_t n)
{
    (void)context, (void)out, (void)n;
    return FER_PORT_FAILED;
}

static int nothing_told(void *context, uint64_t *ms)
{
    (void)context, (void)ms;
    return FER_PORT_FAILED;
}

static const struct fer_nv_ops ops = {nothing_read, nothing_program, nothing_erase, 0};
static const fer_nv_geometry geometry = {1024, 2, 4, 0xFF, FER_NV_OVERWRITE};
static const struct fer_entropy_ops entropy_ops = {nothing_filled};
static const struct fer_clock_ops clock_ops = {nothing_told, 0};

extern fer_greeter_config main_keys;
fer_greeter_config main_keys = {
    .window_bits = 64, .retry_ms = 1000, .renew_ms = 3600000, .entropy = {&entropy_ops, 0}};
volatile double sensor;
volatile uint8_t link;

static void on_command(void *context, const fer_command *command)
{
    fer_device *device = context;
    (void)!fer_device_answer(device, command->id, FER_RESULT_DONE, 0, 0);
}

static void hear(fer_device *device, const uint8_t *in, size_t n)
{
    const fer_telemetry_visitor visitor = {.on_command = on_command, .context = device};
    uint8_t out[INBOUND];
    size_t used, length;
    while (fer_device_feed(device, in, n, &used, out, sizeof out, &length) == FER_OK) {
        (void)!fer_telemetry_decode(out, length, &visitor);
        in += used;
        n -= used;
    }
}

int main(void)
{
    fer_device_config config = fer_device_config_default();
    config.nv = (fer_nv){&ops, &geometry, 0};
    config.clock = (fer_clock){&clock_ops, 0};
    config.readings = 16;
    config.messages = 64;
    config.inbound = INBOUND;
    fer_device *device;
    fer_greeter *greeter;
    uint8_t frame[FER_FRAME_SIZE(160)];
    size_t n;
    if (fer_greeter_create(&arena, &main_keys, &greeter) != FER_OK ||
        fer_device_create(&arena, &config, &device) != FER_OK ||
        fer_device_join(device, greeter, false) != FER_OK ||
        fer_device_event(device, FER_INFO, "start") != FER_OK) {
        return 1;
    }
    for (;;) {
        fer_device_record(device, 1, sensor);
        while (fer_device_take(device, frame, sizeof frame, &n) == FER_OK) {
            for (size_t i = 0; i < n; i++) {
                link = frame[i];
                frame[i] = link;
            }
        }
        hear(device, frame, n);
    }
}
