#include "sessions.h"

#include <stdlib.h>
#include <string.h>

#include "keys.h"

static size_t count_pins(const struct contexts *contexts)
{
    size_t count = 0;
    for (size_t i = 0; i < contexts->count; i++) {
        count += contexts->devices[i].open && contexts->devices[i].registered.has_static;
    }
    return count;
}

/* Room for the current session of every device and the next one, so that none waits for another. */
static fer_status create(struct sessions *sessions, const struct contexts *contexts, size_t pins,
                         const fer_static_secret *secret, fer_entropy entropy)
{
    const uint32_t most = contexts->count > 0 ? (uint32_t)contexts->count : 1;
    const fer_responder_config config = {.gateway = contexts->core,
                                         .secret = *secret,
                                         .own = sessions->own,
                                         .contexts = most,
                                         .sessions = pins > 0 ? 2 * (uint32_t)pins : 1,
                                         .window_bits = CONTEXTS_WINDOW_BITS,
                                         .entropy = entropy};
    const size_t size = FER_RESPONDER_SIZE((size_t)config.contexts, (size_t)config.sessions,
                                           (size_t)config.window_bits);
    const size_t cells = FER_ARENA_ROUND(size) / FER_ARENA_ALIGN;
    sessions->storage = calloc(cells, sizeof *sessions->storage);
    if (sessions->storage == NULL) {
        return FER_ERR_ARENA;
    }
    fer_status status = fer_arena_init(&sessions->arena, sessions->storage, cells);
    return status == FER_OK ? fer_responder_create(&sessions->arena, &config, &sessions->responder)
                            : status;
}

static fer_status pin(const struct sessions *sessions, const struct device *device)
{
    const struct registry_device *registered = &device->registered;
    const fer_identity identity = {.epoch = registered->epoch,
                                   .identity = (const uint8_t *)registered->id,
                                   .identity_length = strlen(registered->id),
                                   .route = registered->route,
                                   .route_length = registered->route_length};
    return fer_responder_pin(sessions->responder, device->context, &identity,
                             &registered->static_key, device->greeted);
}

static fer_status pin_all(const struct sessions *sessions, const struct contexts *contexts)
{
    fer_status status = FER_OK;
    for (size_t i = 0; i < contexts->count && status == FER_OK; i++) {
        const struct device *device = &contexts->devices[i];
        if (device->open && device->registered.has_static) {
            status = pin(sessions, device);
        }
    }
    return status;
}

bool sessions_load(struct sessions *sessions, const char *key, const struct contexts *contexts,
                   fer_entropy entropy, struct fault *fault)
{
    const size_t pins = count_pins(contexts);
    fer_static_secret secret;
    memset(sessions, 0, sizeof *sessions);
    if (key == NULL) {
        if (pins > 0) {
            SAY("%zu devices have a static key, but without --key none of their greetings is "
                "answered",
                pins);
        }
        return true;
    }
    if (!keys_read_static(key, &secret, &sessions->own, fault)) {
        return false;
    }
    fer_status status = create(sessions, contexts, pins, &secret, entropy);
    explicit_bzero(&secret, sizeof secret);
    if (status == FER_OK) {
        status = pin_all(sessions, contexts);
    }
    if (status != FER_OK) {
        FAULT(fault, "sessions of %zu devices: %s", pins, fer_status_text(status));
        sessions_free(sessions);
    }
    return status == FER_OK;
}

void sessions_keep(const struct sessions *sessions, const struct contexts *contexts,
                   const struct sessions *former, const struct contexts *former_contexts)
{
    if (sessions->responder == NULL || former->responder == NULL ||
        memcmp(&sessions->own, &former->own, sizeof sessions->own) != 0) {
        return;
    }
    for (size_t i = 0; i < contexts->count; i++) {
        struct device *device = &contexts->devices[i];
        const struct device *before = contexts_find(former_contexts, device->registered.id);
        if (device->open && before != NULL && before->open &&
            fer_responder_adopt(sessions->responder, device->context, former->responder,
                                before->context) == FER_OK) {
            device->session = before->session;
            device->in_session = before->in_session;
            device->greeted_ms = before->greeted_ms;
        }
    }
}

/* The responder keeps at most two sessions of a device, with different routes. Whatever is not of
 * the current one is the first record of the one that was answered last. */
static void note_session(struct device *device, const fer_unverified *header)
{
    struct device_session *session = &device->session;
    if (session->open && session->route_length == header->route_length &&
        memcmp(session->route, header->route, session->route_length) == 0) {
        return;
    }
    *session = (struct device_session){.open = true,
                                       .route_length = header->route_length,
                                       .mark = device->greeted,
                                       .began_ms = device->greeted_ms};
    device->greeted_ms = 0;
    memcpy(session->route, header->route, sizeof session->route);
    device->in_session = false;
}

fer_status sessions_receive(const struct sessions *sessions, const struct contexts *contexts,
                            const uint8_t *record, size_t n, uint8_t *out, fer_opened *opened,
                            fer_greeted *mark)
{
    fer_unverified header;
    if (sessions->responder == NULL) {
        return FER_DROP_ROUTE;
    }
    fer_status status = fer_record_inspect(record, n, &header);
    if (status == FER_OK) {
        status = fer_responder_open(sessions->responder, record, n, out, n, opened);
    }
    if (status == FER_OK) {
        status = fer_responder_commit(sessions->responder, &opened->ticket);
    }
    if (status == FER_OK) {
        struct device *device = contexts_device(contexts, opened->context);
        note_session(device, &header);
        *mark = device->session.mark;
    }
    return status;
}

static void note_end(struct device *device)
{
    if (device->in_session) {
        device->ack.due = false; /* it was of the session, and is no receipt elsewhere (HONEST) */
    }
    device->session = (struct device_session){0};
    device->in_session = false;
    device->greeted_ms = 0;
}

void sessions_forget(const struct sessions *sessions, struct device *device)
{
    if (sessions->responder != NULL && device->open) {
        (void)!fer_responder_forget(sessions->responder, device->context);
    }
    note_end(device);
}

/* By the session's own greeting: later ones, answered and never used, keep no key alive. */
static bool is_old(const struct device *device, int64_t before_ms)
{
    return (device->session.open && device->session.began_ms < before_ms) ||
           (device->greeted_ms != 0 && device->greeted_ms < before_ms);
}

size_t sessions_expire(const struct sessions *sessions, const struct contexts *contexts,
                       int64_t before_ms)
{
    size_t ended = 0;
    for (size_t i = 0; i < contexts->count; i++) {
        struct device *device = &contexts->devices[i];
        if (device->open && is_old(device, before_ms)) {
            (void)!fer_responder_leave(sessions->responder, device->context);
            note_end(device);
            ended++;
        }
    }
    return ended;
}

fer_status sessions_seal(const struct sessions *sessions, const struct contexts *contexts,
                         const struct device *device, const uint8_t *plaintext, size_t n,
                         uint8_t *out, size_t capacity, size_t *length)
{
    return device->in_session ? fer_responder_seal(sessions->responder, device->context, plaintext,
                                                   n, out, capacity, length)
                              : fer_gateway_seal(contexts->core, device->context, plaintext, n, out,
                                                 capacity, length);
}

struct reference sessions_reference(const struct device *device)
{
    return device->in_session ? (struct reference){0, device->session.sequence}
                              : (struct reference){device->generation, device->sequence};
}

size_t sessions_count(const struct contexts *contexts)
{
    size_t count = 0;
    for (size_t i = 0; i < contexts->count; i++) {
        count += contexts->devices[i].session.open;
    }
    return count;
}

void sessions_free(struct sessions *sessions)
{
    fer_responder_close(&sessions->responder);
    free(sessions->storage);
    memset(sessions, 0, sizeof *sessions);
}
