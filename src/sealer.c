/* Ferrule: sealer (floor 3). Invariant NONCE: the number advances before keystream exists and
 * never goes back; a key has one sealer; the last number is never used. */
#include <limits.h>
#include <string.h>

#include "internal/arena.h"
#include "internal/bytes.h"
#include "internal/draw.h"
#include "internal/record.h"
#include "internal/replay.h"

enum { PATIENCE = 64, ONE_WAY_FIRST = 4, ONE_WAY_EVERY = 32, SALT_BYTES = 8 };

_Static_assert(sizeof(struct fer_sealer) <= FER_SEALER_SIZE, "FER_SEALER_SIZE is too small");
_Static_assert(FER_SEALER_SIZE < sizeof(struct fer_sealer) + 32u, "FER_SEALER_SIZE is wasteful");

static bool is_open(const fer_sealer *sealer)
{
    return fer_tag_is((const fer_tag *)sealer, FER_TAG_SEALER);
}

/* Out of range where the config is. */
static unsigned get_branch(const fer_sealer_config *config)
{
    unsigned lane = (unsigned)config->lane;

    if (config->direction == FER_DOWN) {
        return lane == FER_LANE_LIVE && fer_can_draw(config->entropy) ? FER_BRANCH_DOWN : UINT_MAX;
    }
    return config->direction == FER_UP && lane <= FER_LANE_BACKLOG &&
                   (unsigned)config->way <= FER_ONE_WAY
               ? lane
               : UINT_MAX;
}

/* The lanes of an up sealer are its branches. */
_Static_assert((int)FER_BRANCH_UP == (int)FER_LANE_LIVE &&
                   (int)FER_BRANCH_BACKLOG == (int)FER_LANE_BACKLOG,
               "lanes are branches");

static bool draw_salt(const fer_sealer *sealer, uint8_t *salt, uint8_t nonce[FER_NONCE_BYTES])
{
    if (fer_draw(sealer->of.entropy, salt, SALT_BYTES) != FER_OK) {
        return false;
    }
    fer_record_nonce(nonce, salt, sealer->end.generation, fer_load_u32(nonce + 4));
    return true;
}

void fer_sealer_turn_down(fer_sealer *sealer, fer_entropy entropy)
{
    sealer->of.entropy = entropy;
    sealer->counter = FER_COUNTER_DOWN;
    sealer->salt = draw_salt;
}

fer_status fer_sealer_create(fer_arena *arena, fer_generation *generation,
                             const fer_sealer_config *config, fer_sealer **sealer)
{
    static const uint8_t flags[] = {0, FER_FIRST_BACKLOG, FER_FIRST_DOWN}; /* by fer_branch */
    unsigned branch = config == NULL ? UINT_MAX : get_branch(config);
    struct fer_generation_body *body;
    fer_record_end *end;
    fer_sealer *made;
    fer_status status;

    if (sealer == NULL || branch == UINT_MAX) {
        return FER_ERR_ARGUMENT;
    }
    status = fer_record_create(arena, generation, sizeof *made, 1u << branch, flags[branch], &end);
    if (status != FER_OK) {
        return status;
    }
    made = (fer_sealer *)end;
    body = (struct fer_generation_body *)(void *)generation; /* an open one, or no end was made */
    (void)!fer_generation_take_key(body, (fer_branch)branch, &made->key);
    made->counter = FER_COUNTER_FULL;
    if (branch == FER_BRANCH_DOWN) {
        fer_sealer_turn_down(made, config->entropy);
    } else {
        made->of.claim = body->claim;
    }
    if (branch == FER_BRANCH_UP) {
        made->one_way = config->way == FER_ONE_WAY;
        made->patience = config->way == FER_ONE_WAY ? 0 : PATIENCE;
    }
    made->end.tag = fer_tag_make(made, FER_TAG_SEALER);
    *sealer = made;
    return FER_OK;
}

/* Whether the next record has the full form. */
static bool is_full(const fer_sealer *sealer)
{
    if (sealer->one_way) {
        return sealer->next < ONE_WAY_FIRST || sealer->next % ONE_WAY_EVERY == 0;
    }
    return sealer->left <= 1;
}

static size_t measure_header(const fer_sealer *sealer)
{
    return sealer->end.name.length +
           (is_full(sealer) ? sealer->counter : (size_t)FER_COUNTER_SHORT);
}

size_t fer_sealer_get_overhead(const fer_sealer *sealer)
{
    return is_open(sealer) ? measure_header(sealer) + FER_TAG_BYTES : 0;
}

/* Writes the header of record `sequence`, and its nonce; false where there is no entropy for a
 * salt. */
static bool put_header(const fer_sealer *sealer, uint32_t sequence, size_t length,
                       uint8_t nonce[FER_NONCE_BYTES], uint8_t *out)
{
    uint8_t *counter = out + sealer->end.name.length;

    memcpy(out, sealer->end.name.bytes, sealer->end.name.length);
    fer_record_nonce(nonce, NULL, sealer->end.generation, sequence);
    if (length == sealer->end.name.length + (size_t)FER_COUNTER_SHORT) {
        counter[0] = (uint8_t)sealer->end.generation;
        fer_store_u16(counter + 1, (uint16_t)sequence);
        return true;
    }
    out[0] |= FER_FIRST_FULL;
    fer_store_u32(counter, sealer->end.generation);
    fer_store_u32(counter + 4, sequence);
    if (sealer->salt != NULL) {
        return sealer->salt(sealer, counter + 8, nonce);
    }
    fer_schedule_claim(&sealer->of.claim, out, length - 4u, counter + 8);
    return true;
}

/* The number of the next record, never to be given again (NONCE). */
static uint32_t take_number(fer_sealer *sealer)
{
    if (sealer->left != 0) {
        sealer->left = sealer->left == 1 ? sealer->patience : (uint8_t)(sealer->left - 1u);
    }
    return sealer->next++;
}

fer_status fer_sealer_seal(fer_sealer *sealer, const uint8_t *plaintext, size_t n, uint8_t *out,
                           size_t capacity, size_t *length)
{
    uint8_t nonce[FER_NONCE_BYTES];
    fer_status status = FER_TROUBLE_ENTROPY;
    size_t header;
    uint32_t sequence;

    if (!is_open(sealer)) {
        return FER_ERR_HANDLE;
    }
    if ((plaintext == NULL && n != 0) || n > FER_PLAINTEXT_MAX || out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    header = measure_header(sealer);
    if (capacity < header + n + FER_TAG_BYTES) {
        return FER_ERR_CAPACITY;
    }
    if (sealer->next == FER_SEQUENCE_END) {
        return FER_RENEW_EXHAUSTED;
    }
    sequence = take_number(sealer);
    if (put_header(sealer, sequence, header, nonce, out)) {
        status =
            fer_crypto_seal(&sealer->key.secret, nonce, out, header, plaintext, n, out + header);
    }
    if (status != FER_OK) {
        fer_wipe(out, header + n + FER_TAG_BYTES);
        return status;
    }
    *length = header + n + FER_TAG_BYTES;
    return FER_OK;
}

fer_status fer_sealer_acknowledge(fer_sealer *sealer)
{
    if (!is_open(sealer)) {
        return FER_ERR_HANDLE;
    }
    sealer->left = sealer->patience;
    return FER_OK;
}

fer_status fer_sealer_get_next(const fer_sealer *sealer, uint32_t *sequence)
{
    if (!is_open(sealer)) {
        return FER_ERR_HANDLE;
    }
    if (sequence == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *sequence = sealer->next;
    return FER_OK;
}

fer_status fer_sealer_advance(fer_sealer *sealer, uint32_t next)
{
    if (!is_open(sealer)) {
        return FER_ERR_HANDLE;
    }
    if (next < sealer->next) {
        return FER_ERR_ARGUMENT;
    }
    sealer->next = next;
    return FER_OK;
}

bool fer_sealer_move(fer_sealer **sealer, fer_arena *arena)
{
    fer_sealer *moved = is_open(*sealer) ? fer_arena_carve(arena, sizeof *moved) : NULL;

    if (moved == NULL) {
        return false;
    }
    *moved = **sealer;
    moved->end.tag = fer_tag_make(moved, FER_TAG_SEALER);
    fer_sealer_close(sealer);
    *sealer = moved;
    return true;
}

bool fer_sealer_suspend(fer_sealer **sealer, fer_record_key *key, uint32_t *next)
{
    if (sealer == NULL || !is_open(*sealer)) {
        return false;
    }
    *key = (*sealer)->key;
    *next = (*sealer)->next;
    fer_sealer_close(sealer);
    return true;
}

void fer_sealer_close(fer_sealer **sealer)
{
    if (sealer != NULL && is_open(*sealer)) {
        fer_arena_retire(*sealer, sizeof **sealer);
        *sealer = NULL;
    }
}
