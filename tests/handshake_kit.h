/* What the tests of the handshake share: two sides with their keys, for any pattern. Include after
 * cmocka.h. */
#ifndef FERRULE_TESTS_HANDSHAKE_KIT_H
#define FERRULE_TESTS_HANDSHAKE_KIT_H

#include <string.h>

#include "crypto/curve.h"
#include "internal/handshake.h"

enum { MESSAGE_MAX = 256, MESSAGES_MAX = 3, KIT_WINDOW = 64 };

static const fer_pattern *const patterns[] = {
    &fer_pattern_nn, &fer_pattern_nk, &fer_pattern_nx, &fer_pattern_kn, &fer_pattern_kk,
    &fer_pattern_kx, &fer_pattern_xn, &fer_pattern_xk, &fer_pattern_xx, &fer_pattern_in,
    &fer_pattern_ik, &fer_pattern_ix, &fer_pattern_n,  &fer_pattern_k,  &fer_pattern_x};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static const uint8_t kit_prologue[] = "ferrule1 prologue";
static const uint8_t *const kit_payloads[MESSAGES_MAX] = {
    (const uint8_t *)"first", (const uint8_t *)"second one", (const uint8_t *)""};

/* A source of bytes that counts, and fails when told to. */
struct kit_source {
    uint32_t next;
    int answer;
    bool stuck; /* always the same bytes */
};

static int kit_fill(void *context, uint8_t *out, size_t n)
{
    struct kit_source *source = context;

    if (source->answer != FER_PORT_OK) {
        return source->answer;
    }
    memset(out, 0x5A, n);
    if (!source->stuck) {
        source->next++;
        memcpy(out, &source->next, sizeof source->next);
    }
    return FER_PORT_OK;
}

static const struct fer_entropy_ops kit_ops = {kit_fill};

typedef struct kit_side {
    struct kit_source source;
    fer_static_secret secret;
    fer_static_public own;
    fer_static_public peer;
    fer_preshared_key psk;
    fer_hedge hedge;
    fer_handshake_config config;
    fer_handshake *handshake;
} kit_side;

static kit_side kit_sides[2];
FER_ARENA(kit_arena,
          2u * FER_HANDSHAKE_SIZE + 4u * FER_SEALER_SIZE + 4u * FER_OPENER_SIZE(KIT_WINDOW));

static inline kit_side *kit_other(const kit_side *side)
{
    return &kit_sides[side == &kit_sides[0]];
}

/* Each side's static keys, and those of the other. */
static inline void kit_make_keys(void)
{
    memset(kit_sides, 0, sizeof kit_sides);
    for (unsigned who = 0; who < 2; who++) {
        kit_side *side = &kit_sides[who];

        side->source.next = who * 1000u;
        memset(side->psk.bytes, 0x77, sizeof side->psk.bytes);
        memset(side->hedge.key, (int)(0x40 + who), sizeof side->hedge.key);
        assert_int_equal(FER_OK, fer_static_generate((fer_entropy){&kit_ops, &side->source},
                                                     &side->secret, &side->own));
    }
    kit_sides[0].peer = kit_sides[1].own;
    kit_sides[1].peer = kit_sides[0].own;
}

/* What a side has to give for this pattern. */
static inline void kit_configure(kit_side *side, const fer_pattern *pattern, uint8_t psk_place)
{
    fer_role role = side == &kit_sides[0] ? FER_INITIATOR : FER_RESPONDER;
    unsigned own = 1u << (unsigned)role;
    bool has_static = ((pattern->known | pattern->sent) & own) != 0;

    side->config = (fer_handshake_config){
        .pattern = pattern,
        .role = role,
        .psk_place = psk_place,
        .prologue = kit_prologue,
        .prologue_length = sizeof kit_prologue,
        .own_secret = has_static ? &side->secret : NULL,
        .own_public = has_static ? &side->own : NULL,
        .peer = (pattern->known & ~own) != 0 ? &side->peer : NULL,
        .psk = psk_place != FER_NO_PSK ? &side->psk : NULL,
        .entropy = {&kit_ops, &side->source},
    };
}

static inline void kit_create(kit_side *side)
{
    assert_int_equal(FER_OK, fer_handshake_create(&kit_arena, &side->config, &side->handshake));
}

/* Fresh keys and two handshakes that wait for the first message. */
static inline void kit_start(const fer_pattern *pattern, uint8_t psk_place)
{
    assert_int_equal(FER_OK, fer_arena_rewind(&kit_arena, (fer_arena_position){0}));
    kit_make_keys();
    for (unsigned who = 0; who < 2; who++) {
        kit_configure(&kit_sides[who], pattern, psk_place);
        kit_create(&kit_sides[who]);
    }
}

typedef struct kit_message {
    uint8_t bytes[MESSAGE_MAX];
    size_t length;
} kit_message;

static inline size_t kit_payload_length(unsigned number)
{
    return strlen((const char *)kit_payloads[number]);
}

static inline kit_side *kit_writer(unsigned number)
{
    return &kit_sides[number % 2u];
}

static inline void kit_write(unsigned number, kit_message *message)
{
    kit_side *writer = kit_writer(number);
    size_t n = kit_payload_length(number);

    assert_int_equal(FER_TURN_WRITE, fer_handshake_get_turn(writer->handshake));
    assert_int_equal(FER_OK,
                     fer_handshake_write(writer->handshake, kit_payloads[number], n, message->bytes,
                                         sizeof message->bytes, &message->length));
}

static inline fer_status kit_read(unsigned number, const kit_message *message, uint8_t *out,
                                  size_t *length)
{
    return fer_handshake_read(kit_other(kit_writer(number))->handshake, message->bytes,
                              message->length, out, MESSAGE_MAX, length);
}

/* One message, there and read. */
static inline void kit_pass(unsigned number)
{
    kit_message message;
    uint8_t out[MESSAGE_MAX];
    size_t length = 99;

    kit_write(number, &message);
    assert_int_equal(FER_OK, kit_read(number, &message, out, &length));
    assert_int_equal(length, kit_payload_length(number));
    assert_memory_equal(out, kit_payloads[number], length);
}

static inline void kit_pass_until(unsigned number)
{
    for (unsigned i = 0; i < number; i++) {
        kit_pass(i);
    }
}

#endif
