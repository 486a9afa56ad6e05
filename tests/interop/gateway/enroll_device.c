/* The device end of `ferrule enroll`, over standard input and output: `enroll_device SECRET BLOB`
 * enrols with the key in that file (hex), prints the gateway's public key on standard error, and
 * writes what it is handed to BLOB. With FERRULE_SPOIL=third one bit of its third message is
 * turned; with FERRULE_SPOIL=receipt it sends none. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferrule/ferrule.h"
#include "posix.h"
#include "posix_link.h"

FER_ARENA(arena, FER_ENROLEE_SIZE + FER_FRAME_DECODER_SIZE(FER_ENROLEE_FRAME));

static void check(fer_status status, const char *what)
{
    if (status != FER_OK) {
        fprintf(stderr, "enroll_device: %s: %s\n", what, fer_status_text(status));
        exit(EXIT_FAILURE);
    }
}

static bool is_spoiled(const char *what)
{
    const char *spoil = getenv("FERRULE_SPOIL");
    return spoil != NULL && strcmp(spoil, what) == 0;
}

/* Turns a bit of the message in a frame. */
static size_t spoil(const uint8_t *in, size_t n, uint8_t *out, size_t capacity)
{
    static fer_frame_decoder *decoder;
    uint8_t *message = NULL;
    size_t used = 0;
    size_t length = 0;
    if (decoder == NULL) {
        check(fer_frame_decoder_create(&arena, FER_ENROLEE_FRAME, &decoder), "decoder");
    }
    check(fer_frame_decoder_feed(decoder, in, n, &used, &message, &length), "own frame");
    message[2] ^= 1;
    check(fer_frame_encode(message, length, out, capacity, &length), "frame");
    return length;
}

static void send_bytes(const uint8_t *bytes, size_t n)
{
    if (!posix_send_all(STDOUT_FILENO, bytes, n)) {
        exit(EXIT_FAILURE);
    }
}

static void send_due(fer_enrolee *enrolee)
{
    const fer_clock clock = posix_clock();
    const bool has_met = fer_enrolee_get_stage(enrolee) == FER_ENROLEE_MET;
    uint8_t frame[FER_ENROLEE_FRAME];
    uint64_t now = 0;
    size_t n = 0;
    (void)clock.ops->monotonic_ms(clock.context, &now);
    const fer_status status = fer_enrolee_take(enrolee, now, frame, sizeof frame, &n);
    if (status == FER_EMPTY) {
        return;
    }
    check(status, "take");
    if (has_met && is_spoiled("third")) {
        n = spoil(frame, n, frame, sizeof frame);
    }
    send_bytes(frame, n);
}

static void hear(fer_enrolee *enrolee)
{
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    uint8_t byte = 0;
    size_t used = 0;
    if (poll(&ready, 1, 100) <= 0) {
        return;
    }
    if (read(STDIN_FILENO, &byte, 1) != 1) {
        fprintf(stderr, "enroll_device: the line was closed\n");
        exit(EXIT_FAILURE);
    }
    const fer_status status = fer_enrolee_feed(enrolee, &byte, 1, &used);
    check(status == FER_EMPTY ? FER_OK : status, "feed");
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

static void print_gateway(const fer_enrolee *enrolee)
{
    fer_static_public gateway;
    check(fer_enrolee_get_gateway(enrolee, &gateway), "peer");
    for (size_t i = 0; i < sizeof gateway.bytes; i++) {
        fprintf(stderr, "%02x", gateway.bytes[i]);
    }
    fputc('\n', stderr);
}

static void keep(fer_enrolee *enrolee, const char *path)
{
    uint8_t *blob = NULL;
    size_t n = 0;
    check(fer_enrolee_get_blob(enrolee, &blob, &n), "blob");
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(blob, 1, n, file) != n || fclose(file) != 0) {
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    fer_enrolee_config config = {.retry_ms = 2000, .entropy = posix_entropy()};
    fer_enrolee *enrolee = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: enroll_device SECRET BLOB\n");
        return EXIT_FAILURE;
    }
    read_key(argv[1], &config.secret, &config.own);
    check(fer_enrolee_create(&arena, &config, &enrolee), "enrolee");
    const uint8_t telemetry[] = {5, 0x40, 1, 2, 3, 0}; /* of a device that was busy until now */
    send_bytes(telemetry, sizeof telemetry);
    while (fer_enrolee_get_stage(enrolee) < FER_ENROLEE_ACCEPTED) {
        send_due(enrolee);
        hear(enrolee);
    }
    print_gateway(enrolee);
    keep(enrolee, argv[2]);
    check(fer_enrolee_confirm(enrolee), "confirm");
    if (!is_spoiled("receipt")) {
        send_due(enrolee);
    }
    fer_enrolee_close(&enrolee);
    return EXIT_SUCCESS;
}
