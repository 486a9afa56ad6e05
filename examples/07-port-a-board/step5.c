/* Step 5: a device. It takes its blob once, measures, seals, and sends frames on the serial line.
 */
#include <stdio.h>

#include "blob.h" /* made by `ferrule provision`; a factory would send it over a cable */
#include "ferrule/ferrule.h"
#include "port.h"
#include "uart.h"

enum { READINGS = 16, MESSAGES = 64, COUNT = 20, TEMPERATURE = 3 };

FER_ARENA(arena,
          FER_STORE_SIZE(BOARD_GRANULE) + FER_DEVICE_SIZE(READINGS, MESSAGES, 0, BOARD_GRANULE));

/* Once in the board's life. On the part, a later start finds the region in use: FER_ERR_ORDER. */
static fer_status provision(void)
{
    const fer_store_config config = {.nv = board_nv()};
    const fer_provision_config unbound = {0, 0, 0};
    fer_store *store;
    fer_status status = fer_store_create(&arena, &config, &store);

    if (status == FER_OK) {
        status = fer_provision(store, &unbound, blob, sizeof blob);
        fer_store_close(&store);
    }
    return status;
}

static fer_status start(fer_device **device)
{
    fer_device_config config = fer_device_config_default();

    config.nv = board_nv();
    config.clock = board_clock();
    config.lock = board_lock();
    config.link = FER_LINK_STREAM;
    config.way = FER_ONE_WAY;
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = 0; /* nothing comes down this line */
    return fer_device_create(&arena, &config, device);
}

/* Sends all that waits. FER_EMPTY: it did. */
static fer_status send(fer_device *device)
{
    uint8_t frame[FER_FRAME_SIZE(128)];
    fer_status status;
    size_t n;

    while ((status = fer_device_take(device, frame, sizeof frame, &n)) == FER_OK) {
        uart_write(frame, n);
    }
    return status;
}

int main(void)
{
    fer_device *device = 0;
    fer_status status;

    board_start();
    uart_start();
    for (uint32_t block = 0; block < BOARD_BLOCKS; block++) { /* flash is sold erased */
        (void)board_nv().ops->erase(0, block);
    }
    status = provision();
    if (status == FER_OK) {
        status = start(&device);
    }
    for (unsigned i = 0; i < COUNT && status == FER_OK; i++) {
        fer_device_record(device, TEMPERATURE, 20.0 + i / 8.0);
        status = send(device) == FER_EMPTY ? FER_OK : FER_TROUBLE_STATE;
    }
    printf("%s\n", fer_status_text(status));
    fer_device_close(&device);
    return status == FER_OK ? 0 : 1;
}
