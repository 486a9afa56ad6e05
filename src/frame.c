/* Ferrule: frame (floor 1). COBS, docs/WIRE.md section frame. A frame is a row of blocks: a code
 * byte c, then c - 1 bytes that are not zero; between two blocks stands a zero, unless c was 0xFF.
 *
 * Both directions go over their input once, forward: any split of the input is the same to the
 * decoder (TOTAL). */
#include "ferrule/frame.h"

#include <stdbool.h>
#include <string.h>

#include "internal/arena.h"
#include "internal/frame.h"
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

/*@ logic integer frame_size(integer n) = n + (n + 253) / 254 + (n == 0 ? 1 : 0) + 1;
 */

/* Words of the machine, wherever they lie; the compiler makes one instruction of each copy. */
/*@ requires \valid_read(in + (0 .. sizeof(size_t) - 1));
    assigns \result \from in[0 .. sizeof(size_t) - 1];
 */
static size_t load_word(const uint8_t *in)
{
    size_t word;

    memcpy(&word, in, sizeof word);
    return word;
}

/*@ requires \valid(out + (0 .. sizeof(size_t) - 1));
    assigns out[0 .. sizeof(size_t) - 1];
 */
static void store_word(uint8_t *out, size_t word)
{
    memcpy(out, &word, sizeof word);
}

/* Borrows run only from a zero byte upwards, so that no zero is missed; the test may be true for a
 * byte above one, which costs speed only. */
/*@ assigns \nothing;
 */
static bool has_zero(size_t word)
{
    const size_t ones = SIZE_MAX / 255u;

    return ((word - ones) & ~word & (ones << 7)) != 0;
}

/* Copies the bytes before the first zero, at most `most`; returns how many. Nearly all bytes of
 * both directions go through here, a word at a time where that is worth its size. Out may overlap
 * `in` from below: a word is loaded before it is stored, and nothing is stored beyond it. */
/*@ requires most <= RUN_MAX;
    requires most == 0 || \valid_read(in + (0 .. most - 1));
    requires most == 0 || \valid(out + (0 .. most - 1));
    requires \separated(in + (0 .. most - 1), out + (0 .. most - 1));
    assigns out[0 .. most - 1];
    ensures \result <= most;
    ensures stopped_for_a_reason: \result == most || in[\result] == 0;
 */
static size_t copy_run(const uint8_t *in, size_t most, uint8_t *out)
{
    size_t at = 0;

    /*@ loop invariant 0 <= at <= most;
        loop assigns at, out[0 .. most - 1];
        loop variant most - at;
     */
    while (FER_FAST && most - at >= sizeof(size_t)) {
        size_t word = load_word(in + at);

        if (has_zero(word)) {
            break;
        }
        store_word(out + at, word);
        at += sizeof word;
    }
    /*@ loop invariant at <= most;
        loop assigns at, out[0 .. most - 1];
        loop variant most - at;
     */
    while (at < most && in[at] != 0) {
        out[at] = in[at];
        at++;
    }
    return at;
}

/* The blocks, then the delimiter. Out is ahead of the first byte not yet read by one for every
 * block begun at most: so writing never overtakes reading, from FER_FRAME_HEADROOM on. */
/*@ requires n <= SIZE_MAX / 2;
    requires n == 0 || \valid_read(in + (0 .. n - 1));
    requires \valid(out + (0 .. frame_size(n) - 1));
    requires \separated(in + (0 .. n - 1), out + (0 .. frame_size(n) - 1));
    assigns out[0 .. frame_size(n) - 1];
    assigns \result \from out;
    ensures at_most_the_stated_size: \result == out + (\result - out) &&
              2 <= \result - out <= frame_size(n);
    ensures delimited: out[\result - out - 1] == 0;
 */
uint8_t *fer_frame_write(const uint8_t *in, size_t n, uint8_t *out)
{
    /*@ loop invariant 0 <= n <= \at(n, Pre) && in == \at(in, Pre) + (\at(n, Pre) - n);
        loop invariant out == \at(out, Pre) + (out - \at(out, Pre));
        loop invariant 0 <= out - \at(out, Pre);
        loop invariant out - \at(out, Pre) + frame_size(n) <= frame_size(\at(n, Pre));
        loop assigns in, n, out, \at(out, Pre)[0 .. frame_size(\at(n, Pre)) - 1];
     */
    for (;;) {
        size_t most = n < RUN_MAX ? n : RUN_MAX;
        size_t run = copy_run(in, most, out + 1);

        *out = (uint8_t)(run + 1u);
        out += run + 1u;
        n -= run;
        if (n == 0) {
            break;
        }
        in += run;
        if (run < most) { /* a zero ended the block, and the next block's code stands for it */
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
    *length = (size_t)(fer_frame_write(in, n, out) - out);
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

/*@ predicate decoding(fer_frame_decoder *d) =
      \valid(&d->tag) && \valid(&d->capacity) && \valid(&d->length) && \valid(&d->counts) &&
      \valid(&d->taken) && \valid(&d->run) && \valid(&d->zero) && \valid(&d->oversized) &&
      1 <= d->capacity <= SIZE_MAX / 2 && d->length <= d->capacity &&
      \valid(d->bytes + (0 .. d->capacity - 1)) && d->run <= RUN_MAX;

    // Field by field, because the prover gives a struct with a flexible array no size.
    predicate apart(fer_frame_decoder *d, uint8_t *p, integer n) =
      \separated(p + (0 .. n - 1), &d->tag, &d->capacity, &d->length, &d->counts, &d->taken,
                 &d->run, &d->zero, &d->oversized, d->bytes + (0 .. d->capacity - 1));
 */

/*@ requires \valid(counter);
    assigns *counter;
    ensures saturates: *counter == \min(\old(*counter) + n, UINT32_MAX);
 */
static void count(uint32_t *counter, uint32_t n)
{
    *counter = n < UINT32_MAX - *counter ? *counter + n : UINT32_MAX;
}

/* Takes what is there of the block begun, up to a delimiter and as far as there is room; returns
 * how many bytes. Most bytes go through this loop alone. */
/*@ requires decoding(decoder) && (n == 0 || \valid_read(in + (0 .. n - 1)));
    requires apart(decoder, in, n);
    assigns decoder->taken, decoder->length, decoder->run,
            decoder->bytes[0 .. decoder->capacity - 1];
    ensures decoding(decoder) && \result <= n && \result <= \old(decoder->run);
    ensures decoder->length == \old(decoder->length) + \result;
    ensures decoder->run == \old(decoder->run) - \result;
    ensures stopped_for_a_reason: \result == n || in[\result] == 0 || decoder->run == 0 ||
              decoder->length == decoder->capacity;
 */
static size_t take_run(fer_frame_decoder *decoder, const uint8_t *in, size_t n)
{
    uint8_t *out = decoder->bytes + decoder->length;
    size_t most = decoder->capacity - decoder->length;
    size_t at;

    most = most < decoder->run ? most : decoder->run;
    most = most < n ? most : n;
    at = copy_run(in, most, out);
    decoder->length += at;
    decoder->run = (uint8_t)(decoder->run - at);
    count(&decoder->taken, (uint32_t)at);
    return at;
}

/* Takes the byte behind a run, which is not the delimiter: a code, or one byte too many. */
/*@ requires decoding(decoder) && byte != 0;
    assigns decoder->taken, decoder->length, decoder->oversized, decoder->run, decoder->zero,
            decoder->bytes[0 .. decoder->capacity - 1];
    ensures decoding(decoder) && decoder->taken >= 1;
    ensures nothing_kept: \old(decoder->oversized) ==>
              decoder->oversized && decoder->length == \old(decoder->length);
 */
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
/*@ requires decoding(decoder);
    assigns decoder->counts;
    ensures decoding(decoder);
    ensures \result <==> decoder->taken != 0 && !decoder->oversized && decoder->run == 0;
 */
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

/*@ requires decoding(decoder);
    assigns decoder->length, decoder->taken, decoder->run, decoder->zero, decoder->oversized;
    ensures decoding(decoder);
    ensures decoder->length == 0 && decoder->taken == 0 && decoder->run == 0;
    ensures !decoder->zero && !decoder->oversized;
 */
static void restart(fer_frame_decoder *decoder)
{
    decoder->length = 0;
    decoder->taken = 0;
    decoder->run = 0;
    decoder->zero = false;
    decoder->oversized = false;
}

/* Takes bytes up to the end of the next good frame, or all; returns how many. */
/*@ requires decoding(decoder) && \valid(good) && \valid(length);
    requires n == 0 || \valid_read(in + (0 .. n - 1));
    requires \separated(good, length, in + (0 .. n - 1), &decoder->tag, &decoder->capacity,
                        &decoder->length, &decoder->counts, &decoder->taken, &decoder->run,
                        &decoder->zero, &decoder->oversized,
                        decoder->bytes + (0 .. decoder->capacity - 1));
    assigns decoder->counts, decoder->taken, decoder->length, decoder->oversized,
            decoder->run, decoder->zero, *good, *length,
            decoder->bytes[0 .. decoder->capacity - 1];
    ensures decoding(decoder) && \result <= n;
    ensures all_or_a_frame: *good || \result == n;
    ensures fits: *good ==> *length <= decoder->capacity && in[\result - 1] == 0;
 */
static size_t decode(fer_frame_decoder *decoder, const uint8_t *in, size_t n, bool *good,
                     size_t *length)
{
    size_t at = 0;

    *good = false;
    /*@ loop invariant decoding(decoder) && at <= n;
        loop invariant decoder->capacity == \at(decoder->capacity, Pre);
        loop invariant *good ==> at >= 1 && in[at - 1] == 0 && *length <= decoder->capacity;
        loop assigns at, *good, *length, decoder->counts, decoder->taken, decoder->length,
                     decoder->oversized, decoder->run, decoder->zero,
                     decoder->bytes[0 .. decoder->capacity - 1];
        loop variant n - at;
     */
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
