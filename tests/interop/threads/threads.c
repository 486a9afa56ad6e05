/* The device under ThreadSanitizer: four threads record, one posts events, one takes. Every reading
 * arrives once and in its thread's order, or is counted as dropped. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "ferrule/ferrule.h"
#include "nv_ram.h"
#include "posix.h"

enum { PRODUCERS = 4, EACH = 20000, EVENTS = 500 };

static fer_device *device;
static fer_gateway *gateway;
static int running = PRODUCERS + 1; /* atomic */
static double last[PRODUCERS];
static unsigned readings, events, refused;

static void check(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "threads: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void *produce(void *argument)
{
    const uint16_t *series = argument;
    for (int i = 1; i <= EACH; i++) {
        fer_device_record(device, *series, i);
        (void)fer_device_get_room(device);
    }
    __atomic_sub_fetch(&running, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void *tell(void *argument)
{
    unsigned *not_taken = argument;
    for (int i = 0; i < EVENTS; i++) {
        fer_status status = fer_device_event(device, FER_INFO, "event");
        check(status == FER_OK || status == FER_NOT_NOW, "an event is taken or refused");
        *not_taken += status != FER_OK;
    }
    __atomic_sub_fetch(&running, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    (void)context;
    (void)base;
    check(reading->series < PRODUCERS && reading->value > last[reading->series],
          "the readings of a thread come once and in order");
    last[reading->series] = reading->value;
    readings++;
}

static void on_event(void *context, const fer_event *event)
{
    (void)context;
    (void)event;
    events++;
}

/* Takes until nothing waits. */
static void drain(void)
{
    static const fer_telemetry_visitor visitor = {.on_reading = on_reading, .on_event = on_event};
    uint8_t record[512], plaintext[512];
    fer_opened opened;
    for (size_t n; fer_device_take(device, record, sizeof record, &n) == FER_OK;) {
        check(fer_gateway_receive(gateway, record, n, plaintext, sizeof plaintext, &opened) ==
                  FER_OK,
              "a record opens");
        check(fer_telemetry_decode(plaintext, opened.length, &visitor) == FER_OK, "and decodes");
    }
}

static void prepare(void)
{
    FER_ARENA(arena, FER_STORE_SIZE(NV_RAM_GRANULE) + FER_DEVICE_SIZE(64, 256, 0, NV_RAM_GRANULE) +
                         FER_GATEWAY_SIZE(1, 8, 64, 8));
    static nv_ram memory;
    static posix_lock lock;
    const fer_identity identity = {.identity = (const uint8_t *)"threads", .identity_length = 7};
    const fer_gateway_config gateway_config = fer_gateway_config_default();
    fer_store_config store_config = {.nv = nv_ram_start(&memory)};
    fer_device_config config = fer_device_config_default();
    fer_root_key root = {{1}};
    fer_credential credential, copy;
    fer_store *store;
    uint32_t number;

    check(fer_keychain_mint(&root, &identity, &credential) == FER_OK, "mint");
    copy = credential;
    check(fer_store_create(&arena, &store_config, &store) == FER_OK, "store");
    check(fer_store_install(store, &credential) == FER_OK, "install");
    fer_store_close(&store);
    check(fer_gateway_create(&arena, &gateway_config, &gateway) == FER_OK, "gateway");
    check(fer_gateway_add(gateway, &copy, &number) == FER_OK, "add");
    config.nv = store_config.nv;
    config.clock = posix_clock();
    config.lock = posix_lock_port(&lock);
    config.link = FER_LINK_DATAGRAM;
    config.readings = 64;
    config.messages = 256;
    config.inbound = 0;
    check(fer_device_create(&arena, &config, &device) == FER_OK, "device");
}

int main(void)
{
    static uint16_t series[PRODUCERS];
    pthread_t threads[PRODUCERS + 1];
    fer_health health;

    prepare();
    for (uint16_t i = 0; i < PRODUCERS; i++) {
        series[i] = i;
        check(pthread_create(&threads[i], NULL, produce, &series[i]) == 0, "a thread starts");
    }
    check(pthread_create(&threads[PRODUCERS], NULL, tell, &refused) == 0, "a thread starts");
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE) > 0) {
        drain();
    }
    for (int i = 0; i <= PRODUCERS; i++) {
        check(pthread_join(threads[i], NULL) == 0, "a thread ends");
    }
    drain();
    check(fer_device_get_health(device, &health) == FER_OK, "health");
    check(readings + health.readings_dropped == PRODUCERS * EACH, "no reading is lost uncounted");
    check(events + refused == EVENTS && health.messages_dropped == refused, "nor an event");
    check(readings > 0 && events > 0, "some of each arrived");
    printf("%u readings and %u events arrived, the others were counted\n", readings, events);
    fer_device_close(&device);
    fer_gateway_close(&gateway);
    return EXIT_SUCCESS;
}
