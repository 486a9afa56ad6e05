/* Ferrule tests: COBS frames taken apart by an implementation of its own, from the paper. Include
 * after cmocka.h. */
#ifndef FERRULE_TESTS_UNFRAME_H
#define FERRULE_TESTS_UNFRAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Decodes one COBS frame into the same bytes. */
static inline size_t unframe(uint8_t *bytes, size_t n)
{
    size_t in = 0, out = 0;
    assert_true(n > 1 && bytes[n - 1] == 0 && memchr(bytes, 0, n) == bytes + n - 1);
    while (in < n - 1) {
        size_t code = bytes[in++];
        assert_true(in + code - 1 <= n - 1);
        for (size_t i = 1; i < code; i++) {
            bytes[out++] = bytes[in++];
        }
        if (code < 255 && in < n - 1) {
            bytes[out++] = 0;
        }
    }
    return out;
}

#endif
