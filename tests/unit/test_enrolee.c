/* Tests of the enrolee: a whole enrolment, every way in which it is refused, and what is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolment_kit.h"
#include "internal/poison.h"

enum { RETRY_MS = 1000, WAIT_MS = 60000 };

FER_ARENA(arena, FER_ENROLEE_SIZE);
static struct kit_source source;
static fer_static_public own;
static fer_enrolee *enrolee;
static kit_gateway gateway;
static uint64_t now;

static fer_enrolee_config make_config(void)
{
    return (fer_enrolee_config){.secret = kit_secrets[0],
                                .own = own,
                                .retry_ms = RETRY_MS,
                                .wait_ms = WAIT_MS,
                                .entropy = {&kit_fill_ops, &source}};
}

static int start(void **state)
{
    (void)state;
    source = (struct kit_source){0, FER_PORT_OK};
    now = 5;
    kit_gateway_start(&gateway);
    assert_int_equal(FER_OK, fer_static_get_public(&kit_secrets[0], &own));
    assert_int_equal(FER_OK, fer_arena_rewind(&arena, (fer_arena_position){0}));
    const fer_enrolee_config config = make_config();
    assert_int_equal(FER_OK, fer_enrolee_create(&arena, &config, &enrolee));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fer_enrolee_close(&enrolee);
    assert_null(enrolee);
    fer_arena_close(&gateway.arena);
    return 0;
}

/* ---- steps ------------------------------------------------------------------------------ */

static void assert_stage(fer_enrolee_stage stage)
{
    assert_int_equal(stage, fer_enrolee_get_stage(enrolee));
}

static kit_bytes take(void)
{
    uint8_t out[FER_ENROLEE_FRAME];
    size_t n = 0;
    assert_int_equal(FER_OK, fer_enrolee_take(enrolee, now, out, sizeof out, &n));
    assert_int_equal(out[0], 0);
    return kit_unframe(out, n);
}

static void assert_nothing_due(void)
{
    uint8_t out[FER_ENROLEE_FRAME];
    size_t n = 9;
    assert_int_equal(FER_EMPTY, fer_enrolee_take(enrolee, now, out, sizeof out, &n));
    assert_int_equal(n, 0);
}

static fer_status feed(const uint8_t *message, size_t n)
{
    const kit_bytes frame = kit_frame(message, n);
    size_t used = 0;
    fer_status status = fer_enrolee_feed(enrolee, frame.at, frame.n, &used);
    assert_int_equal(used, frame.n);
    return status;
}

static kit_bytes get_second(void)
{
    const kit_bytes first = take();
    return kit_gateway_answer(&gateway, &first);
}

static void meet(void)
{
    const kit_bytes second = get_second();
    assert_int_equal(FER_OK, feed(second.at, second.n));
    const kit_bytes third = take();
    assert_int_equal(FER_OK, kit_gateway_meet(&gateway, &third));
}

static kit_bytes accept(size_t n)
{
    uint8_t blob[FER_BLOB_BYTES + 8];
    memset(blob, 0xB1, sizeof blob);
    return kit_gateway_seal(&gateway, blob, n);
}

static bool contains(const void *bytes, size_t n, const void *what, size_t length)
{
    for (size_t at = 0; at + length <= n; at++) {
        if (memcmp((const uint8_t *)bytes + at, what, length) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- a whole enrolment ------------------------------------------------------------------ */

static void enrol(size_t handed_over)
{
    fer_static_public peer;
    uint8_t *blob = NULL;
    size_t n = 1;

    assert_stage(FER_ENROLEE_GREETS);
    assert_int_equal(FER_EMPTY, fer_enrolee_get_gateway(enrolee, &peer));
    const kit_bytes second = get_second();
    assert_nothing_due();
    assert_int_equal(FER_OK, feed(second.at, second.n));
    assert_stage(FER_ENROLEE_MET);
    assert_int_equal(FER_OK, fer_enrolee_get_gateway(enrolee, &peer));
    assert_memory_equal(&peer, &gateway.own, sizeof peer);
    const kit_bytes third = take();
    assert_int_equal(FER_OK, kit_gateway_meet(&gateway, &third));
    assert_memory_equal(&gateway.device, &own, sizeof own);
    assert_nothing_due();
    assert_int_equal(FER_ERR_ORDER, fer_enrolee_get_blob(enrolee, &blob, &n));
    assert_int_equal(FER_ERR_ORDER, fer_enrolee_confirm(enrolee));

    const kit_bytes record = accept(handed_over);
    assert_int_equal(FER_OK, feed(record.at, record.n));
    assert_stage(FER_ENROLEE_ACCEPTED);
    assert_nothing_due(); /* no receipt before the application says so */
    assert_int_equal(FER_OK, fer_enrolee_get_blob(enrolee, &blob, &n));
    assert_int_equal(n, handed_over);
    for (size_t i = 0; i < FER_BLOB_BYTES; i++) {
        assert_int_equal(blob[i], i < n ? 0xB1 : 0);
    }
    assert_int_equal(FER_OK, fer_enrolee_confirm(enrolee));
    assert_stage(FER_ENROLEE_CONFIRMED);
    for (size_t i = 0; i < FER_BLOB_BYTES; i++) {
        assert_int_equal(blob[i], 0); /* WIPE */
    }
    assert_int_equal(FER_ERR_ORDER, fer_enrolee_get_blob(enrolee, &blob, &n));
    assert_int_equal(FER_ERR_ORDER, fer_enrolee_confirm(enrolee));
    const kit_bytes receipt = take();
    assert_true(kit_gateway_hears_receipt(&gateway, &receipt));
    assert_stage(FER_ENROLEE_DONE);
    now += UINT64_C(100) * WAIT_MS;
    assert_nothing_due();
    assert_int_equal(FER_OK, fer_enrolee_get_gateway(enrolee, &peer));
    assert_memory_equal(&peer, &gateway.own, sizeof peer);
}

static void test_hands_out_what_the_gateway_hands_over(void **state)
{
    static const size_t lengths[] = {FER_CREDENTIAL_BYTES, 0, FER_BLOB_BYTES};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        enrol(lengths[i]);
        assert_int_equal(FER_OK, fer_enrolee_restart(enrolee)); /* the same bytes again */
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
    meet();
    assert_int_equal(FER_DROP_FORGED, feed(record.at, record.n));
    assert_stage(FER_ENROLEE_MET);
}

/* ---- pacing ----------------------------------------------------------------------------- */

static void test_begins_again_when_nobody_answers(void **state)
{
    (void)state;
    kit_bytes before = take();
    for (unsigned i = 0; i < 3; i++) {
        now += RETRY_MS - 1;
        assert_nothing_due();
        now += 1;
        const kit_bytes first = take();
        assert_memory_not_equal(first.at, before.at, first.n); /* a fresh ephemeral key */
        before = first;
    }
    now = 0; /* a clock that fails */
    assert_nothing_due();
}

static void test_begins_again_when_the_gateway_does_not_accept(void **state)
{
    fer_static_public peer;
    (void)state;
    meet();
    now += WAIT_MS - 1;
    assert_nothing_due();
    now += 1;
    (void)take();
    assert_stage(FER_ENROLEE_GREETS);
    assert_int_equal(FER_EMPTY, fer_enrolee_get_gateway(enrolee, &peer));
    /* Once it has, people may take their time. */
    now += RETRY_MS;
    meet();
    const kit_bytes record = accept(0);
    assert_int_equal(FER_OK, feed(record.at, record.n));
    now += UINT64_C(9) * WAIT_MS;
    assert_nothing_due();
    assert_stage(FER_ENROLEE_ACCEPTED);
}

/* With other waits. */
static void recreate(uint32_t retry_ms, uint32_t wait_ms)
{
    fer_enrolee_config config = make_config();
    config.retry_ms = retry_ms;
    config.wait_ms = wait_ms;
    assert_int_equal(FER_OK, fer_arena_rewind(&arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_enrolee_create(&arena, &config, &enrolee));
}

static void test_waits_for_ever_where_it_is_told_to(void **state)
{
    (void)state;
    recreate(0, WAIT_MS);
    kit_bytes second = get_second();
    now += UINT64_C(1) << 40;
    assert_nothing_due();
    second.at[50] ^= 1;
    assert_int_equal(FER_DROP_FORGED, feed(second.at, second.n));
    now += UINT64_C(1) << 40;
    assert_nothing_due();
    assert_int_equal(FER_OK, fer_enrolee_restart(enrolee));
    meet();
    recreate(RETRY_MS, 0);
    meet();
    now += UINT64_C(1) << 40;
    assert_nothing_due();
}

/* ---- trouble ---------------------------------------------------------------------------- */

static void test_no_first_message_without_entropy(void **state)
{
    uint8_t out[FER_ENROLEE_FRAME];
    size_t n = 9;
    (void)state;
    source.answer = FER_PORT_FAILED;
    assert_int_equal(FER_TROUBLE_ENTROPY, fer_enrolee_take(enrolee, now, out, sizeof out, &n));
    assert_int_equal(n, 0);
    source.answer = FER_PORT_NOT_NOW;
    assert_int_equal(FER_NOT_NOW, fer_enrolee_take(enrolee, now, out, sizeof out, &n));
    source.answer = FER_PORT_OK;
    enrol(0);
    recreate(0, 0); /* nothing was begun: it needs no restart */
    source.answer = FER_PORT_FAILED;
    assert_int_equal(FER_TROUBLE_ENTROPY, fer_enrolee_take(enrolee, now, out, sizeof out, &n));
    source.answer = FER_PORT_OK;
    enrol(0);
}

static void test_refuses_calls_that_cannot_work(void **state)
{
    const fer_enrolee_config good = make_config();
    fer_enrolee_config bad = good;
    fer_enrolee *none = NULL;
    fer_enrolee *made = NULL;
    uint8_t out[FER_ENROLEE_FRAME];
    size_t n = 0;
    (void)state;
    bad.entropy.ops = NULL;
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_create(&arena, &bad, &made));
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_create(&arena, NULL, &made));
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_create(&arena, &good, NULL));
    assert_int_equal(FER_ERR_ARENA, fer_enrolee_create(&arena, &good, &made)); /* it is full */
    assert_null(made);
    assert_int_equal(FER_ERR_CAPACITY, fer_enrolee_take(enrolee, now, out, sizeof out - 1, &n));
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_take(enrolee, now, NULL, sizeof out, &n));
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_take(enrolee, now, out, sizeof out, NULL));
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_feed(enrolee, NULL, 1, &n));
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_feed(enrolee, out, 1, NULL));
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_get_gateway(enrolee, NULL));
    assert_int_equal(FER_ERR_ARGUMENT, fer_enrolee_get_blob(enrolee, NULL, &n));
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_take(none, now, out, sizeof out, &n));
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_feed(none, out, 1, &n));
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_get_gateway(none, &own));
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_get_blob(none, NULL, &n));
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_confirm(none));
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_restart(none));
    assert_int_equal(FER_ENROLEE_NONE, fer_enrolee_get_stage(none));
    fer_enrolee_close(&none);
    fer_enrolee_close(NULL);
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
        cmocka_unit_test_setup_teardown(test_takes_the_first_acceptance_alone, start, stop),
        cmocka_unit_test_setup_teardown(test_an_answer_serves_one_attempt, start, stop),
        cmocka_unit_test_setup_teardown(test_begins_again_when_nobody_answers, start, stop),
        cmocka_unit_test_setup_teardown(test_begins_again_when_the_gateway_does_not_accept, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_waits_for_ever_where_it_is_told_to, start, stop),
        cmocka_unit_test_setup_teardown(test_no_first_message_without_entropy, start, stop),
        cmocka_unit_test_setup_teardown(test_refuses_calls_that_cannot_work, start, stop),
        cmocka_unit_test_setup_teardown(test_leaves_no_key_behind, start, stop),
    };
    return cmocka_run_group_tests_name("enrolee", tests, NULL, NULL);
}
