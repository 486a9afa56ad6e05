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
    uint32_t words[]; /* the windows, by lane */
};

/* Cells of a ticket. The first is the opener's own tag, so that no other takes it; zero: spent. */
enum { CELL_TAG, CELL_GENERATION, CELL_LANE, CELL_SEQUENCE };

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
    body = fer_generation_get_body(generation);
    (void)!fer_generation_take_key(body, down ? FER_BRANCH_DOWN : FER_BRANCH_UP, &made->keys[0]);
    if (!down) {
        (void)!fer_generation_take_key(body, FER_BRANCH_BACKLOG, &made->keys[1]);
    }
    made->bits = config->window_bits;
    memset(made->mask, 0xFF, made->end.name.length - 1u);
    made->lanes = down ? 1 : 2;
    made->end.tag = fer_tag_make(made, FER_TAG_OPENER);
    *opener = made;
    return FER_OK;
}

static uint32_t *get_words(fer_opener *opener, unsigned lane)
{
    return opener->words + lane * (opener->bits / 32u);
}

/* Whether a parsed record is of this context and direction. Eight bytes behind the first are there
 * whatever the route's length; those that are none of it are masked out. */
static bool is_named(const fer_opener *opener, const uint8_t *record, unsigned first)
{
    const uint8_t *route = opener->end.name.bytes + 1;

    return (first & ~(unsigned)(FER_FIRST_FULL | FER_FIRST_BACKLOG)) == opener->end.name.bytes[0] &&
           ((fer_load_u32(record + 1) ^ fer_load_u32(route)) & fer_load_u32(opener->mask)) == 0 &&
           ((fer_load_u32(record + 5) ^ fer_load_u32(route + 4)) &
            fer_load_u32(opener->mask + 4)) == 0;
}

/* Makes generation and sequence exact; then whether they may be opened, before a key is touched. */
static fer_status locate(const fer_opener *opener, const uint8_t *record, fer_header *header)
{
    unsigned lane = (unsigned)fer_header_lane(header);
    bool full = fer_header_is_full(header);
    uint32_t own = opener->end.generation;

    if (!is_named(opener, record, header->first)) {
        return FER_DROP_ROUTE;
    }
    if (header->generation != (full ? own : (uint8_t)own)) {
        return full && header->generation > own ? FER_DROP_FAR : FER_DROP_OLD;
    }
    header->generation = own;
    if (!full) {
        header->sequence = fer_record_nearest(opener->next[lane], header->sequence);
    }
    return fer_window_check(opener->next[lane], opener->words + lane * (opener->bits / 32u),
                            opener->bits, header->sequence);
}

/* The whole of opening. `committing` is the opener where its window moves at once, else null and a
 * ticket is written. */
static fer_status open_record(const fer_opener *opener, const uint8_t *record, size_t n,
                              uint8_t *out, size_t capacity, fer_opened *opened,
                              fer_opener *committing)
{
    fer_header header;
    fer_status status;
    unsigned lane;

    if (!is_open(opener)) {
        return FER_ERR_HANDLE;
    }
    if (record == NULL || out == NULL || opened == NULL) {
        return FER_ERR_ARGUMENT;
    }
    opened->length = 0;
    opened->ticket.opaque[CELL_TAG] = 0;
    status = fer_record_parse(record, n, &header);
    if (status == FER_OK) {
        if (capacity < fer_header_plaintext(&header, n)) {
            return FER_ERR_CAPACITY;
        }
        status = locate(opener, record, &header);
    }
    if (status != FER_OK) {
        fer_record_reject(header.length, n, out, capacity);
        return status;
    }
    lane = (unsigned)fer_header_lane(&header);
    status = fer_record_attempt(&opener->keys[lane], record, n, &header, out, opened);
    if (status != FER_OK) {
        return status;
    }
    if (committing != NULL) {
        return fer_window_mark(&committing->next[lane], get_words(committing, lane),
                               committing->bits, header.sequence);
    }
    opened->ticket.opaque[CELL_TAG] = opener->end.tag;
    opened->ticket.opaque[CELL_GENERATION] = header.generation;
    opened->ticket.opaque[CELL_LANE] = lane;
    opened->ticket.opaque[CELL_SEQUENCE] = header.sequence;
    return FER_OK;
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
    lane = (unsigned)ticket->opaque[CELL_LANE];
    if (ticket->opaque[CELL_TAG] != opener->end.tag ||
        ticket->opaque[CELL_GENERATION] != opener->end.generation || lane >= opener->lanes) {
        return FER_ERR_ORDER;
    }
    ticket->opaque[CELL_TAG] = 0;
    return fer_window_mark(&opener->next[lane], get_words(opener, lane), opener->bits,
                           (uint32_t)ticket->opaque[CELL_SEQUENCE]);
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
