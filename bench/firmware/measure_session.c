/* Figures of a device with sessions on a running Cortex-M: it greets a responder, and hears it.
 * Prints a line a figure; see bench/README.md. */
#include <string.h>

#include "counting.h"
#include "ferrule/ferrule.h"
#include "nv_ram.h"

enum { READINGS = 16, MESSAGES = 64, INBOUND = 96, PACKET = 256, BITS = 64 };

FER_ARENA(arena, FER_STORE_SIZE(NV_RAM_GRANULE) + FER_GATEWAY_SIZE(1, 1, BITS, 2) +
                     FER_RESPONDER_SIZE(1, 2, BITS));
FER_ARENA(device_arena,
          FER_DEVICE_SIZE(READINGS, MESSAGES, INBOUND, NV_RAM_GRANULE) + FER_GREETER_SIZE(BITS));

static int failures;
static fer_gateway *gateway;
static fer_responder *responder;
static fer_device *device;
static fer_static_secret secrets[2];
static fer_static_public points[2];
static uint8_t packet[PACKET], answer[PACKET], out[INBOUND];

static void expect(fer_status status)
{
    if (status != FER_OK) {
        printf("measure_session: a call failed: %s\n", fer_status_text(status));
        failures++;
    }
}

static int fill(void *context, uint8_t *bytes, size_t n)
{
    uint8_t *seed = context;
    memset(bytes, ++*seed, n);
    return FER_PORT_OK;
}

static int tell(void *context, uint64_t *ms)
{
    (void)context;
    *ms = 1000;
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy_ops = {fill};
static const struct fer_clock_ops clock_ops = {tell, NULL};
static uint8_t seed;
static const fer_entropy entropy = {&entropy_ops, &seed};

/* Both hold the same credential; the gateway pins the device's static key. */
static void provision(void)
{
    const fer_identity identity = {.identity = (const uint8_t *)"pump-7", .identity_length = 6};
    fer_root_key root = {{1}};
    fer_credential credential;
    expect(fer_keychain_mint(&root, &identity, &credential));
    fer_credential copy = credential;
    const fer_store_config config = {.nv = nv_ram};
    fer_store *store;
    expect(fer_store_create(&arena, &config, &store));
    expect(fer_store_install(store, &credential));
    fer_store_close(&store);
    fer_gateway_config made = fer_gateway_config_default();
    made.contexts = 1;
    made.earlier = 1;
    made.window_bits = BITS;
    made.cache = 2;
    uint32_t context;
    expect(fer_gateway_create(&arena, &made, &gateway));
    expect(fer_gateway_add(gateway, &copy, &context));
    const fer_responder_config responds = {.gateway = gateway,
                                           .secret = secrets[1],
                                           .own = points[1],
                                           .contexts = 1,
                                           .sessions = 2,
                                           .window_bits = BITS,
                                           .entropy = entropy};
    expect(fer_responder_create(&arena, &responds, &responder));
    expect(fer_responder_pin(responder, context, &identity, &points[0], (fer_greeted){0, 0}));
}

static void create(void)
{
    const fer_greeter_config keys = {.secret = secrets[0],
                                     .own = points[0],
                                     .gateway = points[1],
                                     .window_bits = BITS,
                                     .retry_ms = 1000,
                                     .entropy = entropy};
    fer_device_config config = fer_device_config_default();
    config.nv = nv_ram;
    config.clock.ops = &clock_ops;
    config.link = FER_LINK_DATAGRAM;
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = INBOUND;
    fer_greeter *greeter = 0;
    expect(fer_greeter_create(&device_arena, &keys, &greeter));
    expect(fer_device_create(&device_arena, &config, &device));
    expect(fer_device_join(device, greeter, true));
}

int main(void)
{
    uint8_t *top = stack_top();
    size_t n, used, length;
    fer_greeted mark;
    uint32_t context;
    nv_ram_clear();
    expect(fer_static_generate(entropy, &secrets[0], &points[0]));
    expect(fer_static_generate(entropy, &secrets[1], &points[1]));
    provision();
    create();
    fer_device_record(device, 1, 21.5);
    paint(top);
    fer_status status = fer_device_take(device, packet, sizeof packet, &n);
    uint32_t greets = depth(top);
    expect(status);
    expect(
        fer_responder_greet(responder, packet, n, answer, sizeof answer, &length, &context, &mark));
    paint(top);
    status = fer_device_feed(device, answer, length, &used, out, sizeof out, &length);
    uint32_t hears = depth(top);
    expect(status == FER_EMPTY ? FER_OK : status);
    expect(fer_device_take(device, packet, sizeof packet, &n)); /* in the session, or not at all */
    report("stack of the take that greets", greets, "bytes", 2560);
    report("stack of the feed that begins a session", hears, "bytes", 2560);
    return failures == 0 ? 0 : 1;
}
