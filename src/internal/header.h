/* Ferrule: the hot path of records (floor 3): header, nonce and one attempt to open. Inline,
 * because sealer, opener and gateway each run it once a record. Bytes in docs/WIRE.md, section
 * record. */
#ifndef FERRULE_INTERNAL_HEADER_H
#define FERRULE_INTERNAL_HEADER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "crypto/schedule.h"
#include "ferrule/record.h"
#include "ferrule/replay.h"
#include "internal/bytes.h"

/* Bits of a record's first byte; kind stands in bits 7-6, the route's code in bits 2-1. */
enum {
    FER_FIRST_DOWN = 1u << 5,
    FER_FIRST_FULL = 1u << 4,
    FER_FIRST_BACKLOG = 1u << 3,
    FER_FIRST_ROUTE_SHIFT = 1,
    FER_FIRST_KIND_SHIFT = 6
};

/* A header as parsed. Nothing vouches for it. */
typedef struct fer_header {
    uint32_t generation; /* short form: the low 8 bits, until they are made exact */
    uint32_t sequence;   /* short form: the low 16 bits, until they are made exact */
    uint8_t first;
    uint8_t length; /* bytes before the ciphertext; 0: no record begins like this */
} fer_header;

/* Bytes of the route that a first byte announces. */
static inline unsigned fer_header_route(unsigned first)
{
    return 1u << (first >> FER_FIRST_ROUTE_SHIFT & 3u) & ~1u;
}

static inline bool fer_header_is_full(const fer_header *header)
{
    return (header->first & FER_FIRST_FULL) != 0;
}

static inline fer_lane fer_header_lane(const fer_header *header)
{
    return (header->first & FER_FIRST_BACKLOG) != 0 ? FER_LANE_BACKLOG : FER_LANE_LIVE;
}

/* Bytes of plaintext in a record of n bytes. */
static inline size_t fer_header_plaintext(const fer_header *header, size_t n)
{
    return n - header->length - FER_TAG_BYTES;
}

/* Bytes of the counter in the short form, and in the full form up and down. */
enum { FER_COUNTER_SHORT = 3, FER_COUNTER_FULL = 12, FER_COUNTER_DOWN = 16 };

/* Bytes of the counter by direction, form and lane (bits 5 to 3 of the first byte); 0: there is
 * no such record. */
static inline unsigned fer_header_counter(unsigned first)
{
    static const uint8_t bytes[8] = {FER_COUNTER_SHORT, 0, FER_COUNTER_FULL, FER_COUNTER_FULL, 0, 0,
                                     FER_COUNTER_DOWN,  0};

    return bytes[first >> 3 & 7u];
}

/* Parses the header of a record of n bytes; FER_DROP_MALFORMED as fer_record_inspect. All of the
 * header, and of the tag, then lies within the n bytes (TOTAL). */
static inline fer_status fer_record_parse(const uint8_t *record, size_t n, fer_header *header)
{
    unsigned first = n == 0 ? 0 : record[0];
    unsigned counter = fer_header_counter(first);
    unsigned at = 1u + fer_header_route(first);

    header->first = (uint8_t)first;
    header->length = 0;
    /* Kinds 1 and 2 are those whose two bits differ. A record too short wraps to one too long. */
    if (((first ^ first << 1) & 0x80u) == 0 || (first & 1u) != 0 || counter == 0 ||
        n - at - counter - FER_TAG_BYTES > FER_PLAINTEXT_MAX) {
        return FER_DROP_MALFORMED;
    }
    if (counter == FER_COUNTER_SHORT) {
        header->generation = record[at];
        header->sequence = fer_load_u16(record + at + 1);
    } else {
        header->generation = fer_load_u32(record + at);
        header->sequence = fer_load_u32(record + at + 4);
        /* Numbers that nobody uses. */
        if (header->generation == FER_SEQUENCE_END || header->sequence == FER_SEQUENCE_END) {
            return FER_DROP_MALFORMED;
        }
    }
    header->length = (uint8_t)(at + counter);
    return FER_OK;
}

/* The number congruent to `low` modulo 2^16 that is nearest to the next expected one. */
static inline uint32_t fer_record_nearest(uint32_t next, uint32_t low)
{
    uint32_t behind = (next - low) & 0xFFFFu;

    if (behind < 0x8000u && behind <= next) {
        return next - behind; /* it is the next, or behind is nearer and not below zero */
    }
    /* Ahead, but not beyond where counting ends. */
    return next - behind + 0x10000u > next ? next - behind + 0x10000u : next - behind;
}

/* The nonce of an up record (no salt) or of a down record (8 bytes of salt). */
static inline void fer_record_nonce(uint8_t nonce[FER_NONCE_BYTES], const uint8_t *salt,
                                    uint32_t generation, uint32_t sequence)
{
    fer_store_u32(nonce, 0);
    fer_store_u32(nonce + 4, sequence);
    fer_store_u32(nonce + 8, salt != NULL ? sequence : generation);
    if (salt != NULL) {
        memcpy(nonce, salt, 8);
    }
}

/* One AEAD attempt at a parsed record whose header's generation and sequence have been made exact.
 * Fills *opened, all but context and ticket, on success; on failure out is zeroed (FIRST). */
FER_MUST_USE static inline fer_status fer_record_attempt(const fer_record_key *key,
                                                         const uint8_t *record, size_t n,
                                                         const fer_header *header, uint8_t *out,
                                                         fer_opened *opened)
{
    const uint8_t *ciphertext = record + header->length;
    const uint8_t *salt = (header->first & FER_FIRST_DOWN) != 0 ? ciphertext - 8 : NULL;
    uint8_t nonce[FER_NONCE_BYTES];
    fer_status status;

    fer_record_nonce(nonce, salt, header->generation, header->sequence);
    status = fer_crypto_open(&key->secret, nonce, record, header->length, ciphertext,
                             fer_header_plaintext(header, n), out);
    if (status == FER_OK) {
        opened->context = 0;
        opened->generation = header->generation;
        opened->sequence = header->sequence;
        opened->length = fer_header_plaintext(header, n);
        opened->kind = (fer_kind)(header->first >> FER_FIRST_KIND_SHIFT);
        opened->lane = fer_header_lane(header);
        opened->form = fer_header_is_full(header) ? FER_FORM_FULL : FER_FORM_SHORT;
    }
    return status;
}

#endif
