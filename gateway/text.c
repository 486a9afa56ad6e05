#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ferrule/config.h"

/* The value of a hex digit, or -1. */
static int nibble(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool text_from_hex(const char *hex, size_t n, uint8_t *out, size_t capacity, size_t *length)
{
    if (n % 2 != 0 || n / 2 > capacity) {
        return false;
    }
    for (size_t i = 0; i < n / 2; i++) {
        const int high = nibble(hex[2 * i]);
        const int low = nibble(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    *length = n / 2;
    return true;
}

void text_to_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

bool text_to_u32(const char *text, uint32_t max, uint32_t *value)
{
    uint64_t sum = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        sum = sum * 10 + (uint64_t)(*text - '0');
        if (sum > max) {
            return false;
        }
    }
    *value = (uint32_t)sum;
    return true;
}

bool text_is_identity(const char *text, size_t n)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._:-";
    return n > 0 && n <= FER_IDENTITY_MAX && strlen(text) == n && strspn(text, allowed) == n;
}

/* Bytes of the character that starts in[0..n), 0 where none is valid there. Table 3-7 of the
 * Unicode Standard. */
static size_t utf8_length(const uint8_t *in, size_t n)
{
    const uint8_t lead = in[0];
    size_t length = 0;
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    if (lead < 0x80) {
        return lead >= 0x20 && lead != 0x7F;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
        low = lead == 0xC2 ? 0xA0 : 0x80; /* U+0080 to U+009F are control characters */
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        low = lead == 0xE0 ? 0xA0 : 0x80;
        high = lead == 0xED ? 0x9F : 0xBF;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        low = lead == 0xF0 ? 0x90 : 0x80;
        high = lead == 0xF4 ? 0x8F : 0xBF;
    }
    if (length == 0 || length > n || in[1] < low || in[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((in[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool text_is_printable(const char *text, size_t n)
{
    for (size_t at = 0; at < n;) {
        const size_t step = utf8_length((const uint8_t *)text + at, n - at);
        if (step == 0) {
            return false;
        }
        at += step;
    }
    return true;
}

void text_clean(const uint8_t *in, size_t n, char *out)
{
    size_t at = 0;
    while (at < n) {
        const size_t step = utf8_length(in + at, n - at);
        if (step == 0) {
            out[at++] = '?';
            continue;
        }
        memcpy(out + at, in + at, step);
        at += step;
    }
    out[at] = '\0';
}

void text_from_double(double value, char out[TEXT_NUMBER_SIZE])
{
    if (!isfinite(value)) {
        (void)snprintf(out, TEXT_NUMBER_SIZE, "%s",
                       isnan(value) ? "nan"
                       : value > 0  ? "inf"
                                    : "-inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, TEXT_NUMBER_SIZE, "%.*g", digits, value);
        if (text_double_bits(strtod(out, NULL)) == text_double_bits(value)) {
            return;
        }
    }
}

int64_t text_double_bits(double value)
{
    int64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

double text_bits_double(int64_t bits)
{
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void text_from_time(int64_t unix_ms, char out[TEXT_NUMBER_SIZE])
{
    const int64_t ms = ((unix_ms % 1000) + 1000) % 1000;
    const time_t seconds = (time_t)((unix_ms - ms) / 1000);
    struct tm parts;
    char date[TEXT_NUMBER_SIZE - 8];
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        (void)snprintf(out, TEXT_NUMBER_SIZE, "%" PRId64, unix_ms);
        return;
    }
    (void)snprintf(out, TEXT_NUMBER_SIZE, "%s.%03dZ", date, (int)ms);
}
