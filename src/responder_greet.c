/* Ferrule: responder, greetings (floor 5). In this order: what costs nothing, the keyed check, the
 * mark, and only then the curve. Nothing of the device's state moves before its static key has been
 * authenticated by the first message; the chain is ratcheted after that, and on a copy. */
#include <string.h>

#include "crypto/curve.h"
#include "internal/arena.h"
#include "internal/bytes.h"
#include "internal/draw.h"
#include "internal/gateway.h"
#include "internal/handshake.h"
#include "internal/record.h"
#include "internal/responder.h"

enum { TRIES = 64, LEAST_ROUTE = 2, PROLOGUE_HEAD = 8 + FER_HASH_BYTES };

/* A greeting on its way through the steps. */
struct greeting {
    fer_greeting packet;
    const uint8_t *bytes; /* the packet's header */
    uint32_t context;
    struct fer_peer *peer;
    fer_handshake *handshake;
};

/* ---- before the curve ------------------------------------------------------------------- */

static bool is_newer(fer_greeted mark, const fer_greeting *packet)
{
    return packet->generation > mark.generation ||
           (packet->generation == mark.generation && packet->attempt > mark.attempt);
}

static fer_status check_generation(const fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    const struct fer_context *context = &gateway->contexts[number];

    if (generation < context->floor) {
        return FER_DROP_OLD;
    }
    return generation > context->cur && generation - context->cur > gateway->config.max_skip
               ? FER_DROP_FAR
               : FER_OK;
}

static fer_status admit(const fer_responder *responder, const uint8_t *packet, size_t n,
                        struct greeting *greeting)
{
    fer_gateway *gateway = responder->config.gateway;
    uint32_t place;
    fer_status status = fer_greeting_inspect(packet, n, &greeting->packet);

    if (status != FER_OK || greeting->packet.type != FER_GREETING_FIRST) {
        return FER_DROP_MALFORMED;
    }
    greeting->bytes = packet;
    if (!fer_gateway_find_route(gateway, greeting->packet.route, greeting->packet.route_length,
                                &greeting->context, &place)) {
        return FER_DROP_ROUTE;
    }
    greeting->peer = fer_responder_get_peer(responder, greeting->context);
    if (greeting->peer == NULL) {
        return FER_DROP_ROUTE;
    }
    status = fer_greeting_check(packet, n, &responder->config.own);
    if (status == FER_OK && !is_newer(greeting->peer->last, &greeting->packet)) {
        status = FER_DROP_REPLAY;
    }
    return status == FER_OK
               ? check_generation(gateway, greeting->context, greeting->packet.generation)
               : status;
}

/* ---- the first message ------------------------------------------------------------------ */

/* Reads it, with the pre-shared key still to come: IKpsk2 needs it in the second alone. */
static fer_status hear(fer_responder *responder, struct greeting *greeting, fer_early *early)
{
    static const fer_preshared_key to_come;
    const fer_greeting *packet = &greeting->packet;
    const fer_credential_info *info = &greeting->peer->info;
    uint8_t prologue[PROLOGUE_HEAD + FER_GREETING_FIRST_HEADER(FER_ROUTE_MAX)] = "ferrule1";
    fer_static_public heard;

    fer_schedule_id_salt(FER_MODE_PROVISIONED, info->epoch, info->identity, info->identity_length,
                         prologue + 8);
    memcpy(prologue + PROLOGUE_HEAD, greeting->bytes, packet->header_length);
    const fer_handshake_config config = {.pattern = &fer_pattern_ik,
                                         .role = FER_RESPONDER,
                                         .psk_place = 2,
                                         .prologue = prologue,
                                         .prologue_length = PROLOGUE_HEAD + packet->header_length,
                                         .own_secret = &responder->config.secret,
                                         .own_public = &responder->config.own,
                                         .psk = &to_come,
                                         .entropy = responder->config.entropy};
    fer_status status = fer_handshake_create(&responder->scratch, &config, &greeting->handshake);
    if (status == FER_OK) { /* where none is taken early data has no room, and is refused */
        status = fer_handshake_read(greeting->handshake, packet->message, packet->message_length,
                                    early->bytes, early->capacity, &early->length);
    }
    if (status == FER_OK) {
        status = fer_handshake_get_peer(greeting->handshake, &heard);
    }
    if (status != FER_OK) {
        return status == FER_ERR_CAPACITY ? FER_DROP_FORGED : status;
    }
    return fer_crypto_equal(heard.bytes, greeting->peer->device.bytes, sizeof heard.bytes)
               ? FER_OK
               : FER_DROP_FORGED;
}

/* The device's chain at its generation gives the pre-shared key. */
static void take_psk(fer_responder *responder, const struct greeting *greeting)
{
    uint32_t generation = greeting->packet.generation;
    fer_chain chain;

    fer_gateway_get_chain(responder->config.gateway, greeting->context, generation, &chain);
    fer_gateway_keep_chain(responder->config.gateway, greeting->context, generation, &chain);
    fer_schedule_psk(&chain, generation, &greeting->handshake->psk);
    fer_wipe(&chain, sizeof chain);
}

/* ---- the session ------------------------------------------------------------------------ */

/* A random route of the session's own, as long as the context's, or two bytes where that has none.
 */
static fer_status draw_route(const fer_responder *responder, fer_credential_info *info)
{
    memset(info->route, 0, sizeof info->route);
    if (info->route_length == 0) {
        info->route_length = LEAST_ROUTE;
    }
    for (int i = 0; i < TRIES; i++) {
        const fer_status status =
            fer_draw(responder->config.entropy, info->route, info->route_length);

        if (status != FER_OK) {
            return status;
        }
        if (fer_responder_find(responder, info->route, info->route_length) == FER_NO_SESSION) {
            return FER_OK;
        }
    }
    return FER_NOT_NOW;
}

/* Answers, and turns the handshake into the device's pending session. */
static fer_status answer(fer_responder *responder, struct greeting *greeting, uint32_t index,
                         uint8_t *out, size_t capacity, size_t *length)
{
    struct fer_responder_session *session = &responder->sessions[index];
    fer_credential_info info = greeting->peer->info;
    size_t n = 0;
    fer_status status = draw_route(responder, &info);

    greeting->packet.type = FER_GREETING_SECOND;
    if (status == FER_OK) {
        status = fer_greeting_begin(&greeting->packet, out, capacity, length);
    }
    if (status == FER_OK) {
        status = fer_handshake_write(greeting->handshake, info.route, info.route_length,
                                     out + *length, capacity - *length, &n);
    }
    if (status != FER_OK) {
        return status;
    }
    *length += n;
    const fer_session_config config = {.identity = {info.epoch, info.identity, info.identity_length,
                                                    info.route, info.route_length},
                                       .window_bits = responder->config.window_bits,
                                       .entropy = responder->config.entropy};
    fer_session ends;
    status = fer_handshake_finish(&greeting->handshake, &session->inner, &config, &ends);
    if (status == FER_OK) {
        session->sealer = ends.sealer;
        session->opener = ends.opener;
        session->context = greeting->context;
        session->serial = ++responder->serial;
        session->generation = greeting->packet.generation;
        session->route_length = info.route_length;
        memcpy(session->route, info.route, sizeof session->route);
        fer_responder_list(responder, index);
        greeting->peer->pending = index;
    }
    return status;
}

/* From here on the device is known: its mark moves, whatever becomes of the answer, so that this
 * packet starts nothing a second time. */
static fer_status accept(fer_responder *responder, struct greeting *greeting, uint8_t *out,
                         size_t capacity, size_t *length)
{
    struct fer_peer *peer = greeting->peer;

    peer->last = (fer_greeted){greeting->packet.generation, greeting->packet.attempt};
    fer_responder_end(responder, &peer->pending);
    uint32_t index = fer_responder_find_free(responder);
    if (index == FER_NO_SESSION) {
        return FER_NOT_NOW;
    }
    take_psk(responder, greeting);
    return answer(responder, greeting, index, out, capacity, length);
}

fer_status fer_responder_greet(fer_responder *responder, const uint8_t *packet, size_t n,
                               uint8_t *out, size_t capacity, size_t *length, uint32_t *context,
                               fer_greeted *last)
{
    uint8_t nothing[1];
    fer_early none = {nothing, 0, 0};

    return fer_responder_greet_early(responder, packet, n, &none, out, capacity, length, context,
                                     last);
}

fer_status fer_responder_greet_early(fer_responder *responder, const uint8_t *packet, size_t n,
                                     fer_early *early, uint8_t *out, size_t capacity,
                                     size_t *length, uint32_t *context, fer_greeted *last)
{
    struct greeting greeting = {.handshake = NULL};

    if (!fer_responder_is_open(responder)) {
        return FER_ERR_HANDLE;
    }
    if (packet == NULL || early == NULL || early->bytes == NULL || out == NULL || length == NULL ||
        context == NULL || last == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (capacity < FER_GREETING_SECOND_SIZE(FER_ROUTE_MAX, FER_ROUTE_MAX)) {
        return FER_ERR_CAPACITY;
    }
    *length = 0;
    early->length = 0;
    fer_status status = admit(responder, packet, n, &greeting);
    if (status == FER_OK) {
        status = hear(responder, &greeting, early);
    }
    if (status == FER_OK) {
        status = accept(responder, &greeting, out, capacity, length);
    }
    if (status == FER_OK) {
        *context = greeting.context;
        *last = greeting.peer->last;
    } else { /* what was heard of a device that is not answered is not passed on (FIRST) */
        *length = 0;
        early->length = 0;
        fer_wipe(early->bytes, early->capacity);
    }
    fer_handshake_close(&greeting.handshake);
    (void)!fer_arena_rewind(&responder->scratch, (fer_arena_position){0});
    return status;
}
