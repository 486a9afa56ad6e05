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

/*@ predicate window_bits(integer bits) =
      bits == 64 || bits == 128 || bits == 256 || bits == 512 || bits == 1024 || bits == 2048 ||
      bits == 4096 || bits == 8192;

    logic integer bit_of{L}(uint32_t *words, integer bits, integer number) =
      (words[number % bits / 32] >> (number % 32)) & 1;

    // What fer_window_check answers.
    logic integer answer{L}(integer next, uint32_t *words, integer bits, integer number) =
      number == FER_SEQUENCE_END ? FER_DROP_MALFORMED :
      number >= next ? FER_OK :
      number < next - bits ? FER_DROP_OLD :
      bit_of(words, bits, number) != 0 ? FER_DROP_REPLAY : FER_OK;
 */

/* The answers of fer_replay_check. Changes nothing. Inline, because every record that is opened or
 * refused comes by here. */
/*@ requires window_bits(bits) && \valid_read(words + (0 .. bits / 32 - 1));
    assigns \nothing;
    ensures \result == answer(next, words, bits, sequence);
    ensures newer_than_top_minus_w: \result == FER_OK ==> sequence > (next - 1) - bits;
 */
static inline FER_MUST_USE fer_status fer_window_check(uint32_t next, const uint32_t *words,
                                                       uint32_t bits, uint32_t sequence)
{
    if (sequence >= next) {
        return sequence == FER_SEQUENCE_END ? FER_DROP_MALFORMED : FER_OK;
    }
    if (next - sequence > bits) {
        return FER_DROP_OLD;
    }
    return (words[sequence % bits / 32u] >> sequence % 32u & 1u) != 0 ? FER_DROP_REPLAY : FER_OK;
}

/* The answers of fer_replay_mark: FER_OK and the number is marked, or nothing has changed. */
FER_MUST_USE fer_status fer_window_mark(uint32_t *next, uint32_t *words, uint32_t bits,
                                        uint32_t sequence);

#endif
