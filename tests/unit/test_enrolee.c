/* Tests of the enrolee: a whole enrolment, every message that is refused, and what is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolee_kit.h"
#include "internal/handshake.h"
#include "internal/poison.h"
#include "internal/record.h"

static void test_hands_out_what_the_gateway_hands_over(void **state)
{
    static const size_t lengths[] = {FER_CREDENTIAL_BYTES, 0, FER_BLOB_BYTES};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        enrol(lengths[i]);
        assert_int_equal(FER_OK, fer_enrolee_restart(enrolee)); /* the same bytes again */
        now += RETRY_MS;
    }
}

static void test_takes_a_stream_in_any_pieces(void **state)
{
    const uint8_t noise[] = {0x55, 0x01, 0, 0, 3, 0x40, 9, 0, 0x20, 5, 0};
    size_t used = 0;
    (void)state;
    const kit_bytes second = get_second();
    const kit_bytes frame = kit_frame(second.at, second.n);
    assert_int_equal(FER_EMPTY, fer_enrolee_feed(enrolee, noise, sizeof noise, &used));
    assert_int_equal(used, sizeof noise);
    for (size_t i = 0; i < frame.n; i++) {
        assert_int_equal(i + 1 < frame.n ? FER_EMPTY : FER_OK,
                         fer_enrolee_feed(enrolee, frame.at + i, 1, &used));
        assert_int_equal(used, 1);
    }
    const kit_bytes third = take();
    assert_int_equal(FER_OK, kit_gateway_meet(&gateway, &third));
    /* Two frames in one piece: it stops where the stage changes. */
    const kit_bytes record = accept(0);
    const kit_bytes whole = kit_frame(record.at, record.n);
    uint8_t both[2 * KIT_ENCODED_MAX];
    memcpy(both, whole.at, whole.n);
    memcpy(both + whole.n, whole.at, whole.n);
    assert_int_equal(FER_OK, fer_enrolee_feed(enrolee, both, 2 * whole.n, &used));
    assert_int_equal(used, whole.n);
    assert_int_equal(FER_EMPTY, fer_enrolee_feed(enrolee, both + used, whole.n, &used));
    assert_stage(FER_ENROLEE_ACCEPTED);
}

/* ---- refusals --------------------------------------------------------------------------- */

/* Fresh, for one more try; the first message is taken. */
static kit_bytes again(void)
{
    assert_int_equal(FER_OK, fer_enrolee_restart(enrolee));
    now += RETRY_MS;
    return get_second();
}

static void test_refuses_a_second_message_with_any_byte_changed(void **state)
{
    fer_static_public peer;
    (void)state;
    for (size_t i = 0; i < 98; i++) {
        kit_bytes second = again();
        assert_int_equal(second.n, 98);
        second.at[i] ^= (uint8_t)(1u << i % 8u);
        /* The highest bit of a public key is not part of it, but of the hash. */
        assert_int_equal(i < 2 ? FER_EMPTY : FER_DROP_FORGED, feed(second.at, second.n));
        assert_stage(FER_ENROLEE_GREETS);
        assert_int_equal(FER_EMPTY, fer_enrolee_get_gateway(enrolee, &peer));
        assert_nothing_due();
        second.at[i] ^= (uint8_t)(1u << i % 8u);
        /* What was skipped has ended nothing; what was refused has, until the next attempt. */
        assert_int_equal(i < 2 ? FER_OK : FER_EMPTY, feed(second.at, second.n));
        assert_stage(i < 2 ? FER_ENROLEE_MET : FER_ENROLEE_GREETS);
    }
    now += RETRY_MS;
    meet();
}

static void test_refuses_a_second_message_of_any_other_length(void **state)
{
    kit_bytes second = get_second();
    (void)state;
    for (size_t n = 1; n <= FER_ENROLEE_INBOUND; n++) {
        if (n != second.n) {
            assert_int_equal(n < 2 ? FER_EMPTY : FER_DROP_MALFORMED, feed(second.at, n));
        }
    }
    assert_int_equal(FER_EMPTY, feed(second.at, FER_ENROLEE_INBOUND + 1)); /* too long a frame */
    assert_int_equal(FER_OK, feed(second.at, second.n)); /* none has cost the attempt */
    assert_stage(FER_ENROLEE_MET);
}

static void test_refuses_keys_of_small_order(void **state)
{
    kit_bytes second = get_second();
    (void)state;
    memset(second.at + 2, 0, 32);
    assert_int_equal(FER_DROP_FORGED, feed(second.at, second.n));
    assert_stage(FER_ENROLEE_GREETS);
}

static void test_refuses_an_acceptance_with_any_byte_changed(void **state)
{
    static const uint8_t zeros[FER_BLOB_BYTES];
    (void)state;
    meet();
    kit_bytes record = accept(FER_CREDENTIAL_BYTES);
    for (size_t i = 0; i < record.n; i++) {
        record.at[i] ^= (uint8_t)(1u << i % 8u);
        assert_int_not_equal(FER_OK, feed(record.at, record.n));
        assert_stage(FER_ENROLEE_MET);
        assert_memory_equal(enrolee->blob, zeros, sizeof zeros); /* FIRST */
        record.at[i] ^= (uint8_t)(1u << i % 8u);
    }
    for (size_t n = 1; n < record.n; n++) {
        assert_int_not_equal(FER_OK, feed(record.at, n));
        assert_memory_equal(enrolee->blob, zeros, sizeof zeros);
    }
    assert_stage(FER_ENROLEE_MET);
    assert_int_equal(FER_OK, feed(record.at, record.n));
    assert_stage(FER_ENROLEE_ACCEPTED);
}

static void test_refuses_what_is_no_blob(void **state)
{
    static const uint8_t zeros[FER_BLOB_BYTES];
    (void)state;
    meet();
    for (size_t n = 0; n < FER_BLOB_BYTES; n++) {
        if (n == 0 || n == FER_CREDENTIAL_BYTES) {
            continue;
        }
        const kit_bytes record = accept(n);
        assert_int_equal(FER_DROP_MALFORMED, feed(record.at, record.n));
        assert_stage(FER_ENROLEE_MET);
        assert_memory_equal(enrolee->blob, zeros, sizeof zeros);
    }
    const kit_bytes longer = accept(FER_BLOB_BYTES + 1);
    assert_int_equal(FER_EMPTY, feed(longer.at, longer.n));
    const kit_bytes record = accept(FER_BLOB_BYTES);
    assert_int_equal(FER_OK, feed(record.at, record.n));
}

/* As long as an acceptance can be, with every first byte: other headers leave more for plaintext
 * than a blob has. */
static void test_refuses_records_of_other_kinds_as_drops(void **state)
{
    (void)state;
    meet();
    kit_bytes record = accept(FER_BLOB_BYTES);
    assert_int_equal(record.n, FER_ENROLEE_INBOUND);
    const uint8_t right = record.at[0];
    for (unsigned first = 0; first < 256; first++) {
        record.at[0] = (uint8_t)first;
        if (first != right) {
            fer_status status = feed(record.at, record.n);
            assert_true(status == FER_EMPTY ||
                        fer_status_get_group(status) == FER_GROUP_DROP_INPUT);
        }
    }
    record.at[0] = right;
    assert_int_equal(FER_OK, feed(record.at, record.n));
}

static void test_takes_the_first_acceptance_alone(void **state)
{
    uint8_t *blob = NULL;
    size_t n = 0;
    (void)state;
    meet();
    const kit_bytes first = accept(FER_CREDENTIAL_BYTES);
    const kit_bytes next = accept(0);
    assert_int_equal(FER_OK, feed(first.at, first.n));
    assert_int_equal(FER_EMPTY, feed(next.at, next.n));
    assert_int_equal(FER_EMPTY, feed(first.at, first.n));
    assert_int_equal(FER_OK, fer_enrolee_get_blob(enrolee, &blob, &n));
    assert_int_equal(n, FER_CREDENTIAL_BYTES);
}

/* What one attempt's gateway says means nothing in the next. */
static void test_an_answer_serves_one_attempt(void **state)
{
    (void)state;
    const kit_bytes old = get_second();
    now += RETRY_MS;
    const kit_bytes second = get_second();
    assert_int_equal(FER_DROP_FORGED, feed(old.at, old.n));
    assert_int_equal(FER_EMPTY, feed(second.at, second.n));
    assert_stage(FER_ENROLEE_GREETS);
    now += RETRY_MS;
    meet();
    const kit_bytes record = accept(0);
    assert_int_equal(FER_OK, fer_enrolee_restart(enrolee));
    assert_int_equal(FER_EMPTY, feed(record.at, record.n));
    now += RETRY_MS;
    meet();
    assert_int_equal(FER_DROP_FORGED, feed(record.at, record.n));
    assert_stage(FER_ENROLEE_MET);
}

/* ---- afterwards -------------------------------------------------------------------------- */

static bool contains(const void *bytes, size_t n, const void *what, size_t length)
{
    for (size_t at = 0; at + length <= n; at++) {
        if (memcmp((const uint8_t *)bytes + at, what, length) == 0) {
            return true;
        }
    }
    return false;
}

static void test_leaves_no_key_behind(void **state)
{
    fer_enrolee *closed = enrolee;
    (void)state;
    meet();
    const kit_bytes record = accept(FER_CREDENTIAL_BYTES);
    assert_int_equal(FER_OK, feed(record.at, record.n));
    assert_true(contains(enrolee, sizeof *enrolee, kit_secrets[0].bytes, 32));
    fer_enrolee_close(&enrolee);
    FER_UNPOISON(closed, FER_ENROLEE_SIZE);
    for (size_t i = 0; i < FER_ENROLEE_SIZE; i++) {
        assert_int_equal(((const uint8_t *)closed)[i], 0);
    }
}

/* The keys of an attempt that is over are gone with it, though the handle goes on (WIPE). */
static void test_leaves_no_key_of_an_attempt_behind(void **state)
{
    uint8_t secret[32];
    (void)state;
    kit_bytes second = get_second();
    memcpy(secret, enrolee->handshake->e.bytes, sizeof secret);
    second.at[second.n - 1] ^= 1;
    assert_int_equal(FER_DROP_FORGED, feed(second.at, second.n));
    FER_UNPOISON(enrolee, FER_ENROLEE_SIZE);
    assert_false(contains(enrolee, FER_ENROLEE_SIZE, secret, sizeof secret));
    assert_false(contains((const uint8_t *)enrolee + FER_ENROLEE_HANDLE_SIZE,
                          FER_ENROLEE_SIZE - FER_ENROLEE_HANDLE_SIZE, kit_secrets[0].bytes, 32));
}

static void test_leaves_no_key_of_the_session_behind(void **state)
{
    uint8_t sealing[32];
    uint8_t frame[FER_ENROLEE_FRAME];
    size_t n;
    (void)state;
    meet();
    const kit_bytes record = accept(FER_CREDENTIAL_BYTES);
    assert_int_equal(FER_OK, feed(record.at, record.n));
    assert_int_equal(FER_OK, fer_enrolee_confirm(enrolee));
    memcpy(sealing, enrolee->session.sealer->key.secret.bytes, sizeof sealing);
    FER_UNPOISON(enrolee, FER_ENROLEE_SIZE);
    assert_true(contains(enrolee, FER_ENROLEE_SIZE, sealing, sizeof sealing));
    assert_int_equal(FER_OK, fer_enrolee_take(enrolee, now, frame, sizeof frame, &n));
    assert_stage(FER_ENROLEE_DONE);
    FER_UNPOISON(enrolee, FER_ENROLEE_SIZE);
    assert_false(contains(enrolee, FER_ENROLEE_SIZE, sealing, sizeof sealing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hands_out_what_the_gateway_hands_over, start, stop),
        cmocka_unit_test_setup_teardown(test_takes_a_stream_in_any_pieces, start, stop),
        cmocka_unit_test_setup_teardown(test_refuses_a_second_message_with_any_byte_changed, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_refuses_a_second_message_of_any_other_length, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_refuses_keys_of_small_order, start, stop),
        cmocka_unit_test_setup_teardown(test_refuses_an_acceptance_with_any_byte_changed, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_no_blob, start, stop),
        cmocka_unit_test_setup_teardown(test_refuses_records_of_other_kinds_as_drops, start, stop),
        cmocka_unit_test_setup_teardown(test_takes_the_first_acceptance_alone, start, stop),
        cmocka_unit_test_setup_teardown(test_an_answer_serves_one_attempt, start, stop),
        cmocka_unit_test_setup_teardown(test_leaves_no_key_behind, start, stop),
        cmocka_unit_test_setup_teardown(test_leaves_no_key_of_an_attempt_behind, start, stop),
        cmocka_unit_test_setup_teardown(test_leaves_no_key_of_the_session_behind, start, stop),
    };
    return cmocka_run_group_tests_name("enrolee", tests, NULL, NULL);
}
