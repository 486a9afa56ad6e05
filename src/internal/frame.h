/* Ferrule: framing without a question (floor 1), for who measured the room. */
#ifndef FERRULE_INTERNAL_FRAME_H
#define FERRULE_INTERNAL_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* Writes the frame of n bytes, FER_FRAME_SIZE(n) at most, and returns where it ends. `in` and out
 * as for fer_frame_encode, which is this and its checks. */
uint8_t *fer_frame_write(const uint8_t *in, size_t n, uint8_t *out);

#endif
