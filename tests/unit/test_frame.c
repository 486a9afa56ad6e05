/* Ferrule tests: frame, by hand. Invariants TOTAL and HONEST. */
#include "frame_kit.h"
#include "internal/poison.h"

/* Feeds n bytes that hold no good frame. */
static void assert_nothing(const char *in, size_t n)
{
    uint8_t *frame = (uint8_t *)&arena;
    size_t used = 77;
    size_t length = 77;

    assert_int_equal(
        fer_frame_decoder_feed(decoder, (const uint8_t *)in, n, &used, &frame, &length), FER_EMPTY);
    assert_int_equal(used, n);
    assert_int_equal(length, 0);
    assert_null(frame);
}

/* ---- encoding ------------------------------------------------------------------------------ */

static void assert_encodes(const char *in, size_t n, const char *expected, size_t expected_length)
{
    uint8_t out[32];
    size_t length = 77;

    assert_int_equal(fer_frame_encode((const uint8_t *)in, n, out, FER_FRAME_SIZE(n), &length),
                     FER_OK);
    assert_int_equal(length, expected_length);
    assert_memory_equal(out, expected, length);
}

static void encodes_by_hand(void **state)
{
    (void)state;
    assert_encodes("", 0, "\x01\0", 2);
    assert_encodes("\0", 1, "\x01\x01\0", 3);
    assert_encodes("\0\0", 2, "\x01\x01\x01\0", 4);
    assert_encodes("a", 1,
                   "\x02"
                   "a\0",
                   3);
    assert_encodes("ab\0c", 4,
                   "\x03"
                   "ab\x02"
                   "c\0",
                   6);
    assert_encodes("\0ab\0", 4,
                   "\x01\x03"
                   "ab\x01\0",
                   6);
}

static void a_full_run_at_the_end_gets_no_empty_block(void **state)
{
    static uint8_t in[300];
    static uint8_t out[FER_FRAME_SIZE(300)];
    size_t length;

    (void)state;
    memset(in, 0x5A, sizeof in);
    assert_int_equal(fer_frame_encode(in, 253, out, sizeof out, &length), FER_OK);
    assert_int_equal(length, 255);
    assert_int_equal(out[0], 0xFE);
    assert_int_equal(fer_frame_encode(in, 254, out, sizeof out, &length), FER_OK);
    assert_int_equal(length, 256);
    assert_int_equal(out[0], 0xFF);
    assert_int_equal(fer_frame_encode(in, 255, out, sizeof out, &length), FER_OK);
    assert_int_equal(length, 258);
    assert_int_equal(out[255], 2);
    in[254] = 0;
    assert_int_equal(fer_frame_encode(in, 255, out, sizeof out, &length), FER_OK);
    assert_int_equal(length, 258);
    assert_int_equal(out[255], 1);
    assert_int_equal(out[256], 1);
}

static void the_size_macro_is_the_worst_case(void **state)
{
    static uint8_t in[LONGEST];
    static uint8_t out[FER_FRAME_SIZE(LONGEST)];
    size_t length;

    (void)state;
    memset(in, 1, sizeof in);
    for (size_t n = 0; n <= LONGEST; n++) {
        assert_int_equal(fer_frame_encode(in, n, out, FER_FRAME_SIZE(n), &length), FER_OK);
        assert_int_equal(length, FER_FRAME_SIZE(n));
    }
}

static void a_short_buffer_is_left_alone(void **state)
{
    uint8_t out[8];
    size_t length = 77;

    (void)state;
    memset(out, 0xEE, sizeof out);
    for (size_t capacity = 0; capacity < FER_FRAME_SIZE(5u); capacity++) {
        assert_int_equal(fer_frame_encode((const uint8_t *)"\0\0\0\0\0", 5, out, capacity, &length),
                         FER_ERR_CAPACITY);
    }
    assert_int_equal(fer_frame_encode(out, SIZE_MAX, out, SIZE_MAX, &length), FER_ERR_CAPACITY);
    assert_int_equal(length, 77);
    assert_memory_equal(out, "\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE", 8);
}

static void encoding_refuses_null(void **state)
{
    uint8_t out[8];
    size_t length;

    (void)state;
    assert_int_equal(fer_frame_encode(NULL, 1, out, 8, &length), FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_encode(out, 1, NULL, 8, &length), FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_encode(out, 1, out, 8, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_encode(NULL, 0, out, 8, &length), FER_OK);
    assert_int_equal(length, 2);
}

/* ---- decoding ------------------------------------------------------------------------------ */

static void decodes_by_hand(void **state)
{
    (void)state;
    assert_frame("\x01\0", 2, "", 0);
    assert_frame("\x01\x01\0", 3, "\0", 1);
    assert_frame("\x03"
                 "ab\x02"
                 "c\0",
                 6, "ab\0c", 4);
    assert_counts(3, 0, 0, 0);
}

static void empty_frames_are_skipped_silently(void **state)
{
    (void)state;
    assert_nothing("\0\0\0\0", 4);
    assert_frame("\0\0\x02"
                 "a\0",
                 5, "a", 1);
    assert_counts(1, 0, 0, 0);
}

static void an_early_delimiter_is_malformed(void **state)
{
    (void)state;
    assert_nothing("\x05"
                   "abc\0",
                   5);
    assert_counts(0, 0, 1, 4);
    assert_nothing("\x02\0", 2);
    assert_counts(0, 0, 2, 5);
    assert_frame("\x02"
                 "a\0",
                 3, "a", 1);
    assert_counts(1, 0, 2, 5);
}

static void a_frame_longer_than_the_capacity_is_oversized(void **state)
{
    (void)state;
    make(3);
    assert_frame("\x04"
                 "abc\0",
                 5, "abc", 3);
    assert_nothing("\x05"
                   "abcd\0",
                   6);
    assert_counts(1, 1, 0, 5);
    assert_nothing("\x04"
                   "abc\x01\0", /* the zero between the blocks is one too many */
                   6);
    assert_counts(1, 2, 0, 10);
    assert_nothing("\x06"
                   "abcd\0", /* too long and broken: counted once */
                   6);
    assert_counts(1, 3, 0, 15);
    assert_frame("\x02"
                 "z\0",
                 3, "z", 1);
}

static void stops_at_the_first_good_frame(void **state)
{
    static const char two[] = "\x02"
                              "a\0\x02"
                              "b\0";
    uint8_t *frame;
    size_t used;
    size_t length;

    (void)state;
    assert_int_equal(
        fer_frame_decoder_feed(decoder, (const uint8_t *)two, 6, &used, &frame, &length), FER_OK);
    assert_int_equal(used, 3);
    assert_int_equal(frame[0], 'a');
    assert_frame(two + 3, 3, "b", 1);
}

static void the_caller_may_change_the_frame(void **state)
{
    uint8_t *frame;
    size_t used;
    size_t length;

    (void)state;
    assert_int_equal(fer_frame_decoder_feed(decoder,
                                            (const uint8_t *)"\x03"
                                                             "ab\0",
                                            4, &used, &frame, &length),
                     FER_OK);
    memset(frame, 0, length);
    assert_frame("\x02"
                 "c\0",
                 3, "c", 1);
}

static void decoding_refuses_null_and_foreign_handles(void **state)
{
    uint64_t foreign[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    fer_frame_decoder *wrong = (fer_frame_decoder *)foreign;
    fer_frame_counts told;
    uint8_t byte = 1;
    uint8_t *frame;
    size_t used;
    size_t length;

    (void)state;
    assert_int_equal(fer_frame_decoder_feed(NULL, &byte, 1, &used, &frame, &length),
                     FER_ERR_HANDLE);
    assert_int_equal(fer_frame_decoder_feed(wrong, &byte, 1, &used, &frame, &length),
                     FER_ERR_HANDLE);
    assert_int_equal(fer_frame_decoder_feed(decoder, NULL, 1, &used, &frame, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_decoder_feed(decoder, &byte, 1, NULL, &frame, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_decoder_feed(decoder, &byte, 1, &used, NULL, &length),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_decoder_feed(decoder, &byte, 1, &used, &frame, NULL),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_decoder_feed(decoder, NULL, 0, &used, &frame, &length), FER_EMPTY);
    assert_int_equal(fer_frame_decoder_get_counts(NULL, &told), FER_ERR_HANDLE);
    assert_int_equal(fer_frame_decoder_get_counts(wrong, &told), FER_ERR_HANDLE);
    assert_int_equal(fer_frame_decoder_get_counts(decoder, NULL), FER_ERR_ARGUMENT);
    fer_frame_decoder_close(&wrong);
    assert_non_null(wrong);
}

static void creating_refuses_bad_arguments(void **state)
{
    static fer_arena_cell storage[FER_FRAME_DECODER_SIZE(100) / 8];
    fer_arena small;
    fer_frame_decoder *made = NULL;

    (void)state;
    assert_int_equal(fer_arena_init(&small, storage, sizeof storage / 8), FER_OK);
    assert_int_equal(fer_frame_decoder_create(&small, 0, &made), FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_decoder_create(&small, 100, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_frame_decoder_create(NULL, 100, &made), FER_ERR_ARENA);
    assert_int_equal(fer_frame_decoder_create(&small, 200, &made), FER_ERR_ARENA);
    assert_int_equal(fer_frame_decoder_create(&small, SIZE_MAX, &made), FER_ERR_ARENA);
    assert_int_equal(fer_frame_decoder_create(&small, SIZE_MAX - 40, &made), FER_ERR_ARENA);
    assert_null(made);
    assert_int_equal(fer_arena_room(&small), sizeof storage);
    assert_int_equal(fer_frame_decoder_create(&small, 100, &made), FER_OK);
    fer_arena_close(&small);
}

static void closing_nulls_and_wipes(void **state)
{
    fer_frame_decoder *kept = decoder;

    (void)state;
    assert_nothing("\x06secret", 7);
    fer_frame_decoder_close(&decoder);
    assert_null(decoder);
    FER_UNPOISON(kept, FER_FRAME_DECODER_SIZE(CAPACITY));
    for (size_t i = 0; i < FER_FRAME_DECODER_SIZE(CAPACITY); i++) {
        assert_int_equal(((const uint8_t *)kept)[i], 0);
    }
    fer_frame_decoder_close(&decoder);
    fer_frame_decoder_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(encodes_by_hand),
        test(a_full_run_at_the_end_gets_no_empty_block),
        test(the_size_macro_is_the_worst_case),
        test(a_short_buffer_is_left_alone),
        test(encoding_refuses_null),
        test(decodes_by_hand),
        test(empty_frames_are_skipped_silently),
        test(an_early_delimiter_is_malformed),
        test(a_frame_longer_than_the_capacity_is_oversized),
        test(stops_at_the_first_good_frame),
        test(the_caller_may_change_the_frame),
        test(decoding_refuses_null_and_foreign_handles),
        test(creating_refuses_bad_arguments),
        test(closing_nulls_and_wipes),
    };

    return RUN(tests);
}
