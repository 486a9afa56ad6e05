/* Tests of the enrolee: when it begins again and when it waits, and calls that cannot work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolee_kit.h"

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

/* Another gateway, refused by the application at once, again and again. */
static void test_a_refused_gateway_cannot_make_it_compute_without_a_pause(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const kit_bytes second = get_second();
        assert_int_equal(FER_OK, feed(second.at, second.n));
        assert_int_equal(FER_OK, fer_enrolee_restart(enrolee));
        assert_stage(FER_ENROLEE_GREETS);
        now += RETRY_MS - 1;
        assert_nothing_due();
        now += 1;
    }
    meet();
    assert_int_equal(FER_OK, fer_enrolee_restart(enrolee)); /* does not wait for WAIT_MS */
    now += RETRY_MS;
    meet();
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
    fer_enrolee copied = *enrolee; /* a handle is one at its own address only */
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_take(&copied, now, out, sizeof out, &n));
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_feed(&copied, out, 1, &n));
    assert_int_equal(FER_ERR_HANDLE, fer_enrolee_confirm(&copied));
    assert_int_equal(FER_ENROLEE_NONE, fer_enrolee_get_stage(&copied));
    fer_enrolee_close(&none);
    fer_enrolee_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_begins_again_when_nobody_answers, start, stop),
        cmocka_unit_test_setup_teardown(
            test_a_refused_gateway_cannot_make_it_compute_without_a_pause, start, stop),
        cmocka_unit_test_setup_teardown(test_begins_again_when_the_gateway_does_not_accept, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_waits_for_ever_where_it_is_told_to, start, stop),
        cmocka_unit_test_setup_teardown(test_no_first_message_without_entropy, start, stop),
        cmocka_unit_test_setup_teardown(test_refuses_calls_that_cannot_work, start, stop),
    };
    return cmocka_run_group_tests_name("enrolee_pacing", tests, NULL, NULL);
}
