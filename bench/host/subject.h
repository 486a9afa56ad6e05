/* Bench: what is compared on a host, one call at a time: sealing and opening as Ferrule does it,
 * and as bare libsodium does, over the same bytes with the same length of associated data. */
#ifndef FERRULE_BENCH_HOST_SUBJECT_H
#define FERRULE_BENCH_HOST_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "ferrule/ferrule.h"

enum {
    SLOTS = 32, /* calls between two preparations: a sealer stays in short form for longer */
    TEXT_MAX = 1024,
    ROUTE_BYTES = 4, /* makes a short header of 8 bytes, the length of bare libsodium's AD */
    AD_BYTES = 8,
    RECORD_MAX = TEXT_MAX + FER_OVERHEAD_MAX,
    FRAME_MAX = FER_FRAME_SIZE(RECORD_MAX)
};

/* One message in each of its shapes, and where results go. */
struct slot {
    uint8_t text[TEXT_MAX];
    uint8_t record[RECORD_MAX];
    uint8_t frame[FRAME_MAX];
    uint8_t bare[TEXT_MAX + FER_TAG_BYTES];
    uint8_t out[FRAME_MAX];
    size_t record_length;
    size_t frame_length;
};

struct subject {
    size_t n; /* bytes of plaintext */
    fer_sealer *sealer;
    fer_opener *opener;
    fer_frame_decoder *decoder;
    uint8_t key[crypto_aead_chacha20poly1305_ietf_KEYBYTES];
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    uint8_t ad[AD_BYTES];
    struct slot slots[SLOTS];
};

/* One call on one slot; false if it did not do what it is measured for. */
typedef bool run_subject(struct subject *subject, struct slot *slot);

run_subject run_bare_seal, run_bare_open, run_seal, run_open, run_seal_framed, run_open_framed,
    run_refuse;

/* The subject of this name ("seal" is run_seal), or null. */
run_subject *find_subject(const char *name);

/* Makes both ends of one link for plaintexts of n bytes. False if that fails. */
bool subject_start(struct subject *subject, size_t n);

/* Readies all slots for one call each of any of the subjects: fresh records that were never opened,
 * or where `spent`, records that were. */
bool subject_prepare(struct subject *subject, bool spent);

#endif
