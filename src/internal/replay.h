/* Ferrule: the replay window without a handle (floor 1), for contexts that embed one.
 *
 * A window is `next`, one more than the highest number accepted (0: none yet), and a ring of
 * `bits` bits in bits / 32 words: a number's bit is at number mod bits. Zeroed memory is an empty
 * window. `bits` is a power of two from FER_REPLAY_BITS_MIN to FER_REPLAY_BITS_MAX; the caller
 * holds that. Bits of numbers that fell behind, or are not yet reached, mean nothing. */
#ifndef FERRULE_INTERNAL_REPLAY_H
#define FERRULE_INTERNAL_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "ferrule/replay.h"

/* Whether `bits` can be the size of a window. */
bool fer_window_bits_are_valid(uint32_t bits);

/* The answers of fer_replay_check. Changes nothing. */
FER_MUST_USE fer_status fer_window_check(uint32_t next, const uint32_t *words, uint32_t bits,
                                         uint32_t sequence);

/* The answers of fer_replay_mark: FER_OK and the number is marked, or nothing has changed. */
FER_MUST_USE fer_status fer_window_mark(uint32_t *next, uint32_t *words, uint32_t bits,
                                        uint32_t sequence);

#endif
