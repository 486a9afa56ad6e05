/* Threads: device. Threads stand in for interrupts: some record while one takes, on the lock of the
 * POSIX port. Run under ThreadSanitizer, this shows that no access races; run plainly, that each
 * reading comes out once, in its thread's order, or is counted as dropped (HONEST). */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferrule/ferrule.h"
#include "nv_ram.h"
#include "posix.h"

enum { RECORDERS = 3, READINGS_EACH = 20000, INTAKE = 64 };

typedef struct recorder {
    pthread_t thread;
    fer_device *device;
    uint16_t series;
} recorder;

/* What came out, by series. */
typedef struct received {
    uint32_t count[RECORDERS];
    double last[RECORDERS];
    uint32_t disordered;
    uint32_t dropped;
} received;

typedef struct ends {
    fer_device *device;
    fer_gateway *gateway;
} ends;

static nv_ram memory;
static posix_lock lock = POSIX_LOCK_INITIALIZER;
static atomic_int running;

FER_ARENA(arena, FER_STORE_SIZE(NV_RAM_GRANULE) + FER_DEVICE_SIZE(INTAKE, 128, 64, NV_RAM_GRANULE) +
                     FER_GATEWAY_SIZE(1, 8, 64, 8));

static void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    received *seen = context;

    (void)base;
    assert_in_range(reading->series, 0, RECORDERS - 1);
    seen->disordered += reading->value <= seen->last[reading->series];
    seen->last[reading->series] = reading->value;
    seen->count[reading->series]++;
}

static void on_health(void *context, const fer_health *health)
{
    ((received *)context)->dropped = health->readings_dropped;
}

static void *record_all(void *argument)
{
    const recorder *self = argument;

    for (uint32_t i = 1; i <= READINGS_EACH; i++) {
        /* Half of them wait a while for room, so that some get through on a busy machine. */
        for (int turn = 0; turn < 1000 && i % 2u == 0 && fer_device_get_room(self->device) == 0;
             turn++) {
            sched_yield();
        }
        fer_device_record(self->device, self->series, (double)i);
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static void make(ends *made)
{
    const fer_nv nv = nv_ram_start(&memory);
    const fer_identity identity = {.identity = (const uint8_t *)"t", .identity_length = 1};
    const fer_store_config store_config = {.nv = nv};
    const fer_gateway_config gateway_config = fer_gateway_config_default();
    fer_device_config config = fer_device_config_default();
    fer_root_key root = {{1}};
    fer_credential credential, copy;
    fer_store *store;
    uint32_t number;

    assert_int_equal(fer_keychain_mint(&root, &identity, &credential), FER_OK);
    copy = credential;
    assert_int_equal(fer_store_create(&arena, &store_config, &store), FER_OK);
    assert_int_equal(fer_store_install(store, &credential), FER_OK);
    fer_store_close(&store);
    assert_int_equal(fer_gateway_create(&arena, &gateway_config, &made->gateway), FER_OK);
    assert_int_equal(fer_gateway_add(made->gateway, &copy, &number), FER_OK);
    config.nv = nv;
    config.lock = posix_lock_port(&lock);
    config.link = FER_LINK_DATAGRAM;
    config.readings = INTAKE;
    assert_int_equal(fer_device_create(&arena, &config, &made->device), FER_OK);
}

/* Takes, opens and decodes whatever waits. */
static void drain(const ends *both, received *seen)
{
    const fer_telemetry_visitor visitor = {
        .on_reading = on_reading, .on_health = on_health, .context = seen};
    uint8_t record[256], plaintext[256];
    fer_opened opened;
    size_t n;

    while (fer_device_take(both->device, record, sizeof record, &n) == FER_OK) {
        assert_int_equal(
            fer_gateway_receive(both->gateway, record, n, plaintext, sizeof plaintext, &opened),
            FER_OK);
        assert_int_equal(fer_telemetry_decode(plaintext, opened.length, &visitor), FER_OK);
    }
}

static uint32_t total_of(const received *seen)
{
    uint32_t total = 0;

    for (size_t i = 0; i < RECORDERS; i++) {
        total += seen->count[i];
    }
    return total;
}

static void every_reading_arrives_once_or_is_counted(void **state)
{
    ends both = {NULL, NULL};
    recorder recorders[RECORDERS];
    received seen = {{0}, {0}, 0, 0};
    fer_health health;

    (void)state;
    make(&both);
    atomic_store(&running, RECORDERS);
    for (uint16_t i = 0; i < RECORDERS; i++) {
        recorders[i].device = both.device;
        recorders[i].series = i;
        assert_int_equal(pthread_create(&recorders[i].thread, NULL, record_all, &recorders[i]), 0);
    }
    while (atomic_load(&running) > 0) {
        drain(&both, &seen);
    }
    for (size_t i = 0; i < RECORDERS; i++) {
        assert_int_equal(pthread_join(recorders[i].thread, NULL), 0);
    }
    drain(&both, &seen);
    assert_int_equal(fer_device_get_health(both.device, &health), FER_OK);
    assert_int_equal(total_of(&seen) + health.readings_dropped, RECORDERS * READINGS_EACH);
    assert_int_equal(seen.disordered, 0);
    assert_true(total_of(&seen) >= RECORDERS * READINGS_EACH / 4);
    fer_device_close(&both.device);
    fer_gateway_close(&both.gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reading_arrives_once_or_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
