/* Ferrule: bytes (floor 1). The bounded cursor. Everything goes through fer_read_span and claim,
 * which alone compare with the bound (TOTAL): at <= size, always. */
#include "internal/bytes.h"

#include <string.h>

fer_reader fer_reader_over(const uint8_t *bytes, size_t size)
{
    fer_reader reader = {bytes, size, 0, false};

    if (bytes == NULL) {
        reader.bytes = (const uint8_t *)"";
        reader.size = 0;
        reader.failed = size != 0;
    }
    return reader;
}

size_t fer_reader_left(const fer_reader *reader)
{
    return reader->failed ? 0 : reader->size - reader->at;
}

const uint8_t *fer_read_span(fer_reader *reader, size_t n)
{
    const uint8_t *span;

    if (reader->failed || n > reader->size - reader->at) {
        reader->failed = true;
        return NULL;
    }
    span = reader->bytes + reader->at;
    reader->at += n;
    return span;
}

void fer_read_bytes(fer_reader *reader, uint8_t *out, size_t n)
{
    const uint8_t *span = fer_read_span(reader, n);

    if (n == 0) {
        return;
    }
    if (span == NULL) {
        memset(out, 0, n);
    } else {
        memcpy(out, span, n);
    }
}

uint8_t fer_read_u8(fer_reader *reader)
{
    const uint8_t *span = fer_read_span(reader, 1);

    return span == NULL ? 0 : span[0];
}

uint16_t fer_read_u16(fer_reader *reader)
{
    const uint8_t *span = fer_read_span(reader, 2);

    return span == NULL ? 0 : fer_load_u16(span);
}

uint32_t fer_read_u32(fer_reader *reader)
{
    const uint8_t *span = fer_read_span(reader, 4);

    return span == NULL ? 0 : fer_load_u32(span);
}

uint64_t fer_read_u64(fer_reader *reader)
{
    const uint8_t *span = fer_read_span(reader, 8);

    return span == NULL ? 0 : fer_load_u32(span) | (uint64_t)fer_load_u32(span + 4) << 32;
}

fer_writer fer_writer_over(uint8_t *bytes, size_t size)
{
    fer_writer writer = {bytes, size, 0, false};

    if (bytes == NULL) {
        writer.size = 0;
        writer.failed = size != 0;
    }
    return writer;
}

/* The next n bytes, n at least 1, or null when fewer are left. */
static uint8_t *claim(fer_writer *writer, size_t n)
{
    uint8_t *span;

    if (writer->failed || n > writer->size - writer->at) {
        writer->failed = true;
        return NULL;
    }
    span = writer->bytes + writer->at;
    writer->at += n;
    return span;
}

void fer_write_bytes(fer_writer *writer, const uint8_t *in, size_t n)
{
    uint8_t *span = n == 0 ? NULL : claim(writer, n);

    if (span != NULL) {
        memcpy(span, in, n);
    }
}

void fer_write_fill(fer_writer *writer, uint8_t value, size_t n)
{
    uint8_t *span = n == 0 ? NULL : claim(writer, n);

    if (span != NULL) {
        memset(span, value, n);
    }
}

void fer_write_u8(fer_writer *writer, uint8_t value)
{
    fer_write_fill(writer, value, 1);
}

void fer_write_u16(fer_writer *writer, uint16_t value)
{
    uint8_t *span = claim(writer, 2);

    if (span != NULL) {
        fer_store_u16(span, value);
    }
}

void fer_write_u32(fer_writer *writer, uint32_t value)
{
    uint8_t *span = claim(writer, 4);

    if (span != NULL) {
        fer_store_u32(span, value);
    }
}

void fer_write_u64(fer_writer *writer, uint64_t value)
{
    uint8_t *span = claim(writer, 8);

    if (span != NULL) {
        fer_store_u32(span, (uint32_t)value);
        fer_store_u32(span + 4, (uint32_t)(value >> 32));
    }
}
