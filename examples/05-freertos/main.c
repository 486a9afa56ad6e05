/* Example 05: a sealed telemetry device under FreeRTOS, on an MPS2 board or QEMU's.
 *
 *     sensor task    takes a temperature every 100 ms                       (fer_device_record)
 *     an interrupt   a contact closes: recorded where it happens            (the same)
 *     link task      seals what waits, sends it, feeds what came back       (take, feed)
 *
 * The bytes of the link come by an interrupt as well, through a stream buffer. All memory is
 * static; the kernel is built without a heap. */
#include <stdint.h>
#include <stdio.h>

#include "board.h"
#include "ferrule/ferrule.h"
#include "freertos_port.h"
#include "task.h"

enum {
    READINGS = 64,
    MESSAGES = 64,
    INBOUND = 128,
    GRANULE = 4, /* of the board's flash */
    RECORD = 230,
    SERIES_TEMPERATURE = 1,
    SERIES_CONTACT = 2,
    SENSOR_MS = 100,
    LINK_MS = 50, /* how long readings wait for company */
    SENSOR_STACK = 512,
    LINK_STACK = 1536 /* words: sealing and flash happen here */
};

FER_ARENA(arena, FER_DEVICE_SIZE(READINGS, MESSAGES, INBOUND, GRANULE));

static fer_device *device;
static freertos_lock lock;
static freertos_clock clock_of_ticks;
static freertos_inbox inbox;

/* ---- interrupts --------------------------------------------------------------------------- */

void on_contact(void)
{
    static unsigned closed;
    while (board_contact()) {
        closed++;
        fer_device_record(device, SERIES_CONTACT, (double)closed);
    }
}

void on_link_byte(void)
{
    uint8_t byte;
    while (board_receive(&byte)) {
        freertos_inbox_put(&inbox, &byte, 1);
    }
}

/* ---- tasks -------------------------------------------------------------------------------- */

/* In place of a sensor: up and down by a tenth of a degree. */
static double take_temperature(void)
{
    static int tenths, step = 1;
    tenths += step;
    if (tenths == 50 || tenths == 0) {
        step = -step;
    }
    return 20.0 + tenths / 10.0;
}

static void run_sensor(void *unused)
{
    TickType_t last = xTaskGetTickCount();
    (void)unused;
    for (;;) {
        fer_device_record(device, SERIES_TEMPERATURE, take_temperature());
        (void)xTaskDelayUntil(&last, pdMS_TO_TICKS(SENSOR_MS));
    }
}

static void on_command(void *context, const fer_command *command)
{
    (void)context;
    /* It runs on the link task, the only one that may answer. What fails is asked for again. */
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

static void run_link(void *unused)
{
    static uint8_t frame[FER_FRAME_SIZE(RECORD)];
    uint8_t came[32];
    fer_status status = FER_OK;
    (void)unused;
    while (!fer_status_is_fatal(status)) {
        size_t n = freertos_inbox_get(&inbox, came, sizeof came, LINK_MS);
        feed(came, n);
        while ((status = fer_device_take(device, frame, sizeof frame, &n)) == FER_OK) {
            board_send(frame, n);
        }
        (void)!fer_device_maintain(device);
    }
    printf("sealing stopped: %s\n", fer_status_text(status));
    for (;;) { /* CLOSED: readings are still counted */
        vTaskDelay(pdMS_TO_TICKS(1000));
    }
}

/* ---- start -------------------------------------------------------------------------------- */

static fer_status start(const char *nv_path)
{
    static uint8_t storage[256];
    fer_device_config config = fer_device_config_default();
    if (!board_start(nv_path, &config.nv)) {
        return FER_TROUBLE_STORAGE;
    }
    config.clock = freertos_clock_start(&clock_of_ticks);
    config.lock = freertos_lock_start(&lock);
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = INBOUND;
    freertos_inbox_start(&inbox, storage, sizeof storage);
    return fer_device_create(&arena, &config, &device);
}

static void start_tasks(void)
{
    static StaticTask_t sensor_task, link_task;
    static StackType_t sensor_stack[SENSOR_STACK], link_stack[LINK_STACK];
    (void)xTaskCreateStatic(run_sensor, "sensor", SENSOR_STACK, NULL, tskIDLE_PRIORITY + 2,
                            sensor_stack, &sensor_task);
    (void)xTaskCreateStatic(run_link, "link", LINK_STACK, NULL, tskIDLE_PRIORITY + 1, link_stack,
                            &link_task);
}

int main(int argc, char **argv)
{
    fer_status status = start(argc > 1 ? argv[1] : "nv.img");
    if (status != FER_OK) {
        printf("start failed: %s\n", fer_status_text(status));
        return 1;
    }
    start_tasks();
    board_listen();
    vTaskStartScheduler();
    return 1; /* it came back: there was no memory for the idle task */
}
