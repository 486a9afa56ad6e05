/* The device end of `ferrule enroll`, over standard input and output: `enroll_device SECRET BLOB`
 * greets by XX with the key in that file (hex), prints the gateway's public key on standard error,
 * and writes what it is handed to BLOB. A written-down message that is asked for by FERRULE_SPOIL
 * (third) has one bit turned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferrule/ferrule.h"
#include "posix.h"
#include "posix_link.h"

#define FRAME_MAX 512u

static fer_arena_cell cells[(FER_FRAME_DECODER_SIZE(FRAME_MAX) + FER_HANDSHAKE_SIZE +
                             FER_SEALER_SIZE + FER_OPENER_SIZE(64u)) /
                            FER_ARENA_ALIGN];

static void check(fer_status status, const char *what)
{
    if (status != FER_OK) {
        fprintf(stderr, "enroll_device: %s: %s\n", what, fer_status_text(status));
        exit(EXIT_FAILURE);
    }
}

static void send_frame(const uint8_t *bytes, size_t n)
{
    uint8_t frame[FER_FRAME_SIZE(FRAME_MAX)];
    size_t length = 0;
    check(fer_frame_encode(bytes, n, frame, sizeof frame, &length), "frame");
    if (!posix_send_all(STDOUT_FILENO, frame, length)) {
        exit(EXIT_FAILURE);
    }
}

static size_t receive(fer_frame_decoder *decoder, uint8_t **frame)
{
    uint8_t byte = 0;
    size_t used = 0;
    size_t n = 0;
    fer_status status = FER_EMPTY;
    while (status == FER_EMPTY) {
        if (read(STDIN_FILENO, &byte, 1) != 1) {
            fprintf(stderr, "enroll_device: the line was closed\n");
            exit(EXIT_FAILURE);
        }
        status = fer_frame_decoder_feed(decoder, &byte, 1, &used, frame, &n);
    }
    check(status, "decoder");
    return n;
}

static void read_key(const char *path, fer_static_secret *secret, fer_static_public *own)
{
    FILE *file = fopen(path, "r");
    unsigned byte = 0;
    for (size_t i = 0; i < sizeof secret->bytes; i++) {
        if (file == NULL || fscanf(file, "%2x", &byte) != 1) {
            check(FER_ERR_ARGUMENT, path);
        }
        secret->bytes[i] = (uint8_t)byte;
    }
    fclose(file);
    check(fer_static_get_public(secret, own), "public");
}

static void write_message(fer_handshake *handshake, uint8_t type)
{
    uint8_t out[160] = {0x00, type};
    const char *spoil = getenv("FERRULE_SPOIL");
    size_t n = 0;
    check(fer_handshake_write(handshake, NULL, 0, out + 2, sizeof out - 2, &n), "write");
    if (spoil != NULL && strcmp(spoil, "third") == 0 && type == 6) {
        out[2] ^= 1;
    }
    send_frame(out, n + 2);
}

static fer_session greet(fer_arena *arena, fer_frame_decoder *decoder,
                         const fer_static_secret *secret, const fer_static_public *own)
{
    static const uint8_t prologue[] = "ferrule1enrol";
    fer_handshake *handshake = NULL;
    fer_static_public gateway;
    uint8_t *frame = NULL;
    uint8_t nothing[1];
    size_t length = 0;
    fer_session session;
    const fer_handshake_config config = {.pattern = &fer_pattern_xx,
                                         .role = FER_INITIATOR,
                                         .psk_place = FER_NO_PSK,
                                         .prologue = prologue,
                                         .prologue_length = sizeof prologue - 1,
                                         .own_secret = secret,
                                         .own_public = own,
                                         .entropy = posix_entropy()};
    const fer_session_config named = {
        .identity = {.identity = (const uint8_t *)"enrolment", .identity_length = 9},
        .window_bits = 64,
        .way = FER_TWO_WAY};
    check(fer_handshake_create(arena, &config, &handshake), "handshake");
    write_message(handshake, 4);
    const size_t n = receive(decoder, &frame);
    if (n < 2 || frame[0] != 0x20 || frame[1] != 5) {
        check(FER_DROP_MALFORMED, "second message");
    }
    check(fer_handshake_read(handshake, frame + 2, n - 2, nothing, 0, &length), "second message");
    check(fer_handshake_get_peer(handshake, &gateway), "peer");
    write_message(handshake, 6);
    for (size_t i = 0; i < sizeof gateway.bytes; i++) {
        fprintf(stderr, "%02x", gateway.bytes[i]);
    }
    fputc('\n', stderr);
    check(fer_handshake_finish(&handshake, arena, &named, &session), "finish");
    return session;
}

int main(int argc, char **argv)
{
    fer_arena arena;
    fer_frame_decoder *decoder = NULL;
    fer_static_secret secret;
    fer_static_public own;
    fer_opened opened;
    uint8_t *frame = NULL;
    uint8_t bytes[FRAME_MAX];
    size_t n = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: enroll_device SECRET BLOB\n");
        return EXIT_FAILURE;
    }
    read_key(argv[1], &secret, &own);
    check(fer_arena_init(&arena, cells, sizeof cells / sizeof *cells), "arena");
    check(fer_frame_decoder_create(&arena, FRAME_MAX, &decoder), "decoder");
    const uint8_t telemetry[40] = {0x40, 1, 2, 3}; /* of a device that was busy until now */
    send_frame(telemetry, sizeof telemetry);
    const fer_session session = greet(&arena, decoder, &secret, &own);
    const size_t length = receive(decoder, &frame);
    check(fer_opener_receive(session.opener, frame, length, bytes, sizeof bytes, &opened), "blob");
    FILE *file = fopen(argv[2], "wb");
    if (file == NULL || fwrite(bytes, 1, opened.length, file) != opened.length ||
        fclose(file) != 0) {
        return EXIT_FAILURE;
    }
    check(fer_sealer_seal(session.sealer, NULL, 0, bytes, sizeof bytes, &n), "seal");
    send_frame(bytes, n);
    return EXIT_SUCCESS;
}
