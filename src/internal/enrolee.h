/* Ferrule: the body of fer_enrolee (floor 5). */
#ifndef FERRULE_INTERNAL_ENROLEE_H
#define FERRULE_INTERNAL_ENROLEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/enrolee.h"
#include "internal/handle.h"

/* Messages of enrolment: the first byte, and types that follow those of greetings. */
enum {
    FER_ENROLMENT_UP = FER_KIND_HANDSHAKE << 6,
    FER_ENROLMENT_DOWN = FER_KIND_HANDSHAKE << 6 | 0x20,
    FER_ENROLMENT_FIRST = 4,
    FER_ENROLMENT_SECOND = 5,
    FER_ENROLMENT_THIRD = 6
};

struct fer_enrolee {
    fer_tag tag;
    fer_enrolee_config config;
    fer_frame_decoder *decoder;
    fer_handshake *handshake;     /* of the attempt under way; null: none */
    fer_session session;          /* once the third message was taken */
    fer_arena inner;              /* the decoder, then what an attempt takes */
    fer_arena_position attempt;   /* where that begins */
    uint64_t due;                 /* no first message before, if there is to be one by itself */
    uint64_t end;                 /* of the wait for acceptance, likewise */
    fer_static_public gateway;    /* from FER_ENROLEE_MET on */
    uint8_t stage;                /* fer_enrolee_stage */
    bool begun;                   /* a first message was taken */
    uint8_t blob_length;          /* in FER_ENROLEE_ACCEPTED */
    uint8_t blob[FER_BLOB_BYTES]; /* zeros, but in FER_ENROLEE_ACCEPTED (WIPE) */
};

#endif
