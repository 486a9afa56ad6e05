/* Example 02: a sealed telemetry device on a bare board, one of boards/ (all run under QEMU).
 *
 *     UART1  sensor   readings arrive in frames; the receive interrupt decodes and records them
 *     UART0  link     sealed frames leave, downlink frames arrive
 *     flash           a file of the debugging host: argv[1], else "nv.img"; kill it, start it again
 *
 * A sensor frame holds series (2 bytes), time (8, Unix milliseconds) and value (8, IEEE 754
 * double), little-endian. The frame of one byte 'E' ends the input: the device sends what waits,
 * and exits.
 *
 * The gateway may send commands: "period MS" (how long few readings wait for company), "mute
 * SERIES" and "unmute SERIES". */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "ferrule/ferrule.h"
#include "nv_image.h"
#include "session.h"

enum {
    READINGS = BOARD_READINGS, /* intake of the device */
    MESSAGES = BOARD_MESSAGES,
    INBOUND = BOARD_INBOUND,
    BATCH = READINGS / 4, /* readings worth a record of their own … */
    LINGER_MS = 20, /* … and how long fewer may wait for company, until a command says else */
    MUTABLE = 32,   /* series below it can be muted */
    RECORD = 230,   /* longest record put on the link */
    SENSOR_FRAME = 18
};

FER_ARENA(arena, FER_DEVICE_SIZE(READINGS, MESSAGES, INBOUND, NV_IMAGE_GRANULE) +
                     FER_FRAME_DECODER_SIZE(SENSOR_FRAME));

static nv_image flash;
static fer_device *device;
static fer_frame_decoder *sensor;
static volatile bool sensor_waits; /* its interrupt is off until there is room again */
static volatile bool sensor_ended;
static volatile uint32_t sensor_rejected;
static unsigned downlinks;
static unsigned commands; /* that ran */
static uint32_t linger_ms = LINGER_MS;
static volatile uint32_t muted; /* a bit for each series below MUTABLE */

/* ---- sensor: in the interrupt ------------------------------------------------------------ */

static uint64_t load_u64(const uint8_t *in)
{
    uint64_t value = 0;
    for (unsigned i = 8; i-- > 0;) {
        value = value << 8 | in[i];
    }
    return value;
}

static void take_reading(const uint8_t *frame)
{
    uint64_t bits = load_u64(frame + 10);
    double value;
    memcpy(&value, &bits, sizeof value);
    uint16_t series = (uint16_t)(frame[0] | frame[1] << 8);
    if (series >= MUTABLE || (muted >> series & 1u) == 0) {
        fer_device_record_at(device, series, (int64_t)load_u64(frame + 2), value);
    }
}

static void take_sensor_frame(const uint8_t *frame, size_t n)
{
    if (n == SENSOR_FRAME) {
        take_reading(frame);
    } else if (n == 1 && frame[0] == 'E') {
        sensor_ended = true;
    } else {
        sensor_rejected++;
    }
}

/* Reads while there is room for one reading more. With none, the byte stays in the UART and its
 * interrupt stays pending, so that a line with flow control, or an emulated one, stalls instead of
 * losing readings; on others the UART overruns, and the frame is rejected. */
void on_sensor_byte(void)
{
    uint8_t byte;
    while (fer_device_get_room(device) > 0) {
        if (!board_sensor_read(&byte)) {
            return;
        }
        size_t used, n;
        uint8_t *frame;
        if (fer_frame_decoder_feed(sensor, &byte, 1, &used, &frame, &n) == FER_OK) {
            take_sensor_frame(frame, n);
        }
    }
    board_sensor_listen(false);
    sensor_waits = true;
}

static void let_sensor_go_on(void)
{
    if (sensor_waits && fer_device_get_room(device) >= READINGS / 2) {
        sensor_waits = false;
        board_sensor_listen(true);
    }
}

/* ---- link: in the main loop --------------------------------------------------------------- */

/* Only wakes the main loop, which reads the byte. */
void on_link_byte(void)
{
    board_link_listen(false);
}

/* A whole number up to `most` behind a word; false where the text is anything else. */
static bool parse(const char *text, const char *word, uint32_t most, uint32_t *number)
{
    char *end;
    size_t n = strlen(word);
    if (strncmp(text, word, n) != 0 || text[n] < '0' || text[n] > '9') {
        return false;
    }
    unsigned long value = strtoul(text + n, &end, 10);
    *number = (uint32_t)value;
    return *end == '\0' && value <= most;
}

static bool obey(const char *text)
{
    uint32_t number;
    if (parse(text, "period ", 60000, &number)) {
        linger_ms = number;
    } else if (parse(text, "mute ", MUTABLE - 1, &number)) {
        muted |= UINT32_C(1) << number;
    } else if (parse(text, "unmute ", MUTABLE - 1, &number)) {
        muted &= ~(UINT32_C(1) << number);
    } else {
        return false;
    }
    return true;
}

/* All three may run twice without harm, so no id is kept in flash; see fer_device_answer for what
 * commands that may not need. */
static void on_command(void *context, const fer_command *command)
{
    char text[40] = "";
    (void)context;
    bool good = command->body.length < sizeof text;
    if (good) {
        memcpy(text, command->body.bytes, command->body.length);
        good = obey(text);
    }
    commands += good;
    int n = snprintf(text, sizeof text, good ? "%u since the start" : "no such command", commands);
    fer_status status =
        fer_device_answer(device, command->id, good ? FER_RESULT_DONE : FER_RESULT_REFUSED,
                          (const uint8_t *)text, (size_t)n);
    if (status != FER_OK) {
        printf("no answer: %s\n", fer_status_text(status)); /* the gateway will ask again */
    }
}

static void receive_downlink(void)
{
    uint8_t byte;
    while (board_link_read(&byte)) {
        static const fer_telemetry_visitor visitor = {.on_command = on_command};
        static uint8_t envelope[INBOUND];
        size_t used, n;
        if (fer_device_feed(device, &byte, 1, &used, envelope, sizeof envelope, &n) == FER_OK) {
            downlinks++;
            (void)!fer_telemetry_decode(envelope, n, &visitor); /* what is none asks for nothing */
        }
    }
    board_link_listen(true);
}

static uint64_t now_ms(void)
{
    uint64_t ms = 0;
    (void)board_clock.ops->monotonic_ms(board_clock.context, &ms);
    return ms;
}

/* Batches: one record of many readings costs the overhead of one. */
static bool is_time_to_send(uint64_t last_ms)
{
    size_t waiting = READINGS - fer_device_get_room(device);
    return waiting >= BATCH || sensor_ended || now_ms() - last_ms >= linger_ms;
}

/* Sends all that waits. FER_EMPTY: it did. */
static fer_status send_uplink(void)
{
    static uint8_t frame[FER_FRAME_SIZE(RECORD)];
    size_t n;
    fer_status status;
    while ((status = fer_device_take(device, frame, sizeof frame, &n)) == FER_OK) {
        let_sensor_go_on();
        board_link_write(frame, n);
    }
    return status;
}

/* Runs until the sensor's input has ended and is sent, or sealing has stopped for good. */
static fer_status run(void)
{
    uint64_t last_ms = 0;
    for (;;) {
        bool last = sensor_ended; /* read before the intake: nothing is recorded after the end */
        receive_downlink();
        if (is_time_to_send(last_ms)) {
            fer_status status = send_uplink();
            if (fer_status_is_fatal(status) || (last && status == FER_EMPTY)) {
                return status;
            }
            last_ms = now_ms();
        }
        let_sensor_go_on();
        uintptr_t state = board_lock.ops->mask(board_lock.context);
        if (!is_time_to_send(last_ms)) {
            board_wait();
        }
        board_lock.ops->unmask(board_lock.context, state);
    }
}

static fer_status start(int argc, char **argv)
{
    if (!nv_image_open(&flash, argc > 1 ? argv[1] : "nv.img")) {
        return FER_TROUBLE_STORAGE;
    }
    fer_device_config config = fer_device_config_default();
    config.nv = (fer_nv){&nv_image_ops, &nv_image_geometry, &flash};
    config.clock = board_clock;
    config.lock = board_lock;
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = INBOUND;
    if (!session_prepare(config.nv, argc, argv)) {
        return FER_RENEW_MISSING;
    }
    fer_status status = fer_device_create(&arena, &config, &device);
    if (status == FER_OK) {
        status = session_join(device);
    }
    if (status != FER_OK) {
        return status;
    }
    return fer_frame_decoder_create(&arena, SENSOR_FRAME, &sensor);
}

int main(int argc, char **argv)
{
    board_start();
    fer_status status = start(argc, argv);
    if (status != FER_OK) {
        printf("start failed: %s\n", fer_status_text(status));
        return 1;
    }
    board_link_listen(true);
    board_sensor_listen(true);
    status = run();

    fer_health health;
    if (fer_device_get_health(device, &health) == FER_OK) {
        printf("generation %u: %u records sealed, %u downlinks opened, %u readings dropped, "
               "%u sensor frames rejected\n",
               (unsigned)health.generation, (unsigned)health.records_sealed, downlinks,
               (unsigned)health.readings_dropped, (unsigned)sensor_rejected);
    }
    if (status != FER_EMPTY) {
        printf("sealing stopped: %s\n", fer_status_text(status));
    }
    fer_device_close(&device);
    return status == FER_EMPTY ? 0 : 1;
}
