/* Example 08: a device that only seals, on a board with 8 KB of RAM (or any other of boards/).
 *
 * There is no way back to it: no decoder, no opener, no commands. It takes 100 readings, sends them
 * sealed in frames on the link, and stops. Flash is a file of the debugging host: argv[1], else
 * "nv.img". */
#include <stdio.h>

#include "board.h"
#include "ferrule/ferrule.h"
#include "nv_image.h"

enum { READINGS = 16, MESSAGES = 64, RECORD = 128, SERIES = 1, COUNT = 100 };

FER_ARENA(arena, FER_DEVICE_SIZE(READINGS, MESSAGES, 0, NV_IMAGE_GRANULE));

static nv_image flash;
static fer_device *device;

/* Nothing listens on this device. */
void on_link_byte(void)
{
    board_link_listen(false);
}

void on_sensor_byte(void)
{
    board_sensor_listen(false);
}

static fer_status start(const char *nv_path)
{
    if (!nv_image_open(&flash, nv_path)) {
        return FER_TROUBLE_STORAGE;
    }
    fer_device_config config = fer_device_config_default();
    config.nv = (fer_nv){&nv_image_ops, &nv_image_geometry, &flash};
    config.clock = board_clock;
    config.lock = board_lock;
    config.way = FER_ONE_WAY;
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = 0;
    return fer_device_create(&arena, &config, &device);
}

/* Sends all that waits. FER_EMPTY: it did. */
static fer_status send_uplink(void)
{
    static uint8_t frame[FER_FRAME_SIZE(RECORD)];
    size_t n;
    fer_status status;
    while ((status = fer_device_take(device, frame, sizeof frame, &n)) == FER_OK) {
        board_link_write(frame, n);
    }
    return status;
}

static fer_status run(void)
{
    fer_status status = FER_EMPTY;
    for (unsigned i = 0; i < COUNT && status == FER_EMPTY; i++) {
        fer_device_record(device, SERIES, i);
        if (i == COUNT - 1 || fer_device_get_room(device) == 0) {
            status = send_uplink();
        }
    }
    return status;
}

int main(int argc, char **argv)
{
    board_start();
    fer_status status = start(argc > 1 ? argv[1] : "nv.img");
    if (status == FER_OK) {
        status = run();
    }
    printf("%s\n", status == FER_EMPTY ? "all sent" : fer_status_text(status));
    fer_device_close(&device);
    return status == FER_EMPTY ? 0 : 1;
}
