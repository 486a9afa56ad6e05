/* record: the header codec, and the known answers of tests/vectors/record.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"
#include "internal/bytes.h"
#include "internal/record.h"
#include "internal/replay.h"
#include "record_fixture.h"
#include "vectors/record_answers.h"

enum { WINDOW = 64, LONGEST = 256 };

FER_ARENA(arena, FER_SEALER_SIZE + FER_OPENER_SIZE(WINDOW));

static struct fixture_entropy entropy;

static int setup(void **state)
{
    (void)state;
    memset(&entropy, 0, sizeof entropy);
    return fer_arena_rewind(&arena, (fer_arena_position){0}) == FER_OK ? 0 : -1;
}

/* ---- known answers ------------------------------------------------------------------------ */

struct answer {
    fer_direction direction;
    fer_form form;
    fer_lane lane;
    uint32_t generation;
    uint32_t sequence;
    size_t route_length;
    const char *plaintext;
    const char *record;
};

static void seal_answer(const struct answer *answer, const uint8_t *plaintext, size_t n)
{
    fer_sealer_config config = {
        answer->direction, answer->lane, FER_TWO_WAY, {&fixture_entropy_ops, &entropy}};
    uint8_t record[LONGEST];
    fer_generation keys;
    fer_sealer *sealer = NULL;
    size_t length = 0;

    fixture_generation(&keys, 0, answer->route_length, answer->generation);
    assert_int_equal(fer_sealer_create(&arena, &keys, &config, &sealer), FER_OK);
    assert_int_equal(fer_sealer_advance(sealer, answer->sequence), FER_OK);
    if (answer->form == FER_FORM_SHORT) {
        assert_int_equal(fer_sealer_acknowledge(sealer), FER_OK);
    }
    assert_int_equal(fer_sealer_seal(sealer, plaintext, n, record, sizeof record, &length), FER_OK);
    assert_hex_equal(record, length, answer->record);
}

static void open_answer(const struct answer *answer, const uint8_t *plaintext, size_t n)
{
    fer_opener_config config = {answer->direction, WINDOW};
    uint8_t record[LONGEST];
    uint8_t out[LONGEST];
    size_t length = hex_decode(answer->record, record, sizeof record);
    fer_generation keys;
    fer_opener *opener = NULL;
    fer_opened opened;

    fixture_generation(&keys, 0, answer->route_length, answer->generation);
    assert_int_equal(fer_opener_create(&arena, &keys, &config, &opener), FER_OK);
    if (answer->lane == FER_LANE_LIVE) {
        assert_int_equal(fer_opener_advance(opener, answer->sequence), FER_OK);
    }
    assert_int_equal(fer_opener_receive(opener, record, length, out, sizeof out, &opened), FER_OK);
    assert_int_equal(opened.length, n);
    assert_memory_equal(out, plaintext, n);
    assert_int_equal(opened.generation, answer->generation);
    assert_int_equal(opened.sequence, answer->sequence);
    assert_int_equal(opened.form, answer->form);
    assert_int_equal(opened.lane, answer->lane);
}

static void check(const struct answer *answer)
{
    uint8_t plaintext[LONGEST];
    size_t n = hex_decode(answer->plaintext, plaintext, sizeof plaintext);

    seal_answer(answer, plaintext, n);
    open_answer(answer, plaintext, n);
}

static void known_short(void **state)
{
    const struct answer answer = {FER_UP, FER_FORM_SHORT,         FER_LANE_LIVE,      300, 65537,
                                  4,      RECORD_SHORT_PLAINTEXT, RECORD_SHORT_RECORD};

    (void)state;
    check(&answer);
}

static void known_full(void **state)
{
    const struct answer answer = {FER_UP, FER_FORM_FULL,         FER_LANE_LIVE,     300, 65536,
                                  4,      RECORD_FULL_PLAINTEXT, RECORD_FULL_RECORD};

    (void)state;
    check(&answer);
}

static void known_backlog(void **state)
{
    const struct answer answer = {FER_UP,
                                  FER_FORM_FULL,
                                  FER_LANE_BACKLOG,
                                  300,
                                  2,
                                  4,
                                  RECORD_BACKLOG_PLAINTEXT,
                                  RECORD_BACKLOG_RECORD};

    (void)state;
    check(&answer);
}

static void known_down(void **state)
{
    const struct answer answer = {FER_DOWN, FER_FORM_FULL,         FER_LANE_LIVE,     300, 0,
                                  4,        RECORD_DOWN_PLAINTEXT, RECORD_DOWN_RECORD};

    (void)state;
    check(&answer);
}

static void known_short_and_empty_without_a_route(void **state)
{
    const struct answer answer = {FER_UP,
                                  FER_FORM_SHORT,
                                  FER_LANE_LIVE,
                                  0,
                                  1,
                                  0,
                                  RECORD_SHORT_EMPTY_PLAINTEXT,
                                  RECORD_SHORT_EMPTY_RECORD};

    (void)state;
    check(&answer);
}

static void known_full_and_long_at_the_last_number(void **state)
{
    const struct answer answer = {FER_UP,
                                  FER_FORM_FULL,
                                  FER_LANE_LIVE,
                                  1,
                                  0xFFFFFFFE,
                                  8,
                                  RECORD_FULL_LONG_PLAINTEXT,
                                  RECORD_FULL_LONG_RECORD};

    (void)state;
    check(&answer);
}

/* ---- inspect ------------------------------------------------------------------------------ */

static const size_t route_lengths[] = {0, 2, 4, 8};

static void inspect_tells_every_field(void **state)
{
    uint8_t record[LONGEST];
    fer_unverified header;

    (void)state;
    hex_decode(RECORD_FULL_LONG_RECORD, record, sizeof record);
    assert_int_equal(fer_record_inspect(record, sizeof record, &header), FER_OK);
    assert_int_equal(header.kind, FER_KIND_PROVISIONED);
    assert_int_equal(header.direction, FER_UP);
    assert_int_equal(header.form, FER_FORM_FULL);
    assert_int_equal(header.lane, FER_LANE_LIVE);
    assert_int_equal(header.route_length, 8);
    assert_int_equal(header.header_length, 21);
    assert_memory_equal(header.route, fixture_route, 8);
    assert_int_equal(header.generation, 1);
    assert_int_equal(header.sequence, 0xFFFFFFFE);
    assert_int_equal(header.claim, 0xBDB6131Au);
    assert_int_equal(header.salt, 0);

    hex_decode(RECORD_DOWN_RECORD, record, sizeof record);
    assert_int_equal(fer_record_inspect(record, sizeof record, &header), FER_OK);
    assert_int_equal(header.direction, FER_DOWN);
    assert_int_equal(header.route_length, 4);
    assert_memory_equal(header.route, "\xA1\xB2\xC3\xD4\0\0\0\0", 8);
    assert_true(header.salt == 0x0706050403020100u);
    assert_int_equal(header.claim, 0);

    hex_decode(RECORD_SHORT_RECORD, record, sizeof record);
    assert_int_equal(fer_record_inspect(record, sizeof record, &header), FER_OK);
    assert_int_equal(header.form, FER_FORM_SHORT);
    assert_int_equal(header.generation, 300 & 0xFF);
    assert_int_equal(header.sequence, 65537 & 0xFFFF);
    assert_int_equal(header.header_length, 8);
}

/* Header bytes of a first byte by the text of docs/WIRE.md; 0: no record begins like this. */
static size_t expect_header(unsigned first)
{
    unsigned kind = first >> 6;
    bool down = (first & 0x20u) != 0;
    bool full = (first & 0x10u) != 0;
    bool backlog = (first & 0x08u) != 0;
    size_t route = route_lengths[first >> 1 & 3u];

    if ((kind != 1 && kind != 2) || (first & 1u) != 0 || (backlog && (down || !full)) ||
        (down && !full)) {
        return 0;
    }
    return 1 + route + (!full ? 3u : down ? 16u : 12u);
}

static void every_first_byte_at_every_length(void **state)
{
    uint8_t record[64] = {0};
    unsigned valid = 0;

    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        size_t length = expect_header(first);

        record[0] = (uint8_t)first;
        valid += length != 0;
        for (size_t n = 0; n <= sizeof record; n++) {
            fer_unverified header;
            fer_status status;

            memset(&header, 0xEE, sizeof header);
            status = fer_record_inspect(record, n, &header);
            if (length == 0 || n < length + FER_TAG_BYTES) {
                assert_int_equal(status, FER_DROP_MALFORMED);
                assert_true(fixture_is_all((const uint8_t *)&header, sizeof header, 0));
            } else {
                assert_int_equal(status, FER_OK);
                assert_int_equal(header.header_length, length);
                assert_int_equal(header.route_length, route_lengths[first >> 1 & 3u]);
            }
        }
    }
    assert_int_equal(valid, 2 * 4 * 4);
}

static void numbers_nobody_uses_are_malformed(void **state)
{
    uint8_t record[LONGEST];
    fer_unverified header;
    size_t length;

    (void)state;
    for (size_t at = 5; at <= 9; at += 4) {
        length = hex_decode(RECORD_FULL_RECORD, record, sizeof record);
        memset(record + at, 0xFF, 4);
        memset(&header, 0xEE, sizeof header);
        assert_int_equal(fer_record_inspect(record, length, &header), FER_DROP_MALFORMED);
        assert_true(fixture_is_all((const uint8_t *)&header, sizeof header, 0));
        record[at]--;
        assert_int_equal(fer_record_inspect(record, length, &header), FER_OK);
    }
}

static void records_longer_than_any_are_malformed(void **state)
{
    static uint8_t record[FER_PLAINTEXT_MAX + FER_OVERHEAD_MAX + 1];
    fer_unverified header;

    (void)state;
    record[0] = 0x40;
    assert_int_equal(fer_record_inspect(record, FER_PLAINTEXT_MAX + FER_OVERHEAD_SHORT(0), &header),
                     FER_OK);
    assert_int_equal(
        fer_record_inspect(record, FER_PLAINTEXT_MAX + FER_OVERHEAD_SHORT(0) + 1, &header),
        FER_DROP_MALFORMED);
    assert_int_equal(fer_record_inspect(record, SIZE_MAX, &header), FER_DROP_MALFORMED);
}

static void inspect_checks_its_arguments(void **state)
{
    uint8_t record[1] = {0x40};
    fer_unverified header;

    (void)state;
    assert_int_equal(fer_record_inspect(NULL, 1, &header), FER_ERR_ARGUMENT);
    assert_int_equal(fer_record_inspect(record, 1, NULL), FER_ERR_ARGUMENT);
}

/* ---- nearest ------------------------------------------------------------------------------ */

/* The same by search: of all numbers congruent to low, the one at least distance, ahead on a tie.
 */
static uint32_t find_nearest(uint32_t next, uint32_t low)
{
    uint64_t best = UINT64_MAX;
    uint64_t distance = UINT64_MAX;
    uint64_t base = next < 0x20000u ? 0 : (next & ~0xFFFFu) - 0x10000u;

    for (uint64_t at = base | low; at <= base + 0x3FFFFu && at <= UINT32_MAX; at += 0x10000u) {
        uint64_t apart = at >= next ? at - next : next - at;

        if (apart <= distance) {
            distance = apart;
            best = at;
        }
    }
    return (uint32_t)best;
}

static void nearest_agrees_with_a_search(void **state)
{
    static const uint32_t nexts[] = {0,          1,          0x7FFF,     0x8000,     0x8001,
                                     0xFFFF,     0x10000,    0x18000,    0x12345678, 0xFFFEFFFF,
                                     0xFFFF0000, 0xFFFF7FFF, 0xFFFF8000, 0xFFFFFFFE, 0xFFFFFFFF};

    (void)state;
    for (size_t i = 0; i < sizeof nexts / sizeof nexts[0]; i++) {
        for (uint32_t low = 0; low <= 0xFFFF; low += low % 97 == 0 ? 1 : 96) {
            assert_int_equal(fer_record_nearest(nexts[i], low), find_nearest(nexts[i], low));
        }
        for (uint32_t off = 0; off < 5; off++) {
            uint32_t low = (nexts[i] + 0x8000u + off - 2u) & 0xFFFFu;

            assert_int_equal(fer_record_nearest(nexts[i], low), find_nearest(nexts[i], low));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(known_short, setup),
        cmocka_unit_test_setup(known_full, setup),
        cmocka_unit_test_setup(known_backlog, setup),
        cmocka_unit_test_setup(known_down, setup),
        cmocka_unit_test_setup(known_short_and_empty_without_a_route, setup),
        cmocka_unit_test_setup(known_full_and_long_at_the_last_number, setup),
        cmocka_unit_test_setup(inspect_tells_every_field, setup),
        cmocka_unit_test_setup(every_first_byte_at_every_length, setup),
        cmocka_unit_test_setup(numbers_nobody_uses_are_malformed, setup),
        cmocka_unit_test_setup(records_longer_than_any_are_malformed, setup),
        cmocka_unit_test_setup(inspect_checks_its_arguments, setup),
        cmocka_unit_test_setup(nearest_agrees_with_a_search, setup),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
