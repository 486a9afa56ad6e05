/* Fuzz: frame. Input: capacity (1 byte), seed of the split (1 byte), then a stream.
 *
 * Untrusted: the stream. Invariants: any split gives the same frames and counts (TOTAL); each frame
 * fits the capacity; each frame encodes again, disjoint and in place, to bytes that decode to it;
 * each input byte is a frame's, a dropped frame's, or of the frame still open (HONEST). */
#include <string.h>

#include "ferrule/frame.h"

#define REQUIRE(condition)    \
    do {                      \
        if (!(condition)) {   \
            __builtin_trap(); \
        }                     \
    } while (0)

enum { CAPACITY_MAX = 255 * 4, INPUT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

FER_ARENA(arena, 3 * FER_FRAME_DECODER_SIZE(CAPACITY_MAX));

/* Every frame a decoder gave, one after the other, each behind its length. */
typedef struct outcome {
    uint8_t bytes[INPUT_MAX * 2];
    size_t size;
    fer_frame_counts counts;
} outcome;

static fer_frame_decoder *make(size_t capacity)
{
    fer_frame_decoder *decoder;

    REQUIRE(fer_frame_decoder_create(&arena, capacity, &decoder) == FER_OK);
    return decoder;
}

static void comes_back(fer_frame_decoder *decoder, const uint8_t *frame, size_t n)
{
    static uint8_t apart[FER_FRAME_SIZE(CAPACITY_MAX)];
    static uint8_t shared[FER_FRAME_SIZE(CAPACITY_MAX)];
    uint8_t *again;
    size_t length;
    size_t shared_length;
    size_t used;

    memcpy(shared + FER_FRAME_HEADROOM(n), frame, n);
    REQUIRE(fer_frame_encode(frame, n, apart, FER_FRAME_SIZE(n), &length) == FER_OK);
    REQUIRE(fer_frame_encode(shared + FER_FRAME_HEADROOM(n), n, shared, FER_FRAME_SIZE(n),
                             &shared_length) == FER_OK);
    REQUIRE(shared_length == length && memcmp(shared, apart, length) == 0);
    REQUIRE(memchr(apart, 0, length) == apart + length - 1);
    REQUIRE(fer_frame_decoder_feed(decoder, apart, length, &used, &again, &length) == FER_OK);
    REQUIRE(length == n && memcmp(again, frame, n) == 0);
}

static void keep(outcome *all, const uint8_t *frame, size_t length)
{
    REQUIRE(all->size + 2 + length <= sizeof all->bytes);
    all->bytes[all->size++] = (uint8_t)length;
    all->bytes[all->size++] = (uint8_t)(length >> 8);
    memcpy(all->bytes + all->size, frame, length);
    all->size += length;
}

/* Feeds n bytes in pieces whose lengths follow from `split`; 0: all at once. */
static void decode(const uint8_t *in, size_t n, size_t capacity, unsigned split, outcome *all)
{
    fer_frame_decoder *decoder = make(capacity);
    fer_frame_decoder *second = make(capacity);
    size_t end = 0;

    all->size = 0;
    for (size_t at = 0; at < n;) {
        uint8_t *frame;
        size_t used;
        size_t length;
        fer_status status;

        if (at == end) {
            size_t piece = split == 0 ? n : 1 + split % 17;

            split = split * 31 % 251 + (split != 0);
            end = piece < n - at ? at + piece : n;
        }
        status = fer_frame_decoder_feed(decoder, in + at, end - at, &used, &frame, &length);
        REQUIRE(used <= end - at);
        REQUIRE(status == FER_OK || (status == FER_EMPTY && used == end - at));
        at += used;
        if (status == FER_OK) {
            REQUIRE(length <= capacity);
            comes_back(second, frame, length);
            keep(all, frame, length);
        }
    }
    REQUIRE(fer_frame_decoder_get_counts(decoder, &all->counts) == FER_OK);
    fer_frame_decoder_close(&second);
    fer_frame_decoder_close(&decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static outcome whole;
    static outcome split;
    fer_arena_position start;
    size_t capacity;

    if (size < 2 || size > INPUT_MAX) {
        return 0;
    }
    capacity = 1 + data[0] * 4u % CAPACITY_MAX;
    REQUIRE(fer_arena_mark(&arena, &start) == FER_OK);
    decode(data + 2, size - 2, capacity, 0, &whole);
    REQUIRE(fer_arena_rewind(&arena, start) == FER_OK);
    decode(data + 2, size - 2, capacity, 1u + data[1], &split);
    REQUIRE(fer_arena_rewind(&arena, start) == FER_OK);

    REQUIRE(whole.size == split.size && memcmp(whole.bytes, split.bytes, whole.size) == 0);
    REQUIRE(memcmp(&whole.counts, &split.counts, sizeof whole.counts) == 0);
    REQUIRE(whole.counts.bytes + 2u * whole.counts.frames <= size - 2);
    return 0;
}
