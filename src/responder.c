/* Ferrule: responder (floor 5): the handle, who may greet, and the records of sessions. */
#include <string.h>

#include "internal/arena.h"
#include "internal/draw.h"
#include "internal/gateway.h"
#include "internal/record.h"
#include "internal/replay.h"
#include "internal/responder.h"

_Static_assert(sizeof(struct fer_responder) <= FER_RESPONDER_HANDLE_SIZE,
               "FER_RESPONDER_SIZE is too small");
_Static_assert(FER_RESPONDER_HANDLE_SIZE < sizeof(struct fer_responder) + 16u,
               "FER_RESPONDER_SIZE is wasteful");
_Static_assert(sizeof(struct fer_peer) <= FER_RESPONDER_PEER_SIZE,
               "FER_RESPONDER_PEER_SIZE is too small");
_Static_assert(FER_RESPONDER_PEER_SIZE < sizeof(struct fer_peer) + 16u,
               "FER_RESPONDER_PEER_SIZE is wasteful");
_Static_assert(sizeof(struct fer_responder_session) <= FER_RESPONDER_ENTRY_SIZE,
               "FER_RESPONDER_SESSION_SIZE is too small");
_Static_assert(FER_RESPONDER_ENTRY_SIZE < sizeof(struct fer_responder_session) + 16u,
               "FER_RESPONDER_SESSION_SIZE is wasteful");

bool fer_responder_is_open(const fer_responder *responder)
{
    return fer_tag_is((const fer_tag *)responder, FER_TAG_RESPONDER);
}

/* ---- the handle ------------------------------------------------------------------------- */

static bool is_valid(const fer_responder_config *config)
{
    return fer_gateway_is_open(config->gateway) && config->contexts != 0 &&
           config->contexts <= config->gateway->config.contexts && config->sessions != 0 &&
           config->sessions < FER_NO_SESSION && fer_window_bits_are_valid(config->window_bits) &&
           fer_can_draw(config->entropy);
}

/* Bytes of the keys of one session. */
static size_t measure_keys(const fer_responder_config *config)
{
    return FER_SEALER_SIZE + FER_OPENER_SIZE((size_t)config->window_bits);
}

/* Where the parts begin, in bytes from the handle; false where sizes overflow. */
static bool plan(const fer_responder_config *config, size_t at[5])
{
    size_t most = SIZE_MAX / 8u;

    if (config->contexts > most / FER_RESPONDER_PEER_SIZE ||
        config->sessions > most / FER_RESPONDER_SESSION_SIZE((size_t)config->window_bits)) {
        return false;
    }
    at[0] = FER_ARENA_ROUND(sizeof(struct fer_responder));
    at[1] = at[0] + FER_ARENA_ROUND(config->contexts * sizeof(struct fer_peer));
    at[2] = at[1] + FER_ARENA_ROUND(config->sessions * sizeof(struct fer_responder_session));
    at[3] = at[2] + config->sessions * measure_keys(config);
    at[4] = at[3] + FER_HANDSHAKE_SIZE;
    return true;
}

static fer_status lay_out(fer_responder *made, const size_t at[5])
{
    uint8_t *base = (uint8_t *)made;
    size_t keys = measure_keys(&made->config);
    fer_status status = fer_arena_init(&made->scratch, (fer_arena_cell *)(void *)(base + at[3]),
                                       FER_HANDSHAKE_SIZE / FER_ARENA_ALIGN);

    made->peers = (struct fer_peer *)(void *)(base + at[0]);
    made->sessions = (struct fer_responder_session *)(void *)(base + at[1]);
    for (uint32_t i = 0; i < made->config.contexts; i++) {
        made->peers[i].current = FER_NO_SESSION;
        made->peers[i].pending = FER_NO_SESSION;
    }
    for (uint32_t i = 0; i < made->config.sessions && status == FER_OK; i++) {
        made->sessions[i].first = FER_NO_SESSION;
        status = fer_arena_init(&made->sessions[i].inner,
                                (fer_arena_cell *)(void *)(base + at[2] + i * keys),
                                keys / FER_ARENA_ALIGN);
    }
    return status;
}

fer_status fer_responder_create(fer_arena *arena, const fer_responder_config *config,
                                fer_responder **responder)
{
    size_t at[5];
    fer_responder *made;

    if (config == NULL || responder == NULL || !is_valid(config)) {
        return FER_ERR_ARGUMENT;
    }
    made = plan(config, at) ? fer_arena_carve(arena, at[4]) : NULL;
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    made->config = *config;
    fer_status status = lay_out(made, at);
    if (status != FER_OK) {
        return status;
    }
    made->tag = fer_tag_make(made, FER_TAG_RESPONDER);
    *responder = made;
    return FER_OK;
}

void fer_responder_close(fer_responder **responder)
{
    size_t at[5];

    if (responder != NULL && fer_responder_is_open(*responder) && plan(&(*responder)->config, at)) {
        fer_arena_retire(*responder, at[4]);
        *responder = NULL;
    }
}

/* ---- who may greet ---------------------------------------------------------------------- */

struct fer_peer *fer_responder_get_peer(const fer_responder *responder, uint32_t context)
{
    const struct fer_context *of = fer_gateway_get_context(responder->config.gateway, context);
    struct fer_peer *peer;

    if (of == NULL || context >= responder->config.contexts) {
        return NULL;
    }
    peer = &responder->peers[context];
    return peer->pinned && memcmp(peer->fingerprint, of->fingerprint, sizeof peer->fingerprint) == 0
               ? peer
               : NULL;
}

/* Where the bucket of a route begins. */
static uint32_t *get_bucket(const fer_responder *responder, const uint8_t *route, uint8_t length)
{
    uint32_t hash = 0;

    for (unsigned i = 0; i < length; i++) {
        hash = hash * 257u + route[i];
    }
    return &responder->sessions[hash % responder->config.sessions].first;
}

uint32_t fer_responder_find(const fer_responder *responder, const uint8_t *route, uint8_t length)
{
    uint32_t i = *get_bucket(responder, route, length);

    while (i != FER_NO_SESSION) {
        const struct fer_responder_session *session = &responder->sessions[i];

        if (session->route_length == length && memcmp(session->route, route, length) == 0) {
            break;
        }
        i = session->next;
    }
    return i;
}

uint32_t fer_responder_find_free(const fer_responder *responder)
{
    for (uint32_t i = 0; i < responder->config.sessions; i++) {
        if (responder->sessions[i].opener == NULL) {
            return i;
        }
    }
    return FER_NO_SESSION;
}

void fer_responder_list(fer_responder *responder, uint32_t session)
{
    struct fer_responder_session *listed = &responder->sessions[session];
    uint32_t *bucket = get_bucket(responder, listed->route, listed->route_length);

    listed->next = *bucket;
    *bucket = session;
}

void fer_responder_end(fer_responder *responder, uint32_t *session)
{
    if (*session == FER_NO_SESSION) {
        return;
    }
    struct fer_responder_session *ended = &responder->sessions[*session];
    uint32_t *place = get_bucket(responder, ended->route, ended->route_length);
    while (*place != *session) {
        place = &responder->sessions[*place].next;
    }
    *place = ended->next;
    ended->sealer = NULL;
    ended->opener = NULL;
    (void)!fer_arena_rewind(&ended->inner, (fer_arena_position){0});
    *session = FER_NO_SESSION;
}

static void leave(fer_responder *responder, struct fer_peer *peer)
{
    fer_responder_end(responder, &peer->current);
    fer_responder_end(responder, &peer->pending);
}

fer_status fer_responder_leave(fer_responder *responder, uint32_t context)
{
    if (!fer_responder_is_open(responder)) {
        return FER_ERR_HANDLE;
    }
    if (context >= responder->config.contexts) {
        return FER_ERR_ARGUMENT;
    }
    leave(responder, &responder->peers[context]);
    return FER_OK;
}

fer_status fer_responder_forget(fer_responder *responder, uint32_t context)
{
    fer_status status = fer_responder_leave(responder, context);

    if (status == FER_OK) {
        responder->peers[context].pinned = false;
    }
    return status;
}

/* Whether this is who the context was made for: its fingerprint binds identity and epoch. */
static bool is_context_of(const struct fer_context *context, const fer_credential_info *info)
{
    uint8_t salt[FER_HASH_BYTES];

    fer_schedule_id_salt(FER_MODE_PROVISIONED, info->epoch, info->identity, info->identity_length,
                         salt);
    return memcmp(context->fingerprint, salt, FER_FINGERPRINT_BYTES) == 0;
}

fer_status fer_responder_pin(fer_responder *responder, uint32_t context,
                             const fer_identity *identity, const fer_static_public *device,
                             fer_greeted last)
{
    fer_credential_info info;

    if (!fer_responder_is_open(responder)) {
        return FER_ERR_HANDLE;
    }
    const struct fer_context *of = fer_gateway_get_context(responder->config.gateway, context);
    if (of == NULL || context >= responder->config.contexts || identity == NULL || device == NULL ||
        !fer_identity_gather(identity, &info) || !is_context_of(of, &info)) {
        return FER_ERR_ARGUMENT;
    }
    struct fer_peer *peer = &responder->peers[context];
    leave(responder, peer);
    peer->info = info;
    memcpy(peer->fingerprint, of->fingerprint, sizeof peer->fingerprint);
    peer->device = *device;
    peer->last = last;
    peer->pinned = true;
    return FER_OK;
}

/* ---- from one responder to the next ------------------------------------------------------ */

static bool is_same(const struct fer_peer *one, const struct fer_peer *other)
{
    return one->info.epoch == other->info.epoch &&
           one->info.identity_length == other->info.identity_length &&
           memcmp(one->info.identity, other->info.identity, one->info.identity_length) == 0 &&
           fer_crypto_equal(one->device.bytes, other->device.bytes, sizeof one->device.bytes);
}

/* Moves a session to a free place; where it cannot be it stays, to be ended. */
static uint32_t move_session(fer_responder *to, uint32_t context,
                             struct fer_responder_session *session)
{
    uint32_t place = fer_responder_find_free(to);

    if (place == FER_NO_SESSION ||
        fer_responder_find(to, session->route, session->route_length) != FER_NO_SESSION) {
        return FER_NO_SESSION;
    }
    struct fer_responder_session *taken = &to->sessions[place];
    if (!fer_sealer_move(&session->sealer, &taken->inner) ||
        !fer_opener_move(&session->opener, &taken->inner)) {
        (void)!fer_arena_rewind(&taken->inner, (fer_arena_position){0});
        return FER_NO_SESSION;
    }
    taken->sealer = session->sealer;
    taken->opener = session->opener;
    taken->context = context;
    taken->serial = ++to->serial;
    taken->generation = session->generation;
    taken->route_length = session->route_length;
    memcpy(taken->route, session->route, sizeof taken->route);
    fer_responder_list(to, place);
    return place;
}

static void move_or_end(fer_responder *to, uint32_t context, uint32_t *place, fer_responder *from,
                        uint32_t *index)
{
    if (*index != FER_NO_SESSION) {
        *place = move_session(to, context, &from->sessions[*index]);
    }
    fer_responder_end(from, index);
}

fer_status fer_responder_adopt(fer_responder *responder, uint32_t context, fer_responder *from,
                               uint32_t from_context)
{
    if (!fer_responder_is_open(responder) || !fer_responder_is_open(from)) {
        return FER_ERR_HANDLE;
    }
    struct fer_peer *peer = fer_responder_get_peer(responder, context);
    struct fer_peer *before = fer_responder_get_peer(from, from_context);
    if (responder == from || peer == NULL || before == NULL || !is_same(peer, before) ||
        responder->config.window_bits != from->config.window_bits) {
        return FER_ERR_ARGUMENT;
    }
    leave(responder, peer);
    move_or_end(responder, context, &peer->current, from, &before->current);
    move_or_end(responder, context, &peer->pending, from, &before->pending);
    return FER_OK;
}

/* ---- records ---------------------------------------------------------------------------- */

/* The session that a record's route names, or FER_NO_SESSION. */
static uint32_t find_session(const fer_responder *responder, const uint8_t *record, size_t n)
{
    fer_unverified header;
    uint32_t index;

    if (fer_record_inspect(record, n, &header) != FER_OK || header.kind != FER_KIND_SESSION ||
        header.direction != FER_UP) {
        return FER_NO_SESSION;
    }
    index = fer_responder_find(responder, header.route, header.route_length);
    return index != FER_NO_SESSION &&
                   fer_responder_get_peer(responder, responder->sessions[index].context) != NULL
               ? index
               : FER_NO_SESSION;
}

/* A ticket says which session it is of in the upper halves of two of the opener's cells. */
enum { CELL_SESSION = FER_TICKET_LANE, CELL_SERIAL = FER_TICKET_SEQUENCE };

fer_status fer_responder_open(fer_responder *responder, const uint8_t *record, size_t n,
                              uint8_t *out, size_t capacity, fer_opened *opened)
{
    if (!fer_responder_is_open(responder)) {
        return FER_ERR_HANDLE;
    }
    if (record == NULL || out == NULL || opened == NULL) {
        return FER_ERR_ARGUMENT;
    }
    uint32_t index = find_session(responder, record, n);
    if (index == FER_NO_SESSION) {
        memset(opened, 0, sizeof *opened);
        fer_record_reject(0, n, out, capacity);
        return FER_DROP_ROUTE;
    }
    const struct fer_responder_session *session = &responder->sessions[index];
    fer_status status = fer_opener_open(session->opener, record, n, out, capacity, opened);
    if (status == FER_OK) {
        opened->context = session->context;
        opened->ticket.opaque[CELL_SESSION] |= (uint64_t)index << 32;
        opened->ticket.opaque[CELL_SERIAL] |= (uint64_t)session->serial << 32;
    }
    return status;
}

/* The first record of a session that is accepted shows that the device has its keys, so also those
 * of the greeting's generation. */
static void settle(fer_responder *responder, uint32_t index)
{
    const struct fer_responder_session *session = &responder->sessions[index];
    struct fer_peer *peer = &responder->peers[session->context];

    if (peer->pending == index) {
        fer_responder_end(responder, &peer->current);
        peer->current = index;
        peer->pending = FER_NO_SESSION;
        fer_gateway_prove(responder->config.gateway, session->context, session->generation);
    }
}

fer_status fer_responder_commit(fer_responder *responder, fer_ticket *ticket)
{
    if (!fer_responder_is_open(responder)) {
        return FER_ERR_HANDLE;
    }
    if (ticket == NULL) {
        return FER_ERR_ARGUMENT;
    }
    uint32_t index = (uint32_t)(ticket->opaque[CELL_SESSION] >> 32);
    uint32_t serial = (uint32_t)(ticket->opaque[CELL_SERIAL] >> 32);
    if (index >= responder->config.sessions || responder->sessions[index].opener == NULL ||
        responder->sessions[index].serial != serial ||
        fer_responder_get_peer(responder, responder->sessions[index].context) == NULL) {
        fer_ticket_abort(ticket);
        return FER_DROP_ROUTE;
    }
    fer_status status = fer_opener_commit(responder->sessions[index].opener, ticket);
    if (status == FER_OK) {
        settle(responder, index);
    }
    return status;
}

fer_status fer_responder_seal(fer_responder *responder, uint32_t context, const uint8_t *plaintext,
                              size_t n, uint8_t *out, size_t capacity, size_t *length)
{
    if (!fer_responder_is_open(responder)) {
        return FER_ERR_HANDLE;
    }
    if (context >= responder->config.contexts) {
        return FER_ERR_ARGUMENT;
    }
    const struct fer_peer *peer = fer_responder_get_peer(responder, context);
    if (peer == NULL || peer->current == FER_NO_SESSION) {
        return FER_ERR_ORDER;
    }
    return fer_sealer_seal(responder->sessions[peer->current].sealer, plaintext, n, out, capacity,
                           length);
}
