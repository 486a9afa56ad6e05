/* Ferrule: enrolee (floor 5). One attempt at a time: a handshake, then the session that comes of
 * it, in the same bytes. */
#include "ferrule/enrolee.h"

#include <string.h>

#include "internal/arena.h"
#include "internal/bytes.h"
#include "internal/draw.h"
#include "internal/enrolee.h"
#include "internal/frame.h"
#include "internal/wipe.h"

enum { WINDOW = 64, HEAD = 2, MESSAGE_MAX = HEAD + FER_NOISE_KEY_BYTES + 2 * FER_TAG_BYTES };

_Static_assert(sizeof(struct fer_enrolee) <= FER_ENROLEE_HANDLE_SIZE,
               "FER_ENROLEE_SIZE is too small");
_Static_assert(FER_ENROLEE_HANDLE_SIZE < sizeof(struct fer_enrolee) + 64u,
               "FER_ENROLEE_SIZE is wasteful");
_Static_assert(FER_ENROLEE_FRAME == 1u + FER_FRAME_SIZE(MESSAGE_MAX), "the third message");
_Static_assert(FER_BLOB_BYTES <= UINT8_MAX, "its length is kept in a byte");

static bool is_open(const fer_enrolee *enrolee)
{
    return fer_tag_is((const fer_tag *)enrolee, FER_TAG_ENROLEE);
}

/* ---- the handle ------------------------------------------------------------------------- */

enum { INNER_BYTES = FER_ENROLEE_SIZE - FER_ENROLEE_HANDLE_SIZE };

static fer_status lay_out(fer_enrolee *made)
{
    uint8_t *at = (uint8_t *)made + FER_ENROLEE_HANDLE_SIZE;
    fer_status status =
        fer_arena_init(&made->inner, (fer_arena_cell *)(void *)at, INNER_BYTES / FER_ARENA_ALIGN);

    if (status == FER_OK) {
        status = fer_frame_decoder_create(&made->inner, FER_ENROLEE_INBOUND, &made->decoder);
    }
    return status == FER_OK ? fer_arena_mark(&made->inner, &made->attempt) : status;
}

fer_status fer_enrolee_create(fer_arena *arena, const fer_enrolee_config *config,
                              fer_enrolee **enrolee)
{
    if (config == NULL || enrolee == NULL || !fer_can_draw(config->entropy)) {
        return FER_ERR_ARGUMENT;
    }
    fer_enrolee *made = fer_arena_carve(arena, FER_ENROLEE_SIZE);
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    made->config = *config;
    fer_status status = lay_out(made);
    if (status == FER_OK) {
        made->tag = fer_tag_make(made, FER_TAG_ENROLEE);
        *enrolee = made;
    }
    return status;
}

void fer_enrolee_close(fer_enrolee **enrolee)
{
    if (enrolee != NULL && is_open(*enrolee)) {
        fer_arena_retire(*enrolee, FER_ENROLEE_SIZE);
        *enrolee = NULL;
    }
}

fer_enrolee_stage fer_enrolee_get_stage(const fer_enrolee *enrolee)
{
    return is_open(enrolee) ? (fer_enrolee_stage)enrolee->stage : FER_ENROLEE_NONE;
}

/* Handshake and session are gone, their keys with them (WIPE). */
static void give_up(fer_enrolee *enrolee)
{
    enrolee->handshake = NULL;
    enrolee->session = (fer_session){NULL, NULL};
    (void)!fer_arena_rewind(&enrolee->inner, enrolee->attempt);
}

static void forget(fer_enrolee *enrolee)
{
    give_up(enrolee);
    fer_wipe(enrolee->blob, sizeof enrolee->blob);
    fer_wipe(&enrolee->gateway, sizeof enrolee->gateway);
    enrolee->blob_length = 0;
    enrolee->stage = FER_ENROLEE_GREETS;
}

fer_status fer_enrolee_restart(fer_enrolee *enrolee)
{
    if (!is_open(enrolee)) {
        return FER_ERR_HANDLE;
    }
    forget(enrolee);
    enrolee->begun = enrolee->begun && enrolee->config.retry_ms != 0;
    return FER_OK;
}

/* ---- out -------------------------------------------------------------------------------- */

/* The leading delimiter ends whatever the line carried before. */
static size_t write_frame(const uint8_t *bytes, size_t n, uint8_t *out)
{
    out[0] = 0;
    return (size_t)(fer_frame_write(bytes, n, out + 1) - out);
}

static fer_status write_message(fer_enrolee *enrolee, uint8_t type, uint8_t *out, size_t *length)
{
    uint8_t message[MESSAGE_MAX] = {FER_ENROLMENT_UP, type};
    size_t n = 0;
    fer_status status =
        fer_handshake_write(enrolee->handshake, NULL, 0, message + HEAD, sizeof message - HEAD, &n);

    if (status == FER_OK) {
        *length = write_frame(message, HEAD + n, out);
    }
    return status;
}

static fer_status begin(fer_enrolee *enrolee)
{
    static const uint8_t prologue[] = {'f', 'e', 'r', 'r', 'u', 'l', 'e',
                                       '1', 'e', 'n', 'r', 'o', 'l'};
    const fer_handshake_config config = {.pattern = &fer_pattern_xx,
                                         .role = FER_INITIATOR,
                                         .psk_place = FER_NO_PSK,
                                         .prologue = prologue,
                                         .prologue_length = sizeof prologue,
                                         .own_secret = &enrolee->config.secret,
                                         .own_public = &enrolee->config.own,
                                         .entropy = enrolee->config.entropy};

    return fer_handshake_create(&enrolee->inner, &config, &enrolee->handshake);
}

/* One that fails here does not count: the next take makes another. */
static fer_status take_first(fer_enrolee *enrolee, uint64_t now, uint8_t *out, size_t *length)
{
    forget(enrolee);
    fer_status status = begin(enrolee);
    if (status == FER_OK) {
        status = write_message(enrolee, FER_ENROLMENT_FIRST, out, length);
    }
    if (status != FER_OK) {
        give_up(enrolee);
        return status;
    }
    enrolee->begun = true;
    enrolee->due = now + enrolee->config.retry_ms;
    return FER_OK;
}

/* With the third message the handshake is over, and becomes the session. */
static fer_status take_third(fer_enrolee *enrolee, uint64_t now, uint8_t *out, size_t *length)
{
    const fer_session_config config = {
        .identity = {.identity = (const uint8_t *)"enrolment", .identity_length = 9},
        .window_bits = WINDOW,
        .way = FER_TWO_WAY};
    fer_status status = write_message(enrolee, FER_ENROLMENT_THIRD, out, length);

    if (status == FER_OK) {
        status =
            fer_handshake_finish(&enrolee->handshake, &enrolee->inner, &config, &enrolee->session);
    }
    if (status != FER_OK) {
        forget(enrolee);
        *length = 0;
        return status;
    }
    enrolee->end = now + enrolee->config.wait_ms;
    return FER_OK;
}

/* The keys have served. */
static fer_status take_receipt(fer_enrolee *enrolee, uint8_t *out, size_t *length)
{
    uint8_t record[FER_OVERHEAD_FULL(0)];
    size_t n = 0;
    fer_status status =
        fer_sealer_seal(enrolee->session.sealer, NULL, 0, record, sizeof record, &n);

    if (status == FER_OK) {
        *length = write_frame(record, n, out);
        give_up(enrolee);
        enrolee->stage = FER_ENROLEE_DONE;
    }
    return status;
}

/* Signed: a clock that fails tells 0, and must not make everything look old. */
static bool has_passed(uint64_t now, uint64_t moment, uint32_t limit)
{
    return limit != 0 && (int64_t)(now - moment) >= 0;
}

/* Whatever ends an attempt, the next waits for its turn: nobody on the line can have the device
 * compute without a pause. */
static bool is_first_due(const fer_enrolee *enrolee, uint64_t now)
{
    if (enrolee->stage == FER_ENROLEE_GREETS) {
        return !enrolee->begun || has_passed(now, enrolee->due, enrolee->config.retry_ms);
    }
    return enrolee->stage == FER_ENROLEE_MET &&
           has_passed(now, enrolee->end, enrolee->config.wait_ms);
}

fer_status fer_enrolee_take(fer_enrolee *enrolee, uint64_t now, uint8_t *out, size_t capacity,
                            size_t *length)
{
    if (!is_open(enrolee)) {
        return FER_ERR_HANDLE;
    }
    if (out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *length = 0;
    if (capacity < FER_ENROLEE_FRAME) {
        return FER_ERR_CAPACITY;
    }
    if (enrolee->stage == FER_ENROLEE_CONFIRMED) {
        return take_receipt(enrolee, out, length);
    }
    if (enrolee->stage == FER_ENROLEE_MET && enrolee->handshake != NULL) {
        return take_third(enrolee, now, out, length);
    }
    return is_first_due(enrolee, now) ? take_first(enrolee, now, out, length) : FER_EMPTY;
}

/* ---- in --------------------------------------------------------------------------------- */

/* Only a whole message is worth its curve operations; one that fails has ended the handshake. */
static fer_status hear_second(fer_enrolee *enrolee, const uint8_t *frame, size_t n)
{
    fer_reader reader = fer_reader_over(frame, n);
    uint8_t first = fer_read_u8(&reader);
    uint8_t type = fer_read_u8(&reader);
    uint8_t nothing[1];
    size_t length = 0;

    if (reader.failed || first != FER_ENROLMENT_DOWN || type != FER_ENROLMENT_SECOND) {
        return FER_DROP_ROUTE;
    }
    size_t left = fer_reader_left(&reader);
    if (left != fer_handshake_get_overhead(enrolee->handshake)) { /* it has no payload */
        return FER_DROP_MALFORMED;
    }
    const uint8_t *message = fer_read_span(&reader, left);
    fer_status status = fer_handshake_read(enrolee->handshake, message, left, nothing, 0, &length);
    if (status == FER_OK) {
        status = fer_handshake_get_peer(enrolee->handshake, &enrolee->gateway);
    }
    if (status != FER_OK) {
        give_up(enrolee);
        return status;
    }
    enrolee->stage = FER_ENROLEE_MET;
    return FER_OK;
}

static bool is_handed_over(size_t n)
{
    return n == 0 || n == FER_CREDENTIAL_BYTES || n == FER_BLOB_BYTES;
}

static fer_status hear_acceptance(fer_enrolee *enrolee, const uint8_t *frame, size_t n)
{
    fer_opened opened;
    fer_status status = fer_opener_receive(enrolee->session.opener, frame, n, enrolee->blob,
                                           sizeof enrolee->blob, &opened);

    if (status == FER_ERR_CAPACITY || (status == FER_OK && !is_handed_over(opened.length))) {
        fer_wipe(enrolee->blob, sizeof enrolee->blob);
        return FER_DROP_MALFORMED; /* no blob is as long as it, or claims to be */
    }
    if (status == FER_OK) {
        enrolee->blob_length = (uint8_t)opened.length;
        enrolee->stage = FER_ENROLEE_ACCEPTED;
    }
    return status;
}

static fer_status hear(fer_enrolee *enrolee, const uint8_t *frame, size_t n)
{
    if (enrolee->stage == FER_ENROLEE_GREETS && enrolee->handshake != NULL) {
        return hear_second(enrolee, frame, n);
    }
    if (enrolee->stage == FER_ENROLEE_MET && enrolee->session.opener != NULL) {
        return hear_acceptance(enrolee, frame, n);
    }
    return FER_DROP_ROUTE;
}

fer_status fer_enrolee_feed(fer_enrolee *enrolee, const uint8_t *in, size_t n, size_t *used)
{
    fer_status status = FER_DROP_ROUTE;

    if (!is_open(enrolee)) {
        return FER_ERR_HANDLE;
    }
    if (in == NULL || used == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *used = 0;
    while (status == FER_DROP_ROUTE) {
        uint8_t *frame = NULL;
        size_t length = 0;
        size_t piece = 0;

        status = fer_frame_decoder_feed(enrolee->decoder, in + *used, n - *used, &piece, &frame,
                                        &length);
        *used += piece;
        status = status == FER_OK ? hear(enrolee, frame, length) : status;
    }
    return status;
}

/* ---- what came of it -------------------------------------------------------------------- */

fer_status fer_enrolee_get_gateway(const fer_enrolee *enrolee, fer_static_public *gateway)
{
    if (!is_open(enrolee)) {
        return FER_ERR_HANDLE;
    }
    if (gateway == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (enrolee->stage == FER_ENROLEE_GREETS) {
        return FER_EMPTY;
    }
    *gateway = enrolee->gateway;
    return FER_OK;
}

fer_status fer_enrolee_get_blob(fer_enrolee *enrolee, uint8_t **blob, size_t *n)
{
    if (!is_open(enrolee)) {
        return FER_ERR_HANDLE;
    }
    if (blob == NULL || n == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (enrolee->stage != FER_ENROLEE_ACCEPTED) {
        return FER_ERR_ORDER;
    }
    *blob = enrolee->blob;
    *n = enrolee->blob_length;
    return FER_OK;
}

fer_status fer_enrolee_confirm(fer_enrolee *enrolee)
{
    if (!is_open(enrolee)) {
        return FER_ERR_HANDLE;
    }
    if (enrolee->stage != FER_ENROLEE_ACCEPTED) {
        return FER_ERR_ORDER;
    }
    fer_wipe(enrolee->blob, sizeof enrolee->blob);
    enrolee->blob_length = 0;
    enrolee->stage = FER_ENROLEE_CONFIRMED;
    return FER_OK;
}
