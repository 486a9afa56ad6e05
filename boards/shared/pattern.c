#include "pattern.h"

#include <string.h>

#include "board.h"

enum { PERIOD_MS = 250, READING = 18, FRAME = READING + 2, SERIES = 1 };
#define START_MS INT64_C(1735689600000)

static uint8_t frame[FRAME];
static uint8_t next = FRAME; /* of the frame's bytes; FRAME: none waits */
static uint16_t ms;
static uint32_t count;
static bool listening;

static void put(uint8_t *out, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)(value >> 8 * i);
    }
}

/* COBS in place: each zero becomes the distance to the next. */
static void put_frame(void)
{
    double value = count % 100;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put(frame + 1, SERIES, 2);
    put(frame + 3, (uint64_t)(START_MS + INT64_C(1000) * count), 8);
    put(frame + 11, bits, 8);
    frame[0] = frame[FRAME - 1] = 0;
    for (size_t last = FRAME - 1, i = last; i-- > 0;) {
        if (frame[i] == 0) {
            frame[i] = (uint8_t)(last - i);
            last = i;
        }
    }
    next = 0;
    count++;
}

/* A reading that finds the one before it still waiting comes later, as on a line that stalls. */
void pattern_tick(void)
{
    ms = (uint16_t)(ms + (ms < PERIOD_MS));
    if (ms == PERIOD_MS && next == FRAME) {
        ms = 0;
        put_frame();
    }
    if (listening && next < FRAME) {
        on_sensor_byte();
    }
}

bool board_sensor_read(uint8_t *byte)
{
    if (next == FRAME) {
        return false;
    }
    *byte = frame[next++];
    return true;
}

void board_sensor_listen(bool on)
{
    listening = on;
}
