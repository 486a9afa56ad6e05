/* Ferrule tests: bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "internal/bytes.h"
#include "random.h"

static const uint8_t eight[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};

/* ---- reading ------------------------------------------------------------------------------- */

static void reads_little_endian_integers(void **state)
{
    fer_reader reader;

    (void)state;
    reader = fer_reader_over(eight, 8);
    assert_true(fer_read_u64(&reader) == 0xEFCDAB8967452301u);
    reader = fer_reader_over(eight, 8);
    assert_int_equal(fer_read_u8(&reader), 0x01);
    assert_int_equal(fer_read_u16(&reader), 0x4523);
    assert_int_equal(fer_read_u32(&reader), 0xCDAB8967u);
    assert_int_equal(fer_reader_left(&reader), 1);
    assert_false(reader.failed);
}

static void a_span_lies_in_place(void **state)
{
    fer_reader reader = fer_reader_over(eight, 8);

    (void)state;
    assert_ptr_equal(fer_read_span(&reader, 3), eight);
    assert_ptr_equal(fer_read_span(&reader, 5), eight + 3);
    assert_non_null(fer_read_span(&reader, 0));
    assert_false(reader.failed);
    assert_null(fer_read_span(&reader, 1));
    assert_true(reader.failed);
}

static void a_read_past_the_end_yields_zeros_and_fails_for_good(void **state)
{
    uint8_t out[4] = {1, 2, 3, 4};
    fer_reader reader = fer_reader_over(eight, 3);

    (void)state;
    fer_read_bytes(&reader, out, 4);
    assert_memory_equal(out, "\0\0\0\0", 4);
    assert_true(reader.failed);
    assert_int_equal(fer_reader_left(&reader), 0);
    assert_int_equal(fer_read_u8(&reader), 0);
    assert_int_equal(fer_read_u16(&reader), 0);
    assert_int_equal(fer_read_u32(&reader), 0);
    assert_true(fer_read_u64(&reader) == 0);
    assert_null(fer_read_span(&reader, 0));
}

static void each_width_needs_its_bytes(void **state)
{
    fer_reader reader;

    (void)state;
    reader = fer_reader_over(eight, 0);
    assert_int_equal(fer_read_u8(&reader), 0);
    assert_true(reader.failed);
    reader = fer_reader_over(eight, 1);
    assert_int_equal(fer_read_u16(&reader), 0);
    assert_true(reader.failed);
    reader = fer_reader_over(eight, 3);
    assert_int_equal(fer_read_u32(&reader), 0);
    assert_true(reader.failed);
    reader = fer_reader_over(eight, 7);
    assert_true(fer_read_u64(&reader) == 0);
    assert_true(reader.failed);
}

static void lengths_near_the_end_of_memory_do_not_wrap(void **state)
{
    uint8_t room[8] = {0};
    fer_reader reader = fer_reader_over(eight, 8);
    fer_writer writer = fer_writer_over(room, 8);

    (void)state;
    (void)fer_read_u8(&reader);
    assert_null(fer_read_span(&reader, SIZE_MAX));
    fer_write_u8(&writer, 1);
    fer_write_fill(&writer, 0xFF, SIZE_MAX);
    assert_true(writer.failed);
    assert_int_equal(writer.at, 1);
}

static void nothing_is_read_from_null(void **state)
{
    fer_reader none = fer_reader_over(NULL, 0);
    fer_reader wrong = fer_reader_over(NULL, 5);

    (void)state;
    assert_false(none.failed);
    fer_read_bytes(&none, NULL, 0);
    assert_non_null(fer_read_span(&none, 0));
    assert_false(none.failed);
    assert_int_equal(fer_read_u8(&none), 0);
    assert_true(none.failed);
    assert_true(wrong.failed);
    assert_int_equal(fer_reader_left(&wrong), 0);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void writes_little_endian_integers(void **state)
{
    uint8_t out[15];
    fer_writer writer = fer_writer_over(out, sizeof out);

    (void)state;
    fer_write_u8(&writer, 0x01);
    fer_write_u16(&writer, 0x0302);
    fer_write_u32(&writer, 0x07060504u);
    fer_write_u64(&writer, 0x0F0E0D0C0B0A0908u);
    assert_false(writer.failed);
    for (size_t i = 0; i < sizeof out; i++) {
        assert_int_equal(out[i], i + 1);
    }
}

static void a_write_past_the_end_writes_nothing_and_fails_for_good(void **state)
{
    uint8_t out[8];
    fer_writer writer;

    (void)state;
    for (unsigned which = 0; which < 6; which++) {
        memset(out, 0xEE, sizeof out);
        writer = fer_writer_over(out, which == 4 ? 7 : which == 3 ? 3 : which == 2 ? 1 : 0);
        switch (which) {
        case 0:
            fer_write_bytes(&writer, eight, 1);
            break;
        case 1:
            fer_write_u8(&writer, 1);
            break;
        case 2:
            fer_write_u16(&writer, 1);
            break;
        case 3:
            fer_write_u32(&writer, 1);
            break;
        case 4:
            fer_write_u64(&writer, 1);
            break;
        default:
            fer_write_fill(&writer, 1, 1);
        }
        assert_true(writer.failed);
        writer.size = sizeof out; /* room does not heal a failed cursor */
        fer_write_u8(&writer, 1);
        assert_int_equal(writer.at, 0);
        assert_memory_equal(out, "\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE", 8);
    }
}

static void nothing_is_written_to_null(void **state)
{
    fer_writer none = fer_writer_over(NULL, 0);
    fer_writer wrong = fer_writer_over(NULL, 5);

    (void)state;
    fer_write_bytes(&none, NULL, 0);
    fer_write_fill(&none, 1, 0);
    assert_false(none.failed);
    fer_write_u8(&none, 1);
    assert_true(none.failed);
    assert_true(wrong.failed);
    fer_write_u32(&wrong, 1);
}

static void fields_of_fixed_size_come_back(void **state)
{
    uint8_t bytes[4];

    (void)state;
    fer_store_u16(bytes, 0xFEDC);
    assert_memory_equal(bytes, "\xDC\xFE", 2);
    assert_int_equal(fer_load_u16(bytes), 0xFEDC);
    fer_store_u32(bytes, 0xFEDCBA98u);
    assert_memory_equal(bytes, "\x98\xBA\xDC\xFE", 4);
    assert_int_equal(fer_load_u32(bytes), 0xFEDCBA98u);
}

/* ---- properties ---------------------------------------------------------------------------- */

enum { ROOM = 64 };

/* A naive cursor beside the real one: the same calls succeed, at the same places. */
static void random_reads_agree_with_plain_counting(void **state)
{
    test_random random = test_random_start("bytes, reads");
    uint8_t bytes[ROOM];

    (void)state;
    test_random_fill(&random, bytes, sizeof bytes);
    for (unsigned round = 0; round < 500; round++) {
        size_t size = test_random_below(&random, ROOM + 1);
        fer_reader reader = fer_reader_over(bytes, size);
        size_t at = 0;
        bool failed = false;

        for (unsigned step = 0; step < 12; step++) {
            uint8_t out[24];
            size_t n = test_random_below(&random, sizeof out);

            memset(out, 0xEE, sizeof out);
            fer_read_bytes(&reader, out, n);
            failed = failed || at + n > size;
            assert_int_equal(reader.failed, failed);
            for (size_t i = 0; i < sizeof out; i++) {
                assert_int_equal(out[i], i >= n ? 0xEE : failed ? 0 : bytes[at + i]);
            }
            at += failed ? 0 : n;
            assert_int_equal(fer_reader_left(&reader), failed ? 0 : size - at);
        }
    }
}

static void what_is_written_is_read_back(void **state)
{
    test_random random = test_random_start("bytes, round trip");

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        uint8_t bytes[16];
        uint64_t value = (uint64_t)test_random_next(&random) << 32 | test_random_next(&random);
        fer_writer writer = fer_writer_over(bytes, sizeof bytes);
        fer_reader reader = fer_reader_over(bytes, 15);

        fer_write_u64(&writer, value);
        fer_write_u32(&writer, (uint32_t)value);
        fer_write_u16(&writer, (uint16_t)value);
        fer_write_u8(&writer, (uint8_t)value);
        assert_int_equal(writer.at, 15);
        assert_true(fer_read_u64(&reader) == value);
        assert_int_equal(fer_read_u32(&reader), (uint32_t)value);
        assert_int_equal(fer_read_u16(&reader), (uint16_t)value);
        assert_int_equal(fer_read_u8(&reader), (uint8_t)value);
        assert_int_equal(fer_reader_left(&reader), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_little_endian_integers),
        cmocka_unit_test(a_span_lies_in_place),
        cmocka_unit_test(a_read_past_the_end_yields_zeros_and_fails_for_good),
        cmocka_unit_test(each_width_needs_its_bytes),
        cmocka_unit_test(lengths_near_the_end_of_memory_do_not_wrap),
        cmocka_unit_test(nothing_is_read_from_null),
        cmocka_unit_test(writes_little_endian_integers),
        cmocka_unit_test(a_write_past_the_end_writes_nothing_and_fails_for_good),
        cmocka_unit_test(nothing_is_written_to_null),
        cmocka_unit_test(fields_of_fixed_size_come_back),
        cmocka_unit_test(random_reads_agree_with_plain_counting),
        cmocka_unit_test(what_is_written_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
