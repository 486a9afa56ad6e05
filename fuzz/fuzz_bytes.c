/* Fuzz: bytes. Input: size of the text (1 byte), the text, then one byte per operation on a reader
 * over the text, low 3 bits which, the rest how many bytes.
 *
 * Untrusted: everything. Invariants: the cursor never passes the end, never goes back, never heals;
 * a failed read yields zeros; what is read and written elsewhere is the text again (TOTAL). */
#include <string.h>

#include "internal/bytes.h"

#define REQUIRE(condition)    \
    do {                      \
        if (!(condition)) {   \
            __builtin_trap(); \
        }                     \
    } while (0)

enum { TEXT_MAX = 255, SPAN_MAX = 31 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads by one operation and writes what it read; returns how many bytes it asked for. */
static size_t transfer(fer_reader *reader, fer_writer *writer, uint8_t operation)
{
    uint8_t block[SPAN_MAX + 1];
    size_t n = operation >> 3;

    switch (operation & 7u) {
    case 0:
        fer_write_u8(writer, fer_read_u8(reader));
        return 1;
    case 1:
        fer_write_u16(writer, fer_read_u16(reader));
        return 2;
    case 2:
        fer_write_u32(writer, fer_read_u32(reader));
        return 4;
    case 3:
        fer_write_u64(writer, fer_read_u64(reader));
        return 8;
    case 4:
        fer_read_bytes(reader, block, n);
        fer_write_bytes(writer, block, n);
        return n;
    case 5: {
        const uint8_t *span = fer_read_span(reader, n);

        REQUIRE((span == NULL) == reader->failed);
        fer_write_bytes(writer, span == NULL ? block : span, span == NULL ? 0 : n);
        return n;
    }
    case 6: {
        uint8_t value = fer_read_u8(reader);

        fer_write_fill(writer, value, 1);
        return 1;
    }
    default: {
        const uint8_t *span = fer_read_span(reader, SIZE_MAX - n);

        REQUIRE(span == NULL);
        return SIZE_MAX - n;
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t copy[TEXT_MAX + SPAN_MAX];
    size_t text;
    size_t at = 0;
    bool failed = false;
    fer_reader reader;
    fer_writer writer;

    if (size == 0) {
        return 0;
    }
    text = data[0] < size - 1 ? data[0] : size - 1;
    memset(copy, 0, sizeof copy);
    reader = fer_reader_over(data + 1, text);
    writer = fer_writer_over(copy, sizeof copy);
    for (size_t i = 1 + text; i < size && !writer.failed; i++) {
        size_t n = transfer(&reader, &writer, data[i]);

        failed = failed || n > text - at;
        at += failed ? 0 : n;
        REQUIRE(reader.failed == failed && reader.at == at);
        REQUIRE(fer_reader_left(&reader) == (failed ? 0 : text - at));
        REQUIRE(writer.at <= sizeof copy && writer.at >= at);
    }
    REQUIRE(memcmp(copy, data + 1, at) == 0);
    for (size_t i = at; i < sizeof copy; i++) {
        REQUIRE(copy[i] == 0); /* failed reads gave zeros only */
    }
    return 0;
}
