/* Ferrule: record (floor 3). The header, the nonce and one attempt: what sealer, opener and
 * gateway share. Bytes in docs/WIRE.md, section record. */
#include "ferrule/record.h"

#include <string.h>

#include "internal/bytes.h"
#include "internal/credential.h"
#include "internal/record.h"
#include "internal/replay.h"

/* Bytes of the counter by direction, form and lane (bits 5 to 3 of the first byte); 0: there is
 * no such record. */
static const uint8_t counter_bytes[8] = {3, 0, 12, 12, 0, 0, 16, 0};

static unsigned get_route_length(unsigned first)
{
    return 1u << (first >> FER_FIRST_ROUTE_SHIFT & 3u) & ~1u;
}

/* Bytes before the ciphertext, or 0 where no record begins like this or n bytes cannot be one. All
 * that is read of a header afterwards lies within them (TOTAL). */
static size_t measure_header(const uint8_t *record, size_t n)
{
    unsigned first = n == 0 ? 0 : record[0];
    unsigned kind = first >> FER_FIRST_KIND_SHIFT;
    unsigned counter = counter_bytes[first >> 3 & 7u];
    size_t length = 1u + get_route_length(first) + counter;

    if ((kind != FER_KIND_PROVISIONED && kind != FER_KIND_SESSION) || counter == 0 ||
        (first & 1u) != 0 || n < length + FER_TAG_BYTES ||
        n - length - FER_TAG_BYTES > FER_PLAINTEXT_MAX) {
        return 0;
    }
    return length;
}

/* Reads generation and sequence; false where they are numbers that nobody uses. */
static bool read_counter(const uint8_t *counter, fer_unverified *header)
{
    if (header->form == FER_FORM_SHORT) {
        header->generation = counter[0];
        header->sequence = fer_load_u16(counter + 1);
        return true;
    }
    header->generation = fer_load_u32(counter);
    header->sequence = fer_load_u32(counter + 4);
    if (header->direction == FER_UP) {
        header->claim = fer_load_u32(counter + 8);
    } else {
        header->salt = fer_load_u32(counter + 8) | (uint64_t)fer_load_u32(counter + 12) << 32;
    }
    return header->generation != FER_SEQUENCE_END && header->sequence != FER_SEQUENCE_END;
}

fer_status fer_record_inspect(const uint8_t *record, size_t n, fer_unverified *header)
{
    size_t length;

    if (record == NULL || header == NULL) {
        return FER_ERR_ARGUMENT;
    }
    memset(header, 0, sizeof *header);
    length = measure_header(record, n);
    if (length == 0) {
        return FER_DROP_MALFORMED;
    }
    header->kind = (fer_kind)(record[0] >> FER_FIRST_KIND_SHIFT);
    header->direction = (fer_direction)(record[0] >> 5 & 1u);
    header->form = (fer_form)(record[0] >> 4 & 1u);
    header->lane = (fer_lane)(record[0] >> 3 & 1u);
    header->route_length = (uint8_t)get_route_length(record[0]);
    memcpy(header->route, record + 1, header->route_length);
    if (!read_counter(record + 1 + header->route_length, header)) {
        memset(header, 0, sizeof *header);
        return FER_DROP_MALFORMED;
    }
    header->header_length = (uint8_t)length;
    return FER_OK;
}

void fer_record_name_build(fer_record_name *name, uint8_t kind, fer_direction direction,
                           const uint8_t *route, uint8_t route_length)
{
    unsigned code = route_length == 8 ? 3u : route_length / 2u;

    name->length = (uint8_t)(1u + route_length);
    name->bytes[0] =
        (uint8_t)((unsigned)kind << FER_FIRST_KIND_SHIFT |
                  (direction == FER_DOWN ? FER_FIRST_DOWN : 0u) | code << FER_FIRST_ROUTE_SHIFT);
    memcpy(name->bytes + 1, route, FER_ROUTE_MAX);
}

bool fer_record_is_named(const fer_record_name *name, const uint8_t *record)
{
    unsigned first = record[0] & ~(unsigned)(FER_FIRST_FULL | FER_FIRST_BACKLOG);

    return first == name->bytes[0] && memcmp(record + 1, name->bytes + 1, name->length - 1u) == 0;
}

uint32_t fer_record_nearest(uint32_t next, uint32_t low)
{
    uint32_t ahead = (low - next) & 0xFFFFu;
    uint32_t sequence = next + ahead;

    /* 2^16 less where that is nearer and not below zero, or where counting has ended. */
    if ((ahead > 0x8000u && next >= 0x10000u - ahead) || sequence < next) {
        sequence -= 0x10000u;
    }
    return sequence;
}

void fer_record_nonce(uint8_t nonce[FER_NONCE_BYTES], const uint8_t *salt, uint32_t generation,
                      uint32_t sequence)
{
    if (salt != NULL) {
        memcpy(nonce, salt, 8);
        fer_store_u32(nonce + 8, sequence);
        return;
    }
    fer_store_u32(nonce, 0);
    fer_store_u32(nonce + 4, sequence);
    fer_store_u32(nonce + 8, generation);
}

fer_status fer_record_attempt(const fer_record_key *key, const uint8_t *record, size_t n,
                              const fer_unverified *header, uint8_t *out, fer_opened *opened)
{
    const uint8_t *ciphertext = record + header->header_length;
    const uint8_t *salt = header->direction == FER_DOWN ? ciphertext - 8 : NULL;
    uint8_t nonce[FER_NONCE_BYTES];
    fer_status status;

    fer_record_nonce(nonce, salt, header->generation, header->sequence);
    opened->length = fer_record_plaintext(n, header);
    status = fer_crypto_open(&key->secret, nonce, record, header->header_length, ciphertext,
                             opened->length, out);
    if (status != FER_OK) {
        opened->length = 0;
        return status;
    }
    opened->generation = header->generation;
    opened->sequence = header->sequence;
    opened->kind = header->kind;
    opened->lane = header->lane;
    opened->form = header->form;
    return FER_OK;
}

void fer_record_reject(const fer_unverified *header, size_t n, uint8_t *out, size_t capacity)
{
    size_t length = n > FER_OVERHEAD_SHORT(0) ? n - FER_OVERHEAD_SHORT(0) : 0;

    if (header->header_length != 0) {
        length = fer_record_plaintext(n, header);
    }
    memset(out, 0, length < capacity ? length : capacity);
}

fer_status fer_generation_rebuild(fer_generation *generation, const fer_credential *credential,
                                  uint32_t number, fer_record_key keys[3])
{
    struct fer_generation_body *body = (struct fer_generation_body *)(void *)generation;
    fer_credential_info info;
    fer_status status;

    fer_generation_wipe(generation);
    status = fer_credential_read(credential, &info, &body->claim, NULL);
    if (status == FER_OK) {
        body->generation = number;
        body->kind = FER_KIND_PROVISIONED;
        body->present = 7;
        body->route_length = info.route_length;
        memcpy(body->route, info.route, FER_ROUTE_MAX);
        memcpy(body->keys, keys, sizeof body->keys);
        body->tag = fer_tag_make(body, FER_TAG_GENERATION);
    }
    fer_wipe(keys, sizeof body->keys);
    return status;
}
