/* Ferrule gateway: text. Hex, identities, numbers and untrusted strings, in and out. */
#ifndef FERRULE_GATEWAY_TEXT_H
#define FERRULE_GATEWAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_NUMBER_SIZE 40u

/* Hex digits of either case, nothing else, an even number of them. False: anything else, or more
 * than `capacity` bytes. Time depends on the length alone for valid input: roots pass here. */
bool text_from_hex(const char *hex, size_t n, uint8_t *out, size_t capacity, size_t *length);

/* Lower case, terminated; out holds 2 n + 1. */
void text_to_hex(const uint8_t *bytes, size_t n, char *out);

/* A decimal number up to max. */
bool text_to_u32(const char *text, uint32_t max, uint32_t *value);

/* An identity as the registry writes it: 1 to 32 of A-Z a-z 0-9 . _ : - */
bool text_is_identity(const char *text, size_t n);

/* Valid UTF-8 (no overlong form, no surrogate) without control characters. */
bool text_is_printable(const char *text, size_t n);

/* Copies text from outside so that it can be printed: what is not valid UTF-8 or is a control
 * character becomes '?'. Out holds n + 1. */
void text_clean(const uint8_t *in, size_t n, char *out);

/* The shortest decimal that reads back as the same double ("nan", "inf", "-inf" otherwise). */
void text_from_double(double value, char out[TEXT_NUMBER_SIZE]);

/* The bits of a double, as the integer that the database keeps. */
int64_t text_double_bits(double value);
double text_bits_double(int64_t bits);

/* Milliseconds since 1970 as 2026-01-31T12:00:00.123Z; the plain number where no calendar has it.
 */
void text_from_time(int64_t unix_ms, char out[TEXT_NUMBER_SIZE]);

#endif
