/* Ferrule tests: frame. Invariants TOTAL and HONEST. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ferrule/frame.h"
#include "internal/poison.h"
#include "random.h"

enum { CAPACITY = 600, LONGEST = 1100 };

FER_ARENA(arena, FER_FRAME_DECODER_SIZE(CAPACITY));
static fer_frame_decoder *decoder;
static fer_arena_position start;

static void make(size_t capacity)
{
    assert_int_equal(fer_arena_rewind(&arena, start), FER_OK);
    assert_int_equal(fer_frame_decoder_create(&arena, capacity, &decoder), FER_OK);
}

static int set_up(void **state)
{
    (void)state;
    make(CAPACITY);
    return 0;
}

static fer_frame_counts counts(void)
{
    fer_frame_counts told;

    memset(&told, 0xEE, sizeof told);
    assert_int_equal(fer_frame_decoder_get_counts(decoder, &told), FER_OK);
    return told;
}

static void assert_counts(uint32_t frames, uint32_t oversized, uint32_t malformed, uint32_t bytes)
{
    fer_frame_counts told = counts();

    assert_int_equal(told.frames, frames);
    assert_int_equal(told.oversized, oversized);
    assert_int_equal(told.malformed, malformed);
    assert_int_equal(told.bytes, bytes);
}

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

/* Feeds n bytes whose last completes this frame. */
static void assert_frame(const char *in, size_t n, const char *expected, size_t expected_length)
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

/* ---- properties ---------------------------------------------------------------------------- */

/* Bytes with as many zeros and as long runs without one as a test wants. */
static size_t make_bytes(test_random *random, uint8_t *out, size_t limit)
{
    size_t n = test_random_below(random, (uint32_t)limit + 1);
    uint32_t spread = 1u << test_random_below(random, 11);

    for (size_t i = 0; i < n; i++) {
        out[i] = test_random_below(random, spread) == 0
                     ? 0
                     : (uint8_t)(1 + test_random_below(random, 255));
    }
    return n;
}

static void what_is_encoded_is_decoded(void **state)
{
    static uint8_t in[CAPACITY];
    static uint8_t out[FER_FRAME_SIZE(CAPACITY)];
    test_random random = test_random_start("frame, round trip");

    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        size_t n = make_bytes(&random, in, CAPACITY);
        size_t length;

        assert_int_equal(fer_frame_encode(in, n, out, FER_FRAME_SIZE(n), &length), FER_OK);
        assert_true(length <= FER_FRAME_SIZE(n));
        assert_null(memchr(out, 0, length - 1));
        assert_int_equal(out[length - 1], 0);
        assert_frame((const char *)out, length, (const char *)in, n);
    }
    assert_counts(1000, 0, 0, 0);
}

static void encoding_in_place_is_encoding(void **state)
{
    static uint8_t in[LONGEST];
    static uint8_t apart[FER_FRAME_SIZE(LONGEST)];
    static uint8_t shared[FER_FRAME_SIZE(LONGEST) + 8];
    test_random random = test_random_start("frame, in place");

    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        size_t n = make_bytes(&random, in, LONGEST);
        size_t from = FER_FRAME_HEADROOM(n) + test_random_below(&random, 8);
        size_t length;
        size_t shared_length;

        memcpy(shared + from, in, n);
        assert_int_equal(fer_frame_encode(in, n, apart, sizeof apart, &length), FER_OK);
        assert_int_equal(fer_frame_encode(shared + from, n, shared, sizeof shared, &shared_length),
                         FER_OK);
        assert_int_equal(shared_length, length);
        assert_memory_equal(shared, apart, length);
    }
}

static void runs_near_a_full_block_survive_in_place(void **state)
{
    static uint8_t shared[FER_FRAME_SIZE(LONGEST)];

    (void)state;
    make(CAPACITY);
    for (size_t n = 0; n <= 520; n++) {
        uint8_t *in = shared + FER_FRAME_HEADROOM(n);
        uint8_t *frame;
        size_t length;
        size_t used;

        for (size_t i = 0; i < n; i++) {
            in[i] = (uint8_t)(1 + i % 255);
        }
        assert_int_equal(fer_frame_encode(in, n, shared, FER_FRAME_SIZE(n), &length), FER_OK);
        assert_int_equal(fer_frame_decoder_feed(decoder, shared, length, &used, &frame, &length),
                         FER_OK);
        assert_int_equal(length, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(frame[i], 1 + i % 255);
        }
    }
}

/* The naive decoder: one frame, all of it at hand, without its delimiter. Returns the decoded
 * length, or -1 where the frame is broken. */
static long naive_decode(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t at = 0;
    size_t length = 0;

    while (at < n) {
        size_t code = in[at++];

        if (code - 1 > n - at) {
            return -1;
        }
        memcpy(out + length, in + at, code - 1);
        length += code - 1;
        at += code - 1;
        if (code != 0xFF && at < n) {
            out[length++] = 0;
        }
    }
    return (long)length;
}

/* Frames one after the other, each as its length in two bytes and its bytes, with the counts. */
typedef struct outcome {
    uint8_t bytes[8192];
    size_t size;
    fer_frame_counts counts;
} outcome;

static void keep(outcome *all, const uint8_t *frame, size_t length)
{
    assert_true(all->size + 2 + length <= sizeof all->bytes);
    all->bytes[all->size++] = (uint8_t)length;
    all->bytes[all->size++] = (uint8_t)(length >> 8);
    memcpy(all->bytes + all->size, frame, length);
    all->size += length;
}

static void decode_naively(const uint8_t *in, size_t n, size_t capacity, outcome *all)
{
    static uint8_t decoded[8192];

    memset(all, 0, sizeof *all);
    while (n > 0) {
        const uint8_t *end = memchr(in, 0, n);
        size_t length = end == NULL ? n : (size_t)(end - in);
        long plain;

        if (end == NULL) {
            break;
        }
        plain = naive_decode(in, length, decoded);
        if (length != 0 && plain >= 0 && (size_t)plain <= capacity) {
            all->counts.frames++;
            keep(all, decoded, (size_t)plain);
        } else if (length != 0) {
            all->counts.bytes += (uint32_t)length;
            all->counts.malformed++; /* told apart from oversized by the tests by hand */
        }
        in += length + 1;
        n -= length + 1;
    }
}

/* Feeds n bytes in pieces of up to `most`. */
static void decode_in_pieces(test_random *random, const uint8_t *in, size_t n, size_t most,
                             outcome *all)
{
    memset(all, 0, sizeof *all);
    while (n > 0) {
        size_t piece = 1 + test_random_below(random, (uint32_t)(most < n ? most : n));
        size_t at = 0;

        while (at < piece) {
            uint8_t *frame;
            size_t used;
            size_t length;
            fer_status status =
                fer_frame_decoder_feed(decoder, in + at, piece - at, &used, &frame, &length);

            assert_true(used <= piece - at);
            if (status == FER_OK) {
                keep(all, frame, length);
            } else {
                assert_int_equal(status, FER_EMPTY);
                assert_int_equal(used, piece - at);
            }
            at += used;
        }
        in += piece;
        n -= piece;
    }
    all->counts = counts();
}

/* Good frames, broken frames, noise and delimiters. */
static size_t make_stream(test_random *random, uint8_t *out, size_t limit)
{
    static uint8_t plain[400];
    size_t n = 0;

    while (n < limit) {
        size_t length = make_bytes(random, plain, sizeof plain);

        if (FER_FRAME_SIZE(length) > limit - n) {
            break;
        }
        if (test_random_below(random, 4) == 0) {
            memcpy(out + n, plain, length);
        } else {
            assert_int_equal(fer_frame_encode(plain, length, out + n, limit - n, &length), FER_OK);
            if (length > 1 && test_random_below(random, 3) == 0) {
                out[n + test_random_below(random, (uint32_t)length)] =
                    (uint8_t)test_random_next(random);
            }
        }
        n += length;
    }
    return n;
}

static void any_split_gives_the_same_frames_and_counts(void **state)
{
    static uint8_t stream[3000];
    static outcome expected;
    static outcome whole;
    static outcome split;
    test_random random = test_random_start("frame, splits");

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        size_t capacity = 1 + test_random_below(&random, CAPACITY);
        size_t n = make_stream(&random, stream, sizeof stream);

        decode_naively(stream, n, capacity, &expected);
        make(capacity);
        decode_in_pieces(&random, stream, n, n, &whole);
        assert_int_equal(whole.size, expected.size);
        assert_memory_equal(whole.bytes, expected.bytes, expected.size);
        assert_int_equal(whole.counts.frames, expected.counts.frames);
        assert_int_equal(whole.counts.bytes, expected.counts.bytes);
        assert_int_equal(whole.counts.malformed + whole.counts.oversized,
                         expected.counts.malformed);
        for (size_t most = 1; most < 200; most = most * 5 + 1) {
            make(capacity);
            decode_in_pieces(&random, stream, n, most, &split);
            assert_int_equal(split.size, whole.size);
            assert_memory_equal(split.bytes, whole.bytes, whole.size);
            assert_memory_equal(&split.counts, &whole.counts, sizeof whole.counts);
        }
    }
}

static void the_next_delimiter_resynchronises(void **state)
{
    static uint8_t noise[1000];
    static uint8_t plain[CAPACITY];
    static uint8_t out[FER_FRAME_SIZE(CAPACITY)];
    test_random random = test_random_start("frame, resynchronise");

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        size_t n = make_bytes(&random, noise, sizeof noise);
        size_t length = make_bytes(&random, plain, sizeof plain);
        size_t used = 0;
        uint8_t *frame;
        size_t ignored;

        for (size_t at = 0; at < n; at += used) {
            fer_status status =
                fer_frame_decoder_feed(decoder, noise + at, n - at, &used, &frame, &ignored);

            assert_true(status == FER_OK || status == FER_EMPTY);
        }
        (void)!fer_frame_decoder_feed(decoder, (const uint8_t *)"", 1, &used, &frame, &ignored);
        assert_int_equal(used, 1);
        n = length;
        assert_int_equal(fer_frame_encode(plain, n, out, sizeof out, &length), FER_OK);
        assert_frame((const char *)out, length, (const char *)plain, n);
    }
}

#define test(name) cmocka_unit_test_setup(name, set_up)

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
        test(what_is_encoded_is_decoded),
        test(encoding_in_place_is_encoding),
        test(runs_near_a_full_block_survive_in_place),
        test(any_split_gives_the_same_frames_and_counts),
        test(the_next_delimiter_resynchronises),
    };

    if (fer_arena_mark(&arena, &start) != FER_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
