/* Tests: what a handshake does: every pattern with every place of a psk, turns, keys that must be
 * given, and the session that comes of it. What it refuses: test_handshake_hostile.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "handshake_kit.h"

static const uint8_t text[] = "valve open 37 %";

static fer_session_config session_config(unsigned who)
{
    return (fer_session_config){
        .identity = {7, (const uint8_t *)"pump-7", 6, (const uint8_t *)"\x11\x22\x33\x44", 4},
        .window_bits = KIT_WINDOW,
        .way = FER_TWO_WAY,
        .entropy = {&kit_ops, &kit_sides[who].source}};
}

static void finish(unsigned who, fer_session *session)
{
    const fer_session_config config = session_config(who);

    assert_int_equal(FER_OK,
                     fer_handshake_finish(&kit_sides[who].handshake, &kit_arena, &config, session));
    assert_null(kit_sides[who].handshake);
}

static void carry(fer_sealer *sealer, fer_opener *opener)
{
    uint8_t record[sizeof text + FER_OVERHEAD_MAX];
    uint8_t out[sizeof text];
    fer_opened opened;
    size_t length;

    assert_int_equal(FER_OK,
                     fer_sealer_seal(sealer, text, sizeof text, record, sizeof record, &length));
    assert_int_equal(FER_OK, fer_opener_receive(opener, record, length, out, sizeof out, &opened));
    assert_memory_equal(out, text, sizeof text);
    assert_int_equal(opened.kind, FER_KIND_SESSION);
    assert_int_equal(opened.generation, 0);
    assert_int_equal(FER_DROP_REPLAY,
                     fer_opener_receive(opener, record, length, out, sizeof out, &opened));
}

static void close_session(fer_session *session)
{
    fer_sealer_close(&session->sealer);
    fer_opener_close(&session->opener);
}

static void run_whole(const fer_pattern *pattern, uint8_t psk_place)
{
    fer_session sessions[2];
    uint8_t bindings[2][32];
    fer_static_public peer;

    kit_start(pattern, psk_place);
    kit_pass_until(pattern->messages);
    for (unsigned who = 0; who < 2; who++) {
        bool knows = ((pattern->known | pattern->sent) & ~(1u << who)) != 0;

        assert_int_equal(FER_TURN_DONE, fer_handshake_get_turn(kit_sides[who].handshake));
        assert_int_equal(FER_OK,
                         fer_handshake_get_binding(kit_sides[who].handshake, bindings[who]));
        assert_int_equal(knows ? FER_OK : FER_EMPTY,
                         fer_handshake_get_peer(kit_sides[who].handshake, &peer));
        if (knows) {
            assert_memory_equal(&peer, &kit_sides[1 - who].own, sizeof peer);
        }
        finish(who, &sessions[who]);
    }
    assert_memory_equal(bindings[0], bindings[1], sizeof bindings[0]);
    carry(sessions[0].sealer, sessions[1].opener);
    assert_int_equal(pattern->one_way, sessions[0].opener == NULL);
    assert_int_equal(pattern->one_way, sessions[1].sealer == NULL);
    if (!pattern->one_way) {
        carry(sessions[1].sealer, sessions[0].opener);
    }
    close_session(&sessions[0]);
    close_session(&sessions[1]);
}

static void test_every_pattern(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PATTERNS; i++) {
        run_whole(patterns[i], FER_NO_PSK);
        for (uint8_t place = 0; place <= patterns[i]->messages; place++) {
            run_whole(patterns[i], place);
        }
    }
}

/* Noise section 7.3: tables that a patterns' rules allow. */
static void test_tables_are_sound(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PATTERNS; i++) {
        const fer_pattern *pattern = patterns[i];
        unsigned known = pattern->known;
        unsigned ephemerals = 0;
        unsigned products = 0;
        unsigned message = 0;

        for (const uint8_t *token = pattern->tokens; message < pattern->messages; token++) {
            unsigned who = 1u << message % 2u;

            assert_true((size_t)(token - pattern->tokens) < sizeof pattern->tokens);
            if (*token == FER_TOKEN_END) {
                message++;
            } else if (*token == FER_TOKEN_E) {
                assert_int_equal(ephemerals & who, 0);
                ephemerals |= who;
            } else if (*token == FER_TOKEN_S) {
                assert_int_equal(known & who, 0);
                assert_int_equal(pattern->sent & who, who);
                known |= who;
            } else {
                unsigned initiators =
                    *token == FER_TOKEN_EE || *token == FER_TOKEN_ES ? ephemerals : known;
                unsigned responders =
                    *token == FER_TOKEN_EE || *token == FER_TOKEN_SE ? ephemerals : known;
                assert_int_equal(initiators & 1u, 1u);
                assert_int_equal(responders & 2u, 2u);
                assert_int_equal(products & 1u << *token, 0);
                products |= 1u << *token;
            }
        }
        assert_int_equal(known, pattern->known | (unsigned)pattern->sent);
        assert_true(pattern->one_way || (products & 1u << FER_TOKEN_EE) != 0);
    }
}

static void test_lengths_of_ik(void **state)
{
    (void)state;
    kit_start(&fer_pattern_ik, 2);
    assert_int_equal(fer_handshake_get_overhead(kit_sides[0].handshake), 96);
    kit_pass(0);
    assert_int_equal(fer_handshake_get_overhead(kit_sides[1].handshake), 48);
    kit_pass(1);
    assert_int_equal(fer_handshake_get_overhead(kit_sides[0].handshake), 0);
}

/* Every call that is not in turn says so and changes nothing: the handshake goes on to its end. */
static void test_turns(void **state)
{
    uint8_t out[MESSAGE_MAX];
    uint8_t binding[32];
    size_t length;

    (void)state;
    kit_start(&fer_pattern_xx, FER_NO_PSK);
    for (unsigned number = 0; number < 3; number++) {
        const fer_session_config config = session_config(0);
        fer_session session;
        fer_handshake *writer = kit_writer(number)->handshake;
        fer_handshake *reader = kit_other(kit_writer(number))->handshake;

        assert_int_equal(FER_TURN_WRITE, fer_handshake_get_turn(writer));
        assert_int_equal(FER_TURN_READ, fer_handshake_get_turn(reader));
        assert_int_equal(FER_ERR_ORDER,
                         fer_handshake_write(reader, text, 1, out, sizeof out, &length));
        assert_int_equal(FER_ERR_ORDER,
                         fer_handshake_read(writer, text, sizeof text, out, sizeof out, &length));
        assert_int_equal(FER_ERR_ORDER, fer_handshake_get_binding(reader, binding));
        assert_int_equal(FER_ERR_ORDER,
                         fer_handshake_finish(&reader, &kit_arena, &config, &session));
        assert_non_null(reader);
        kit_pass(number);
    }
    assert_int_equal(FER_ERR_ORDER, fer_handshake_write(kit_sides[0].handshake, text, 1, out,
                                                        sizeof out, &length));
    assert_int_equal(FER_ERR_ORDER,
                     fer_handshake_read(kit_sides[1].handshake, text, 1, out, sizeof out, &length));
}

/* Too little room, or a source that fails: nothing has changed, the next try works. */
static void test_refusals_that_change_nothing(void **state)
{
    static uint8_t longest[FER_NOISE_MESSAGE_MAX];
    kit_message message;
    uint8_t out[MESSAGE_MAX];
    size_t length;

    (void)state;
    kit_start(&fer_pattern_ik, 1);
    fer_handshake *writer = kit_sides[0].handshake;
    size_t overhead = fer_handshake_get_overhead(writer);
    fer_handshake before = *writer;

    assert_int_equal(FER_ERR_CAPACITY,
                     fer_handshake_write(writer, text, 5, out, overhead + 4, &length));
    assert_int_equal(FER_ERR_CAPACITY,
                     fer_handshake_write(writer, longest, sizeof longest - overhead + 1, longest,
                                         sizeof longest, &length));
    kit_sides[0].source.answer = FER_PORT_FAILED;
    assert_int_equal(FER_TROUBLE_ENTROPY,
                     fer_handshake_write(writer, text, 5, out, sizeof out, &length));
    kit_sides[0].source.answer = FER_PORT_NOT_NOW;
    assert_int_equal(FER_NOT_NOW, fer_handshake_write(writer, text, 5, out, sizeof out, &length));
    assert_memory_equal(writer, &before, sizeof before);
    kit_sides[0].source.answer = FER_PORT_OK;
    kit_write(0, &message);
    before = *kit_sides[1].handshake;
    assert_int_equal(FER_ERR_CAPACITY,
                     fer_handshake_read(kit_sides[1].handshake, message.bytes, message.length, out,
                                        kit_payload_length(0) - 1, &length));
    assert_memory_equal(kit_sides[1].handshake, &before, sizeof before);
    assert_int_equal(FER_OK, kit_read(0, &message, out, &length));
}

static void expect_refused(const fer_handshake_config *config)
{
    fer_handshake *handshake = NULL;

    assert_int_equal(FER_ERR_ARGUMENT, fer_handshake_create(&kit_arena, config, &handshake));
    assert_null(handshake);
}

/* Exactly the keys of the pattern: one missing or one too many is a mistake worth telling. */
static void test_keys_that_must_be_given(void **state)
{
    (void)state;
    kit_start(&fer_pattern_ik, 2);
    const fer_handshake_config good = kit_sides[0].config;
    fer_handshake_config config = good;

    config.own_secret = NULL;
    expect_refused(&config);
    config = good;
    config.own_public = NULL;
    expect_refused(&config);
    config = good;
    config.peer = NULL;
    expect_refused(&config);
    config = good;
    config.psk = NULL;
    expect_refused(&config);
    config = good;
    config.psk_place = FER_NO_PSK;
    expect_refused(&config);
    config = good;
    config.psk_place = 3;
    expect_refused(&config);
    config = good;
    config.entropy.ops = NULL;
    expect_refused(&config);
    config = good;
    config.pattern = NULL;
    expect_refused(&config);
    config = good;
    config.role = (fer_role)2;
    expect_refused(&config);
    config = good;
    config.prologue = NULL;
    expect_refused(&config);
    config = good;
    config.pattern = &fer_pattern_nn; /* which uses no static key */
    expect_refused(&config);
}

/* The arena gives the same bytes to the next handshake, and nothing of the first is in them. */
static void test_a_second_handshake_takes_the_same_bytes(void **state)
{
    fer_arena_position start;

    (void)state;
    kit_start(&fer_pattern_xx, FER_NO_PSK);
    fer_handshake_close(&kit_sides[0].handshake);
    fer_handshake_close(&kit_sides[1].handshake);
    assert_int_equal(FER_OK, fer_arena_rewind(&kit_arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_arena_mark(&kit_arena, &start));
    size_t room = fer_arena_room(&kit_arena);
    kit_create(&kit_sides[0]);
    const fer_handshake *first = kit_sides[0].handshake;
    fer_handshake_close(&kit_sides[0].handshake);
    assert_int_equal(FER_OK, fer_arena_rewind(&kit_arena, start));
    assert_int_equal(fer_arena_room(&kit_arena), room);
    kit_create(&kit_sides[0]);
    assert_ptr_equal(first, kit_sides[0].handshake);
}

static bool holds(const void *memory, size_t size, const void *what, size_t n)
{
    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp((const uint8_t *)memory + i, what, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Secrets go as soon as no message needs them (WIPE). */
static void test_secrets_go_with_the_last_message(void **state)
{
    (void)state;
    kit_start(&fer_pattern_ik, 2);
    kit_side *side = &kit_sides[0];

    assert_true(holds(side->handshake, sizeof *side->handshake, &side->secret, 32));
    assert_true(holds(side->handshake, sizeof *side->handshake, &side->psk, 32));
    kit_pass_until(2);
    assert_false(holds(side->handshake, sizeof *side->handshake, &side->secret, 16));
    assert_false(holds(side->handshake, sizeof *side->handshake, &side->psk, 16));
}

/* Sessions differ in their identity or epoch alone: nothing of one opens in the other. */
static void test_a_session_is_its_identity(void **state)
{
    uint8_t record[sizeof text + FER_OVERHEAD_MAX];
    uint8_t out[sizeof text];
    fer_session sessions[2];
    fer_opened opened;
    size_t length;

    (void)state;
    kit_start(&fer_pattern_nn, FER_NO_PSK);
    kit_pass_until(2);
    finish(0, &sessions[0]);
    fer_session_config config = session_config(1);
    config.identity.epoch++;
    assert_int_equal(
        FER_OK, fer_handshake_finish(&kit_sides[1].handshake, &kit_arena, &config, &sessions[1]));
    assert_int_equal(FER_OK, fer_sealer_seal(sessions[0].sealer, text, sizeof text, record,
                                             sizeof record, &length));
    assert_int_equal(FER_DROP_FORGED, fer_opener_receive(sessions[1].opener, record, length, out,
                                                         sizeof out, &opened));
}

/* A session that cannot be made consumes the handshake all the same, and leaves the arena as it
 * was. */
static void test_a_failing_finish(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < 4; fault++) {
        fer_session session;

        kit_start(&fer_pattern_nn, FER_NO_PSK);
        kit_pass_until(2);
        size_t room = fer_arena_room(&kit_arena);
        fer_session_config config = session_config(1);
        if (fault == 0) {
            config.identity.identity_length = 0;
        } else if (fault == 1) {
            config.identity.route_length = 3;
        } else if (fault == 2) {
            config.window_bits = 65;
        } else {
            config.entropy.ops = NULL; /* a responder seals with salts */
        }
        assert_int_equal(FER_ERR_ARGUMENT, fer_handshake_finish(&kit_sides[1].handshake, &kit_arena,
                                                                &config, &session));
        assert_null(kit_sides[1].handshake);
        assert_null(session.sealer);
        assert_null(session.opener);
        assert_int_equal(room, fer_arena_room(&kit_arena));
    }
}

static void test_handles(void **state)
{
    uint8_t out[MESSAGE_MAX];
    fer_static_public peer;
    size_t length;

    (void)state;
    kit_start(&fer_pattern_nn, FER_NO_PSK);
    fer_handshake copy = *kit_sides[0].handshake;
    fer_handshake *copied = &copy;
    const fer_session_config config = session_config(0);
    fer_session session;

    assert_int_equal(FER_ERR_HANDLE, fer_handshake_write(copied, text, 1, out, 99, &length));
    assert_int_equal(FER_ERR_HANDLE, fer_handshake_read(copied, text, 1, out, 99, &length));
    assert_int_equal(FER_ERR_HANDLE, fer_handshake_get_peer(copied, &peer));
    assert_int_equal(FER_ERR_HANDLE, fer_handshake_get_binding(copied, out));
    assert_int_equal(FER_ERR_HANDLE, fer_handshake_finish(&copied, &kit_arena, &config, &session));
    assert_int_equal(FER_TURN_FAILED, fer_handshake_get_turn(copied));
    assert_int_equal(0, fer_handshake_get_overhead(NULL));
    fer_handshake_close(&copied);
    assert_ptr_equal(copied, &copy);
    fer_handshake_close(NULL);
}

/* RFC 7748, section 6.1. */
static void test_public_keys(void **state)
{
    static const uint8_t secret[32] = {0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d,
                                       0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
                                       0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a,
                                       0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
    static const uint8_t expected[32] = {0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54,
                                         0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
                                         0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4,
                                         0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
    static const uint8_t print[16] = {0x30, 0x0c, 0x9c, 0x96, 0x03, 0xb9, 0x2a, 0x4b, 0x39,
                                      0xed, 0x39, 0x58, 0xbf, 0x92, 0x40, 0x11}; /* SHA-256 of it */
    uint8_t fingerprint[FER_STATIC_FINGERPRINT_BYTES];
    struct kit_source source = {.answer = FER_PORT_FAILED};
    fer_static_secret own;
    fer_static_public point;

    (void)state;
    memcpy(own.bytes, secret, sizeof secret);
    assert_int_equal(FER_OK, fer_static_get_public(&own, &point));
    assert_memory_equal(point.bytes, expected, sizeof expected);
    assert_int_equal(FER_OK, fer_static_get_fingerprint(&point, fingerprint));
    assert_memory_equal(fingerprint, print, sizeof print);
    assert_int_equal(FER_ERR_ARGUMENT, fer_static_get_fingerprint(NULL, fingerprint));
    assert_int_equal(FER_ERR_ARGUMENT, fer_static_get_fingerprint(&point, NULL));
    char shown[FER_STATIC_FINGERPRINT_TEXT];
    unsigned pair[2];
    assert_int_equal(FER_OK, fer_static_get_fingerprint_text(&point, shown));
    for (size_t i = 0; i < sizeof print; i += 2) {
        assert_int_equal(2, sscanf(shown + i / 2 * 5, "%2x%2x", &pair[0], &pair[1]));
        assert_int_equal(pair[0] << 8 | pair[1], print[i] << 8 | print[i + 1]);
        assert_int_equal(shown[i / 2 * 5 + 4], i + 2 < sizeof print ? '-' : '\0');
    }
    assert_int_equal(FER_ERR_ARGUMENT, fer_static_get_fingerprint_text(NULL, shown));
    assert_int_equal(FER_ERR_ARGUMENT, fer_static_get_fingerprint_text(&point, NULL));
    assert_int_equal(FER_TROUBLE_ENTROPY,
                     fer_static_generate((fer_entropy){&kit_ops, &source}, &own, &point));
    assert_true(!holds(&own, sizeof own, secret, 4) && !holds(&point, sizeof point, expected, 4));
    assert_int_equal(FER_ERR_ARGUMENT, fer_static_generate((fer_entropy){0}, &own, &point));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pattern),
        cmocka_unit_test(test_tables_are_sound),
        cmocka_unit_test(test_lengths_of_ik),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_refusals_that_change_nothing),
        cmocka_unit_test(test_keys_that_must_be_given),
        cmocka_unit_test(test_a_second_handshake_takes_the_same_bytes),
        cmocka_unit_test(test_secrets_go_with_the_last_message),
        cmocka_unit_test(test_a_session_is_its_identity),
        cmocka_unit_test(test_a_failing_finish),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_public_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
