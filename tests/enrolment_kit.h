/* What the tests and the fuzzer of the enrolee share: the gateway's end of enrolment, by the
 * library alone, and frames. What cannot fail here aborts. */
#ifndef FERRULE_TESTS_ENROLMENT_KIT_H
#define FERRULE_TESTS_ENROLMENT_KIT_H

#include <stdlib.h>
#include <string.h>

#include "ferrule/ferrule.h"
#include "internal/enrolee.h"

enum { KIT_FRAME_MAX = 256, KIT_ENCODED_MAX = FER_FRAME_SIZE(KIT_FRAME_MAX) };

typedef struct kit_bytes {
    uint8_t at[KIT_ENCODED_MAX];
    size_t n;
} kit_bytes;

static inline void kit_must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Bytes that differ from call to call (by more than what the curve ignores of a secret key), or
 * none. */
struct kit_source {
    uint32_t next;
    int answer;
};

static int kit_fill(void *context, uint8_t *out, size_t n)
{
    struct kit_source *source = context;

    if (source->answer == FER_PORT_OK) {
        memset(out, 0x3C, n);
        source->next++;
        memcpy(out + n - sizeof source->next - 1, &source->next, sizeof source->next);
    }
    return source->answer;
}

static const struct fer_entropy_ops kit_fill_ops = {kit_fill};

static const fer_static_secret kit_secrets[2] = {{{1, 2, 3, 4}}, {{5, 6, 7, 8}}};

enum {
    KIT_SESSION_BYTES = FER_SEALER_SIZE + FER_OPENER_SIZE(64u),
    KIT_BYTES = FER_FRAME_DECODER_SIZE(KIT_FRAME_MAX) + FER_HANDSHAKE_SIZE + KIT_SESSION_BYTES
};

typedef struct kit_gateway {
    struct kit_source source;
    fer_static_public own;
    fer_static_public device; /* as the third message told */
    fer_arena arena;
    fer_arena_cell cells[KIT_BYTES / FER_ARENA_ALIGN];
    fer_handshake *handshake;
    fer_session session;
} kit_gateway;

/* One whole frame, as a message; whatever comes before the first delimiter is none. */
static inline kit_bytes kit_unframe(const uint8_t *in, size_t n)
{
    static fer_arena_cell cells[FER_FRAME_DECODER_SIZE(KIT_FRAME_MAX) / FER_ARENA_ALIGN];
    kit_bytes message = {{0}, 0};
    fer_frame_decoder *decoder = NULL;
    fer_arena arena;
    uint8_t *frame = NULL;
    size_t used = 0;

    kit_must(fer_arena_init(&arena, cells, sizeof cells / sizeof *cells) == FER_OK);
    kit_must(fer_frame_decoder_create(&arena, KIT_FRAME_MAX, &decoder) == FER_OK);
    kit_must(fer_frame_decoder_feed(decoder, in, n, &used, &frame, &message.n) == FER_OK);
    kit_must(used == n);
    memcpy(message.at, frame, message.n);
    fer_arena_close(&arena);
    return message;
}

static inline kit_bytes kit_frame(const uint8_t *in, size_t n)
{
    kit_bytes frame = {{0}, 0};

    kit_must(n <= KIT_FRAME_MAX);
    kit_must(fer_frame_encode(in, n, frame.at, sizeof frame.at, &frame.n) == FER_OK);
    return frame;
}

static inline void kit_gateway_start(kit_gateway *gateway)
{
    memset(gateway, 0, sizeof *gateway);
    gateway->source.next = 1000;
    kit_must(fer_static_get_public(&kit_secrets[1], &gateway->own) == FER_OK);
    kit_must(fer_arena_init(&gateway->arena, gateway->cells,
                            sizeof gateway->cells / sizeof *gateway->cells) == FER_OK);
}

/* The second message, not framed, that answers a first one. */
static inline kit_bytes kit_gateway_answer(kit_gateway *gateway, const kit_bytes *first)
{
    static const char prologue[] = "ferrule1enrol";
    const fer_handshake_config config = {.pattern = &fer_pattern_xx,
                                         .role = FER_RESPONDER,
                                         .psk_place = FER_NO_PSK,
                                         .prologue = (const uint8_t *)prologue,
                                         .prologue_length = sizeof prologue - 1,
                                         .own_secret = &kit_secrets[1],
                                         .own_public = &gateway->own,
                                         .entropy = {&kit_fill_ops, &gateway->source}};
    kit_bytes second = {{0x20, 5}, 0};
    uint8_t nothing[1];
    size_t length = 0;

    kit_must(first->n == 34 && first->at[0] == 0 && first->at[1] == 4);
    kit_must(fer_arena_rewind(&gateway->arena, (fer_arena_position){0}) == FER_OK);
    kit_must(fer_handshake_create(&gateway->arena, &config, &gateway->handshake) == FER_OK);
    kit_must(fer_handshake_read(gateway->handshake, first->at + 2, first->n - 2, nothing, 0,
                                &length) == FER_OK);
    kit_must(fer_handshake_write(gateway->handshake, NULL, 0, second.at + 2, KIT_FRAME_MAX - 2,
                                 &second.n) == FER_OK);
    second.n += 2;
    return second;
}

static inline fer_status kit_gateway_meet(kit_gateway *gateway, const kit_bytes *third)
{
    const fer_session_config config = {
        .identity = {.identity = (const uint8_t *)"enrolment", .identity_length = 9},
        .window_bits = 64,
        .way = FER_TWO_WAY,
        .entropy = {&kit_fill_ops, &gateway->source}};
    uint8_t nothing[1];
    size_t length = 0;

    kit_must(third->n == 66 && third->at[0] == 0 && third->at[1] == 6);
    fer_status status =
        fer_handshake_read(gateway->handshake, third->at + 2, third->n - 2, nothing, 0, &length);
    if (status == FER_OK) {
        status = fer_handshake_get_peer(gateway->handshake, &gateway->device);
    }
    if (status == FER_OK) {
        status =
            fer_handshake_finish(&gateway->handshake, &gateway->arena, &config, &gateway->session);
    }
    return status;
}

static inline kit_bytes kit_gateway_seal(kit_gateway *gateway, const uint8_t *bytes, size_t n)
{
    kit_bytes record = {{0}, 0};

    kit_must(fer_sealer_seal(gateway->session.sealer, bytes, n, record.at, KIT_FRAME_MAX,
                             &record.n) == FER_OK);
    return record;
}

/* Whether this is the device's receipt. */
static inline bool kit_gateway_hears_receipt(kit_gateway *gateway, const kit_bytes *record)
{
    uint8_t plaintext[KIT_FRAME_MAX];
    fer_opened opened;

    return fer_opener_receive(gateway->session.opener, record->at, record->n, plaintext,
                              sizeof plaintext, &opened) == FER_OK &&
           opened.length == 0;
}

#endif
