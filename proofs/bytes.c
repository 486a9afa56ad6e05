/* Proof: bytes. Absence of run-time errors of the cursor for every caller that starts from
 * fer_reader_over or fer_writer_over, and what each call does to it (TOTAL):
 * at <= size always; a cursor never goes back, never heals, and moves only when it had room. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* memcpy and memset as the C standard has them, typed for provers that keep char apart from
 * uint8_t. */

/*@ requires \valid(out + (0 .. n - 1)) && \valid_read(in + (0 .. n - 1));
    requires \separated(out + (0 .. n - 1), in + (0 .. n - 1));
    assigns out[0 .. n - 1];
    ensures \forall integer i; 0 <= i < n ==> out[i] == in[i];
 */
void copy_bytes(uint8_t *out, const uint8_t *in, size_t n);
#define memcpy copy_bytes

/*@ requires \valid(out + (0 .. n - 1)) && 0 <= value <= 255;
    assigns out[0 .. n - 1];
    ensures \forall integer i; 0 <= i < n ==> out[i] == value;
 */
void fill_bytes(uint8_t *out, int value, size_t n);
#define memset fill_bytes

#include "internal/bytes.h"

/*@ predicate reading(fer_reader *r) =
      \valid(r) && r->at <= r->size && \valid_read(r->bytes + (0 .. r->size - 1)) &&
      \separated(r, r->bytes + (0 .. r->size - 1));

    predicate writing(fer_writer *w) =
      \valid(w) && w->at <= w->size && \valid(w->bytes + (0 .. w->size - 1)) &&
      \separated(w, w->bytes + (0 .. w->size - 1));

    predicate can_read{L}(fer_reader *r, integer n) = !r->failed && n <= r->size - r->at;
    predicate can_write{L}(fer_writer *w, integer n) = !w->failed && n <= w->size - w->at;

    // A read of n bytes moved the cursor by n, or failed it and left it where it was.
    predicate stepped{L1,L2}(fer_reader *r, integer n) =
      \at(r->bytes, L2) == \at(r->bytes, L1) && \at(r->size, L2) == \at(r->size, L1) &&
      (can_read{L1}(r, n) ? !\at(r->failed, L2) && \at(r->at, L2) == \at(r->at, L1) + n
                          : \at(r->failed, L2) && \at(r->at, L2) == \at(r->at, L1));

    predicate grew{L1,L2}(fer_writer *w, integer n) =
      \at(w->bytes, L2) == \at(w->bytes, L1) && \at(w->size, L2) == \at(w->size, L1) &&
      (can_write{L1}(w, n) ? !\at(w->failed, L2) && \at(w->at, L2) == \at(w->at, L1) + n
                           : \at(w->failed, L2) && \at(w->at, L2) == \at(w->at, L1));
 */

/*@ requires bytes == \null || \valid_read(bytes + (0 .. size - 1));
    assigns \nothing;
    ensures \result.at == 0;
    ensures bytes != \null ==> \result.bytes == bytes && \result.size == size && !\result.failed;
    ensures bytes == \null ==> \result.size == 0 && (\result.failed <==> size != 0);
 */
fer_reader fer_reader_over(const uint8_t *bytes, size_t size);

/*@ requires reading(reader);
    assigns \nothing;
    ensures reader->failed ==> \result == 0;
    ensures !reader->failed ==> \result == reader->size - reader->at;
 */
size_t fer_reader_left(const fer_reader *reader);

/*@ requires reading(reader);
    assigns reader->at, reader->failed;
    assigns \result \from reader->bytes, reader->at, reader->size, reader->failed, n;
    ensures reading(reader) && stepped{Pre,Post}(reader, n);
    ensures \old(can_read(reader, n)) ==> \result == reader->bytes + \old(reader->at) &&
              \valid_read(\result + (0 .. n - 1));
    ensures !\old(can_read(reader, n)) ==> \result == \null;
 */
const uint8_t *fer_read_span(fer_reader *reader, size_t n);

/*@ requires reading(reader);
    requires n == 0 || \valid(out + (0 .. n - 1));
    requires \separated(out + (0 .. n - 1), reader);
    requires \separated(out + (0 .. n - 1), reader->bytes + (0 .. reader->size - 1));
    assigns reader->at, reader->failed, out[0 .. n - 1];
    ensures reading(reader) && stepped{Pre,Post}(reader, n);
    ensures \old(can_read(reader, n)) ==> \forall integer i; 0 <= i < n ==>
              out[i] == reader->bytes[\old(reader->at) + i];
    ensures !\old(can_read(reader, n)) ==> \forall integer i; 0 <= i < n ==> out[i] == 0;
 */
void fer_read_bytes(fer_reader *reader, uint8_t *out, size_t n);

/*@ requires reading(reader);
    assigns reader->at, reader->failed;
    ensures reading(reader) && stepped{Pre,Post}(reader, 1);
    ensures \old(can_read(reader, 1)) ==> \result == reader->bytes[\old(reader->at)];
    ensures !\old(can_read(reader, 1)) ==> \result == 0;
 */
uint8_t fer_read_u8(fer_reader *reader);

/*@ requires reading(reader);
    assigns reader->at, reader->failed;
    ensures reading(reader) && stepped{Pre,Post}(reader, 2);
    ensures !\old(can_read(reader, 2)) ==> \result == 0;
 */
uint16_t fer_read_u16(fer_reader *reader);

/*@ requires reading(reader);
    assigns reader->at, reader->failed;
    ensures reading(reader) && stepped{Pre,Post}(reader, 4);
    ensures !\old(can_read(reader, 4)) ==> \result == 0;
 */
uint32_t fer_read_u32(fer_reader *reader);

/*@ requires reading(reader);
    assigns reader->at, reader->failed;
    ensures reading(reader) && stepped{Pre,Post}(reader, 8);
    ensures !\old(can_read(reader, 8)) ==> \result == 0;
 */
uint64_t fer_read_u64(fer_reader *reader);

/*@ requires bytes == \null || \valid(bytes + (0 .. size - 1));
    assigns \nothing;
    ensures \result.at == 0;
    ensures bytes != \null ==> \result.bytes == bytes && \result.size == size && !\result.failed;
    ensures bytes == \null ==> \result.size == 0 && (\result.failed <==> size != 0);
 */
fer_writer fer_writer_over(uint8_t *bytes, size_t size);

/*@ requires writing(writer) && n >= 1;
    assigns writer->at, writer->failed;
    assigns \result \from writer->bytes, writer->at, writer->size, writer->failed, n;
    ensures writing(writer) && grew{Pre,Post}(writer, n);
    ensures \old(can_write(writer, n)) ==> \result == writer->bytes + \old(writer->at) &&
              \valid(\result + (0 .. n - 1));
    ensures !\old(can_write(writer, n)) ==> \result == \null;
 */
static uint8_t *claim(fer_writer *writer, size_t n);

/*@ requires writing(writer);
    requires n == 0 || \valid_read(in + (0 .. n - 1));
    requires \separated(in + (0 .. n - 1), writer);
    requires \separated(in + (0 .. n - 1), writer->bytes + (0 .. writer->size - 1));
    assigns writer->at, writer->failed, writer->bytes[writer->at .. writer->at + n - 1];
    ensures writing(writer);
    ensures n > 0 ==> grew{Pre,Post}(writer, n);
    ensures n > 0 && \old(can_write(writer, n)) ==> \forall integer i; 0 <= i < n ==>
              writer->bytes[\old(writer->at) + i] == in[i];
 */
void fer_write_bytes(fer_writer *writer, const uint8_t *in, size_t n);

/*@ requires writing(writer);
    assigns writer->at, writer->failed, writer->bytes[writer->at .. writer->at + n - 1];
    ensures writing(writer);
    ensures n > 0 ==> grew{Pre,Post}(writer, n);
    ensures n > 0 && \old(can_write(writer, n)) ==> \forall integer i; 0 <= i < n ==>
              writer->bytes[\old(writer->at) + i] == value;
 */
void fer_write_fill(fer_writer *writer, uint8_t value, size_t n);

/*@ requires writing(writer);
    assigns writer->at, writer->failed, writer->bytes[writer->at];
    ensures writing(writer) && grew{Pre,Post}(writer, 1);
 */
void fer_write_u8(fer_writer *writer, uint8_t value);

/*@ requires writing(writer);
    assigns writer->at, writer->failed, writer->bytes[writer->at .. writer->at + 1];
    ensures writing(writer) && grew{Pre,Post}(writer, 2);
 */
void fer_write_u16(fer_writer *writer, uint16_t value);

/*@ requires writing(writer);
    assigns writer->at, writer->failed, writer->bytes[writer->at .. writer->at + 3];
    ensures writing(writer) && grew{Pre,Post}(writer, 4);
 */
void fer_write_u32(fer_writer *writer, uint32_t value);

/*@ requires writing(writer);
    assigns writer->at, writer->failed, writer->bytes[writer->at .. writer->at + 7];
    ensures writing(writer) && grew{Pre,Post}(writer, 8);
 */
void fer_write_u64(fer_writer *writer, uint64_t value);

/* The fixed fields of bytes.h. */

/*@ requires \valid(out + (0 .. 1));
    assigns out[0 .. 1];
 */
static inline void fer_store_u16(uint8_t out[2], uint16_t value);

/*@ requires \valid(out + (0 .. 3));
    assigns out[0 .. 3];
 */
static inline void fer_store_u32(uint8_t out[4], uint32_t value);

/*@ requires \valid_read(in + (0 .. 1));
    assigns \nothing;
 */
static inline uint16_t fer_load_u16(const uint8_t in[2]);

/*@ requires \valid_read(in + (0 .. 3));
    assigns \nothing;
 */
static inline uint32_t fer_load_u32(const uint8_t in[4]);

#include "../src/bytes.c"
