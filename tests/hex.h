/* Tests: constants written in hex. Include cmocka.h first. */
#ifndef FERRULE_TESTS_HEX_H
#define FERRULE_TESTS_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline unsigned hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = memchr(digits, c, sizeof digits - 1);

    assert_non_null(at);
    return (unsigned)(at - digits);
}

/* Decodes lower-case hex into out and answers the number of bytes, at most capacity. */
static inline size_t hex_decode(const char *hex, uint8_t *out, size_t capacity)
{
    size_t n = strlen(hex) / 2;

    assert_true(strlen(hex) % 2 == 0 && n <= capacity);
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    }
    return n;
}

/* Fails unless the n bytes are those of the hex, in number too. */
static inline void assert_hex_equal(const uint8_t *bytes, size_t n, const char *hex)
{
    uint8_t expected[512];

    assert_int_equal(hex_decode(hex, expected, sizeof expected), n);
    if (n != 0) {
        assert_memory_equal(bytes, expected, n);
    }
}

/* Fails unless every byte is `value`. */
static inline void assert_all_bytes(const void *bytes, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(((const uint8_t *)bytes)[i], value);
    }
}

#endif
