/* Proof: greeting. Taking a packet apart: no run-time error whatever the bytes, and what is found
 * lies within them (TOTAL). The cursor's contracts are proved in bytes.c; that of fer_header_route,
 * a shift by two bits, is beyond these provers: test_greeting tries every first byte.
 *
 * Proves: first_byte_is,parse,fits
 */
#include "bytes.c"

#include "ferrule/greeting.h"

/*@ assigns \nothing;
    ensures \result == 0 || \result == 2 || \result == 4 || \result == 8;
 */
static inline unsigned fer_header_route(unsigned first);

/*@ assigns \nothing;
 */
static bool first_byte_is(unsigned first, fer_greeting_type type);

/*@ requires reading(reader) && reader->at == 0 && !reader->failed && \valid(greeting);
    requires \separated(greeting, reader);
    requires \separated(greeting, reader->bytes + (0 .. reader->size - 1));
    assigns *reader, *greeting;
    ensures \result ==> greeting->header_length + greeting->message_length == reader->size;
    ensures \result ==> greeting->message == reader->bytes + greeting->header_length;
    ensures \result ==> greeting->route_length <= 8;
 */
static bool parse(fer_reader *reader, fer_greeting *greeting);

/*@ requires \valid(greeting);
    assigns greeting->message_length;
    ensures \result ==> greeting->message_length <= \old(greeting->message_length);
 */
static bool fits(fer_greeting *greeting);

#include "../src/greeting.c"
