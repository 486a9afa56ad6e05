/* Ferrule example 06: handshakes by hand, without store, device or gateway.
 *
 *     N        a sealed message to a gateway's public key, from anyone: one message, no answer
 *     X        the same, from a device that shows who it is
 *     NNpsk0   the smallest session: one shared key, no static ones
 *     KK       a session of two that know each other's public key
 *
 * Each is the same few calls with another pattern. */
#include <stdio.h>
#include <string.h>

#include "ferrule/ferrule.h"
#include "posix.h"

enum { BITS = 64, MESSAGE = 256 };

#define TRY(call)                                                          \
    for (fer_status status_ = (call); status_ != FER_OK; status_ = FER_OK) \
    return fprintf(stderr, "%s: %s\n", #call, fer_status_text(status_)), false

FER_ARENA(arena, 2u * FER_HANDSHAKE_SIZE + 2u * (FER_SEALER_SIZE + FER_OPENER_SIZE(BITS)));

/* Both sides give the same: it binds the keys to what they are for. */
static const uint8_t prologue[] = "example 06, version 1";

struct keys {
    fer_static_secret secret;
    fer_static_public own;
};

static struct keys device, gateway;
static fer_preshared_key shared;

static fer_handshake_config begin(const fer_pattern *pattern, fer_role role)
{
    return (fer_handshake_config){.pattern = pattern,
                                  .role = role,
                                  .psk_place = FER_NO_PSK,
                                  .prologue = prologue,
                                  .prologue_length = sizeof prologue - 1,
                                  .entropy = posix_entropy()};
}

static void know_own(fer_handshake_config *config, const struct keys *keys)
{
    config->own_secret = &keys->secret;
    config->own_public = &keys->own;
}

/* ---- one message ------------------------------------------------------------------------ */

/* Writes one message that carries `text`, and reads it on the other side. */
static bool pass(fer_handshake *from, fer_handshake *to, const char *text)
{
    uint8_t message[MESSAGE];
    uint8_t heard[MESSAGE];
    size_t n, length;

    TRY(fer_handshake_write(from, (const uint8_t *)text, strlen(text), message, sizeof message,
                            &n));
    TRY(fer_handshake_read(to, message, n, heard, sizeof heard, &length));
    printf("  %3zu bytes: \"%.*s\"\n", n, (int)length, (const char *)heard);
    return length == strlen(text);
}

static bool create(const fer_handshake_config *one, const fer_handshake_config *other,
                   fer_handshake *ends[2])
{
    TRY(fer_handshake_create(&arena, one, &ends[0]));
    TRY(fer_handshake_create(&arena, other, &ends[1]));
    return true;
}

/* What the next handshake takes is what this one gave back. */
static bool end(fer_handshake *ends[2], fer_arena_position start)
{
    fer_handshake_close(&ends[0]);
    fer_handshake_close(&ends[1]);
    TRY(fer_arena_rewind(&arena, start));
    return true;
}

/* Nobody but the gateway can read it; anybody can have written it. */
static bool send_to_a_key(fer_arena_position start)
{
    fer_handshake_config from = begin(&fer_pattern_n, FER_INITIATOR);
    fer_handshake_config to = begin(&fer_pattern_n, FER_RESPONDER);
    fer_handshake *ends[2];

    from.peer = &gateway.own;
    know_own(&to, &gateway);
    puts("N: to a public key, from anyone");
    return create(&from, &to, ends) && pass(ends[0], ends[1], "crash at 0x0800f1c2") &&
           end(ends, start);
}

/* The gateway learns the sender's key with the message, and decides whether it knows it. */
static bool send_as_a_device(fer_arena_position start)
{
    fer_handshake_config from = begin(&fer_pattern_x, FER_INITIATOR);
    fer_handshake_config to = begin(&fer_pattern_x, FER_RESPONDER);
    fer_handshake *ends[2];
    fer_static_public peer;

    from.peer = &gateway.own;
    know_own(&from, &device);
    know_own(&to, &gateway);
    puts("X: the same, from a device that shows its key");
    if (!create(&from, &to, ends) || !pass(ends[0], ends[1], "battery is at 3 %")) {
        return false;
    }
    TRY(fer_handshake_get_peer(ends[1], &peer));
    printf("  from the device: %s\n", memcmp(&peer, &device.own, sizeof peer) == 0 ? "yes" : "no");
    return end(ends, start);
}

/* ---- sessions --------------------------------------------------------------------------- */

static bool carry(fer_sealer *sealer, fer_opener *opener, const char *text, const char *way)
{
    uint8_t record[MESSAGE];
    uint8_t plaintext[MESSAGE];
    fer_opened opened;
    size_t n;

    TRY(fer_sealer_seal(sealer, (const uint8_t *)text, strlen(text), record, sizeof record, &n));
    TRY(fer_opener_receive(opener, record, n, plaintext, sizeof plaintext, &opened));
    printf("  record %s, %zu bytes: \"%.*s\"\n", way, n, (int)opened.length,
           (const char *)plaintext);
    return true;
}

/* After the last message each side ends its handshake, and holds a sealer and an opener. */
static bool speak(fer_handshake *ends[2])
{
    const fer_session_config config = {
        .identity = {.identity = (const uint8_t *)"pump-7", .identity_length = 6},
        .window_bits = BITS,
        .way = FER_TWO_WAY,
        .entropy = posix_entropy()};
    fer_session up, down;

    TRY(fer_handshake_finish(&ends[0], &arena, &config, &up));
    TRY(fer_handshake_finish(&ends[1], &arena, &config, &down));
    return carry(up.sealer, down.opener, "21.5", "up") &&
           carry(down.sealer, up.opener, "open", "down");
}

static bool shake(const fer_handshake_config *one, const fer_handshake_config *other,
                  fer_arena_position start)
{
    fer_handshake *ends[2];

    return create(one, other, ends) && pass(ends[0], ends[1], "") && pass(ends[1], ends[0], "") &&
           speak(ends) && end(ends, start);
}

static bool open_by_shared_key(fer_arena_position start)
{
    fer_handshake_config one = begin(&fer_pattern_nn, FER_INITIATOR);
    fer_handshake_config other = begin(&fer_pattern_nn, FER_RESPONDER);

    one.psk_place = other.psk_place = 0;
    one.psk = other.psk = &shared;
    puts("NNpsk0: a session of who shares a key");
    return shake(&one, &other, start);
}

static bool open_by_known_keys(fer_arena_position start)
{
    fer_handshake_config one = begin(&fer_pattern_kk, FER_INITIATOR);
    fer_handshake_config other = begin(&fer_pattern_kk, FER_RESPONDER);

    know_own(&one, &device);
    know_own(&other, &gateway);
    one.peer = &gateway.own;
    other.peer = &device.own;
    puts("KK: a session of two that know each other");
    return shake(&one, &other, start);
}

static bool draw_keys(void)
{
    const fer_entropy entropy = posix_entropy();

    TRY(fer_static_generate(entropy, &device.secret, &device.own));
    TRY(fer_static_generate(entropy, &gateway.secret, &gateway.own));
    return entropy.ops->fill(entropy.context, shared.bytes, sizeof shared.bytes) == FER_PORT_OK;
}

int main(void)
{
    fer_arena_position start;
    bool done = draw_keys() && fer_arena_mark(&arena, &start) == FER_OK && send_to_a_key(start) &&
                send_as_a_device(start) && open_by_shared_key(start) && open_by_known_keys(start);

    return done ? 0 : 1;
}
