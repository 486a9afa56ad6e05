/* Tests: a handshake branches and indexes on no secret (CONSTANT): static, ephemeral, pre-shared
 * and hedging keys, nor on what follows from them, on either side, in every pattern. Runs under
 * valgrind; see secret.h for how, verdicts.c for what may be known: whether a tag fits, whether a
 * product is zero, and public keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ct/quiet.h"
#include "ferrule/ferrule.h"
#include "internal/handshake.h"

enum { TEXT = 24, MESSAGE = 200 };

FER_ARENA(arena, 2u * (FER_HANDSHAKE_SIZE + FER_SEALER_SIZE + FER_OPENER_SIZE(64)));

static const fer_pattern *const patterns[] = {
    &fer_pattern_nn, &fer_pattern_nk, &fer_pattern_nx, &fer_pattern_kn, &fer_pattern_kk,
    &fer_pattern_kx, &fer_pattern_xn, &fer_pattern_xk, &fer_pattern_xx, &fer_pattern_in,
    &fer_pattern_ik, &fer_pattern_ix, &fer_pattern_n,  &fer_pattern_k,  &fer_pattern_x};

static fer_static_secret secrets[2];
static fer_static_public points[2];
static fer_preshared_key psk;
static fer_hedge hedge;
static fer_handshake *sides[2];

/* Each draw is another one. */
static int fill(void *context, uint8_t *out, size_t n)
{
    uint8_t *next = context;

    memset(out, (*next)++, n);
    ct_secret(out, n);
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy_ops = {.fill = fill};
static uint8_t next_byte;

static void make_keys(void)
{
    next_byte = 0x31;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(
            fer_static_generate((fer_entropy){&entropy_ops, &next_byte}, &secrets[i], &points[i]),
            FER_OK);
        assert_true(ct_is_tainted(&secrets[i], sizeof secrets[i]));
        ct_public(&points[i], sizeof points[i]);
    }
    memset(&psk, 0x65, sizeof psk);
    ct_secret(&psk, sizeof psk);
    memset(hedge.key, 0x76, sizeof hedge.key);
    ct_secret(hedge.key, sizeof hedge.key);
    hedge.attempt = 3;
}

static void create(const fer_pattern *pattern, uint8_t psk_place)
{
    make_keys();
    assert_int_equal(fer_arena_rewind(&arena, (fer_arena_position){0}), FER_OK);
    for (unsigned i = 0; i < 2; i++) {
        bool has_static = ((pattern->known | pattern->sent) & 1u << i) != 0;
        const fer_handshake_config config = {
            .pattern = pattern,
            .role = (fer_role)i,
            .psk_place = psk_place,
            .own_secret = has_static ? &secrets[i] : NULL,
            .own_public = has_static ? &points[i] : NULL,
            .peer = (pattern->known & 1u << (1u - i)) != 0 ? &points[1u - i] : NULL,
            .psk = psk_place != FER_NO_PSK ? &psk : NULL,
            .entropy = {&entropy_ops, &next_byte},
            .hedge = i == 0 ? &hedge : NULL};
        assert_int_equal(fer_handshake_create(&arena, &config, &sides[i]), FER_OK);
    }
}

/* The message is sent, hence known; its payload is not. */
static fer_status pass(unsigned number, bool forge)
{
    uint8_t text[TEXT];
    uint8_t message[MESSAGE];
    uint8_t out[MESSAGE];
    size_t n = 0;
    size_t length = 0;

    memset(text, 0x43, sizeof text);
    ct_secret(text, sizeof text);
    assert_int_equal(
        fer_handshake_write(sides[number % 2u], text, sizeof text, message, sizeof message, &n),
        FER_OK);
    assert_true(ct_is_tainted(message, n));
    ct_public(message, n);
    message[n - 1] ^= forge ? 1u : 0u;
    return fer_handshake_read(sides[1u - number % 2u], message, n, out, sizeof out, &length);
}

static void finish(void)
{
    static const uint8_t name[] = {'p', 'u', 'm', 'p'};

    for (unsigned i = 0; i < 2; i++) {
        const fer_session_config config = {.identity = {7, name, sizeof name, name, 4},
                                           .window_bits = 64,
                                           .entropy = {&entropy_ops, &next_byte}};
        uint8_t split[FER_SPLIT_BYTES];
        fer_session session;

        fer_handshake_split(sides[i], split);
        assert_true(ct_is_tainted(split, 2u * FER_HASH_BYTES));
        assert_int_equal(fer_handshake_finish(&sides[i], &arena, &config, &session), FER_OK);
        fer_sealer_close(&session.sealer);
        fer_opener_close(&session.opener);
    }
}

static void shake(const fer_pattern *pattern, uint8_t psk_place)
{
    create(pattern, psk_place);
    for (unsigned number = 0; number < pattern->messages; number++) {
        assert_int_equal(pass(number, false), FER_OK);
    }
    finish();
}

/* Every message in turn is refused. */
static void refuse(const fer_pattern *pattern)
{
    for (unsigned forged = 0; forged < pattern->messages; forged++) {
        create(pattern, 0);
        for (unsigned number = 0; number < forged; number++) {
            assert_int_equal(pass(number, false), FER_OK);
        }
        assert_int_equal(pass(forged, true), FER_DROP_FORGED);
        assert_false(ct_is_tainted(sides[1u - forged % 2u], sizeof(struct fer_handshake)));
    }
}

static void test_every_pattern(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        shake(patterns[i], FER_NO_PSK);
    }
}

static void test_every_pattern_with_psk(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        shake(patterns[i], 0);
        shake(patterns[i], patterns[i]->messages);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    refuse(&fer_pattern_ik);
    refuse(&fer_pattern_xx);
    refuse(&fer_pattern_x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CT_TEST(test_every_pattern),
        CT_TEST(test_every_pattern_with_psk),
        CT_TEST(test_refusals),
    };
    if (!ct_can_see()) {
        return CT_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
