/* What the tests of the enrolee share: one, its gateway, and the steps of an enrolment. Include
 * after cmocka.h. */
#ifndef FERRULE_TESTS_ENROLEE_KIT_H
#define FERRULE_TESTS_ENROLEE_KIT_H

#include "enrolment_kit.h"

enum { RETRY_MS = 1000, WAIT_MS = 60000 };

FER_ARENA(arena, FER_ENROLEE_SIZE);
static struct kit_source source;
static fer_static_public own;
static fer_enrolee *enrolee;
static kit_gateway gateway;
static uint64_t now;

static inline fer_enrolee_config make_config(void)
{
    return (fer_enrolee_config){.secret = kit_secrets[0],
                                .own = own,
                                .retry_ms = RETRY_MS,
                                .wait_ms = WAIT_MS,
                                .entropy = {&kit_fill_ops, &source}};
}

static inline int start(void **state)
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

static inline int stop(void **state)
{
    (void)state;
    fer_enrolee_close(&enrolee);
    assert_null(enrolee);
    fer_arena_close(&gateway.arena);
    return 0;
}

/* ---- steps ------------------------------------------------------------------------------ */

static inline void assert_stage(fer_enrolee_stage stage)
{
    assert_int_equal(stage, fer_enrolee_get_stage(enrolee));
}

static inline kit_bytes take(void)
{
    uint8_t out[FER_ENROLEE_FRAME];
    size_t n = 0;
    assert_int_equal(FER_OK, fer_enrolee_take(enrolee, now, out, sizeof out, &n));
    assert_int_equal(out[0], 0);
    return kit_unframe(out, n);
}

static inline void assert_nothing_due(void)
{
    uint8_t out[FER_ENROLEE_FRAME];
    size_t n = 9;
    assert_int_equal(FER_EMPTY, fer_enrolee_take(enrolee, now, out, sizeof out, &n));
    assert_int_equal(n, 0);
}

static inline fer_status feed(const uint8_t *message, size_t n)
{
    const kit_bytes frame = kit_frame(message, n);
    size_t used = 0;
    fer_status status = fer_enrolee_feed(enrolee, frame.at, frame.n, &used);
    assert_int_equal(used, frame.n);
    return status;
}

static inline kit_bytes get_second(void)
{
    const kit_bytes first = take();
    return kit_gateway_answer(&gateway, &first);
}

static inline void meet(void)
{
    const kit_bytes second = get_second();
    assert_int_equal(FER_OK, feed(second.at, second.n));
    const kit_bytes third = take();
    assert_int_equal(FER_OK, kit_gateway_meet(&gateway, &third));
}

static inline kit_bytes accept(size_t n)
{
    uint8_t blob[FER_BLOB_BYTES + 8];
    memset(blob, 0xB1, sizeof blob);
    return kit_gateway_seal(&gateway, blob, n);
}

/* With other waits. */
static inline void recreate(uint32_t retry_ms, uint32_t wait_ms)
{
    fer_enrolee_config config = make_config();
    config.retry_ms = retry_ms;
    config.wait_ms = wait_ms;
    assert_int_equal(FER_OK, fer_arena_rewind(&arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_enrolee_create(&arena, &config, &enrolee));
}

/* A whole enrolment. */
static inline void enrol(size_t handed_over)
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

#endif
