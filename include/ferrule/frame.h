/* Ferrule: frame. Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999) for byte streams:
 * no byte of an encoded frame is 0x00, and one 0x00 ends it. No CRC: the record's tag is the
 * checksum. Bytes in docs/WIRE.md, section frame.
 *
 * Concurrency: a decoder belongs to one thread. Nothing blocks. Nothing secret. */
#ifndef FERRULE_FRAME_H
#define FERRULE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most bytes that n bytes become: one code byte per started run of 254, and the delimiter. */
#define FER_FRAME_SIZE(n) ((n) + ((n) + 253u) / 254u + ((n) == 0u) + 1u)

/* In-place encoding: `in` may lie inside `out` if it starts at least this far behind it. */
#define FER_FRAME_HEADROOM(n) (FER_FRAME_SIZE(n) - (n)-1u)

/* Encodes n bytes and the delimiter into out, and sets *length. Out needs FER_FRAME_SIZE(n)
 * bytes, else FER_ERR_CAPACITY and nothing is written. In and out are disjoint, or overlap as
 * FER_FRAME_HEADROOM says. Time linear in n; any thread or ISR. */
FER_MUST_USE fer_status fer_frame_encode(const uint8_t *in, size_t n, uint8_t *out, size_t capacity,
                                         size_t *length);

/* An incremental decoder; it decodes in place in its own buffer. */
typedef struct fer_frame_decoder fer_frame_decoder;

/* Arena bytes of a decoder for decoded frames of up to `capacity` bytes. */
#define FER_FRAME_DECODER_SIZE(capacity) (FER_ARENA_SIZEOF(3, 24) + FER_ARENA_ROUND(capacity))

/* What a decoder dropped, and why (HONEST). Counters saturate. */
typedef struct fer_frame_counts {
    uint32_t frames;    /* handed out */
    uint32_t oversized; /* longer than the capacity */
    uint32_t malformed; /* a delimiter came before its run was complete */
    uint32_t bytes;     /* input bytes of the frames dropped */
} fer_frame_counts;

/* Makes a decoder for frames of up to `capacity` decoded bytes, FER_FRAME_DECODER_SIZE(capacity) of
 * the arena. FER_ERR_ARGUMENT: capacity is 0. FER_ERR_ARENA. */
FER_MUST_USE fer_status fer_frame_decoder_create(fer_arena *arena, size_t capacity,
                                                 fer_frame_decoder **decoder);

/* Consumes input up to the end of the next good frame. FER_OK: *frame and *length tell it; the
 * bytes are the caller's to change until the next call with this decoder. FER_EMPTY: all of `in`
 * is consumed and no frame is complete. *used is set in both cases: call again with the rest.
 * Bad frames are counted and skipped; empty ones (repeated delimiters) are skipped silently.
 * TOTAL: any input, split in any way, gives the same frames and counts. */
FER_MUST_USE fer_status fer_frame_decoder_feed(fer_frame_decoder *decoder, const uint8_t *in,
                                               size_t n, size_t *used, uint8_t **frame,
                                               size_t *length);

/* Tells the counts since the decoder was made. FER_ERR_HANDLE: no decoder. */
FER_MUST_USE fer_status fer_frame_decoder_get_counts(const fer_frame_decoder *decoder,
                                                     fer_frame_counts *counts);

/* Wipes the decoder and sets the caller's pointer to null. Null or closed: no effect. */
void fer_frame_decoder_close(fer_frame_decoder **decoder);

#ifdef __cplusplus
}
#endif
#endif
