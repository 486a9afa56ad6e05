/* What the tests of sessions share: a gateway with a responder, and a device with a greeter.
 * Include after cmocka.h. */
#ifndef FERRULE_TESTS_SESSION_KIT_H
#define FERRULE_TESTS_SESSION_KIT_H

#include "ferrule/greeter.h"
#include "ferrule/responder.h"
#include "internal/responder.h"
#include "record_fixture.h"

enum {
    WINDOW = 64,
    CONTEXTS = 2,
    SESSIONS = 4,
    REACH = 16,
    SKIP = 1000,
    ROUTE = 4,
    PACKET = 256,
    RETRY_MS = 1000,
    RENEW_MS = 600000,
    SILENCE_MS = 30000
};

static const uint8_t text[] = "pressure 4.2 bar";

struct packet {
    uint8_t bytes[PACKET];
    size_t length;
};

FER_ARENA(gateway_arena, FER_GATEWAY_SIZE(CONTEXTS, 3, WINDOW, 6) +
                             FER_RESPONDER_SIZE(CONTEXTS, SESSIONS, WINDOW));
FER_ARENA(device_arena, 2u * FER_GREETER_SIZE(WINDOW));

static struct fixture_entropy gateway_entropy, device_entropy;
static fer_static_secret gateway_secret, device_secret;
static fer_static_public gateway_public, device_public;
static fer_gateway *gateway;
static fer_responder *responder;
static fer_greeter *greeter;
static uint32_t context;
static uint32_t generation;
static uint64_t now;
static fer_greeted durable;

static inline fer_identity get_identity(void)
{
    return (fer_identity){3, (const uint8_t *)"pump-7", 6, fixture_route, ROUTE};
}

static inline fer_credential get_credential(uint8_t who, uint32_t at)
{
    fer_credential credential;

    fixture_mint(&credential, who, fixture_route, ROUTE);
    for (uint32_t i = 0; i < at; i++) {
        assert_int_equal(fer_credential_advance(&credential), FER_OK);
    }
    return credential;
}

static inline void make_greeter(void)
{
    const fer_greeter_config config = {.secret = device_secret,
                                       .own = device_public,
                                       .gateway = gateway_public,
                                       .window_bits = WINDOW,
                                       .retry_ms = RETRY_MS,
                                       .renew_ms = RENEW_MS,
                                       .silence_ms = SILENCE_MS,
                                       .entropy = {&fixture_entropy_ops, &device_entropy}};

    fer_greeter_close(&greeter);
    assert_int_equal(FER_OK, fer_arena_rewind(&device_arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_greeter_create(&device_arena, &config, &greeter));
}

/* The device starts anew, at this generation. */
static inline void boot(uint32_t at)
{
    fer_credential credential = get_credential(0, at);

    generation = at;
    make_greeter();
    assert_int_equal(FER_OK, fer_greeter_rekey(greeter, &credential));
}

/* The gateway starts anew, from what was durable of the device. */
static inline void start_gateway(void)
{
    fer_gateway_config config = fer_gateway_config_default();
    fer_credential credential = get_credential(0, 0);
    const fer_identity identity = get_identity();

    config.contexts = CONTEXTS;
    config.window_bits = WINDOW;
    config.earlier = 3;
    config.reach = REACH;
    config.max_skip = SKIP;
    config.cache = 6;
    assert_int_equal(FER_OK, fer_arena_rewind(&gateway_arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_gateway_create(&gateway_arena, &config, &gateway));
    assert_int_equal(FER_OK, fer_gateway_add(gateway, &credential, &context));
    const fer_responder_config responds = {.gateway = gateway,
                                           .secret = gateway_secret,
                                           .own = gateway_public,
                                           .contexts = CONTEXTS,
                                           .sessions = SESSIONS,
                                           .window_bits = WINDOW,
                                           .entropy = {&fixture_entropy_ops, &gateway_entropy}};
    assert_int_equal(FER_OK, fer_responder_create(&gateway_arena, &responds, &responder));
    assert_int_equal(FER_OK,
                     fer_responder_pin(responder, context, &identity, &device_public, durable));
}

static inline int setup(void **state)
{
    (void)state;
    memset(&gateway_entropy, 0, sizeof gateway_entropy);
    memset(&device_entropy, 0, sizeof device_entropy);
    device_entropy.value = 101;
    durable = (fer_greeted){0, 0};
    now = 5000;
    assert_int_equal(FER_OK,
                     fer_static_generate((fer_entropy){&fixture_entropy_ops, &gateway_entropy},
                                         &gateway_secret, &gateway_public));
    assert_int_equal(FER_OK,
                     fer_static_generate((fer_entropy){&fixture_entropy_ops, &device_entropy},
                                         &device_secret, &device_public));
    start_gateway();
    boot(0);
    return 0;
}

static inline void take_first(struct packet *packet)
{
    assert_int_equal(FER_OK, fer_greeter_take(greeter, now, packet->bytes, sizeof packet->bytes,
                                              &packet->length));
}

static inline fer_status greet(const struct packet *first, struct packet *second)
{
    uint32_t who = 99;
    fer_greeted mark = durable;
    fer_status status = fer_responder_greet(responder, first->bytes, first->length, second->bytes,
                                            sizeof second->bytes, &second->length, &who, &mark);

    if (status == FER_OK) {
        assert_int_equal(who, context);
        durable = mark;
    } else {
        assert_int_equal(second->length, 0);
    }
    return status;
}

/* A whole greeting: the device has a session, which the gateway does not use yet. */
static inline void shake(void)
{
    struct packet first;
    struct packet second;

    take_first(&first);
    assert_int_equal(FER_OK, greet(&first, &second));
    assert_int_equal(FER_OK, fer_greeter_feed(greeter, now, second.bytes, second.length));
    assert_non_null(fer_greeter_get_sealer(greeter));
}

static inline void seal_up(struct packet *record)
{
    assert_int_equal(FER_OK, fer_sealer_seal(fer_greeter_get_sealer(greeter), text, sizeof text,
                                             record->bytes, sizeof record->bytes, &record->length));
}

static inline fer_status open_up(const struct packet *record, fer_opened *opened)
{
    uint8_t out[PACKET];
    fer_status status =
        fer_responder_open(responder, record->bytes, record->length, out, sizeof out, opened);

    if (status == FER_OK) {
        assert_int_equal(opened->length, sizeof text);
        assert_memory_equal(out, text, sizeof text);
        assert_int_equal(opened->context, context);
        assert_int_equal(opened->kind, FER_KIND_SESSION);
    }
    return status;
}

static inline fer_status receive_up(const struct packet *record)
{
    fer_opened opened;
    fer_status status = open_up(record, &opened);

    return status == FER_OK ? fer_responder_commit(responder, &opened.ticket) : status;
}

static inline void carry_up(void)
{
    struct packet record;

    seal_up(&record);
    assert_int_equal(FER_OK, receive_up(&record));
    assert_int_equal(FER_DROP_REPLAY, receive_up(&record));
}

static inline fer_status seal_down(struct packet *record)
{
    return fer_responder_seal(responder, context, text, sizeof text, record->bytes,
                              sizeof record->bytes, &record->length);
}

static inline fer_status open_down(const struct packet *record)
{
    uint8_t out[PACKET];
    fer_opened opened;

    return fer_opener_receive(fer_greeter_get_opener(greeter), record->bytes, record->length, out,
                              sizeof out, &opened);
}

static inline void carry_down(void)
{
    struct packet record;

    assert_int_equal(FER_OK, seal_down(&record));
    assert_int_equal(FER_OK, open_down(&record));
    assert_int_equal(FER_DROP_REPLAY, open_down(&record));
}

#endif
