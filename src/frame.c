/* Ferrule: frame (floor 1). COBS, docs/WIRE.md section frame. A frame is a row of blocks: a code
 * byte c, then c - 1 bytes that are not zero; between two blocks stands a zero, unless c was 0xFF.
 *
 * Both directions go over their input once, forward, byte by byte: any split of the input is the
 * same to the decoder (TOTAL). */
#include "ferrule/frame.h"

#include <stdbool.h>

#include "internal/arena.h"
#include "internal/handle.h"

/* A block of this code has no zero behind it. */
#define CODE_FULL 0xFFu
#define RUN_MAX 254u

struct fer_frame_decoder {
    fer_tag tag;
    size_t capacity;
    size_t length; /* decoded bytes of the frame so far; never above capacity */
    fer_frame_counts counts;
    uint32_t taken; /* input bytes of the frame so far; saturates */
    uint8_t run;    /* bytes to come in this block; at 0 the next byte is a code */
    bool zero;      /* a zero stands before the next block */
    bool oversized; /* nothing more of this frame is kept */
    uint8_t bytes[];
};

_Static_assert(sizeof(struct fer_frame_decoder) + 8u <= FER_FRAME_DECODER_SIZE(8u),
               "FER_FRAME_DECODER_SIZE is too small");
_Static_assert(FER_FRAME_DECODER_SIZE(8u) < sizeof(struct fer_frame_decoder) + 8u + 24u,
               "FER_FRAME_DECODER_SIZE is wasteful");

/* Writes the blocks of n bytes and the delimiter; returns where they end. A code is written behind
 * its block, and out is ahead of the first byte not yet read by one for every block begun at most:
 * so writing never overtakes reading, from FER_FRAME_HEADROOM on. */
static uint8_t *encode(const uint8_t *in, size_t n, uint8_t *out)
{
    for (;;) {
        uint8_t *code = out++;
        size_t rest = n > RUN_MAX ? n - RUN_MAX : 0;

        for (; n > rest && *in != 0; n--) {
            *out++ = *in++;
        }
        *code = (uint8_t)(out - code);
        if (n == 0) {
            break;
        }
        if (n > rest) { /* a zero ended the block, and the next block's code stands for it */
            in++;
            n--;
        }
    }
    *out++ = 0;
    return out;
}

fer_status fer_frame_encode(const uint8_t *in, size_t n, uint8_t *out, size_t capacity,
                            size_t *length)
{
    if ((in == NULL && n != 0) || out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (n > SIZE_MAX / 2u || capacity < FER_FRAME_SIZE(n)) {
        return FER_ERR_CAPACITY;
    }
    *length = (size_t)(encode(in, n, out) - out);
    return FER_OK;
}

static bool is_open(const fer_frame_decoder *decoder)
{
    return decoder != NULL && fer_tag_is(&decoder->tag, FER_TAG_FRAME_DECODER);
}

fer_status fer_frame_decoder_create(fer_arena *arena, size_t capacity, fer_frame_decoder **decoder)
{
    fer_frame_decoder *made;

    if (decoder == NULL || capacity == 0) {
        return FER_ERR_ARGUMENT;
    }
    if (capacity > SIZE_MAX / 2u) {
        return FER_ERR_ARENA;
    }
    made = fer_arena_carve(arena, sizeof *made + capacity);
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    made->capacity = capacity;
    made->tag = fer_tag_make(made, FER_TAG_FRAME_DECODER);
    *decoder = made;
    return FER_OK;
}

static void count(uint32_t *counter, uint32_t n)
{
    *counter = n < UINT32_MAX - *counter ? *counter + n : UINT32_MAX;
}

/* Takes what is there of the block begun, up to a delimiter and as far as there is room; returns
 * how many bytes. Most bytes go through this loop alone. */
static size_t take_run(fer_frame_decoder *decoder, const uint8_t *in, size_t n)
{
    uint8_t *out = decoder->bytes + decoder->length;
    size_t most = decoder->capacity - decoder->length;
    size_t at = 0;

    most = most < decoder->run ? most : decoder->run;
    most = most < n ? most : n;
    while (at < most && in[at] != 0) {
        out[at] = in[at];
        at++;
    }
    decoder->length += at;
    decoder->run = (uint8_t)(decoder->run - at);
    count(&decoder->taken, (uint32_t)at);
    return at;
}

/* Takes the byte behind a run, which is not the delimiter: a code, or one byte too many. */
static void take(fer_frame_decoder *decoder, uint8_t byte)
{
    count(&decoder->taken, 1);
    if (decoder->run > 0 || (decoder->zero && decoder->length == decoder->capacity)) {
        decoder->oversized = true;
    }
    if (decoder->oversized) {
        return;
    }
    if (decoder->zero) {
        decoder->bytes[decoder->length++] = 0;
    }
    decoder->run = (uint8_t)(byte - 1u);
    decoder->zero = byte != CODE_FULL;
}

/* Judges the frame that a delimiter ends; true if it is good. */
static bool is_good(fer_frame_decoder *decoder)
{
    if (decoder->taken == 0) {
        return false;
    }
    if (!decoder->oversized && decoder->run == 0) {
        count(&decoder->counts.frames, 1);
        return true;
    }
    count(decoder->oversized ? &decoder->counts.oversized : &decoder->counts.malformed, 1);
    count(&decoder->counts.bytes, decoder->taken);
    return false;
}

static void restart(fer_frame_decoder *decoder)
{
    decoder->length = 0;
    decoder->taken = 0;
    decoder->run = 0;
    decoder->zero = false;
    decoder->oversized = false;
}

/* Takes bytes up to the end of the next good frame, or all; returns how many. */
static size_t decode(fer_frame_decoder *decoder, const uint8_t *in, size_t n, bool *good,
                     size_t *length)
{
    size_t at = 0;

    *good = false;
    while (at < n && !*good) {
        uint8_t byte;

        if (!decoder->oversized) {
            at += take_run(decoder, in + at, n - at);
        }
        if (at == n) {
            break;
        }
        byte = in[at++];
        if (byte != 0) {
            take(decoder, byte);
            continue;
        }
        *good = is_good(decoder);
        *length = decoder->length;
        restart(decoder);
    }
    return at;
}

fer_status fer_frame_decoder_feed(fer_frame_decoder *decoder, const uint8_t *in, size_t n,
                                  size_t *used, uint8_t **frame, size_t *length)
{
    bool good;

    if (!is_open(decoder)) {
        return FER_ERR_HANDLE;
    }
    if ((in == NULL && n != 0) || used == NULL || frame == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *used = decode(decoder, in, n, &good, length);
    *frame = good ? decoder->bytes : NULL;
    *length = good ? *length : 0;
    return good ? FER_OK : FER_EMPTY;
}

fer_status fer_frame_decoder_get_counts(const fer_frame_decoder *decoder, fer_frame_counts *counts)
{
    if (!is_open(decoder)) {
        return FER_ERR_HANDLE;
    }
    if (counts == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *counts = decoder->counts;
    return FER_OK;
}

void fer_frame_decoder_close(fer_frame_decoder **decoder)
{
    if (decoder == NULL || !is_open(*decoder)) {
        return;
    }
    fer_arena_retire(*decoder, sizeof **decoder + (*decoder)->capacity);
    *decoder = NULL;
}
