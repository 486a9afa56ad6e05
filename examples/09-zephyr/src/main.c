/* Example 09: a sealed telemetry device under Zephyr.
 *
 *     a timer        its expiry, an interrupt, records a reading every 100 ms
 *     main thread    seals what waits, sends it on the console's line, feeds what came back
 *
 * The credential lies in the partition storage_partition, which belongs to Ferrule alone here. */
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>

#include "ferrule/ferrule.h"
#include "zephyr_port.h"

enum {
    READINGS = 64,
    MESSAGES = 64,
    INBOUND = 128,
    GRANULE = 8, /* at most, of the partition's flash */
    RECORD = 230,
    SERIES_UPTIME = 1,
    SENSOR_MS = 100,
    LINK_MS = 50
};

FER_ARENA(arena, FER_DEVICE_SIZE(READINGS, MESSAGES, INBOUND, GRANULE));

static const struct device *const line = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));
static fer_device *device;
static zephyr_nv flash;
static zephyr_lock lock;

static void on_timer(struct k_timer *timer)
{
    (void)timer;
    fer_device_record(device, SERIES_UPTIME, (double)k_uptime_get() / 1000.0);
}

static fer_status start(void)
{
    fer_device_config config = fer_device_config_default();
    if (!device_is_ready(line) ||
        !zephyr_nv_start(&flash, FIXED_PARTITION_ID(storage_partition), 0, &config.nv)) {
        return FER_TROUBLE_STORAGE;
    }
    config.clock = zephyr_clock();
    config.lock = zephyr_lock_start(&lock);
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = INBOUND;
    return fer_device_create(&arena, &config, &device);
}

static void on_command(void *context, const fer_command *command)
{
    (void)context;
    (void)!fer_device_answer(device, command->id, FER_RESULT_DONE, NULL, 0);
}

static void receive(void)
{
    static const fer_telemetry_visitor visitor = {.on_command = on_command};
    static uint8_t envelope[INBOUND];
    uint8_t byte;
    size_t used, n;
    while (uart_poll_in(line, &byte) == 0) {
        if (fer_device_feed(device, &byte, 1, &used, envelope, sizeof envelope, &n) == FER_OK) {
            (void)!fer_telemetry_decode(envelope, n, &visitor);
        }
    }
}

static fer_status send(void)
{
    static uint8_t frame[FER_FRAME_SIZE(RECORD)];
    size_t n;
    fer_status status;
    while ((status = fer_device_take(device, frame, sizeof frame, &n)) == FER_OK) {
        for (size_t i = 0; i < n; i++) {
            uart_poll_out(line, frame[i]);
        }
    }
    return status;
}

int main(void)
{
    static struct k_timer timer;
    fer_status status = start();
    if (status != FER_OK) {
        return 1;
    }
    k_timer_init(&timer, on_timer, NULL);
    k_timer_start(&timer, K_MSEC(SENSOR_MS), K_MSEC(SENSOR_MS));
    do {
        receive();
        status = send();
        (void)!fer_device_maintain(device);
        (void)k_msleep(LINK_MS);
    } while (!fer_status_is_fatal(status));
    return 1; /* sealing has stopped (CLOSED) */
}
