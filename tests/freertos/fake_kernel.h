/* What a test sees and sets of the played kernel. Misuse that a real kernel would answer with a
 * fault, or not at all, is counted. */
#ifndef FERRULE_TESTS_FAKE_KERNEL_H
#define FERRULE_TESTS_FAKE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fake_kernel {
    bool in_interrupt;
    unsigned task_sections; /* critical sections of the task that are open */
    unsigned isr_level;     /* what interrupts mask, 0 nothing */
    unsigned isr_sections;  /* how often an interrupt masked */
    unsigned misuses;
    uint32_t ticks;
    unsigned give_ups; /* so many waits for a mutex end without it */
    bool mutex_held;
    bool reader_waits;  /* a more urgent task waits for the stream */
    unsigned yields;    /* switches asked for */
    uint32_t last_wait; /* of xStreamBufferReceive */
    void (*before_ticks_are_read)(void);
} fake_kernel;

extern fake_kernel kernel;

void fake_kernel_reset(void);

#endif
