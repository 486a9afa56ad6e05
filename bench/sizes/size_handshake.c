/* The smallest program that begins a session by IKpsk2 and seals in it. Linked for its size, never
 * run: what size_device.c links (store, keychain, telemetry, device) comes besides. */
#include "ferrule/ferrule.h"

FER_ARENA(arena, FER_HANDSHAKE_SIZE + FER_SEALER_SIZE + FER_OPENER_SIZE(64));

static int nothing_filled(void *context, uint8_t *out, size_t n)
{
    (void)context, (void)out, (void)n;
    return FER_PORT_FAILED;
}

static const struct fer_entropy_ops ops = {nothing_filled};

extern fer_static_secret own_secret;
extern fer_static_public own_public, peer;
extern fer_preshared_key psk;
fer_static_secret own_secret;
fer_static_public own_public, peer;
fer_preshared_key psk;
volatile uint8_t link;

int main(void)
{
    static const fer_handshake_config config = {.pattern = &fer_pattern_ik,
                                                .role = FER_INITIATOR,
                                                .psk_place = 2,
                                                .own_secret = &own_secret,
                                                .own_public = &own_public,
                                                .peer = &peer,
                                                .psk = &psk,
                                                .entropy = {&ops, 0}};
    static const fer_session_config session_config = {
        .identity = {.identity = (const uint8_t *)"x", .identity_length = 1}, .window_bits = 64};
    fer_handshake *handshake;
    fer_session session;
    uint8_t message[128], plaintext[64];
    size_t n;
    if (fer_handshake_create(&arena, &config, &handshake) != FER_OK ||
        fer_handshake_write(handshake, 0, 0, message, sizeof message, &n) != FER_OK) {
        return 1;
    }
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = link;
    }
    if (fer_handshake_read(handshake, message, 48, plaintext, sizeof plaintext, &n) != FER_OK ||
        fer_handshake_finish(&handshake, &arena, &session_config, &session) != FER_OK ||
        fer_sealer_seal(session.sealer, plaintext, n, message, sizeof message, &n) != FER_OK) {
        return 1;
    }
    link = message[0];
    return 0;
}
