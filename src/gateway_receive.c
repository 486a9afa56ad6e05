/* Ferrule: gateway, receiving (floor 5). The steps are those of docs/WIRE.md, section record.
 * Opening changes counters and kept keys only; state moves in commit (FIRST, ONCE). */
#include <string.h>

#include "internal/gateway.h"
#include "internal/record.h"
#include "internal/replay.h"

/* Cells of a ticket. The first is the gateway's own tag, so that no other takes it; zero: spent. */
enum { CELL_TAG, CELL_GENERATION, CELL_NUMBER, CELL_FINGERPRINT };

/* A record on its way through the steps. */
struct arrival {
    const uint8_t *record;
    size_t n;
    fer_header header; /* generation and sequence become exact */
    uint32_t context;
};

static fer_status count_drop(fer_gateway *gateway, fer_status status)
{
    fer_gateway_counts *counts = &gateway->counts;

    switch (status) {
    case FER_DROP_MALFORMED:
        fer_gateway_count(&counts->malformed);
        break;
    case FER_DROP_ROUTE:
        fer_gateway_count(&counts->unknown_route);
        break;
    case FER_DROP_OLD:
        fer_gateway_count(&counts->old);
        break;
    case FER_DROP_FAR:
        fer_gateway_count(&counts->far);
        break;
    case FER_DROP_REPLAY:
        fer_gateway_count(&counts->replayed);
        break;
    default:
        break;
    }
    return status;
}

/* Step 1: at most one context has this kind, direction and route. */
static fer_status find_context(const fer_gateway *gateway, struct arrival *arrival)
{
    const fer_header *header = &arrival->header;
    uint32_t place;

    if ((header->first >> FER_FIRST_KIND_SHIFT) != FER_KIND_PROVISIONED ||
        (header->first & FER_FIRST_DOWN) != 0 ||
        !fer_gateway_find_route(gateway, arrival->record + 1,
                                (uint8_t)fer_header_route(header->first), &arrival->context,
                                &place)) {
        return FER_DROP_ROUTE;
    }
    return FER_OK;
}

/* Step 2, short form: the generation that 8 bits name, at most 8 ahead, else behind. */
static fer_status resolve_generation(const struct fer_context *context, fer_header *header)
{
    uint32_t ahead = (header->generation - context->cur) & 0xFFu;
    uint32_t behind = 0x100u - ahead;

    if (ahead <= FER_NEAR) {
        if (context->cur >= FER_SEQUENCE_END - ahead) {
            return FER_DROP_MALFORMED;
        }
        header->generation = context->cur + ahead;
        return FER_OK;
    }
    if (behind > context->cur) {
        return FER_DROP_OLD;
    }
    header->generation = context->cur - behind;
    return FER_OK;
}

static bool claim_verifies(const fer_gateway *gateway, const struct arrival *arrival)
{
    size_t claimed = arrival->header.length - 4u;
    uint8_t claim[4];

    fer_schedule_claim(&gateway->contexts[arrival->context].claim, arrival->record, claimed, claim);
    return fer_crypto_equal(claim, arrival->record + claimed, sizeof claim);
}

/* Step 2, ahead of cur: a full form proves itself by its claim before any ratcheting, and only
 * what is then too far tells the operator of a device that needs a resync. */
static fer_status check_claim(fer_gateway *gateway, const struct arrival *arrival)
{
    const struct fer_context *context = &gateway->contexts[arrival->context];

    if (!claim_verifies(gateway, arrival)) {
        fer_gateway_count(&gateway->counts.claim_forged);
        return FER_DROP_FORGED;
    }
    return arrival->header.generation - context->cur <= gateway->config.max_skip ? FER_OK
                                                                                 : FER_DROP_FAR;
}

/* Step 2. */
static fer_status check_generation(fer_gateway *gateway, struct arrival *arrival)
{
    const struct fer_context *context = &gateway->contexts[arrival->context];
    fer_header *header = &arrival->header;

    if (!fer_header_is_full(header)) {
        fer_status status = resolve_generation(context, header);

        if (status != FER_OK) {
            return status;
        }
    }
    if (header->generation < context->floor) {
        return FER_DROP_OLD;
    }
    if (header->generation > context->cur && fer_header_is_full(header)) {
        return check_claim(gateway, arrival);
    }
    return FER_OK;
}

/* Steps 3 and 4: the exact number, and whether its window takes it, before a key is touched. */
static fer_status check_number(const fer_gateway *gateway, struct arrival *arrival)
{
    fer_header *header = &arrival->header;
    const uint32_t *window =
        fer_gateway_find_windows(gateway, arrival->context, header->generation);
    bool is_earlier = header->generation < gateway->contexts[arrival->context].cur;
    uint32_t next = 0;

    if (window != NULL) {
        window += (unsigned)fer_header_lane(header) * fer_gateway_lane_cells(gateway);
        next = window[0];
    } else if (is_earlier && !fer_gateway_has_room(gateway, arrival->context, header->generation)) {
        return FER_DROP_OLD;
    }
    if (!fer_header_is_full(header)) {
        header->sequence = fer_record_nearest(next, header->sequence);
    }
    return window == NULL
               ? FER_OK
               : fer_window_check(next, window + 1, gateway->config.window_bits, header->sequence);
}

static fer_status locate(fer_gateway *gateway, struct arrival *arrival)
{
    fer_status status = find_context(gateway, arrival);

    if (status == FER_OK) {
        status = check_generation(gateway, arrival);
    }
    if (status == FER_OK) {
        status = check_number(gateway, arrival);
    }
    return status;
}

/* Keeps the chain that a far claim leads to, where the floor would be: the next forgery with this
 * claim, or a later one, costs no more than any other. */
static void keep_far_chain(fer_gateway *gateway, const struct arrival *arrival)
{
    const struct fer_context *context = &gateway->contexts[arrival->context];
    uint32_t generation = arrival->header.generation;
    fer_chain chain;

    if (generation <= context->cur || generation - context->cur <= FER_NEAR ||
        generation - context->floor <= gateway->config.reach) {
        return;
    }
    generation -= gateway->config.reach;
    fer_gateway_get_chain(gateway, arrival->context, generation, &chain);
    fer_gateway_keep_chain(gateway, arrival->context, generation, &chain);
    fer_wipe(&chain, sizeof chain);
}

static fer_branch branch_of(const fer_header *header)
{
    return fer_header_lane(header) == FER_LANE_BACKLOG ? FER_BRANCH_BACKLOG : FER_BRANCH_UP;
}

/* Step 5: one AEAD attempt with a key derived on a copy. */
static fer_status attempt(fer_gateway *gateway, const struct arrival *arrival, uint8_t *out,
                          fer_opened *opened)
{
    const fer_header *header = &arrival->header;
    fer_branch branch = branch_of(header);
    fer_record_key scratch;
    const fer_record_key *key;
    fer_status status;

    keep_far_chain(gateway, arrival);
    key = fer_gateway_get_key(gateway, arrival->context, header->generation, branch, &scratch);
    status = fer_record_attempt(key, arrival->record, arrival->n, header, out, opened);
    if (status == FER_OK && key == &scratch) {
        fer_gateway_keep_key(gateway, arrival->context, header->generation, branch, key);
    }
    if (key == &scratch) {
        fer_wipe(&scratch, sizeof scratch);
    }
    fer_gateway_count(status == FER_OK ? &gateway->counts.opened : &gateway->counts.tag_forged);
    return status;
}

static void write_ticket(const fer_gateway *gateway, const struct arrival *arrival,
                         fer_opened *opened)
{
    uint64_t *cells = opened->ticket.opaque;

    opened->context = arrival->context;
    cells[CELL_TAG] = gateway->tag;
    cells[CELL_GENERATION] = (uint64_t)arrival->context << 32 | opened->generation;
    cells[CELL_NUMBER] = (uint64_t)opened->lane << 32 | opened->sequence;
    memcpy(&cells[CELL_FINGERPRINT], gateway->contexts[arrival->context].fingerprint,
           FER_FINGERPRINT_BYTES);
}

fer_status fer_gateway_open(fer_gateway *gateway, const uint8_t *record, size_t n, uint8_t *out,
                            size_t capacity, fer_opened *opened)
{
    struct arrival arrival = {.record = record, .n = n};
    fer_status status;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    if (record == NULL || out == NULL || opened == NULL) {
        return FER_ERR_ARGUMENT;
    }
    memset(opened, 0, sizeof *opened);
    status = fer_record_parse(record, n, &arrival.header);
    if (status == FER_OK && capacity < fer_header_plaintext(&arrival.header, n)) {
        return FER_ERR_CAPACITY;
    }
    if (status == FER_OK) {
        status = locate(gateway, &arrival);
    }
    if (status != FER_OK) {
        fer_record_reject(arrival.header.length, n, out, capacity);
        return count_drop(gateway, status);
    }
    status = attempt(gateway, &arrival, out, opened);
    if (status == FER_OK) {
        write_ticket(gateway, &arrival, opened);
    }
    return status;
}

/* ---- records that were refused ---------------------------------------------------------- */

/* Steps 1 to 3, without a limit and whatever the window says. */
static fer_status place(const fer_gateway *gateway, struct arrival *arrival)
{
    const struct fer_context *context;
    const uint32_t *window;
    fer_header *header = &arrival->header;
    fer_status status = find_context(gateway, arrival);

    if (status != FER_OK || fer_header_is_full(header)) {
        return status;
    }
    context = &gateway->contexts[arrival->context];
    status = resolve_generation(context, header);
    if (status == FER_OK) {
        window = fer_gateway_find_windows(gateway, arrival->context, header->generation);
        header->sequence = fer_record_nearest(window != NULL ? window[0] : 0, header->sequence);
    }
    /* Where no window refuses it: the number that nobody uses. */
    return status == FER_OK && header->sequence == FER_SEQUENCE_END ? FER_DROP_MALFORMED : status;
}

fer_status fer_gateway_inspect(const fer_gateway *gateway, const uint8_t *record, size_t n,
                               uint32_t *context, fer_unverified *header)
{
    struct arrival arrival = {.record = record, .n = n};
    fer_status status;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    if (context == NULL) {
        return FER_ERR_ARGUMENT;
    }
    status = fer_record_inspect(record, n, header);
    if (status == FER_OK) {
        status = fer_record_parse(record, n, &arrival.header);
    }
    if (status == FER_OK) {
        status = place(gateway, &arrival);
    }
    if (status == FER_OK) {
        *context = arrival.context;
        header->generation = arrival.header.generation;
        header->sequence = arrival.header.sequence;
    }
    return status;
}

/* What the tag, or below the floor the claim, says of a record that was placed. */
static fer_status verify(fer_gateway *gateway, const struct arrival *arrival, uint8_t *scratch)
{
    const struct fer_context *context = &gateway->contexts[arrival->context];
    const fer_header *header = &arrival->header;
    fer_branch branch = branch_of(header);
    fer_record_key kept;
    fer_opened opened;
    fer_status status;

    if (header->generation > context->cur) {
        return FER_DROP_FAR;
    }
    if (header->generation < context->floor) {
        return fer_header_is_full(header) && claim_verifies(gateway, arrival) ? FER_DROP_OLD
                                                                              : FER_DROP_FORGED;
    }
    status = fer_record_attempt(
        fer_gateway_get_key(gateway, arrival->context, header->generation, branch, &kept),
        arrival->record, arrival->n, header, scratch, &opened);
    fer_wipe(&kept, sizeof kept);
    fer_wipe(scratch, fer_header_plaintext(header, arrival->n));
    return status;
}

fer_status fer_gateway_verify(fer_gateway *gateway, const uint8_t *record, size_t n,
                              uint8_t *scratch, size_t capacity)
{
    struct arrival arrival = {.record = record, .n = n};
    fer_status status;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    if (record == NULL || scratch == NULL) {
        return FER_ERR_ARGUMENT;
    }
    status = fer_record_parse(record, n, &arrival.header);
    if (status == FER_OK && capacity < n) {
        status = FER_ERR_CAPACITY;
    }
    if (status == FER_OK) {
        status = place(gateway, &arrival);
        /* A short form that can name no generation has nothing to vouch for it. */
        status = status == FER_DROP_OLD ? FER_DROP_FORGED : status;
    }
    return status == FER_OK ? verify(gateway, &arrival, scratch) : status;
}

/* ---- commit ----------------------------------------------------------------------------- */

/* Step 6: everything is checked again, for state may have moved since the record was opened; then
 * current generation, floor and window move. */
static fer_status accept(fer_gateway *gateway, uint32_t number, uint32_t generation, uint32_t lane,
                         uint32_t sequence)
{
    struct fer_context *context = &gateway->contexts[number];
    uint32_t *windows = fer_gateway_find_windows(gateway, number, generation);
    fer_status status;

    if (generation < context->floor) {
        return FER_DROP_OLD;
    }
    if (generation > context->cur) {
        if (generation - context->cur > gateway->config.max_skip) {
            return FER_DROP_FAR;
        }
        fer_gateway_advance(gateway, number, generation);
        windows = fer_gateway_get_windows(gateway, number);
    } else if (windows == NULL) {
        windows = fer_gateway_claim_slot(gateway, number, generation);
    }
    if (windows == NULL) {
        return FER_DROP_OLD;
    }
    windows += lane * fer_gateway_lane_cells(gateway);
    status = fer_window_mark(windows, windows + 1, gateway->config.window_bits, sequence);
    if (status == FER_OK) {
        context->flags |= FER_CONTEXT_HEARD;
        context->revision++;
    }
    return status;
}

fer_status fer_gateway_commit(fer_gateway *gateway, fer_ticket *ticket)
{
    const struct fer_context *context;
    fer_ticket spent;
    uint32_t number;
    uint32_t lane;
    fer_status status = FER_DROP_ROUTE;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    if (ticket == NULL) {
        return FER_ERR_ARGUMENT;
    }
    spent = *ticket;
    number = (uint32_t)(spent.opaque[CELL_GENERATION] >> 32);
    lane = (uint32_t)(spent.opaque[CELL_NUMBER] >> 32);
    if (spent.opaque[CELL_TAG] != gateway->tag || lane > FER_LANE_BACKLOG ||
        (uint32_t)spent.opaque[CELL_NUMBER] == FER_SEQUENCE_END ||
        (uint32_t)spent.opaque[CELL_GENERATION] == FER_SEQUENCE_END) {
        return FER_ERR_ORDER;
    }
    fer_ticket_abort(ticket);
    context = fer_gateway_get_context(gateway, number);
    if (context != NULL &&
        memcmp(&spent.opaque[CELL_FINGERPRINT], context->fingerprint, FER_FINGERPRINT_BYTES) == 0) {
        status = accept(gateway, number, (uint32_t)spent.opaque[CELL_GENERATION], lane,
                        (uint32_t)spent.opaque[CELL_NUMBER]);
    }
    if (status != FER_OK) {
        return count_drop(gateway, status);
    }
    fer_gateway_count(&gateway->counts.committed);
    return FER_OK;
}

fer_status fer_gateway_receive(fer_gateway *gateway, const uint8_t *record, size_t n, uint8_t *out,
                               size_t capacity, fer_opened *opened)
{
    fer_status status = fer_gateway_open(gateway, record, n, out, capacity, opened);

    return status == FER_OK ? fer_gateway_commit(gateway, &opened->ticket) : status;
}
