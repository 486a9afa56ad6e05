/* A whole device that begins a session by IKpsk2 and seals in it. Linked for its size, never run:
 * its drivers do nothing, because a driver is the application's. */
#include "ferrule/ferrule.h"

FER_ARENA(arena, FER_DEVICE_SIZE(16, 64, 0, 4) + FER_HANDSHAKE_SIZE + FER_SEALER_SIZE +
                     FER_OPENER_SIZE(64));

static int nothing_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context, (void)block, (void)offset, (void)out, (void)n;
    return FER_PORT_FAILED;
}

static int nothing_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                           size_t n)
{
    (void)context, (void)block, (void)offset, (void)in, (void)n;
    return FER_PORT_FAILED;
}

static int nothing_erase(void *context, uint32_t block)
{
    (void)context, (void)block;
    return FER_PORT_FAILED;
}

static int nothing_filled(void *context, uint8_t *out, size_t n)
{
    (void)context, (void)out, (void)n;
    return FER_PORT_FAILED;
}

static const struct fer_nv_ops ops = {nothing_read, nothing_program, nothing_erase, 0};
static const fer_nv_geometry geometry = {1024, 2, 4, 0xFF, FER_NV_OVERWRITE};
static const struct fer_entropy_ops entropy_ops = {nothing_filled};

extern fer_static_secret main_secret;
extern fer_static_public main_public, main_peer;
extern fer_preshared_key main_psk;
fer_static_secret main_secret;
fer_static_public main_public, main_peer;
fer_preshared_key main_psk;
volatile double sensor;
volatile uint8_t link;

static fer_status shake_hands(fer_session *session)
{
    const fer_handshake_config config = {.pattern = &fer_pattern_ik,
                                         .role = FER_INITIATOR,
                                         .psk_place = 2,
                                         .own_secret = &main_secret,
                                         .own_public = &main_public,
                                         .peer = &main_peer,
                                         .psk = &main_psk,
                                         .entropy = {&entropy_ops, 0}};
    const fer_session_config names = {
        .identity = {.identity = (const uint8_t *)"x", .identity_length = 1}, .window_bits = 64};
    fer_handshake *handshake;
    uint8_t message[128];
    size_t n;
    fer_status status = fer_handshake_create(&arena, &config, &handshake);
    if (status == FER_OK) {
        status = fer_handshake_write(handshake, 0, 0, message, sizeof message, &n);
    }
    for (size_t i = 0; i < sizeof message; i++) {
        link = message[i];
        message[i] = link;
    }
    if (status == FER_OK) {
        status = fer_handshake_read(handshake, message, 48, message + 64, 64, &n);
    }
    return status == FER_OK ? fer_handshake_finish(&handshake, &arena, &names, session) : status;
}

int main(void)
{
    fer_device_config config = fer_device_config_default();
    config.nv = (fer_nv){&ops, &geometry, 0};
    config.readings = 16;
    config.messages = 64;
    config.inbound = 0;
    fer_device *device;
    fer_session session;
    uint8_t frame[FER_FRAME_SIZE(128)];
    size_t n;
    if (fer_device_create(&arena, &config, &device) != FER_OK ||
        fer_device_event(device, FER_INFO, "start") != FER_OK || shake_hands(&session) != FER_OK) {
        return 1;
    }
    for (;;) {
        fer_device_record(device, 1, sensor);
        if (fer_device_take(device, frame, sizeof frame, &n) == FER_OK ||
            fer_sealer_seal(session.sealer, frame, 8, frame + 64, 64, &n) == FER_OK) {
            link = frame[n];
        }
    }
}
