/* Ferrule gateway: enrolment, the gateway's end (docs/WIRE.md, section enrolment). Over a cable, by
 * XX, both sides learn each other's static key. Nothing vouches for a key before people have
 * compared its fingerprint: the other end may be anyone. */
#ifndef FERRULE_GATEWAY_ENROLMENT_H
#define FERRULE_GATEWAY_ENROLMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/frame.h"
#include "ferrule/handshake.h"
#include "say.h"

#define ENROLMENT_FRAME_MAX 512u
#define ENROLMENT_WINDOW 64u
#define ENROLMENT_BYTES                                                                   \
    (FER_FRAME_DECODER_SIZE(ENROLMENT_FRAME_MAX) + FER_HANDSHAKE_SIZE + FER_SEALER_SIZE + \
     FER_OPENER_SIZE(ENROLMENT_WINDOW))

struct enrolment {
    int in;
    int out;
    int64_t end_ms; /* monotonic: how long the device is waited for */
    fer_entropy entropy;
    fer_static_secret secret;
    fer_static_public own;
    fer_static_public device; /* once it has been heard */
    fer_arena arena;
    fer_arena_cell cells[ENROLMENT_BYTES / FER_ARENA_ALIGN];
    fer_frame_decoder *decoder;
    fer_arena_position begin; /* of what a handshake takes */
    fer_handshake *handshake;
    fer_session session;
    uint8_t piece[256]; /* read, and not yet decoded */
    size_t piece_at;
    size_t piece_length;
};

/* For a stream and our static key. */
bool enrolment_open(struct enrolment *enrolment, int in, int out, const fer_static_secret *secret,
                    const fer_static_public *own, struct fault *fault);

/* Waits for a device and does the handshake with it; then enrolment->device is its key. */
bool enrolment_meet(struct enrolment *enrolment, int seconds, struct fault *fault);

/* Tells the device that it is accepted, with a blob of its own or without one (n = 0), and waits
 * until it says that it has taken it. */
bool enrolment_hand_over(struct enrolment *enrolment, const uint8_t *blob, size_t n, int seconds,
                         struct fault *fault);

/* Wipes every key. */
void enrolment_close(struct enrolment *enrolment);

#endif
