/* Ferrule: sealer (floor 3). Invariant NONCE: the number advances before keystream exists and
 * never goes back; a key has one sealer; the last number is never used. */
#include <string.h>

#include "internal/arena.h"
#include "internal/bytes.h"
#include "internal/record.h"
#include "internal/replay.h"

enum { PATIENCE = 64, ONE_WAY_FIRST = 4, ONE_WAY_EVERY = 32, SALT_BYTES = 8 };

_Static_assert(sizeof(struct fer_sealer) <= FER_SEALER_SIZE, "FER_SEALER_SIZE is too small");
_Static_assert(FER_SEALER_SIZE < sizeof(struct fer_sealer) + 32u, "FER_SEALER_SIZE is wasteful");

static bool is_open(const fer_sealer *sealer)
{
    return fer_tag_is((const fer_tag *)sealer, FER_TAG_SEALER);
}

static bool is_valid(const fer_sealer_config *config)
{
    if (config->direction == FER_DOWN) {
        return config->lane == FER_LANE_LIVE && config->entropy.ops != NULL;
    }
    return config->direction == FER_UP && (unsigned)config->lane <= FER_LANE_BACKLOG &&
           (unsigned)config->way <= FER_ONE_WAY;
}

static fer_branch get_branch(const fer_sealer_config *config)
{
    if (config->direction == FER_DOWN) {
        return FER_BRANCH_DOWN;
    }
    return config->lane == FER_LANE_BACKLOG ? FER_BRANCH_BACKLOG : FER_BRANCH_UP;
}

/* Fills zeroed memory, all but key and tag. */
static void fill(fer_sealer *sealer, const struct fer_generation_body *body,
                 const fer_sealer_config *config)
{
    fer_record_name_build(&sealer->name, body->kind, config->direction, body->route,
                          body->route_length);
    sealer->name.bytes[0] |= (uint8_t)(config->lane == FER_LANE_BACKLOG ? FER_FIRST_BACKLOG : 0);
    sealer->claim = body->claim;
    sealer->generation = body->generation;
    sealer->entropy = config->entropy;
    if (get_branch(config) == FER_BRANCH_UP) {
        sealer->one_way = config->way == FER_ONE_WAY;
        sealer->patience = config->way == FER_ONE_WAY ? 0 : PATIENCE;
    }
}

fer_status fer_sealer_create(fer_arena *arena, fer_generation *generation,
                             const fer_sealer_config *config, fer_sealer **sealer)
{
    struct fer_generation_body *body = fer_generation_get_body(generation);
    fer_sealer *made;

    if (config == NULL || sealer == NULL || !is_valid(config)) {
        return FER_ERR_ARGUMENT;
    }
    if (body == NULL) {
        return FER_ERR_HANDLE;
    }
    if ((body->present & 1u << (unsigned)get_branch(config)) == 0) {
        return FER_ERR_ORDER;
    }
    if (fer_crypto_start() != FER_OK) {
        return FER_TROUBLE_CRYPTO;
    }
    made = fer_arena_carve(arena, sizeof *made);
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    fill(made, body, config);
    (void)!fer_generation_take_key(body, get_branch(config), &made->key);
    made->tag = fer_tag_make(made, FER_TAG_SEALER);
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
    if (!is_full(sealer)) {
        return sealer->name.length + 3u;
    }
    return sealer->name.length + (sealer->name.bytes[0] & FER_FIRST_DOWN ? 16u : 12u);
}

size_t fer_sealer_get_overhead(const fer_sealer *sealer)
{
    return is_open(sealer) ? measure_header(sealer) + FER_TAG_BYTES : 0;
}

/* Writes the header of record `sequence`; false where there is no entropy for a salt. */
static bool put_header(const fer_sealer *sealer, uint32_t sequence, size_t length, uint8_t *out)
{
    uint8_t *counter = out + sealer->name.length;

    memcpy(out, sealer->name.bytes, sealer->name.length);
    if (length == sealer->name.length + 3u) {
        counter[0] = (uint8_t)sealer->generation;
        fer_store_u16(counter + 1, (uint16_t)sequence);
        return true;
    }
    out[0] |= FER_FIRST_FULL;
    fer_store_u32(counter, sealer->generation);
    fer_store_u32(counter + 4, sequence);
    if (sealer->name.bytes[0] & FER_FIRST_DOWN) {
        return sealer->entropy.ops->fill(sealer->entropy.context, counter + 8, SALT_BYTES) ==
               FER_PORT_OK;
    }
    fer_schedule_claim(&sealer->claim, out, length - 4u, counter + 8);
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
    if (put_header(sealer, sequence, header, out)) {
        const uint8_t *salt = sealer->name.bytes[0] & FER_FIRST_DOWN ? out + header - 8 : NULL;

        fer_record_nonce(nonce, salt, sealer->generation, sequence);
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
