/* Ferrule example 04: a device and its gateway in a session, in one program. The device greets, its
 * readings go up in the session, a command comes down, and after an hour the session is renewed. */
#include <stdio.h>

#include "ferrule/ferrule.h"
#include "nv_ram.h"
#include "posix.h"

enum { INBOUND = 96, BITS = 64, HOUR_MS = 3600000 };

#define TRY(call)                                                          \
    for (fer_status status_ = (call); status_ != FER_OK; status_ = FER_OK) \
    return fprintf(stderr, "%s: %s\n", #call, fer_status_text(status_)), false

struct device_end {
    fer_device *device;
    fer_greeter *greeter;
};

struct gateway_end {
    fer_gateway *core;
    fer_responder *responder;
    uint32_t context;
    fer_opened last; /* the newest live record: what a command refers to */
};

FER_ARENA(arena, FER_STORE_SIZE(NV_RAM_GRANULE) + FER_GREETER_SIZE(BITS) +
                     FER_DEVICE_SIZE(32, 128, INBOUND, NV_RAM_GRANULE) +
                     FER_GATEWAY_SIZE(1, 8, 64, 8) + FER_RESPONDER_SIZE(1, 2, BITS));

/* The example's own clock, so that an hour passes at once. */
static uint64_t now_ms = 1000;

static int tell_time(void *context, uint64_t *ms)
{
    (void)context;
    *ms = now_ms;
    return FER_PORT_OK;
}

static const struct fer_clock_ops clock_ops = {.monotonic_ms = tell_time};

/* ---- the gateway ------------------------------------------------------------------------ */

static bool start_gateway(struct gateway_end *gateway, fer_credential *credential,
                          const fer_identity *identity, const fer_static_public *device,
                          const fer_static_secret *secret, const fer_static_public *own)
{
    const fer_gateway_config config = fer_gateway_config_default();
    TRY(fer_gateway_create(&arena, &config, &gateway->core));
    TRY(fer_gateway_add(gateway->core, credential, &gateway->context));
    const fer_responder_config sessions = {.gateway = gateway->core,
                                           .secret = *secret,
                                           .own = *own,
                                           .contexts = 1,
                                           .sessions = 2, /* one, and its successor */
                                           .window_bits = BITS,
                                           .entropy = posix_entropy()};
    TRY(fer_responder_create(&arena, &sessions, &gateway->responder));
    /* The device's key comes from its registration. (0, 0): it never greeted. */
    TRY(fer_responder_pin(gateway->responder, gateway->context, identity, device,
                          (fer_greeted){0, 0}));
    return true;
}

static void print_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    (void)context, (void)base;
    printf("gateway: reading of series %u: %g\n", reading->series, reading->value);
}

static void print_result(void *context, const fer_result *result)
{
    (void)context;
    printf("gateway: command %u %s\n", (unsigned)result->id,
           result->code == FER_RESULT_DONE ? "was done" : "was not done");
}

/* One packet that came up. What is to go down for it is left in answer, *length bytes. */
static bool serve(struct gateway_end *gateway, const uint8_t *packet, size_t n, uint8_t *answer,
                  size_t capacity, size_t *length)
{
    const fer_telemetry_visitor visitor = {.on_reading = print_reading, .on_result = print_result};
    uint8_t plaintext[256];
    fer_greeted mark;
    uint32_t who;

    *length = 0;
    if (packet[0] >> 6 == FER_KIND_HANDSHAKE) {
        TRY(fer_responder_greet(gateway->responder, packet, n, answer, capacity, length, &who,
                                &mark));
        /* A gateway makes the mark durable here, before the answer leaves. */
        printf("gateway: answered greeting %u of generation %u\n", (unsigned)mark.attempt,
               (unsigned)mark.generation);
        return true;
    }
    if (packet[0] >> 6 == FER_KIND_SESSION) {
        TRY(fer_responder_open(gateway->responder, packet, n, plaintext, sizeof plaintext,
                               &gateway->last));
        TRY(fer_responder_commit(gateway->responder, &gateway->last.ticket));
    } else {
        TRY(fer_gateway_receive(gateway->core, packet, n, plaintext, sizeof plaintext,
                                &gateway->last));
    }
    printf("gateway: opened record %u of %s, %s form, %zu bytes\n",
           (unsigned)gateway->last.sequence,
           gateway->last.kind == FER_KIND_SESSION ? "the session" : "the chain",
           gateway->last.form == FER_FORM_FULL ? "full" : "short", gateway->last.length);
    TRY(fer_telemetry_decode(plaintext, gateway->last.length, &visitor));
    return true;
}

/* ---- the device ------------------------------------------------------------------------- */

static bool start_device(struct device_end *end, fer_nv nv, const fer_static_secret *secret,
                         const fer_static_public *own, const fer_static_public *gateway)
{
    const fer_greeter_config keys = {.secret = *secret,
                                     .own = *own,
                                     .gateway = *gateway,
                                     .window_bits = BITS,
                                     .retry_ms = 2000,
                                     .renew_ms = HOUR_MS,
                                     .silence_ms = 60000,
                                     .entropy = posix_entropy()};
    fer_device_config config = fer_device_config_default();
    TRY(fer_greeter_create(&arena, &keys, &end->greeter));
    config.nv = nv;
    config.clock.ops = &clock_ops;
    config.link = FER_LINK_DATAGRAM;
    config.inbound = INBOUND;
    TRY(fer_device_create(&arena, &config, &end->device));
    TRY(fer_device_join(end->device, end->greeter, true)); /* nothing goes up but in a session */
    return true;
}

static void run_command(void *context, const fer_command *command)
{
    printf("device: command %u: %.*s\n", (unsigned)command->id, (int)command->body.length,
           (const char *)command->body.bytes);
    (void)!fer_device_answer(context, command->id, FER_RESULT_DONE, NULL, 0);
}

static bool hear(const struct device_end *end, const uint8_t *packet, size_t n)
{
    const fer_telemetry_visitor visitor = {.on_command = run_command, .context = end->device};
    uint8_t out[INBOUND];
    size_t used, length;
    fer_status status = fer_device_feed(end->device, packet, n, &used, out, sizeof out, &length);
    if (status == FER_OK) {
        TRY(fer_telemetry_decode(out, length, &visitor));
    }
    return status == FER_OK || status == FER_EMPTY; /* empty: the greeter took it */
}

/* ---- the link --------------------------------------------------------------------------- */

/* All that waits goes up, and what comes of it down. */
static bool exchange(const struct device_end *end, struct gateway_end *gateway)
{
    uint8_t up[256], down[256];
    size_t n, answer;
    while (fer_device_take(end->device, up, sizeof up, &n) == FER_OK) {
        if (!serve(gateway, up, n, down, sizeof down, &answer) ||
            (answer != 0 && !hear(end, down, answer))) {
            return false;
        }
    }
    return true;
}

/* The reference is of the session in which the command goes. */
static bool command(const struct device_end *end, struct gateway_end *gateway, uint32_t id,
                    const char *text, size_t n)
{
    const fer_command sent = {
        id, gateway->last.generation, gateway->last.sequence, {(const uint8_t *)text, n}};
    uint8_t plaintext[64], record[128];
    size_t length;
    TRY(fer_telemetry_encode_command(&sent, plaintext, sizeof plaintext, &length));
    TRY(fer_responder_seal(gateway->responder, gateway->context, plaintext, length, record,
                           sizeof record, &length));
    return hear(end, record, length);
}

/* ---- everything ------------------------------------------------------------------------- */

static bool run(const struct device_end *end, struct gateway_end *gateway)
{
    fer_device_record(end->device, 3, 21.5);
    if (!exchange(end, gateway) || !command(end, gateway, 1, "open valve 4", 12)) {
        return false;
    }
    fer_device_record(end->device, 3, 21.75);
    if (!exchange(end, gateway)) {
        return false;
    }
    puts("an hour later");
    now_ms += HOUR_MS;
    fer_device_record(end->device, 3, 22.0);
    return exchange(end, gateway);
}

static bool start(struct device_end *end, struct gateway_end *gateway, fer_nv nv)
{
    const fer_entropy entropy = posix_entropy();
    const fer_identity identity = {.identity = (const uint8_t *)"pump-7", .identity_length = 6};
    fer_static_secret secrets[2]; /* each is made where it stays: only public keys travel */
    fer_static_public points[2];
    fer_root_key root;
    TRY(fer_static_generate(entropy, &secrets[0], &points[0]));
    TRY(fer_static_generate(entropy, &secrets[1], &points[1]));
    if (entropy.ops->fill(entropy.context, root.bytes, sizeof root.bytes) != FER_PORT_OK) {
        return false;
    }
    fer_credential credential;
    TRY(fer_keychain_mint(&root, &identity, &credential));
    fer_credential copy = credential;
    const fer_store_config config = {.nv = nv};
    fer_store *store;
    TRY(fer_store_create(&arena, &config, &store));
    TRY(fer_store_install(store, &credential));
    fer_store_close(&store);
    return start_gateway(gateway, &copy, &identity, &points[0], &secrets[1], &points[1]) &&
           start_device(end, nv, &secrets[0], &points[0], &points[1]);
}

int main(void)
{
    static nv_ram memory;
    struct device_end end = {0};
    struct gateway_end gateway = {0};
    const bool good = start(&end, &gateway, nv_ram_start(&memory)) && run(&end, &gateway);

    fer_device_close(&end.device);
    fer_greeter_close(&end.greeter); /* after the device, which uses it */
    fer_responder_close(&gateway.responder);
    fer_gateway_close(&gateway.core);
    return good ? 0 : 1;
}
