/* Telemetry, decoding: what others may send, and each rejection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ferrule/telemetry.h"
#include "telemetry_kit.h"

/* ---- what others may send --------------------------------------------------------------- */

static void an_empty_envelope_is_empty(void **state)
{
    (void)state;
    assert_int_equal(decode(NULL, 0), FER_OK);
    assert_nothing();
    assert_int_equal(decode(BYTES(0x0A, 0x00)), FER_OK); /* readings without a series */
    assert_nothing();
}

static void packed_and_unpacked_are_one(void **state)
{
    (void)state;
    /* series { id 1, narrow 1.0 unpacked, narrow [2.0] packed, narrow 3.0 unpacked,
     *          step 1 unpacked, steps [2] packed } */
    assert_int_equal(decode(BYTES(0x0A, 25, 0x1A, 23, 0x08, 1, 0x35, 0, 0, 0x80, 0x3F, 0x18, 2,
                                  0x32, 4, 0, 0, 0, 0x40, 0x1A, 1, 4, 0x35, 0, 0, 0x40, 0x40)),
                     FER_OK);
    assert_int_equal(got.count, 3);
    assert_true(got.readings[1].value == 2.0 && got.readings[2].value == 3.0);
    assert_int_equal(got.readings[1].time_ms, 1);
    assert_int_equal(got.readings[2].time_ms, 3);
    assert_int_equal(got.bases[0], FER_TIME_BOOT);
}

static void fields_come_in_any_order(void **state)
{
    (void)state;
    /* the series before the base, the value before its id; the last base counts */
    assert_int_equal(decode(BYTES(0x0A, 13, 0x1A, 7, 0x35, 0, 0, 0x80, 0x3F, 0x08, 9, 0x10, 6, //
                                  0x08, 8)),
                     FER_OK);
    assert_int_equal(got.count, 1);
    assert_int_equal(got.readings[0].series, 9);
    assert_int_equal(got.readings[0].time_ms, 4);
    assert_int_equal(got.bases[0], FER_TIME_UNIX);
}

static void unknown_arms_are_told(void **state)
{
    (void)state;
    assert_int_equal(decode(BYTES(0x4A, 1, 0xFF)), FER_OK);
    assert_int_equal(got.unknowns, 1);
    assert_int_equal(got.unknown, 9);
    assert_int_equal(decode(BYTES(0x80, 0x7D, 5, 0x22, 1, 'x')), FER_OK); /* field 2000, raw */
    assert_int_equal(got.unknown, 2000);
    assert_int_equal(got.raws, 1);
}

static void unknown_fields_are_skipped(void **state)
{
    (void)state;
    /* in a receipt: 9 varint, 10 fixed64, 11 bytes, 12 fixed32, then sequence 3 */
    assert_int_equal(decode(BYTES(0x32, 24, 0x48, 0x81, 0x01, 0x51, 1, 2, 3, 4, 5, 6, 7, 8, //
                                  0x5A, 2, 7, 7, 0x65, 1, 2, 3, 4, 0x10, 3, 0x08, 1)),
                     FER_DROP_MALFORMED); /* one byte more than its length says */
    assert_nothing();
    assert_int_equal(decode(BYTES(0x32, 25, 0x48, 0x81, 0x01, 0x51, 1, 2, 3, 4, 5, 6, 7, 8, //
                                  0x5A, 2, 7, 7, 0x65, 1, 2, 3, 4, 0x10, 3, 0x08, 1)),
                     FER_OK);
    assert_int_equal(got.receipt.sequence, 3);
    assert_int_equal(got.receipt.generation, 1);
}

static void later_severities_are_errors(void **state)
{
    (void)state;
    assert_int_equal(decode(BYTES(0x12, 2, 0x18, 2)), FER_OK);
    assert_int_equal(got.event.severity, FER_WARNING);
    assert_int_equal(decode(BYTES(0x12, 2, 0x18, 9)), FER_OK);
    assert_int_equal(got.event.severity, FER_ERROR);
}

/* ---- rejections ------------------------------------------------------------------------- */

#define REJECTED(...)                                                     \
    do {                                                                  \
        assert_int_equal(decode(BYTES(__VA_ARGS__)), FER_DROP_MALFORMED); \
        assert_nothing();                                                 \
    } while (0)

static void malformed_envelopes_are_rejected(void **state)
{
    (void)state;
    REJECTED(0x0A);                                  /* no length */
    REJECTED(0x0A, 0x01);                            /* length beyond the end */
    REJECTED(0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0); /* length near 2^32 */
    REJECTED(0x80);                                  /* tag cut short */
    REJECTED(0x02, 0x00);                            /* field 0 */
    REJECTED(0x4B, 0x4C);                            /* a group */
    REJECTED(0x3F);                                  /* no such wire type */
    REJECTED(0x08, 0x00);                            /* an arm that is no message */
    REJECTED(0x22, 0, 0x22, 0);                      /* two arms */
    REJECTED(0x32, 0, 0x12, 0);                      /* two different ones */
    REJECTED(0x22, 1, 'x', 0x48);                    /* raw, then an unknown field cut short */
    REJECTED(0x48, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02); /* 65 bits */
}

static void malformed_readings_are_rejected(void **state)
{
    (void)state;
    REJECTED(0x0A, 2, 0x18, 0);                      /* series that is no message */
    REJECTED(0x0A, 2, 0x0D, 0);                      /* base of another wire type */
    REJECTED(0x0A, 2, 0x1A, 0);                      /* no value */
    REJECTED(0x0A, 4, 0x1A, 2, 0x08, 5);             /* an id alone */
    REJECTED(0x0A, 5, 0x1A, 3, 0x35, 0, 0);          /* value cut short */
    REJECTED(0x0A, 7, 0x1A, 5, 0x32, 3, 0, 0, 0);    /* packed, not a multiple of 4 */
    REJECTED(0x0A, 8, 0x1A, 6, 0x2A, 4, 0, 0, 0, 0); /* packed, not a multiple of 8 */
    REJECTED(0x0A, 4, 0x1A, 2, 0x30, 0);             /* a varint where floats belong */
    REJECTED(0x0A, 11, 0x1A, 9, 0x08, 0x80, 0x80, 0x04, 0x35, 0, 0, 0, 0); /* id 65536 */
    REJECTED(0x0A, 9, 0x1A, 7, 0x35, 0, 0, 0, 0, 0x18, 0);                 /* a step too many */
    REJECTED(0x0A, 9, 0x1A, 7, 0x35, 0, 0, 0, 0, 0x1A, 1);                 /* steps cut short */
    REJECTED(0x0A, 10, 0x1A, 8, 0x35, 0, 0, 0, 0, 0x1A, 1, 0x80);          /* a step cut short */
    REJECTED(0x0A, 12, 0x1A, 10, 0x35, 0, 0, 0, 0, 0x35, 0, 0, 0, 0, 0x1A, 0, 0); /* tail */
    /* three values with one step */
    REJECTED(0x0A, 18, 0x1A, 16, 0x32, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x18, 2);
    /* two values with a step and a period */
    REJECTED(0x0A, 16, 0x1A, 14, 0x32, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x18, 2, 0x20, 2);
    /* values of both widths */
    REJECTED(0x0A, 16, 0x1A, 14, 0x35, 0, 0, 0, 0, 0x29, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void times_out_of_range_are_rejected(void **state)
{
    (void)state;
    /* base 2^46 - 1: the last that is valid; with a step of 1 the second value is not */
    assert_int_equal(decode(BYTES(0x0A, 15, 0x08, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0x1A, 5,
                                  0x35, 0, 0, 0, 0)),
                     FER_OK);
    assert_int_equal(got.readings[0].time_ms, FER_TIME_LIMIT - 1);
    REJECTED(0x0A, 22, 0x08, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0x1A, 12, 0x32, 8, 0, 0, 0,
             0, 0, 0, 0, 0, 0x20, 2);
    REJECTED(0x0A, 15, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x1A, 5, 0x35, 0, 0, 0, 0);
    REJECTED(0x0A, 15, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0x1A, 5, 0x35, 0, 0, 0, 0);
    REJECTED(0x12, 8, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20); /* an event's time */
}

static void malformed_other_arms_are_rejected(void **state)
{
    (void)state;
    static uint8_t text[FER_TEXT_MAX + 16];
    REJECTED(0x12, 2, 0x20, 0);                            /* event text that is a number */
    REJECTED(0x12, 2, 0x1A, 0);                            /* severity that is bytes */
    REJECTED(0x12, 1, 0x18);                               /* severity cut short */
    REJECTED(0x1A, 2, 0x0A, 0);                            /* uptime that is bytes */
    REJECTED(0x1A, 6, 0x10, 0x80, 0x80, 0x80, 0x80, 0x10); /* generation 2^32 */
    REJECTED(0x1A, 6, 0x40, 0x80, 0x80, 0x80, 0x80, 0x10); /* last count 2^32 */
    REJECTED(0x2A, 4, 0x08, 0x80, 0x80, 0x04);             /* series 65536 */
    REJECTED(0x2A, 2, 0x10, 0);                            /* name that is a number */
    REJECTED(0x32, 6, 0x08, 0x80, 0x80, 0x80, 0x80, 0x10); /* generation 2^32 */
    REJECTED(0x32, 5, 0x15, 0, 0, 0, 0);                   /* sequence as fixed32 */
    REJECTED(0x1A, 6, 0x48, 0x80, 0x80, 0x80, 0x80, 0x10); /* commands stale 2^32 */
    /* event { text of FER_TEXT_MAX + 1 bytes } */
    const uint8_t head[] = {0x12, 0x84, 0x08, 0x22, 0x81, 0x08};
    memcpy(text, head, sizeof head);
    assert_int_equal(decode(text, sizeof head + FER_TEXT_MAX + 1), FER_DROP_MALFORMED);
    assert_nothing();
}

static void malformed_commands_are_rejected(void **state)
{
    (void)state;
    static uint8_t body[FER_COMMAND_MAX + 16];
    REJECTED(0x3A, 0);                                              /* a command without id */
    REJECTED(0x3A, 2, 0x08, 0);                                     /* of id 0 */
    REJECTED(0x3A, 2, 0x0A, 0);                                     /* id that is bytes */
    REJECTED(0x3A, 6, 0x08, 0x80, 0x80, 0x80, 0x80, 0x10);          /* id 2^32 */
    REJECTED(0x3A, 4, 0x08, 1, 0x12, 0);                            /* generation that is bytes */
    REJECTED(0x3A, 8, 0x08, 1, 0x18, 0x80, 0x80, 0x80, 0x80, 0x10); /* sequence 2^32 */
    REJECTED(0x3A, 4, 0x08, 1, 0x20, 0);                            /* body that is a number */
    REJECTED(0x3A, 5, 0x08, 1, 0x22, 2, 'x');                       /* body cut short */
    REJECTED(0x3A, 2, 0x08, 1, 0x3A, 2, 0x08, 2);                   /* two commands */
    /* command { id 1, body of FER_COMMAND_MAX + 1 bytes } */
    const uint8_t head[] = {0x3A, 0x86, 0x08, 0x08, 0x01, 0x22, 0x81, 0x08};
    memcpy(body, head, sizeof head);
    assert_int_equal(decode(body, sizeof head + FER_COMMAND_MAX + 1), FER_DROP_MALFORMED);
    assert_nothing();
}

static void malformed_results_are_rejected(void **state)
{
    (void)state;
    static uint8_t text[FER_COMMAND_MAX + 16];
    REJECTED(0x42, 0);                        /* a result without id */
    REJECTED(0x42, 2, 0x08, 0);               /* of id 0 */
    REJECTED(0x42, 2, 0x0A, 0);               /* id that is bytes */
    REJECTED(0x42, 4, 0x08, 1, 0x12, 0);      /* code that is bytes */
    REJECTED(0x42, 4, 0x08, 1, 0x18, 0);      /* text that is a number */
    REJECTED(0x42, 5, 0x08, 1, 0x1A, 2, 'x'); /* text cut short */
    const uint8_t head[] = {0x42, 0x86, 0x08, 0x08, 0x01, 0x1A, 0x81, 0x08};
    memcpy(text, head, sizeof head);
    assert_int_equal(decode(text, sizeof head + FER_COMMAND_MAX + 1), FER_DROP_MALFORMED);
    assert_nothing();
}

static void later_result_codes_are_failures(void **state)
{
    (void)state;
    assert_int_equal(decode(BYTES(0x42, 4, 0x08, 1, 0x10, 4)), FER_OK);
    assert_int_equal(got.result.code, FER_RESULT_UNKNOWN);
    assert_int_equal(decode(BYTES(0x42, 4, 0x08, 1, 0x10, 5)), FER_OK);
    assert_int_equal(got.result.code, FER_RESULT_FAILED);
}

/* One byte cut anywhere: never delivers, because every envelope here is one arm. */
static void every_truncation_is_rejected(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        enqueue((uint16_t)(i % 2), i * i, i / 3.0);
    }
    encode_all();
    for (size_t n = 1; n < length; n++) {
        assert_int_equal(decode(wire, n), FER_DROP_MALFORMED);
        assert_nothing();
    }
}

static void null_pointers_are_refused(void **state)
{
    (void)state;
    const fer_telemetry_visitor visitor = {0};
    assert_int_equal(fer_telemetry_decode(NULL, 1, &visitor), FER_ERR_ARGUMENT);
    assert_int_equal(fer_telemetry_decode(wire, 0, NULL), FER_ERR_ARGUMENT);
    enqueue(1, 1, 1);
    encode_all();
    assert_int_equal(fer_telemetry_decode(wire, length, &visitor), FER_OK); /* all null: skipped */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_envelope_is_empty, start),
        cmocka_unit_test_setup(packed_and_unpacked_are_one, start),
        cmocka_unit_test_setup(fields_come_in_any_order, start),
        cmocka_unit_test_setup(unknown_arms_are_told, start),
        cmocka_unit_test_setup(unknown_fields_are_skipped, start),
        cmocka_unit_test_setup(later_severities_are_errors, start),
        cmocka_unit_test_setup(malformed_envelopes_are_rejected, start),
        cmocka_unit_test_setup(malformed_readings_are_rejected, start),
        cmocka_unit_test_setup(times_out_of_range_are_rejected, start),
        cmocka_unit_test_setup(malformed_other_arms_are_rejected, start),
        cmocka_unit_test_setup(malformed_commands_are_rejected, start),
        cmocka_unit_test_setup(malformed_results_are_rejected, start),
        cmocka_unit_test_setup(later_result_codes_are_failures, start),
        cmocka_unit_test_setup(every_truncation_is_rejected, start),
        cmocka_unit_test_setup(null_pointers_are_refused, start),
    };
    return cmocka_run_group_tests_name("telemetry_decode", tests, NULL, NULL);
}
