/* Ferrule: greeter (floor 5). One attempt at a time; its handshake and the packet that began it are
 * kept until it is answered, given up or superseded. */
#include "ferrule/greeter.h"

#include <string.h>

#include "internal/arena.h"
#include "internal/bytes.h"
#include "internal/credential.h"
#include "internal/draw.h"
#include "internal/greeter.h"
#include "internal/handle.h"
#include "internal/handshake.h"
#include "internal/record.h"
#include "internal/replay.h"

enum {
    PROLOGUE_HEAD = 8 + FER_HASH_BYTES,
    BACKOFF_MAX = 6, /* doublings */
    FORGED_MAX = 16  /* forged answers to one attempt, each worth two curve operations */
};

_Static_assert(sizeof(struct fer_greeter) <= FER_GREETER_HANDLE_SIZE,
               "FER_GREETER_SIZE is too small");
_Static_assert(FER_GREETER_HANDLE_SIZE < sizeof(struct fer_greeter) + 64u,
               "FER_GREETER_SIZE is wasteful");

static bool is_open(const fer_greeter *greeter)
{
    return fer_tag_is((const fer_tag *)greeter, FER_TAG_GREETER);
}

/* ---- the handle ------------------------------------------------------------------------- */

static size_t measure_session(const fer_greeter_config *config)
{
    return FER_SEALER_SIZE + FER_OPENER_SIZE((size_t)config->window_bits);
}

static size_t measure(const fer_greeter_config *config)
{
    return FER_ARENA_ROUND(sizeof(struct fer_greeter)) + FER_HANDSHAKE_SIZE +
           2u * measure_session(config);
}

static fer_status lay_out(fer_greeter *made)
{
    uint8_t *at = (uint8_t *)made + FER_ARENA_ROUND(sizeof *made);
    size_t session = measure_session(&made->config);
    fer_status status = fer_arena_init(&made->scratch, (fer_arena_cell *)(void *)at,
                                       FER_HANDSHAKE_SIZE / FER_ARENA_ALIGN);

    at += FER_HANDSHAKE_SIZE;
    for (unsigned i = 0; i < 2 && status == FER_OK; i++) {
        status = fer_arena_init(&made->inner[i], (fer_arena_cell *)(void *)(at + i * session),
                                session / FER_ARENA_ALIGN);
    }
    return status;
}

fer_status fer_greeter_create(fer_arena *arena, const fer_greeter_config *config,
                              fer_greeter **greeter)
{
    if (config == NULL || greeter == NULL || !fer_window_bits_are_valid(config->window_bits) ||
        config->retry_ms == 0 || !fer_can_draw(config->entropy)) {
        return FER_ERR_ARGUMENT;
    }
    fer_greeter *made = fer_arena_carve(arena, measure(config));
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    made->config = *config;
    made->head.hooks = &fer_device_session_hooks;
    fer_status status = lay_out(made);
    if (status == FER_OK) {
        made->head.tag = fer_tag_make(made, FER_TAG_GREETER);
        *greeter = made;
    }
    return status;
}

void fer_greeter_close(fer_greeter **greeter)
{
    if (greeter != NULL && is_open(*greeter)) {
        fer_arena_retire(*greeter, measure(&(*greeter)->config));
        *greeter = NULL;
    }
}

/* ---- attempts --------------------------------------------------------------------------- */

static void give_up(fer_greeter *greeter)
{
    fer_handshake_close(&greeter->handshake);
    (void)!fer_arena_rewind(&greeter->scratch, (fer_arena_position){0});
}

fer_status fer_greeter_rekey(fer_greeter *greeter, const fer_credential *credential)
{
    fer_secret psk;
    fer_secret hedge;
    fer_chain chain;

    if (!is_open(greeter)) {
        return FER_ERR_HANDLE;
    }
    if (credential == NULL) {
        return FER_ERR_ARGUMENT;
    }
    uint32_t before = greeter->info.generation;
    fer_status status = fer_credential_read(credential, &greeter->info, NULL, &chain);
    greeter->keyed = status == FER_OK;
    if (status != FER_OK) {
        greeter->info.generation = before;
        return status;
    }
    fer_schedule_psk(&chain, greeter->info.generation, &psk);
    fer_schedule_hedge(&chain, greeter->info.generation, &hedge);
    memcpy(greeter->psk.bytes, psk.bytes, sizeof psk);
    memcpy(greeter->hedge.key, hedge.bytes, sizeof hedge);
    if (greeter->info.generation != before) { /* else they go on: none comes twice */
        greeter->attempt = 0;
    }
    give_up(greeter);
    fer_wipe(&chain, sizeof chain);
    fer_wipe(&psk, sizeof psk);
    fer_wipe(&hedge, sizeof hedge);
    return FER_OK;
}

/* Longer by up to a half at random, so that devices which lost one gateway do not all come back at
 * once: the last ephemeral key is as random as anything. */
static uint64_t vary(const fer_greeter *greeter, uint64_t wait)
{
    return wait + wait * greeter->jitter / 512u;
}

/* Whether `limit` ms have gone by, if it is not 0. Signed: a clock that fails tells 0, and must not
 * make everything look old. */
static bool has_passed(uint64_t now, uint64_t since, uint64_t limit)
{
    return limit != 0 && (int64_t)(now - since) >= (int64_t)limit;
}

fer_sealer *fer_greeter_get_live(const fer_greeter *greeter, uint64_t now)
{
    uint32_t next = FER_SEQUENCE_END;

    if (!is_open(greeter) || fer_sealer_get_next(greeter->sealer, &next) != FER_OK ||
        next == FER_SEQUENCE_END ||
        (greeter->waiting &&
         has_passed(now, greeter->silent_since, vary(greeter, greeter->config.silence_ms)))) {
        return NULL;
    }
    return greeter->sealer;
}

bool fer_greeter_doubts(const fer_greeter *greeter, uint64_t now)
{
    return is_open(greeter) &&
           has_passed(now, greeter->silent_since, greeter->config.silence_ms / 2u);
}

/* Why a greeting may be due: there is no session, nobody answers in it, or it is old. */
static bool is_wanted(const fer_greeter *greeter, uint64_t now)
{
    return fer_greeter_get_live(greeter, now) == NULL ||
           has_passed(now, greeter->began, greeter->config.renew_ms);
}

static fer_status begin(fer_greeter *greeter, const uint8_t *header, size_t n)
{
    uint8_t prologue[PROLOGUE_HEAD + FER_GREETING_FIRST_HEADER(FER_ROUTE_MAX)] = "ferrule1";
    const fer_credential_info *info = &greeter->info;

    fer_schedule_id_salt(FER_MODE_PROVISIONED, info->epoch, info->identity, info->identity_length,
                         prologue + 8);
    memcpy(prologue + PROLOGUE_HEAD, header, n);
    greeter->hedge.attempt = greeter->attempt + 1u;
    const fer_handshake_config config = {.pattern = &fer_pattern_ik,
                                         .role = FER_INITIATOR,
                                         .psk_place = 2,
                                         .prologue = prologue,
                                         .prologue_length = PROLOGUE_HEAD + n,
                                         .own_secret = &greeter->config.secret,
                                         .own_public = &greeter->config.own,
                                         .peer = &greeter->config.gateway,
                                         .psk = &greeter->psk,
                                         .entropy = greeter->config.entropy,
                                         .hedge = &greeter->hedge};
    return fer_handshake_create(&greeter->scratch, &config, &greeter->handshake);
}

/* Header, message, checks. Only a whole packet uses its attempt up. */
static fer_status write_first(fer_greeter *greeter, const uint8_t *early, size_t early_length,
                              uint8_t *out, size_t capacity, size_t *length)
{
    fer_greeting header = {.type = FER_GREETING_FIRST,
                           .route_length = greeter->info.route_length,
                           .generation = greeter->info.generation,
                           .attempt = greeter->attempt + 1u};
    size_t n = 0;
    size_t message = 0;

    memcpy(header.route, greeter->info.route, sizeof header.route);
    fer_status status = fer_greeting_begin(&header, out, capacity, &n);
    if (status == FER_OK) {
        status = begin(greeter, out, n);
    }
    if (status == FER_OK) {
        status = fer_handshake_write(greeter->handshake, early, early_length, out + n, capacity - n,
                                     &message);
    }
    if (status == FER_OK) {
        status = fer_greeting_end(out, n + message, capacity, &greeter->config.gateway,
                                  greeter->has_cookie ? greeter->cookie : NULL, length);
    }
    return status;
}

/* What is kept of a packet that was made. */
static void note_first(fer_greeter *greeter, uint64_t now, const uint8_t *packet, size_t n)
{
    greeter->attempt++;
    greeter->jitter = packet[FER_GREETING_FIRST_HEADER(greeter->info.route_length)];
    memcpy(greeter->check, packet + n - 2u * FER_GREETING_MAC_BYTES, sizeof greeter->check);
    greeter->due = now + vary(greeter, (uint64_t)greeter->config.retry_ms << greeter->tries);
    greeter->tries = (uint8_t)(greeter->tries + (greeter->tries < BACKOFF_MAX));
    greeter->forged = 0;
    greeter->first_had_cookie = greeter->has_cookie;
    greeter->has_cookie = false; /* it serves one packet: the next is asked for again, if need be */
}

fer_status fer_greeter_take_early(fer_greeter *greeter, uint64_t now, const uint8_t *early,
                                  size_t n, uint8_t *out, size_t capacity, size_t *length)
{
    if (!is_open(greeter)) {
        return FER_ERR_HANDLE;
    }
    if ((early == NULL && n != 0) || n > FER_EARLY_MAX || out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *length = 0;
    if (!is_wanted(greeter, now) || now < greeter->due) {
        return FER_EMPTY;
    }
    if (!greeter->keyed) {
        return FER_ERR_ORDER;
    }
    if (greeter->attempt >= FER_SEQUENCE_END - 1u) {
        return FER_RENEW_EXHAUSTED;
    }
    if (capacity < FER_GREETING_FIRST_SIZE(greeter->info.route_length, n)) {
        return FER_ERR_CAPACITY;
    }
    give_up(greeter); /* the one before was not answered */
    fer_status status = write_first(greeter, early, n, out, capacity, length);
    if (status != FER_OK) {
        give_up(greeter);
        return status;
    }
    note_first(greeter, now, out, *length);
    return FER_OK;
}

fer_status fer_greeter_take(fer_greeter *greeter, uint64_t now, uint8_t *out, size_t capacity,
                            size_t *length)
{
    return fer_greeter_take_early(greeter, now, NULL, 0, out, capacity, length);
}

/* ---- answers ---------------------------------------------------------------------------- */

/* The gateway asks for a cookie: the same attempt number may not be used again, so the next one is
 * due at once, with it. Where that one had a cookie already, it is asked again by a gateway that
 * does not know its own, or by someone else who knows the gateway's public key: then it waits. */
static fer_status take_cookie(fer_greeter *greeter, uint64_t now, const uint8_t *packet, size_t n)
{
    fer_status status =
        fer_cookie_take(packet, n, greeter->check, &greeter->config.gateway, greeter->cookie);

    if (status != FER_OK) {
        return status;
    }
    greeter->has_cookie = true;
    if (!greeter->first_had_cookie) {
        greeter->due = now;
    }
    return FER_EMPTY;
}

/* Turns the handshake into the session, and ends the one before. */
static fer_status start(fer_greeter *greeter, uint64_t now, const uint8_t *route, size_t n)
{
    const fer_credential_info *info = &greeter->info;
    const fer_session_config config = {
        .identity = {info->epoch, info->identity, info->identity_length, route, n},
        .window_bits = greeter->config.window_bits,
        .way = FER_TWO_WAY};
    unsigned next = greeter->current ^ 1u;
    fer_session ends;
    fer_status status =
        fer_handshake_finish(&greeter->handshake, &greeter->inner[next], &config, &ends);

    give_up(greeter);
    if (status != FER_OK) {
        return status;
    }
    (void)!fer_arena_rewind(&greeter->inner[greeter->current], (fer_arena_position){0});
    greeter->sealer = ends.sealer;
    greeter->opener = ends.opener;
    greeter->current = (uint8_t)next;
    greeter->tries = 0;
    greeter->began = now;
    greeter->waiting = false;
    greeter->marks.of = 0;
    return FER_OK;
}

/* Reads the answer's message. A forged one leaves the handshake as it was, so that nobody can end
 * an attempt by being faster than the gateway; enough of them do, so that nobody keeps the device
 * computing. */
static fer_status read_answer(fer_greeter *greeter, const fer_greeting *packet,
                              uint8_t route[FER_ROUTE_MAX], size_t *n)
{
    fer_handshake before = *greeter->handshake;
    fer_status status = fer_handshake_read(greeter->handshake, packet->message,
                                           packet->message_length, route, FER_ROUTE_MAX, n);

    if (status == FER_DROP_FORGED && ++greeter->forged < FORGED_MAX) {
        *greeter->handshake = before;
    } else if (status == FER_DROP_FORGED) {
        give_up(greeter);
    }
    fer_wipe(&before, sizeof before);
    return status == FER_OK ? FER_OK : FER_DROP_FORGED;
}

static fer_status take_answer(fer_greeter *greeter, uint64_t now, const fer_greeting *packet)
{
    uint8_t route[FER_ROUTE_MAX];
    size_t n = 0;

    if (packet->attempt != greeter->attempt) {
        return FER_DROP_OLD;
    }
    fer_status status = read_answer(greeter, packet, route, &n);
    if (status != FER_OK) {
        return status;
    }
    if (n == 0) { /* a session needs a route of its own */
        give_up(greeter);
        return FER_DROP_FORGED;
    }
    return start(greeter, now, route, n) == FER_OK ? FER_OK : FER_DROP_FORGED;
}

fer_status fer_greeter_feed(fer_greeter *greeter, uint64_t now, const uint8_t *packet, size_t n)
{
    fer_greeting greeting;

    if (!is_open(greeter)) {
        return FER_ERR_HANDLE;
    }
    fer_status status = fer_greeting_inspect(packet, n, &greeting);
    if (status != FER_OK) {
        return status;
    }
    if (greeter->handshake == NULL || greeting.type == FER_GREETING_FIRST ||
        greeting.route_length != greeter->info.route_length ||
        memcmp(greeting.route, greeter->info.route, greeting.route_length) != 0) {
        return FER_DROP_ROUTE;
    }
    return greeting.type == FER_GREETING_COOKIE ? take_cookie(greeter, now, packet, n)
                                                : take_answer(greeter, now, &greeting);
}

/* ---- the session ------------------------------------------------------------------------ */

fer_sealer *fer_greeter_get_sealer(const fer_greeter *greeter)
{
    return is_open(greeter) ? greeter->sealer : NULL;
}

fer_opener *fer_greeter_get_opener(const fer_greeter *greeter)
{
    return is_open(greeter) ? greeter->opener : NULL;
}

void fer_greeter_heard(fer_greeter *greeter, uint64_t now)
{
    (void)now; /* silence counts from the next record that is sent */
    if (is_open(greeter)) {
        greeter->waiting = false;
    }
}

void fer_greeter_sent(fer_greeter *greeter, uint64_t now)
{
    if (is_open(greeter) && !greeter->waiting) {
        greeter->waiting = true;
        greeter->silent_since = now;
    }
}

/* ---- deep sleep ------------------------------------------------------------------------- */

void fer_greeter_suspend(fer_greeter *greeter)
{
    fer_wipe(&greeter->psk, sizeof greeter->psk);
    fer_wipe(&greeter->hedge, sizeof greeter->hedge);
    greeter->keyed = false;
    greeter->sealer = NULL;
    greeter->opener = NULL;
    give_up(greeter);
    (void)!fer_arena_rewind(&greeter->inner[greeter->current], (fer_arena_position){0});
}
