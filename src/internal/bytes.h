/* Ferrule: bytes (floor 1). A bounded cursor for everything that is parsed or built, and the
 * little-endian integers of the wire. No parser touches a raw pointer (TOTAL).
 *
 * A cursor that ran out stays failed: read or write on, check once at the end. A failed read
 * yields zeros, a failed write writes nothing. */
#ifndef FERRULE_INTERNAL_BYTES_H
#define FERRULE_INTERNAL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct fer_reader {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    bool failed;
} fer_reader;

typedef struct fer_writer {
    uint8_t *bytes;
    size_t size;
    size_t at;
    bool failed;
} fer_writer;

fer_reader fer_reader_over(const uint8_t *bytes, size_t size);
size_t fer_reader_left(const fer_reader *reader);
/* n bytes in place, or null when fewer are left. */
const uint8_t *fer_read_span(fer_reader *reader, size_t n);
void fer_read_bytes(fer_reader *reader, uint8_t *out, size_t n);
uint8_t fer_read_u8(fer_reader *reader);
uint16_t fer_read_u16(fer_reader *reader);
uint32_t fer_read_u32(fer_reader *reader);
uint64_t fer_read_u64(fer_reader *reader);

fer_writer fer_writer_over(uint8_t *bytes, size_t size);
void fer_write_bytes(fer_writer *writer, const uint8_t *in, size_t n);
/* n bytes of one value. */
void fer_write_fill(fer_writer *writer, uint8_t value, size_t n);
void fer_write_u8(fer_writer *writer, uint8_t value);
void fer_write_u16(fer_writer *writer, uint16_t value);
void fer_write_u32(fer_writer *writer, uint32_t value);
void fer_write_u64(fer_writer *writer, uint64_t value);

/* Fixed fields of known size, for hot paths whose bounds are checked once beforehand. Stored as an
 * array, which small compilers turn into one instruction where they do not join single bytes. */
static inline void fer_store_u16(uint8_t out[2], uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

    memcpy(out, bytes, sizeof bytes);
}

static inline void fer_store_u32(uint8_t out[4], uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 24)};

    memcpy(out, bytes, sizeof bytes);
}

static inline uint16_t fer_load_u16(const uint8_t in[2])
{
    return (uint16_t)(in[0] | (unsigned)in[1] << 8);
}

static inline uint32_t fer_load_u32(const uint8_t in[4])
{
    return fer_load_u16(in) | (uint32_t)fer_load_u16(in + 2) << 16;
}

#endif
