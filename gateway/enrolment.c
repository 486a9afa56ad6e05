#include "enrolment.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "entropy.h"
#include "posix_link.h"

/* Types of messages: those of greetings go before. */
enum { TYPE_FIRST = 4, TYPE_SECOND = 5, TYPE_THIRD = 6, HEAD = 2 };
enum { UP = FER_KIND_HANDSHAKE << 6, DOWN = FER_KIND_HANDSHAKE << 6 | 0x20 };

static const uint8_t prologue[] = {'f', 'e', 'r', 'r', 'u', 'l', 'e', '1', 'e', 'n', 'r', 'o', 'l'};

static int64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool enrolment_open(struct enrolment *enrolment, int in, int out, const fer_static_secret *secret,
                    const fer_static_public *own, struct fault *fault)
{
    memset(enrolment, 0, sizeof *enrolment);
    enrolment->in = in;
    enrolment->out = out;
    enrolment->entropy = host_entropy();
    enrolment->secret = *secret;
    enrolment->own = *own;
    fer_status status = fer_arena_init(&enrolment->arena, enrolment->cells,
                                       sizeof enrolment->cells / sizeof *enrolment->cells);
    if (status == FER_OK) {
        status =
            fer_frame_decoder_create(&enrolment->arena, ENROLMENT_FRAME_MAX, &enrolment->decoder);
    }
    if (status == FER_OK) {
        status = fer_arena_mark(&enrolment->arena, &enrolment->begin);
    }
    if (status != FER_OK) {
        FAULT(fault, "enrolment does not start: %s", fer_status_text(status));
    }
    return status == FER_OK;
}

void enrolment_close(struct enrolment *enrolment)
{
    fer_handshake_close(&enrolment->handshake);
    fer_sealer_close(&enrolment->session.sealer);
    fer_opener_close(&enrolment->session.opener);
    fer_frame_decoder_close(&enrolment->decoder);
    explicit_bzero(enrolment, sizeof *enrolment);
}

/* ---- frames ---- */

/* More bytes, or the time is over, or the stream is. */
static bool fill(struct enrolment *enrolment, struct fault *fault)
{
    for (;;) {
        const int64_t left = enrolment->end_ms - now_ms();
        struct pollfd wait = {.fd = enrolment->in, .events = POLLIN};
        const int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready == 0) {
            FAULT(fault, "the device does not answer: is it in enrolment, on this line?");
            return false;
        }
        const ssize_t n =
            ready > 0 ? read(enrolment->in, enrolment->piece, sizeof enrolment->piece) : -1;
        if (n > 0) {
            enrolment->piece_at = 0;
            enrolment->piece_length = (size_t)n;
            return true;
        }
        if (n == 0 || errno != EINTR) {
            FAULT(fault, "the line to the device: %s", n == 0 ? "it was closed" : strerror(errno));
            return false;
        }
    }
}

/* The next whole frame; it stays until the next call. */
static bool receive(struct enrolment *enrolment, uint8_t **frame, size_t *n, struct fault *fault)
{
    fer_status status = FER_EMPTY;
    while (status == FER_EMPTY) {
        size_t used = 0;
        if (enrolment->piece_at == enrolment->piece_length && !fill(enrolment, fault)) {
            return false;
        }
        status =
            fer_frame_decoder_feed(enrolment->decoder, enrolment->piece + enrolment->piece_at,
                                   enrolment->piece_length - enrolment->piece_at, &used, frame, n);
        enrolment->piece_at += used;
    }
    if (status != FER_OK) {
        FAULT(fault, "the line to the device: %s", fer_status_text(status));
    }
    return status == FER_OK;
}

/* The leading delimiter ends whatever noise the line carried before. */
static bool send_frame(const struct enrolment *enrolment, const uint8_t *bytes, size_t n,
                       struct fault *fault)
{
    uint8_t frame[1 + FER_FRAME_SIZE(ENROLMENT_FRAME_MAX)] = {0};
    size_t length = 0;
    if (fer_frame_encode(bytes, n, frame + 1, sizeof frame - 1, &length) == FER_OK &&
        posix_send_all(enrolment->out, frame, length + 1)) {
        return true;
    }
    FAULT(fault, "the line to the device is down: %s", strerror(errno));
    return false;
}

/* ---- the handshake ---- */

/* A device that begins, or begins again: what came before is over. */
static fer_status start(struct enrolment *enrolment)
{
    const fer_handshake_config config = {.pattern = &fer_pattern_xx,
                                         .role = FER_RESPONDER,
                                         .psk_place = FER_NO_PSK,
                                         .prologue = prologue,
                                         .prologue_length = sizeof prologue,
                                         .own_secret = &enrolment->secret,
                                         .own_public = &enrolment->own,
                                         .entropy = enrolment->entropy};
    fer_handshake_close(&enrolment->handshake);
    const fer_status status = fer_arena_rewind(&enrolment->arena, enrolment->begin);
    return status == FER_OK
               ? fer_handshake_create(&enrolment->arena, &config, &enrolment->handshake)
               : status;
}

/* No message of enrolment has a payload. */
static fer_status hear(struct enrolment *enrolment, const uint8_t *frame, size_t n)
{
    uint8_t nothing[1];
    size_t length = 0;
    return fer_handshake_read(enrolment->handshake, frame + HEAD, n - HEAD, nothing, 0, &length);
}

static bool answer_first(struct enrolment *enrolment, const uint8_t *frame, size_t n,
                         struct fault *fault)
{
    uint8_t out[HEAD + 128] = {DOWN, TYPE_SECOND};
    size_t length = 0;
    fer_status status = start(enrolment);
    if (status == FER_OK) {
        status = hear(enrolment, frame, n);
    }
    if (status == FER_OK) {
        status = fer_handshake_write(enrolment->handshake, NULL, 0, out + HEAD, sizeof out - HEAD,
                                     &length);
    }
    if (status != FER_OK) {
        FAULT(fault, "the device's first message is refused: %s", fer_status_text(status));
        return false;
    }
    return send_frame(enrolment, out, HEAD + length, fault);
}

static bool take_third(struct enrolment *enrolment, const uint8_t *frame, size_t n,
                       struct fault *fault)
{
    const fer_session_config config = {
        .identity = {.identity = (const uint8_t *)"enrolment", .identity_length = 9},
        .window_bits = ENROLMENT_WINDOW,
        .entropy = enrolment->entropy};
    fer_status status = hear(enrolment, frame, n);
    if (status == FER_OK) {
        status = fer_handshake_get_peer(enrolment->handshake, &enrolment->device);
    }
    if (status == FER_OK) {
        status = fer_handshake_finish(&enrolment->handshake, &enrolment->arena, &config,
                                      &enrolment->session);
    }
    if (status != FER_OK) {
        FAULT(fault, "the device's third message is refused: %s", fer_status_text(status));
    }
    return status == FER_OK;
}

bool enrolment_meet(struct enrolment *enrolment, int seconds, struct fault *fault)
{
    uint8_t *frame = NULL;
    size_t n = 0;
    enrolment->end_ms = now_ms() + (int64_t)seconds * 1000;
    while (receive(enrolment, &frame, &n, fault)) {
        if (n < HEAD || frame[0] != UP) {
            continue; /* telemetry of a device that is not in enrolment yet */
        }
        if (frame[1] == TYPE_FIRST && !answer_first(enrolment, frame, n, fault)) {
            return false;
        }
        if (frame[1] == TYPE_THIRD &&
            fer_handshake_get_turn(enrolment->handshake) == FER_TURN_READ) {
            return take_third(enrolment, frame, n, fault);
        }
    }
    return false;
}

/* ---- after the handshake ---- */

static bool await_receipt(struct enrolment *enrolment, struct fault *fault)
{
    uint8_t *frame = NULL;
    uint8_t plaintext[ENROLMENT_FRAME_MAX];
    fer_opened opened;
    size_t n = 0;
    while (receive(enrolment, &frame, &n, fault)) {
        if (fer_opener_receive(enrolment->session.opener, frame, n, plaintext, sizeof plaintext,
                               &opened) == FER_OK &&
            opened.length == 0) {
            return true;
        }
    }
    return false;
}

bool enrolment_hand_over(struct enrolment *enrolment, const uint8_t *blob, size_t n, int seconds,
                         struct fault *fault)
{
    uint8_t record[ENROLMENT_FRAME_MAX];
    size_t length = 0;
    const fer_status status =
        fer_sealer_seal(enrolment->session.sealer, blob, n, record, sizeof record, &length);
    if (status != FER_OK) {
        FAULT(fault, "nothing is handed over: %s", fer_status_text(status));
        return false;
    }
    enrolment->end_ms = now_ms() + (int64_t)seconds * 1000;
    return send_frame(enrolment, record, length, fault) && await_receipt(enrolment, fault);
}
