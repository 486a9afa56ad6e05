/* Ferrule: record (floor 3). The header, the nonce and one attempt: what sealer, opener and
 * gateway share. Bytes in docs/WIRE.md, section record. */
#include "ferrule/record.h"

#include <string.h>

#include "internal/arena.h"
#include "internal/bytes.h"
#include "internal/credential.h"
#include "internal/record.h"
#include "internal/replay.h"

fer_status fer_record_inspect(const uint8_t *record, size_t n, fer_unverified *header)
{
    fer_header parsed;
    const uint8_t *counter;

    if (record == NULL || header == NULL) {
        return FER_ERR_ARGUMENT;
    }
    memset(header, 0, sizeof *header);
    if (fer_record_parse(record, n, &parsed) != FER_OK) {
        return FER_DROP_MALFORMED;
    }
    header->kind = (fer_kind)(parsed.first >> FER_FIRST_KIND_SHIFT);
    header->direction = (parsed.first & FER_FIRST_DOWN) != 0 ? FER_DOWN : FER_UP;
    header->form = fer_header_is_full(&parsed) ? FER_FORM_FULL : FER_FORM_SHORT;
    header->lane = fer_header_lane(&parsed);
    header->route_length = (uint8_t)fer_header_route(parsed.first);
    header->header_length = parsed.length;
    memcpy(header->route, record + 1, header->route_length);
    header->generation = parsed.generation;
    header->sequence = parsed.sequence;
    counter = record + 1 + header->route_length;
    if (header->direction == FER_DOWN) {
        header->salt = fer_load_u32(counter + 8) | (uint64_t)fer_load_u32(counter + 12) << 32;
    } else if (header->form == FER_FORM_FULL) {
        header->claim = fer_load_u32(counter + 8);
    }
    return FER_OK;
}

void fer_record_name_build(fer_record_name *name, unsigned kind, unsigned flags,
                           const uint8_t *route, unsigned route_length)
{
    unsigned code = route_length == 8 ? 3u : route_length / 2u;

    name->length = (uint8_t)(1u + route_length);
    name->bytes[0] =
        (uint8_t)(kind << FER_FIRST_KIND_SHIFT | flags | code << FER_FIRST_ROUTE_SHIFT);
    memcpy(name->bytes + 1, route, FER_ROUTE_MAX);
}

fer_status fer_record_create(fer_arena *arena, fer_generation *generation, size_t size,
                             unsigned branches, unsigned flags, fer_record_end **end)
{
    const struct fer_generation_body *body = fer_generation_get_body(generation);

    if (body == NULL) {
        return FER_ERR_HANDLE;
    }
    if ((branches & ~(unsigned)body->present) != 0) {
        return FER_ERR_ORDER;
    }
    if (fer_crypto_start() != FER_OK) {
        return FER_TROUBLE_CRYPTO;
    }
    *end = fer_arena_carve(arena, size);
    if (*end == NULL) {
        return FER_ERR_ARENA;
    }
    (*end)->generation = body->generation;
    fer_record_name_build(&(*end)->name, body->kind, flags, body->route, body->route_length);
    return FER_OK;
}

void fer_record_reject(unsigned header, size_t n, uint8_t *out, size_t capacity)
{
    size_t overhead = header != 0 ? header + FER_TAG_BYTES : FER_OVERHEAD_SHORT(0);

    if (n > overhead) {
        memset(out, 0, n - overhead < capacity ? n - overhead : capacity);
    }
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
