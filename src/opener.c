/* Ferrule: opener (floor 3). Invariants ONCE (only commit moves a window, and it checks and marks
 * in one step) and FIRST (a drop leaves zeros, and the opener as it was). */
#include <string.h>

#include "internal/arena.h"
#include "internal/record.h"
#include "internal/replay.h"

struct fer_opener {
    fer_tag tag;
    fer_record_key keys[2]; /* by lane; only the up direction has a backlog */
    uint32_t next[2];
    uint32_t generation;
    uint32_t bits;
    fer_record_name name;
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

/* Bits of fer_generation_body.present that an opener of this direction needs. */
static unsigned get_branches(fer_direction direction)
{
    return direction == FER_DOWN ? 1u << FER_BRANCH_DOWN
                                 : 1u << FER_BRANCH_UP | 1u << FER_BRANCH_BACKLOG;
}

static void take_keys(struct fer_generation_body *body, fer_direction direction,
                      fer_record_key keys[2])
{
    if (direction == FER_DOWN) {
        (void)!fer_generation_take_key(body, FER_BRANCH_DOWN, &keys[FER_LANE_LIVE]);
        return;
    }
    (void)!fer_generation_take_key(body, FER_BRANCH_UP, &keys[FER_LANE_LIVE]);
    (void)!fer_generation_take_key(body, FER_BRANCH_BACKLOG, &keys[FER_LANE_BACKLOG]);
}

static fer_status build(fer_arena *arena, struct fer_generation_body *body,
                        const fer_opener_config *config, fer_opener **opener)
{
    unsigned lanes = config->direction == FER_UP ? 2u : 1u;
    fer_opener *made = fer_arena_carve(arena, measure(lanes, config->window_bits));

    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    take_keys(body, config->direction, made->keys);
    fer_record_name_build(&made->name, body->kind, config->direction, body->route,
                          body->route_length);
    made->generation = body->generation;
    made->bits = config->window_bits;
    made->lanes = (uint8_t)lanes;
    made->tag = fer_tag_make(made, FER_TAG_OPENER);
    *opener = made;
    return FER_OK;
}

fer_status fer_opener_create(fer_arena *arena, fer_generation *generation,
                             const fer_opener_config *config, fer_opener **opener)
{
    struct fer_generation_body *body = fer_generation_get_body(generation);

    if (config == NULL || opener == NULL || (unsigned)config->direction > FER_DOWN ||
        !fer_window_bits_are_valid(config->window_bits)) {
        return FER_ERR_ARGUMENT;
    }
    if (body == NULL) {
        return FER_ERR_HANDLE;
    }
    if ((get_branches(config->direction) & ~(unsigned)body->present) != 0) {
        return FER_ERR_ORDER;
    }
    if (fer_crypto_start() != FER_OK) {
        return FER_TROUBLE_CRYPTO;
    }
    return build(arena, body, config, opener);
}

/* Generation and sequence as far as a short form leaves them open; then whether they may be
 * opened at all, before a key is touched. */
static fer_status locate(const fer_opener *opener, const uint8_t *record, fer_unverified *header)
{
    bool full = header->form == FER_FORM_FULL;
    uint32_t generation = full ? opener->generation : (uint8_t)opener->generation;

    if (!fer_record_is_named(&opener->name, record)) {
        return FER_DROP_ROUTE;
    }
    if (header->generation != generation) {
        return full && header->generation > generation ? FER_DROP_FAR : FER_DROP_OLD;
    }
    header->generation = opener->generation;
    if (!full) {
        header->sequence = fer_record_nearest(opener->next[header->lane], header->sequence);
    }
    return fer_window_check(opener->next[header->lane],
                            opener->words + header->lane * (opener->bits / 32u), opener->bits,
                            header->sequence);
}

fer_status fer_opener_open(const fer_opener *opener, const uint8_t *record, size_t n, uint8_t *out,
                           size_t capacity, fer_opened *opened)
{
    fer_unverified header;
    fer_status status;

    if (!is_open(opener)) {
        return FER_ERR_HANDLE;
    }
    if (record == NULL || out == NULL || opened == NULL) {
        return FER_ERR_ARGUMENT;
    }
    memset(opened, 0, sizeof *opened);
    status = fer_record_inspect(record, n, &header);
    if (status == FER_OK && capacity < fer_record_plaintext(n, &header)) {
        return FER_ERR_CAPACITY;
    }
    if (status == FER_OK) {
        status = locate(opener, record, &header);
    }
    if (status != FER_OK) {
        fer_record_reject(&header, n, out, capacity);
        return status;
    }
    status = fer_record_attempt(&opener->keys[header.lane], record, n, &header, out, opened);
    if (status == FER_OK) {
        opened->ticket.opaque[CELL_TAG] = opener->tag;
        opened->ticket.opaque[CELL_GENERATION] = header.generation;
        opened->ticket.opaque[CELL_LANE] = header.lane;
        opened->ticket.opaque[CELL_SEQUENCE] = header.sequence;
    }
    return status;
}

fer_status fer_opener_commit(fer_opener *opener, fer_ticket *ticket)
{
    uint64_t lane;
    uint32_t sequence;

    if (!is_open(opener)) {
        return FER_ERR_HANDLE;
    }
    if (ticket == NULL) {
        return FER_ERR_ARGUMENT;
    }
    lane = ticket->opaque[CELL_LANE];
    sequence = (uint32_t)ticket->opaque[CELL_SEQUENCE];
    if (ticket->opaque[CELL_TAG] != opener->tag ||
        ticket->opaque[CELL_GENERATION] != opener->generation || lane >= opener->lanes) {
        return FER_ERR_ORDER;
    }
    fer_ticket_abort(ticket);
    return fer_window_mark(&opener->next[lane], opener->words + lane * (opener->bits / 32u),
                           opener->bits, sequence);
}

void fer_ticket_abort(fer_ticket *ticket)
{
    if (ticket != NULL) {
        memset(ticket, 0, sizeof *ticket);
    }
}

fer_status fer_opener_receive(fer_opener *opener, const uint8_t *record, size_t n, uint8_t *out,
                              size_t capacity, fer_opened *opened)
{
    fer_status status = fer_opener_open(opener, record, n, out, capacity, opened);

    return status == FER_OK ? fer_opener_commit(opener, &opened->ticket) : status;
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
