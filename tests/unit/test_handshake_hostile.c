/* Tests: what a handshake refuses. Every message of every pattern, changed in every byte and cut at
 * every length; wrong keys, prologue and roles; reflected and repeated messages; points of small
 * order; a random source that is stuck. FERRULE_QUICK changes and cuts at every 13th place only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "handshake_kit.h"

static size_t stride = 1;

static bool is_zero(const void *memory, size_t n)
{
    const uint8_t *bytes = memory;
    uint8_t any = 0;

    for (size_t i = 0; i < n; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

/* Refused for good, without a trace: no payload, and no key left in the handle (WIPE, FIRST). */
static void expect_final(fer_handshake *reader, const uint8_t *message, size_t n)
{
    uint8_t out[MESSAGE_MAX];
    size_t length = 99;

    memset(out, 0xA5, sizeof out);
    assert_int_equal(FER_DROP_FORGED,
                     fer_handshake_read(reader, message, n, out, sizeof out, &length));
    assert_int_equal(length, 0);
    assert_true(is_zero(out, n < sizeof out ? n : sizeof out));
    assert_int_equal(FER_TURN_FAILED, fer_handshake_get_turn(reader));
    reader->tag ^= (uintptr_t)reader ^ FER_TAG_HANDSHAKE;
    reader->failed = false;
    assert_true(is_zero(reader, sizeof *reader));
    reader->failed = true;
    reader->tag = fer_tag_make(reader, FER_TAG_HANDSHAKE);
    assert_int_equal(FER_ERR_ORDER,
                     fer_handshake_read(reader, message, n, out, sizeof out, &length));
}

/* Whether a message that was changed is refused by whom it was sent to, or at the latest by the
 * next that is read: what Noise sends in clear is bound by the hash of what follows. */
static void expect_noticed(unsigned number, const kit_message *changed, unsigned messages)
{
    kit_side *writer = kit_writer(number);
    uint8_t out[MESSAGE_MAX];
    size_t length;
    kit_message answer;

    if (kit_read(number, changed, out, &length) != FER_OK) {
        assert_int_equal(FER_TURN_FAILED, fer_handshake_get_turn(kit_other(writer)->handshake));
        return;
    }
    if (number + 1u < messages) {
        kit_write(number + 1u, &answer);
        if (kit_read(number + 1u, &answer, out, &length) != FER_OK) {
            return;
        }
    }
    uint8_t bindings[2][32];
    for (unsigned who = 0; who < 2; who++) {
        memcpy(bindings[who], kit_sides[who].handshake->h, sizeof bindings[who]);
    }
    assert_memory_not_equal(bindings[0], bindings[1], sizeof bindings[0]);
}

/* Whether every byte of this message is authenticated when it is read: from the first product on,
 * all but the leading ephemeral key, a change of which shows in the tag that follows. */
static bool ends_sealed(const kit_side *writer)
{
    return writer->handshake->has_k;
}

static void mutate_message(const fer_pattern *pattern, uint8_t psk_place, unsigned number)
{
    kit_message message;
    size_t length = MESSAGE_MAX;

    for (size_t at = number % stride; at < length; at += stride) {
        kit_start(pattern, psk_place);
        kit_pass_until(number);
        kit_write(number, &message);
        length = message.length;
        bool sealed = ends_sealed(kit_writer(number));
        message.bytes[at] ^= (uint8_t)(at % 31u == 0 ? 0x01 : 0x80 >> at % 7u);
        if (sealed) {
            expect_final(kit_other(kit_writer(number))->handshake, message.bytes, length);
        } else {
            expect_noticed(number, &message, pattern->messages);
        }
    }
}

static void test_every_byte_changed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PATTERNS; i++) {
        for (unsigned number = 0; number < patterns[i]->messages; number++) {
            mutate_message(patterns[i], FER_NO_PSK, number);
            mutate_message(patterns[i], patterns[i]->messages, number);
            mutate_message(patterns[i], 0, number);
        }
    }
}

static void test_every_length_cut(void **state)
{
    kit_message message;
    uint8_t out[MESSAGE_MAX];
    size_t length;

    (void)state;
    for (unsigned i = 0; i < PATTERNS; i++) {
        for (unsigned number = 0; number < patterns[i]->messages; number++) {
            size_t whole = MESSAGE_MAX;
            for (size_t n = number % stride; n < whole; n += stride) {
                kit_start(patterns[i], FER_NO_PSK);
                kit_pass_until(number);
                size_t overhead = fer_handshake_get_overhead(kit_writer(number)->handshake);
                kit_write(number, &message);
                whole = message.length;
                fer_handshake *reader = kit_other(kit_writer(number))->handshake;
                if (n < overhead || ends_sealed(kit_writer(number))) {
                    expect_final(reader, message.bytes, n);
                } else { /* a clear payload, cut: bound by what follows */
                    assert_int_equal(FER_OK, fer_handshake_read(reader, message.bytes, n, out,
                                                                sizeof out, &length));
                    assert_int_equal(length, n - overhead);
                }
            }
        }
    }
}

static void test_longer_than_noise_allows(void **state)
{
    static uint8_t message[FER_NOISE_MESSAGE_MAX + 1];
    static uint8_t out[FER_NOISE_MESSAGE_MAX + 1];
    size_t length;

    (void)state;
    kit_start(&fer_pattern_nn, FER_NO_PSK);
    assert_int_equal(FER_DROP_FORGED, fer_handshake_read(kit_sides[1].handshake, message,
                                                         sizeof message, out, sizeof out, &length));
}

/* Two sides that differ in one thing do not come to an end. */
static void expect_no_session(const fer_pattern *pattern)
{
    uint8_t out[MESSAGE_MAX];
    kit_message message;
    size_t length;

    for (unsigned number = 0; number < pattern->messages; number++) {
        kit_write(number, &message);
        if (kit_read(number, &message, out, &length) != FER_OK) {
            return;
        }
    }
    fail_msg("%s: both came to an end", pattern->name);
}

static void recreate(kit_side *side)
{
    fer_handshake_close(&side->handshake);
    kit_create(side);
}

static void test_wrong_prologue(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PATTERNS; i++) {
        kit_start(patterns[i], FER_NO_PSK);
        kit_sides[1].config.prologue_length--;
        recreate(&kit_sides[1]);
        expect_no_session(patterns[i]);
    }
}

static void test_wrong_psk(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PATTERNS; i++) {
        for (uint8_t place = 0; place <= patterns[i]->messages; place++) {
            kit_start(patterns[i], place);
            kit_sides[1].psk.bytes[31] ^= 1u;
            recreate(&kit_sides[1]);
            expect_no_session(patterns[i]);
        }
    }
}

/* Someone who claims a public key without its secret. */
static void test_wrong_secret(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PATTERNS; i++) {
        for (unsigned who = 0; who < 2; who++) {
            kit_start(patterns[i], FER_NO_PSK);
            if (kit_sides[who].config.own_secret == NULL) {
                continue;
            }
            kit_sides[who].secret.bytes[5] ^= 1u;
            recreate(&kit_sides[who]);
            expect_no_session(patterns[i]);
        }
    }
}

static void test_swapped_roles(void **state)
{
    uint8_t out[MESSAGE_MAX];
    kit_message messages[2];
    size_t length;

    (void)state;
    kit_start(&fer_pattern_nn, FER_NO_PSK);
    kit_sides[1].config.role = FER_INITIATOR;
    recreate(&kit_sides[1]);
    for (unsigned who = 0; who < 2; who++) {
        assert_int_equal(FER_OK,
                         fer_handshake_write(kit_sides[who].handshake, NULL, 0, messages[who].bytes,
                                             MESSAGE_MAX, &messages[who].length));
    }
    for (unsigned who = 0; who < 2; who++) { /* each hears the other's first message as an answer */
        assert_int_equal(FER_DROP_FORGED,
                         fer_handshake_read(kit_sides[who].handshake, messages[1 - who].bytes,
                                            messages[1 - who].length, out, sizeof out, &length));
    }
}

/* A message that comes back to who wrote it. */
static void test_reflected(void **state)
{
    kit_message message;

    (void)state;
    for (unsigned i = 0; i < PATTERNS; i++) {
        for (unsigned number = 0; number + 1u < patterns[i]->messages; number++) {
            kit_start(patterns[i], FER_NO_PSK);
            kit_pass_until(number);
            kit_write(number, &message);
            expect_final(kit_writer(number)->handshake, message.bytes, message.length);
        }
    }
}

/* The same message a second time, as the one after next. */
static void test_repeated(void **state)
{
    kit_message message;
    kit_message first;
    uint8_t out[MESSAGE_MAX];
    size_t length;

    (void)state;
    kit_start(&fer_pattern_xx, FER_NO_PSK);
    kit_write(0, &first);
    assert_int_equal(FER_OK, kit_read(0, &first, out, &length));
    kit_write(1, &message);
    expect_final(kit_sides[1].handshake, first.bytes, first.length);
}

/* Points of small order: the product is zero, whatever the secret. As an ephemeral of the peer, and
 * as his static. */
static void test_points_of_small_order(void **state)
{
    static const uint8_t points[][32] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
         0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
         0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}};

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        kit_message message;
        uint8_t out[MESSAGE_MAX];
        fer_secret own = {{9, 9, 9}};
        fer_secret shared;
        size_t length;

        memset(&shared, 0xA5, sizeof shared); /* libsodium refuses some before it writes */
        assert_int_equal(FER_DROP_FORGED, fer_crypto_dh(&own, points[i], &shared));
        assert_true(is_zero(&shared, sizeof shared));

        kit_start(&fer_pattern_nk, FER_NO_PSK);
        kit_write(0, &message);
        memcpy(message.bytes, points[i], sizeof points[i]);
        expect_final(kit_sides[1].handshake, message.bytes, message.length);

        kit_start(&fer_pattern_nk, FER_NO_PSK);
        memcpy(kit_sides[0].peer.bytes, points[i], sizeof points[i]);
        recreate(&kit_sides[0]);
        assert_int_equal(FER_DROP_FORGED, fer_handshake_write(kit_sides[0].handshake, NULL, 0, out,
                                                              sizeof out, &length));
        assert_int_equal(FER_TURN_FAILED, fer_handshake_get_turn(kit_sides[0].handshake));
    }
}

static void write_hedged(uint32_t attempt, kit_message *message)
{
    kit_start(&fer_pattern_nn, FER_NO_PSK);
    kit_sides[0].source.stuck = true;
    kit_sides[0].hedge.attempt = attempt;
    kit_sides[0].config.hedge = &kit_sides[0].hedge;
    recreate(&kit_sides[0]);
    kit_write(0, message);
}

/* A source that gives the same bytes each time: with a hedge no ephemeral key comes twice, as long
 * as the attempt does not. */
static void test_a_stuck_source_is_hedged(void **state)
{
    kit_message first;
    kit_message second;

    (void)state;
    write_hedged(1, &first);
    write_hedged(2, &second);
    assert_memory_not_equal(first.bytes, second.bytes, 32);
    write_hedged(1, &second);
    assert_memory_equal(first.bytes, second.bytes, 32); /* so the test sees what it says */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_every_length_cut),
        cmocka_unit_test(test_longer_than_noise_allows),
        cmocka_unit_test(test_wrong_prologue),
        cmocka_unit_test(test_wrong_psk),
        cmocka_unit_test(test_wrong_secret),
        cmocka_unit_test(test_swapped_roles),
        cmocka_unit_test(test_reflected),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_points_of_small_order),
        cmocka_unit_test(test_a_stuck_source_is_hedged),
    };

#if defined(FERRULE_QUICK) || !defined(__linux__)
    stride = 13;
#else
    stride = getenv("FERRULE_QUICK") != NULL ? 13 : 1;
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
