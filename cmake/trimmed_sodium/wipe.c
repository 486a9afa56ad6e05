/* What libsodium wipes with on bare targets, by words. Its own way there is memset, which a small C
 * library does byte by byte: a hash then spends as long on wiping its working space as on hashing.
 * The barrier keeps the stores: nothing after it may be assumed about the bytes (WIPE). */
#include "wipe.h"

#include <stdint.h>

void *explicit_memset(void *bytes, int value, size_t n)
{
    typedef uint32_t __attribute__((may_alias)) word;
    unsigned char *at = bytes;
    uint32_t fill = (unsigned char)value * 0x01010101u;

    for (; n != 0 && (uintptr_t)at % sizeof fill != 0; n--) {
        *at++ = (unsigned char)value;
    }
    for (; n >= 8 * sizeof fill; n -= 8 * sizeof fill, at += 8 * sizeof fill) {
        word *words = (word *)(void *)at;

        words[0] = fill;
        words[1] = fill;
        words[2] = fill;
        words[3] = fill;
        words[4] = fill;
        words[5] = fill;
        words[6] = fill;
        words[7] = fill;
    }
    for (; n >= sizeof fill; n -= sizeof fill, at += sizeof fill) {
        *(word *)(void *)at = fill;
    }
    for (; n != 0; n--) {
        *at++ = (unsigned char)value;
    }
    __asm__ volatile("" : : "r"(bytes) : "memory");
    return bytes;
}
