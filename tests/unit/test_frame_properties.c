/* Ferrule tests: frame, against naive models and on random streams. Invariants TOTAL and HONEST. */
#include "frame_kit.h"
#include "random.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(what_is_encoded_is_decoded),
        test(encoding_in_place_is_encoding),
        test(runs_near_a_full_block_survive_in_place),
        test(any_split_gives_the_same_frames_and_counts),
        test(the_next_delimiter_resynchronises),
    };

    return RUN(tests);
}
