/* Example 10: a sealed telemetry device under ESP-IDF.
 *
 *     sensor task    takes a reading every 100 ms
 *     main task      seals what waits, sends it on UART 1, feeds what came back
 *
 * The credential lies in the partition "ferrule". */
#include <stdio.h>

#include "driver/uart.h"
#include "esp_port.h"
#include "esp_timer.h"
#include "ferrule/ferrule.h"
#include "freertos/task.h"

enum {
    READINGS = 64,
    MESSAGES = 64,
    INBOUND = 128,
    GRANULE = 4,
    RECORD = 230,
    SERIES_UPTIME = 1,
    SENSOR_MS = 100,
    LINK_MS = 50,
    LINK_BUFFER = 256,
    SENSOR_STACK = 2048 /* bytes, under ESP-IDF */
};

FER_ARENA(arena, FER_DEVICE_SIZE(READINGS, MESSAGES, INBOUND, GRANULE));

static fer_device *device;
static esp_nv flash;
static esp_lock lock;

static void run_sensor(void *unused)
{
    (void)unused;
    for (;;) {
        fer_device_record(device, SERIES_UPTIME, (double)esp_timer_get_time() / 1e6);
        vTaskDelay(pdMS_TO_TICKS(SENSOR_MS));
    }
}

static fer_status start(void)
{
    fer_device_config config = fer_device_config_default();
    if (uart_driver_install(UART_NUM_1, LINK_BUFFER, 0, 0, NULL, 0) != ESP_OK ||
        !esp_nv_start(&flash, "ferrule", &config.nv)) {
        return FER_TROUBLE_STORAGE;
    }
    config.clock = esp_clock();
    config.lock = esp_lock_start(&lock);
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

static void feed(const uint8_t *bytes, size_t n)
{
    static const fer_telemetry_visitor visitor = {.on_command = on_command};
    static uint8_t envelope[INBOUND];
    for (size_t used, length; n > 0; bytes += used, n -= used) {
        if (fer_device_feed(device, bytes, n, &used, envelope, sizeof envelope, &length) ==
            FER_OK) {
            (void)!fer_telemetry_decode(envelope, length, &visitor);
        } else if (used == 0) {
            return;
        }
    }
}

static fer_status run_link(void)
{
    static uint8_t frame[FER_FRAME_SIZE(RECORD)];
    uint8_t came[32];
    fer_status status;
    size_t n;
    do {
        int received = uart_read_bytes(UART_NUM_1, came, sizeof came, pdMS_TO_TICKS(LINK_MS));
        feed(came, received > 0 ? (size_t)received : 0);
        while ((status = fer_device_take(device, frame, sizeof frame, &n)) == FER_OK) {
            (void)uart_write_bytes(UART_NUM_1, frame, n);
        }
        (void)!fer_device_maintain(device);
    } while (!fer_status_is_fatal(status));
    return status;
}

void app_main(void)
{
    static StaticTask_t task;
    static StackType_t stack[SENSOR_STACK];
    fer_status status = start();
    if (status == FER_OK) {
        (void)xTaskCreateStatic(run_sensor, "sensor", SENSOR_STACK, NULL, tskIDLE_PRIORITY + 2,
                                stack, &task);
        status = run_link();
    }
    printf("sealing stopped: %s\n", fer_status_text(status));
}
