/* Ferrule: the state of a source's health tests (floor 0's own). */
#ifndef FERRULE_INTERNAL_ENTROPY_H
#define FERRULE_INTERNAL_ENTROPY_H

#include <stdbool.h>

#include "ferrule/entropy.h"
#include "internal/handle.h"

/* What follows the last samples is as secret as they are. */
struct fer_entropy_test {
    fer_tag tag;
    fer_entropy source;
    uint32_t run;   /* equal samples in a row, the last one with them */
    uint32_t hits;  /* samples of the window that equal its first */
    uint32_t bad;   /* not 0: a test failed, for good */
    uint16_t at;    /* in the window: public, as is the next */
    uint16_t drawn; /* by the start-up test */
    uint8_t last;
    uint8_t first; /* of the window */
    uint8_t min_entropy;
    bool started;
};

/* Samples in the window of the adaptive proportion test (section 4.4.2: not binary). */
enum { FER_ENTROPY_WINDOW = 512 };

/* From so many on a test fails: equal in a row (section 4.4.1), equal in a window (section 4.4.2),
 * for a probability of 2^-30 in a source of this min-entropy. */
uint32_t fer_entropy_run_cutoff(unsigned min_entropy);
uint32_t fer_entropy_window_cutoff(unsigned min_entropy);

/* Both tests take one more sample, without a branch or an index by its value (CONSTANT). */
void fer_entropy_take_sample(fer_entropy_test *test, uint8_t sample);

#endif
