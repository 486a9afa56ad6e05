/* Fuzz: greetings and the sessions that come of them, both sides with valid keys.
 *
 * The input is a list of steps: a device greets, a packet of those on the line arrives, whole,
 * changed, or with a good first check put under it again; a record goes up or down; either side
 * starts anew; a device is revoked and pinned again. Asserted: marks only rise, and each answered
 * greeting raises one; a device has at most one current and one pending session, which nobody else
 * has; no session without the device's own greeting; each record is accepted once (ONCE), and reads
 * as it was written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/greeter.h"
#include "internal/bytes.h"
#include "internal/responder.h"

enum { DEVICES = 2, SESSIONS = 3, WINDOW = 64, LINE = 6, PACKET = 256, ROUTE = 2, STEPS = 48 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

FER_ARENA(gateway_arena,
          FER_GATEWAY_SIZE(DEVICES, 2, WINDOW, 4) + FER_RESPONDER_SIZE(DEVICES, SESSIONS, WINDOW));
FER_ARENA(device_arena, DEVICES *FER_GREETER_SIZE(WINDOW));

struct packet {
    uint8_t bytes[PACKET];
    size_t length;
    uint8_t sent[PACKET]; /* as it was made */
    size_t sent_length;
    bool taken; /* a record that was accepted */
};

static const uint8_t text[] = "pressure";
static const fer_static_secret gateway_secret = {{1, 2, 3}};
static fer_static_secret device_secrets[DEVICES];
static fer_static_public gateway_public, device_publics[DEVICES];
static fer_gateway *gateway;
static fer_responder *responder;
static fer_greeter *greeters[DEVICES];
static uint32_t generations[DEVICES], contexts[DEVICES];
static fer_greeted marks[DEVICES];
static struct packet line[LINE];
static unsigned sent;
static uint64_t now;
static uint32_t counter;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)(++counter * 2654435761u >> 24);
    }
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy_ops = {fill};
static const fer_entropy entropy = {&entropy_ops, NULL};

static fer_identity name_device(unsigned who)
{
    static const uint8_t names[DEVICES] = {'a', 'b'};
    static const uint8_t routes[DEVICES][ROUTE] = {{1, 1}, {2, 2}};

    return (fer_identity){1, &names[who], 1, routes[who], ROUTE};
}

static fer_credential mint(unsigned who, uint32_t generation)
{
    const fer_identity identity = name_device(who);
    fer_root_key root;
    fer_credential credential;

    memset(&root, (int)(who + 1), sizeof root);
    must(fer_keychain_mint(&root, &identity, &credential) == FER_OK);
    must(fer_keychain_forward(&credential, generation) == FER_OK);
    return credential;
}

/* ---- both sides start ------------------------------------------------------------------- */

static void pin(unsigned who)
{
    const fer_identity identity = name_device(who);

    must(fer_responder_pin(responder, contexts[who], &identity, &device_publics[who], marks[who]) ==
         FER_OK);
}

static void start_gateway(void)
{
    fer_gateway_config config = fer_gateway_config_default();

    config.contexts = DEVICES;
    config.window_bits = WINDOW;
    config.earlier = 2;
    config.reach = 4;
    config.max_skip = 20;
    config.cache = 4;
    must(fer_arena_rewind(&gateway_arena, (fer_arena_position){0}) == FER_OK);
    must(fer_gateway_create(&gateway_arena, &config, &gateway) == FER_OK);
    for (unsigned who = 0; who < DEVICES; who++) {
        fer_credential credential = mint(who, 0);

        must(fer_gateway_add(gateway, &credential, &contexts[who]) == FER_OK);
    }
    const fer_responder_config responds = {.gateway = gateway,
                                           .secret = gateway_secret,
                                           .own = gateway_public,
                                           .contexts = DEVICES,
                                           .sessions = SESSIONS,
                                           .window_bits = WINDOW,
                                           .entropy = entropy};
    must(fer_responder_create(&gateway_arena, &responds, &responder) == FER_OK);
    for (unsigned who = 0; who < DEVICES; who++) {
        pin(who);
    }
}

static void burn(unsigned who)
{
    fer_credential credential = mint(who, ++generations[who]);

    must(fer_greeter_rekey(greeters[who], &credential) == FER_OK);
}

static void start(void)
{
    must(fer_static_get_public(&gateway_secret, &gateway_public) == FER_OK);
    must(fer_arena_rewind(&device_arena, (fer_arena_position){0}) == FER_OK);
    memset(marks, 0, sizeof marks);
    memset(line, 0, sizeof line);
    memset(generations, 0, sizeof generations);
    sent = 0;
    now = 1;
    counter = 0;
    for (unsigned who = 0; who < DEVICES; who++) {
        device_secrets[who].bytes[0] = (uint8_t)(8 + who);
        must(fer_static_get_public(&device_secrets[who], &device_publics[who]) == FER_OK);
        const fer_greeter_config config = {.secret = device_secrets[who],
                                           .own = device_publics[who],
                                           .gateway = gateway_public,
                                           .window_bits = WINDOW,
                                           .retry_ms = 1,
                                           .renew_ms = 100,
                                           .entropy = entropy};
        must(fer_greeter_create(&device_arena, &config, &greeters[who]) == FER_OK);
        burn(who);
    }
    start_gateway();
}

/* ---- invariants ------------------------------------------------------------------------- */

static bool rose(fer_greeted before, fer_greeted after)
{
    return after.generation > before.generation ||
           (after.generation == before.generation && after.attempt > before.attempt);
}

static void check(void)
{
    unsigned used = 0;
    unsigned owned = 0;

    for (uint32_t i = 0; i < SESSIONS; i++) {
        const struct fer_responder_session *session = &responder->sessions[i];

        must((session->opener == NULL) == (session->sealer == NULL));
        used += session->opener != NULL;
        must(session->opener == NULL ||
             fer_responder_find(responder, session->route, session->route_length) == i);
    }
    for (unsigned who = 0; who < DEVICES; who++) {
        const struct fer_peer *peer = &responder->peers[contexts[who]];
        const uint32_t has[2] = {peer->current, peer->pending};

        must(peer->current == FER_NO_SESSION || peer->current != peer->pending);
        for (unsigned i = 0; i < 2; i++) {
            must(has[i] == FER_NO_SESSION || responder->sessions[has[i]].context == contexts[who]);
            owned += has[i] != FER_NO_SESSION;
        }
        must(!rose(peer->last, marks[who])); /* what is durable never passed what is */
    }
    must(used == owned);
}

/* ---- steps ------------------------------------------------------------------------------ */

static void put(const uint8_t *bytes, size_t n)
{
    struct packet *packet = &line[sent++ % LINE];

    memset(packet, 0, sizeof *packet);
    memcpy(packet->bytes, bytes, n);
    memcpy(packet->sent, bytes, n);
    packet->length = n;
    packet->sent_length = n;
}

/* Whether a packet is as it was made. A first one's second check is under nothing. */
static bool is_honest(const struct packet *packet)
{
    size_t n = packet->sent_length - (packet->sent[0] < 0x20 ? FER_GREETING_MAC_BYTES : 0u);

    return packet->length == packet->sent_length && memcmp(packet->bytes, packet->sent, n) == 0;
}

/* The second device says something in its first message. */
static void greet(unsigned who)
{
    uint8_t packet[PACKET];
    size_t length;

    if (fer_greeter_take_early(greeters[who], now, text, who == 1 ? sizeof text : 0, packet,
                               sizeof packet, &length) == FER_OK) {
        put(packet, length);
    }
}

/* Sends a record in whatever session there is. */
static void seal(unsigned who, bool up)
{
    uint8_t packet[PACKET];
    size_t length;
    fer_status status = up ? fer_sealer_seal(fer_greeter_get_sealer(greeters[who]), text,
                                             sizeof text, packet, sizeof packet, &length)
                           : fer_responder_seal(responder, contexts[who], text, sizeof text, packet,
                                                sizeof packet, &length);

    if (status == FER_OK) {
        put(packet, length);
    }
}

static void arrive_first(const struct packet *packet)
{
    uint8_t out[PACKET];
    uint32_t context = 9;
    uint8_t heard[sizeof text] = {0};
    fer_early early = {heard, sizeof heard, 0};
    size_t length = 0;
    fer_greeted mark;

    if (fer_responder_greet_early(responder, packet->bytes, packet->length, &early, out, sizeof out,
                                  &length, &context, &mark) != FER_OK) {
        must(length == 0 && early.length == 0);
        return;
    }
    must(is_honest(packet) && context < DEVICES);
    unsigned who = context == contexts[0] ? 0 : 1;
    must(early.length == (who == 1 ? sizeof text : 0));
    must(early.length == 0 || memcmp(heard, text, sizeof text) == 0);
    must(rose(marks[who], mark));
    must(responder->peers[context].pending != FER_NO_SESSION);
    marks[who] = mark;
    put(out, length);
}

static void arrive_record(struct packet *packet)
{
    uint8_t out[PACKET];
    fer_opened opened;
    fer_ticket again;

    if (fer_responder_open(responder, packet->bytes, packet->length, out, sizeof out, &opened) !=
        FER_OK) {
        must(opened.length == 0);
        return;
    }
    again = opened.ticket;
    must(is_honest(packet) && !packet->taken); /* a ticket can be had, until one is committed */
    must(opened.length == sizeof text && memcmp(out, text, sizeof text) == 0);
    must(fer_responder_commit(responder, &opened.ticket) == FER_OK);
    must(fer_responder_commit(responder, &again) != FER_OK);
    must(responder->peers[opened.context].current != FER_NO_SESSION);
    packet->taken = true;
}

static void arrive_down(unsigned who, struct packet *packet)
{
    uint8_t out[PACKET];
    fer_opened opened;
    const fer_sealer *before = fer_greeter_get_sealer(greeters[who]);

    fer_status status = fer_greeter_feed(greeters[who], now, packet->bytes, packet->length);
    must(status != FER_OK || is_honest(packet));
    must((status == FER_OK) == (fer_greeter_get_sealer(greeters[who]) != before));
    if (fer_opener_receive(fer_greeter_get_opener(greeters[who]), packet->bytes, packet->length,
                           out, sizeof out, &opened) == FER_OK) {
        must(is_honest(packet) && !packet->taken);
        must(opened.length == sizeof text && memcmp(out, text, sizeof text) == 0);
        packet->taken = true;
    }
}

/* What someone does to a packet; he knows the gateway's public key. */
static void change(struct packet *packet, fer_reader *input, bool check_again)
{
    size_t at = fer_read_u8(input);
    size_t n = packet->length;

    if (n == 0) {
        return;
    }
    packet->bytes[at % n] ^= fer_read_u8(input);
    if (check_again && n > 2u * FER_GREETING_MAC_BYTES) {
        must(fer_greeting_end(packet->bytes, n - 2u * FER_GREETING_MAC_BYTES, PACKET,
                              &gateway_public, NULL, &packet->length) == FER_OK);
    }
}

/* Everybody hears what is on the line. */
static void arrive(struct packet *packet)
{
    if (packet->length == 0) {
        return;
    }
    for (unsigned who = 0; who < DEVICES; who++) {
        arrive_down(who, packet);
    }
    arrive_record(packet);
    struct packet copy = *packet; /* the answer may take its place */
    arrive_first(&copy);
}

static void step(fer_reader *input)
{
    unsigned what = fer_read_u8(input);
    unsigned who = what >> 4 & 1u;
    struct packet *packet = &line[(sent + LINE - 1u - (what >> 5) % LINE) % LINE]; /* newest: 0 */

    switch (what & 15u) {
    case 0:
        greet(who);
        break;
    case 1:
    case 2:
        seal(who, (what & 1u) != 0);
        break;
    case 3:
        now += 1u + fer_read_u8(input);
        break;
    case 4:
        start_gateway();
        break;
    case 5:
        burn(who);
        break;
    case 6:
        must(fer_responder_forget(responder, contexts[who]) == FER_OK);
        pin(who);
        break;
    case 7:
    case 8:
        change(packet, input, (what & 1u) != 0);
        break;
    default:
        arrive(packet);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fer_reader input = fer_reader_over(data, n);

    start();
    for (unsigned i = 0; i < STEPS && fer_reader_left(&input) != 0; i++) {
        step(&input);
        check();
    }
    return 0;
}
