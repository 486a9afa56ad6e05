/* Fuzz: fer_handshake_read on both sides, with fixed ephemeral keys, so that it goes beyond the
 * first authentication.
 *
 * The input chooses pattern and psk, and says for each message what happens on the way: nothing,
 * some changed bytes, a cut, or other bytes altogether. Asserted: a refusal leaves no payload and
 * no key (FIRST, WIPE) and is final; what was not touched is read as it was written; two sides of
 * which one heard something else never come to the same binding. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal/bytes.h"
#include "internal/handshake.h"

enum { MESSAGE_MAX = 256, PAYLOAD = 9, HOW_KEEP = 0, HOW_EDIT = 1, HOW_CUT = 2, HOW_RAW = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

FER_ARENA(arena, 2u * FER_HANDSHAKE_SIZE);

static const fer_pattern *const patterns[] = {
    &fer_pattern_ik, &fer_pattern_xx, &fer_pattern_kk, &fer_pattern_nn, &fer_pattern_n,
    &fer_pattern_nk, &fer_pattern_nx, &fer_pattern_kn, &fer_pattern_kx, &fer_pattern_xn,
    &fer_pattern_xk, &fer_pattern_in, &fer_pattern_ix, &fer_pattern_k,  &fer_pattern_x};
static const uint8_t payload[PAYLOAD] = "telemetry";

static fer_handshake *sides[2];

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static int fill(void *context, uint8_t *out, size_t n)
{
    memset(out, *(const uint8_t *)context, n);
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy_ops = {fill};

static void create(const fer_pattern *pattern, uint8_t psk_place)
{
    static uint8_t seeds[2] = {0x11, 0x22};
    static const fer_static_secret secrets[2] = {{{1, 2, 3}}, {{4, 5, 6}}};
    static const fer_preshared_key psk = {{7, 8, 9}};
    static fer_static_public points[2];

    must(fer_arena_rewind(&arena, (fer_arena_position){0}) == FER_OK);
    for (unsigned i = 0; i < 2; i++) {
        must(fer_static_get_public(&secrets[i], &points[i]) == FER_OK);
    }
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
            .entropy = {&entropy_ops, &seeds[i]}};
        must(fer_handshake_create(&arena, &config, &sides[i]) == FER_OK);
    }
}

/* What becomes of a message on its way; its new length. */
static size_t disturb(fer_reader *input, uint8_t *message, size_t n)
{
    switch (fer_read_u8(input) & 3u) {
    case HOW_EDIT:
        for (unsigned edits = 1u + fer_read_u8(input) % 3u; edits > 0; edits--) {
            message[fer_read_u8(input) % n] ^= fer_read_u8(input);
        }
        return n;
    case HOW_CUT:
        return fer_read_u8(input) % (n + 1u);
    case HOW_RAW: {
        size_t left = fer_reader_left(input);
        size_t length = left < MESSAGE_MAX ? left : MESSAGE_MAX;
        fer_read_bytes(input, message, length);
        return length;
    }
    default:
        return n;
    }
}

static void must_be_wiped(const fer_handshake *handshake)
{
    fer_handshake wiped;

    memset(&wiped, 0, sizeof wiped);
    wiped.tag = handshake->tag;
    wiped.failed = true;
    must(memcmp(handshake, &wiped, sizeof wiped) == 0);
    must(fer_handshake_get_turn(handshake) == FER_TURN_FAILED);
}

/* True while both go on. */
static bool pass(fer_reader *input, unsigned number, bool *disturbed)
{
    fer_handshake *writer = sides[number % 2u];
    fer_handshake *reader = sides[1u - number % 2u];
    uint8_t written[MESSAGE_MAX];
    uint8_t message[MESSAGE_MAX];
    uint8_t out[MESSAGE_MAX];
    size_t n = 0;
    size_t length = 1;

    fer_status status =
        fer_handshake_write(writer, payload, sizeof payload, written, sizeof written, &n);
    if (status != FER_OK) { /* the peer's key, as it was heard, has small order */
        must(status == FER_DROP_FORGED && *disturbed);
        must_be_wiped(writer);
        return false;
    }
    memcpy(message, written, n);
    size_t sent = disturb(input, message, n);
    bool whole = sent == n && memcmp(message, written, n) == 0;
    *disturbed = *disturbed || !whole;
    memset(out, 0xA5, sizeof out);
    status = fer_handshake_read(reader, message, sent, out, sizeof out, &length);
    if (status != FER_OK) {
        must(status == FER_DROP_FORGED && *disturbed && length == 0);
        for (size_t i = 0; i < sent; i++) {
            must(out[i] == 0);
        }
        must_be_wiped(reader);
        return false;
    }
    must(*disturbed || (length == sizeof payload && memcmp(out, payload, length) == 0));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fer_reader input = fer_reader_over(data, n);
    const fer_pattern *pattern =
        patterns[fer_read_u8(&input) % (sizeof patterns / sizeof patterns[0])];
    uint8_t place = fer_read_u8(&input);
    bool disturbed = false;
    uint8_t bindings[2][FER_HASH_BYTES];

    create(pattern, place <= pattern->messages ? place : FER_NO_PSK);
    for (unsigned number = 0; number < pattern->messages; number++) {
        if (!pass(&input, number, &disturbed)) {
            return 0;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        must(fer_handshake_get_binding(sides[i], bindings[i]) == FER_OK);
    }
    must((memcmp(bindings[0], bindings[1], sizeof bindings[0]) == 0) == !disturbed);
    return 0;
}
