/* What the tests of a device with sessions share: the device's world, a greeter, and a gateway with
 * a responder that opens each record once, and remembers each (key, number) it saw. Include
 * cmocka.h first. */
#ifndef DEVICE_SESSION_KIT_H
#define DEVICE_SESSION_KIT_H

#include "ferrule/gateway.h"
#include "ferrule/responder.h"

#include "device_kit.h"
#include "random.h"

enum {
    PACKET = 400,
    SESSIONS = 4,
    BITS = 64,
    SKIP = 1000,
    RETRY_MS = 1000,
    RENEW_MS = 600000,
    SILENCE_MS = 30000,
    NAMES = 4096
};

struct packet {
    uint8_t bytes[PACKET];
    size_t length;
};

/* What a nonce is made of, and its key: kind, lane, route, and of generation and number what the
 * short form tells. */
struct name {
    uint8_t bytes[13];
    bool accepted; /* by the gateway */
};

/* Never the same bytes again, unlike that of record_fixture.h; `fails` of the next fills fail. */
struct entropy {
    test_random random;
    unsigned fails;
};

FER_ARENA(gateway_arena, FER_GATEWAY_SIZE(1, 3, BITS, 6));
FER_ARENA(responder_arena, FER_RESPONDER_SIZE(1, SESSIONS, BITS));
FER_ARENA(greeter_arena, FER_GREETER_SIZE(BITS));
static struct entropy gateway_entropy, device_entropy;
static fer_static_secret gateway_secret, device_secret;
static fer_static_public gateway_public, device_public;
static fer_gateway *gateway;
static fer_responder *responder;
static fer_greeter *greeter;
static uint32_t pump;       /* the device's context at the gateway */
static fer_greeted durable; /* what the gateway keeps of the device's greetings */
static struct name names[NAMES];
static size_t name_count;
static struct packet answer_packet; /* the gateway's, to the last greeting */
static unsigned greetings;          /* answered */
static fer_kind last_kind;          /* of the last record that the gateway opened */
static fer_form last_form;

static inline int fill(void *context, uint8_t *out, size_t n)
{
    struct entropy *entropy = context;

    if (entropy->fails != 0) {
        entropy->fails--;
        return FER_PORT_FAILED;
    }
    test_random_fill(&entropy->random, out, n);
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy_ops = {fill};

static inline fer_kind kind_of(const struct packet *packet)
{
    return (fer_kind)(packet->bytes[0] >> 6);
}

/* The place of a record among all that were taken; its own, if it is new. */
static inline struct name *find(const struct packet *packet)
{
    struct name name = {{0}, false};
    fer_unverified header;

    assert_int_equal(fer_record_inspect(packet->bytes, packet->length, &header), FER_OK);
    name.bytes[0] = (uint8_t)header.kind;
    name.bytes[1] = (uint8_t)header.lane;
    memcpy(name.bytes + 2, header.route, header.route_length);
    name.bytes[10] = (uint8_t)header.generation;
    name.bytes[11] = (uint8_t)header.sequence;
    name.bytes[12] = (uint8_t)(header.sequence >> 8);
    for (size_t i = 0; i < name_count; i++) {
        if (memcmp(names[i].bytes, name.bytes, sizeof name.bytes) == 0) {
            return &names[i];
        }
    }
    assert_true(name_count < NAMES);
    names[name_count] = name;
    return &names[name_count];
}

/* NONCE: no number twice under one key, provisioned and session records together. */
static inline void remember(const struct packet *packet)
{
    if (kind_of(packet) != FER_KIND_HANDSHAKE) {
        assert_ptr_equal(find(packet), &names[name_count]);
        name_count++;
    }
}

/* A gateway without any session, which knows what was durable: its contexts and its marks. */
static inline void start_responder(void)
{
    const fer_identity identity = {3, (const uint8_t *)"pump-7", 6, fixture_route, ROUTE};
    const fer_responder_config made = {.gateway = gateway,
                                       .secret = gateway_secret,
                                       .own = gateway_public,
                                       .contexts = 1,
                                       .sessions = SESSIONS,
                                       .window_bits = BITS,
                                       .entropy = {&entropy_ops, &gateway_entropy}};

    fer_responder_close(&responder);
    assert_int_equal(FER_OK, fer_arena_rewind(&responder_arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_responder_create(&responder_arena, &made, &responder));
    assert_int_equal(FER_OK,
                     fer_responder_pin(responder, pump, &identity, &device_public, durable));
}

static inline void start_gateway(void)
{
    fer_gateway_config made = fer_gateway_config_default();
    fer_credential credential;

    fixture_mint(&credential, 0, fixture_route, ROUTE);
    made.contexts = 1;
    made.window_bits = BITS;
    made.earlier = 3;
    made.reach = 16;
    made.max_skip = SKIP;
    made.cache = 6;
    made.entropy = (fer_entropy){&entropy_ops, &gateway_entropy};
    assert_int_equal(FER_OK, fer_arena_rewind(&gateway_arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_gateway_create(&gateway_arena, &made, &gateway));
    assert_int_equal(FER_OK, fer_gateway_add(gateway, &credential, &pump));
    start_responder();
}

/* How the device is joined to its greeter when it starts. */
static struct {
    fer_greeter *greeter;
    bool required;
} joined;

static inline void boot_joined(void)
{
    boot();
    if (joined.greeter != NULL) {
        assert_int_equal(FER_OK, fer_device_join(device, joined.greeter, joined.required));
    }
}

static inline void make_greeter(void)
{
    const fer_greeter_config made = {.secret = device_secret,
                                     .own = device_public,
                                     .gateway = gateway_public,
                                     .window_bits = BITS,
                                     .retry_ms = RETRY_MS,
                                     .renew_ms = RENEW_MS,
                                     .silence_ms = SILENCE_MS,
                                     .entropy = {&entropy_ops, &device_entropy}};

    fer_greeter_close(&greeter);
    assert_int_equal(FER_OK, fer_arena_rewind(&greeter_arena, (fer_arena_position){0}));
    assert_int_equal(FER_OK, fer_greeter_create(&greeter_arena, &made, &greeter));
    joined.greeter = greeter;
}

/* Power goes, and comes back: nothing of RAM is left. */
static inline void reboot(void)
{
    fer_device_close(&device);
    make_greeter();
    boot_joined();
}

/* ---- the link --------------------------------------------------------------------------- */

static inline fer_status take_packet(size_t capacity, struct packet *packet)
{
    memset(packet, 0, sizeof *packet);
    assert_true(capacity <= sizeof packet->bytes);
    fer_status status = fer_device_take(device, packet->bytes, capacity, &packet->length);
    assert_true(packet->length <= capacity && (status == FER_OK) == (packet->length != 0));
    if (status == FER_OK && config.link == FER_LINK_STREAM) {
        packet->length = unframe(packet->bytes, packet->length);
    }
    if (status == FER_OK) {
        remember(packet);
    }
    return status;
}

/* The gateway takes a packet: a greeting's answer waits in answer_packet. */
static inline fer_status hear(const struct packet *packet)
{
    fer_status status;
    uint32_t who = 99;

    if (kind_of(packet) == FER_KIND_HANDSHAKE) {
        fer_greeted mark = durable;
        status =
            fer_responder_greet(responder, packet->bytes, packet->length, answer_packet.bytes,
                                sizeof answer_packet.bytes, &answer_packet.length, &who, &mark);
        if (status == FER_OK) {
            durable = mark;
            greetings++;
        }
        return status;
    }
    if (kind_of(packet) == FER_KIND_SESSION) {
        status = fer_responder_open(responder, packet->bytes, packet->length, plain, sizeof plain,
                                    &opened);
        status = status == FER_OK ? fer_responder_commit(responder, &opened.ticket) : status;
    } else {
        status = fer_gateway_receive(gateway, packet->bytes, packet->length, plain, sizeof plain,
                                     &opened);
    }
    if (status == FER_OK) {
        last_kind = opened.kind;
        last_form = opened.form;
        struct name *name = find(packet);
        assert_false(name->accepted); /* ONCE */
        name->accepted = true;
        assert_int_equal(decode(plain, opened.length), FER_OK);
    }
    return status;
}

static inline fer_status feed_packet(const struct packet *packet)
{
    uint8_t framed[PACKET + 8];
    size_t n = packet->length;

    memcpy(framed, packet->bytes, n);
    if (config.link == FER_LINK_STREAM) {
        assert_int_equal(fer_frame_encode(packet->bytes, packet->length, framed, sizeof framed, &n),
                         FER_OK);
    }
    return feed(framed, n);
}

/* One reading, and all that then goes up; answers to greetings come down at once. How many records
 * the gateway accepted. */
static inline unsigned send_reading(void)
{
    struct packet packet;
    unsigned accepted = 0;

    fer_device_record(device, 1, 1.5);
    while (take_packet(PACKET, &packet) == FER_OK) {
        fer_status status = hear(&packet);
        if (kind_of(&packet) != FER_KIND_HANDSHAKE) {
            accepted += status == FER_OK;
        } else if (status == FER_OK) {
            assert_int_equal(FER_EMPTY, feed_packet(&answer_packet));
        }
    }
    return accepted;
}

static inline bool is_up(void)
{
    return fer_greeter_get_sealer(greeter) != NULL;
}

/* A session, current on both sides. */
static inline void come_up(void)
{
    assert_true(send_reading() != 0);
    assert_true(is_up());
    assert_int_equal(last_kind, FER_KIND_SESSION);
}

static inline fer_status say_in_session(const uint8_t *bytes, size_t n, struct packet *down)
{
    return fer_responder_seal(responder, pump, bytes, n, down->bytes, sizeof down->bytes,
                              &down->length);
}

/* The gateway says that it is there, in the session. */
static inline void acknowledge_session(void)
{
    struct packet down;

    assert_int_equal(FER_OK, say_in_session(NULL, 0, &down));
    assert_int_equal(FER_OK, feed_packet(&down));
}

static inline fer_status command_in(bool session, uint32_t id, uint32_t generation,
                                    uint32_t sequence)
{
    const fer_command command = {id, generation, sequence, {NULL, 0}};
    uint8_t envelope[64];
    struct packet down;
    size_t n;

    assert_int_equal(fer_telemetry_encode_command(&command, envelope, sizeof envelope, &n), FER_OK);
    assert_int_equal(FER_OK, session ? say_in_session(envelope, n, &down)
                                     : fer_gateway_seal(gateway, pump, envelope, n, down.bytes,
                                                        sizeof down.bytes, &down.length));
    return feed_packet(&down);
}

/* ---- a fresh world ---------------------------------------------------------------------- */

static inline void start_sessions(fer_link link)
{
    start_world(link, ROUTE);
    gateway_entropy = (struct entropy){{1}, 0};
    device_entropy = (struct entropy){{2}, 0};
    durable = (fer_greeted){0, 0};
    greetings = 0;
    name_count = 0;
    joined.required = false;
    assert_int_equal(FER_OK, fer_static_generate((fer_entropy){&entropy_ops, &gateway_entropy},
                                                 &gateway_secret, &gateway_public));
    assert_int_equal(FER_OK, fer_static_generate((fer_entropy){&entropy_ops, &device_entropy},
                                                 &device_secret, &device_public));
    start_gateway();
    make_greeter();
    config.burn_backoff_ms = 0;
    boot_joined();
}

static inline int start_stream_sessions(void **state)
{
    (void)state;
    start_sessions(FER_LINK_STREAM);
    return 0;
}

static inline int start_datagram_sessions(void **state)
{
    (void)state;
    start_sessions(FER_LINK_DATAGRAM);
    return 0;
}

#define STREAM(test) cmocka_unit_test_setup_teardown(test, start_stream_sessions, stop)
#define DATAGRAM(test) cmocka_unit_test_setup_teardown(test, start_datagram_sessions, stop)

#endif
