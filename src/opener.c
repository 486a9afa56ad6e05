/* Ferrule: opener (floor 3). Invariants ONCE (only commit moves a window, and it checks and marks
 * in one step) and FIRST (a drop leaves zeros, and the opener as it was). */
#include <string.h>

#include "internal/arena.h"
#include "internal/bytes.h"
#include "internal/record.h"
#include "internal/replay.h"

struct fer_opener {
    fer_record_end end;
    fer_record_key keys[2]; /* by lane; only the up direction has a backlog */
    uint32_t next[2];
    uint32_t bits;
    uint8_t mask[FER_ROUTE_MAX]; /* ones where the route has bytes */
    uint8_t lanes;
    uint8_t counter;  /* bytes of the counter of the full form */
    uint16_t brief;   /* first byte of the short form; down, where there is none, NO_BYTE */
    uint32_t words[]; /* the windows, by lane */
};

enum { NO_BYTE = 0x100 };

_Static_assert(sizeof(struct fer_opener) + 2u * FER_REPLAY_BITS_MIN / 8u <=
                   FER_OPENER_SIZE(FER_REPLAY_BITS_MIN),
               "FER_OPENER_SIZE is too small");
_Static_assert(FER_OPENER_SIZE(FER_REPLAY_BITS_MIN) <
                   sizeof(struct fer_opener) + 2u * FER_REPLAY_BITS_MIN / 8u + 64u,
               "FER_OPENER_SIZE is wasteful");

static bool is_open(const fer_opener *opener)
{
    return fer_tag_is((const fer_tag *)opener, FER_TAG_OPENER);
}

static size_t measure(unsigned lanes, uint32_t bits)
{
    return sizeof(fer_opener) + lanes * (bits / 8u);
}

fer_status fer_opener_create(fer_arena *arena, fer_generation *generation,
                             const fer_opener_config *config, fer_opener **opener)
{
    struct fer_generation_body *body;
    fer_record_end *end;
    fer_opener *made;
    fer_status status;
    bool down;

    if (config == NULL || opener == NULL || (unsigned)config->direction > FER_DOWN ||
        !fer_window_bits_are_valid(config->window_bits)) {
        return FER_ERR_ARGUMENT;
    }
    down = config->direction == FER_DOWN;
    status = fer_record_create(arena, generation, measure(down ? 1 : 2, config->window_bits),
                               down ? 1u << FER_BRANCH_DOWN
                                    : 1u << FER_BRANCH_UP | 1u << FER_BRANCH_BACKLOG,
                               down ? FER_FIRST_DOWN : 0u, &end);
    if (status != FER_OK) {
        return status;
    }
    made = (fer_opener *)end;
    body = (struct fer_generation_body *)(void *)generation; /* an open one, or no end was made */
    (void)!fer_generation_take_key(body, down ? FER_BRANCH_DOWN : FER_BRANCH_UP, &made->keys[0]);
    if (!down) {
        (void)!fer_generation_take_key(body, FER_BRANCH_BACKLOG, &made->keys[1]);
    }
    made->bits = config->window_bits;
    memset(made->mask, 0xFF, made->end.name.length - 1u);
    made->lanes = down ? 1 : 2;
    made->counter = down ? FER_COUNTER_DOWN : FER_COUNTER_FULL;
    made->brief = down ? NO_BYTE : made->end.name.bytes[0];
    made->end.tag = fer_tag_make(made, FER_TAG_OPENER);
    *opener = made;
    return FER_OK;
}

static bool is_down(const fer_opener *opener)
{
    return (opener->end.name.bytes[0] & FER_FIRST_DOWN) != 0;
}

static unsigned get_lane(const uint8_t *record)
{
    return record[0] / FER_FIRST_BACKLOG % 2u;
}

static uint32_t *get_words(fer_opener *opener, unsigned lane)
{
    return opener->words + lane * (opener->bits / 32u);
}

/* ---- before a key is touched ------------------------------------------------------------ */

/* What is called on this path takes what open takes, in the same places (instead of the capacity
 * `text`, the bytes of plaintext, once they are known to fit): so refusing a record costs neither
 * moves nor saved registers. What its header claims goes to *opened at once, and means nothing
 * until length and ticket are set. */

/* Whether a record has this opener's route. Its first 9 bytes are there. */
static FER_INLINE bool has_route(const fer_opener *opener, const uint8_t *record)
{
    uint64_t route;
    uint64_t expected;
    uint64_t mask;

    memcpy(&route, record + 1, sizeof route);
    memcpy(&expected, opener->end.name.bytes + 1, sizeof expected);
    memcpy(&mask, opener->mask, sizeof mask);
    return ((route ^ expected) & mask) == 0;
}

/* Why a record of another generation is dropped. */
static FER_COLD fer_status judge_generation(uint32_t generation, uint32_t own)
{
    if (generation == FER_SEQUENCE_END) {
        return FER_DROP_MALFORMED;
    }
    return generation > own ? FER_DROP_FAR : FER_DROP_OLD;
}

/* Whether a record of this opener's route begins as one of the full form does. */
static bool is_full(const fer_opener *opener, const uint8_t *record)
{
    return (record[0] & ~FER_FIRST_BACKLOG) == (opener->end.name.bytes[0] | FER_FIRST_FULL) &&
           get_lane(record) < opener->lanes;
}

static FER_OUT_OF_LINE fer_status drop_long(fer_status status, uint8_t *out, size_t text)
{
    memset(out, 0, text);
    return status;
}

/* Leaves zeros (FIRST). */
static FER_INLINE fer_status drop(fer_status status, uint8_t *out, size_t text, fer_opened *opened)
{
    enum { HALF = 32 };

    opened->length = 0;
    opened->ticket.opaque[FER_TICKET_TAG] = 0;
    if (FER_FAST && text >= HALF && text <= 2 * HALF) {
        memset(out, 0, HALF); /* two halves that may overlap, of a known size: no call */
        memset(out + text - HALF, 0, HALF);
        return status;
    }
    return drop_long(status, out, text);
}

/* Why nothing was opened: the call is wrong, the record is not this opener's, or does not fit. */
static FER_COLD fer_status reject(const fer_opener *opener, const uint8_t *record, size_t n,
                                  uint8_t *out, size_t capacity, fer_opened *opened)
{
    fer_header header;
    fer_status status;

    if (!is_open(opener)) {
        return FER_ERR_HANDLE;
    }
    if (record == NULL || out == NULL || opened == NULL) {
        return FER_ERR_ARGUMENT;
    }
    opened->length = 0;
    opened->ticket.opaque[FER_TICKET_TAG] = 0;
    status = fer_record_parse(record, n, &header);
    if (status == FER_OK && capacity < fer_header_plaintext(&header, n)) {
        return FER_ERR_CAPACITY;
    }
    fer_record_reject(header.length, n, out, capacity);
    return status == FER_OK ? FER_DROP_ROUTE : status;
}

/* ---- opening ---------------------------------------------------------------------------- */

/* The one AEAD attempt at a record that was admitted. */
static FER_INLINE fer_status attempt(const fer_opener *opener, const uint8_t *record, size_t n,
                                     uint8_t *out, size_t text, fer_opened *opened)
{
    size_t header = n - text - FER_TAG_BYTES;
    const uint8_t *ciphertext = record + header;
    unsigned lane = get_lane(record);
    uint8_t nonce[FER_NONCE_BYTES];
    fer_status status;

    opened->form = (record[0] & FER_FIRST_FULL) != 0 ? FER_FORM_FULL : FER_FORM_SHORT;
    opened->lane = (fer_lane)lane;
    opened->ticket.opaque[FER_TICKET_TAG] = 0;
    opened->generation = opener->end.generation;
    opened->length = text;
    fer_record_nonce(nonce, is_down(opener) ? ciphertext - 8 : NULL, opener->end.generation,
                     opened->sequence);
    status =
        fer_crypto_open(&opener->keys[lane].secret, nonce, record, header, ciphertext, text, out);
    if (status != FER_OK) {
        opened->length = 0; /* out is zeroed already */
        return status;
    }
    opened->context = 0;
    opened->kind = (fer_kind)(opener->end.name.bytes[0] >> FER_FIRST_KIND_SHIFT);
    return FER_OK;
}

static FER_OUT_OF_LINE fer_status finish_open(const fer_opener *opener, const uint8_t *record,
                                              size_t n, uint8_t *out, size_t text,
                                              fer_opened *opened)
{
    fer_status status = attempt(opener, record, n, out, text, opened);

    if (status != FER_OK) {
        return status;
    }
    opened->ticket.opaque[FER_TICKET_TAG] = opener->end.tag;
    opened->ticket.opaque[FER_TICKET_GENERATION] = opener->end.generation;
    opened->ticket.opaque[FER_TICKET_LANE] = opened->lane;
    opened->ticket.opaque[FER_TICKET_SEQUENCE] = opened->sequence;
    return FER_OK;
}

static FER_OUT_OF_LINE fer_status finish_receive(fer_opener *opener, const uint8_t *record,
                                                 size_t n, uint8_t *out, size_t text,
                                                 fer_opened *opened)
{
    fer_status status = attempt(opener, record, n, out, text, opened);

    if (status != FER_OK) {
        return status;
    }
    return fer_window_mark(&opener->next[opened->lane], get_words(opener, (unsigned)opened->lane),
                           opener->bits, opened->sequence);
}

/* The number of a record, completed where the short form leaves it open, to *opened; then whether
 * the record may be opened. */
static FER_INLINE fer_status locate(const fer_opener *opener, const uint8_t *record, bool is_short,
                                    fer_opened *opened)
{
    const uint8_t *counter = record + opener->end.name.length;
    unsigned lane = is_short ? FER_LANE_LIVE : get_lane(record);
    uint32_t next = opener->next[lane];

    if (is_short) {
        if (counter[0] != (uint8_t)opener->end.generation) {
            return FER_DROP_OLD;
        }
        opened->sequence = fer_record_nearest(next, fer_load_u16(counter + 1));
    } else {
        if (fer_load_u32(counter) != opener->end.generation) {
            return judge_generation(fer_load_u32(counter), opener->end.generation);
        }
        opened->sequence = fer_load_u32(counter + 4);
    }
    return fer_window_check(next, opener->words + lane * (opener->bits / 32u), opener->bits,
                            opened->sequence);
}

/* Opens a record of this opener's route, in the short form or not, and marks it in the window (the
 * opener itself), or there is none. All that is read of it lies within the header that was measured
 * (TOTAL). */
static FER_INLINE fer_status open_form(const fer_opener *opener, const uint8_t *record, size_t n,
                                       uint8_t *out, size_t capacity, fer_opened *opened,
                                       fer_opener *window, bool is_short)
{
    unsigned counter = is_short ? FER_COUNTER_SHORT : opener->counter;
    size_t text = n - opener->end.name.length - counter - FER_TAG_BYTES;
    fer_status status;

    /* A record too short has wrapped to one too long. */
    if (text > FER_PLAINTEXT_MAX || text > capacity || (!is_short && !is_full(opener, record))) {
        return reject(opener, record, n, out, capacity, opened);
    }
    status = locate(opener, record, is_short, opened);
    if (status != FER_OK) {
        return drop(status, out, text, opened);
    }
    return window != NULL ? finish_receive(window, record, n, out, text, opened)
                          : finish_open(opener, record, n, out, text, opened);
}

static FER_OUT_OF_LINE fer_status open_full(const fer_opener *opener, const uint8_t *record,
                                            size_t n, uint8_t *out, size_t capacity,
                                            fer_opened *opened)
{
    return open_form(opener, record, n, out, capacity, opened, NULL, false);
}

static FER_OUT_OF_LINE fer_status receive_full(fer_opener *opener, const uint8_t *record, size_t n,
                                               uint8_t *out, size_t capacity, fer_opened *opened)
{
    return open_form(opener, record, n, out, capacity, opened, opener, false);
}

/* Both entries. */
static FER_INLINE fer_status open_record(const fer_opener *opener, const uint8_t *record, size_t n,
                                         uint8_t *out, size_t capacity, fer_opened *opened,
                                         fer_opener *window)
{
    bool is_short;

    if (!is_open(opener) || record == NULL || out == NULL || opened == NULL ||
        n < FER_OVERHEAD_SHORT(0) || !has_route(opener, record)) {
        return reject(opener, record, n, out, capacity, opened);
    }
    is_short = record[0] == opener->brief;
    if (FER_FAST && !is_short) { /* a path for each form, each without the other's work */
        return window != NULL ? receive_full(window, record, n, out, capacity, opened)
                              : open_full(opener, record, n, out, capacity, opened);
    }
    return open_form(opener, record, n, out, capacity, opened, window, is_short);
}

fer_status fer_opener_open(const fer_opener *opener, const uint8_t *record, size_t n, uint8_t *out,
                           size_t capacity, fer_opened *opened)
{
    return open_record(opener, record, n, out, capacity, opened, NULL);
}

fer_status fer_opener_receive(fer_opener *opener, const uint8_t *record, size_t n, uint8_t *out,
                              size_t capacity, fer_opened *opened)
{
    return open_record(opener, record, n, out, capacity, opened, opener);
}

fer_status fer_opener_commit(fer_opener *opener, fer_ticket *ticket)
{
    unsigned lane;

    if (!is_open(opener)) {
        return FER_ERR_HANDLE;
    }
    if (ticket == NULL) {
        return FER_ERR_ARGUMENT;
    }
    lane = (unsigned)ticket->opaque[FER_TICKET_LANE];
    if (ticket->opaque[FER_TICKET_TAG] != opener->end.tag ||
        ticket->opaque[FER_TICKET_GENERATION] != opener->end.generation || lane >= opener->lanes) {
        return FER_ERR_ORDER;
    }
    ticket->opaque[FER_TICKET_TAG] = 0;
    return fer_window_mark(&opener->next[lane], get_words(opener, lane), opener->bits,
                           (uint32_t)ticket->opaque[FER_TICKET_SEQUENCE]);
}

void fer_ticket_abort(fer_ticket *ticket)
{
    if (ticket != NULL) {
        memset(ticket, 0, sizeof *ticket);
    }
}

fer_status fer_opener_advance(fer_opener *opener, uint32_t next)
{
    if (!is_open(opener)) {
        return FER_ERR_HANDLE;
    }
    if (next < opener->next[FER_LANE_LIVE]) {
        return FER_ERR_ARGUMENT;
    }
    opener->next[FER_LANE_LIVE] = next;
    memset(opener->words, 0xFF, opener->bits / 8u);
    return FER_OK;
}

bool fer_opener_move(fer_opener **opener, fer_arena *arena)
{
    size_t n = is_open(*opener) ? measure((*opener)->lanes, (*opener)->bits) : 0;
    fer_opener *moved = n != 0 ? fer_arena_carve(arena, n) : NULL;

    if (moved == NULL) {
        return false;
    }
    memcpy(moved, *opener, n);
    moved->end.tag = fer_tag_make(moved, FER_TAG_OPENER);
    fer_opener_close(opener);
    *opener = moved;
    return true;
}

bool fer_opener_suspend(fer_opener **opener, fer_record_key *key, uint32_t *next)
{
    if (opener == NULL || !is_open(*opener)) {
        return false;
    }
    *key = (*opener)->keys[FER_LANE_LIVE];
    *next = (*opener)->next[FER_LANE_LIVE];
    fer_opener_close(opener);
    return true;
}

void fer_opener_close(fer_opener **opener)
{
    if (opener != NULL && is_open(*opener)) {
        fer_arena_retire(*opener, measure((*opener)->lanes, (*opener)->bits));
        *opener = NULL;
    }
}
