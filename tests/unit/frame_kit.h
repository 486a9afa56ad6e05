/* What the tests of frame share: one decoder, made anew for each test, and what it counted. */
#ifndef FRAME_KIT_H
#define FRAME_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ferrule/frame.h"

enum { CAPACITY = 600, LONGEST = 1100 };

FER_ARENA(arena, FER_FRAME_DECODER_SIZE(CAPACITY));
static fer_frame_decoder *decoder;
static fer_arena_position start;

static inline void make(size_t capacity)
{
    assert_int_equal(fer_arena_rewind(&arena, start), FER_OK);
    assert_int_equal(fer_frame_decoder_create(&arena, capacity, &decoder), FER_OK);
}

static inline int set_up(void **state)
{
    (void)state;
    make(CAPACITY);
    return 0;
}

static inline fer_frame_counts counts(void)
{
    fer_frame_counts told;

    memset(&told, 0xEE, sizeof told);
    assert_int_equal(fer_frame_decoder_get_counts(decoder, &told), FER_OK);
    return told;
}

static inline void assert_counts(uint32_t frames, uint32_t oversized, uint32_t malformed,
                                 uint32_t bytes)
{
    fer_frame_counts told = counts();

    assert_int_equal(told.frames, frames);
    assert_int_equal(told.oversized, oversized);
    assert_int_equal(told.malformed, malformed);
    assert_int_equal(told.bytes, bytes);
}

/* Feeds n bytes whose last completes this frame. */
static inline void assert_frame(const char *in, size_t n, const char *expected,
                                size_t expected_length)
{
    uint8_t *frame = NULL;
    size_t used = 77;
    size_t length = 77;

    assert_int_equal(
        fer_frame_decoder_feed(decoder, (const uint8_t *)in, n, &used, &frame, &length), FER_OK);
    assert_int_equal(used, n);
    assert_int_equal(length, expected_length);
    assert_memory_equal(frame, expected, length);
}

#define test(name) cmocka_unit_test_setup(name, set_up)

/* The rest of every main. */
#define RUN(tests) \
    (fer_arena_mark(&arena, &start) == FER_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1)

#endif
