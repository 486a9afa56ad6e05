/* Ferrule: store. Creation, and what its callers ask for, over one ring or two: a generation is
 * yielded once no ring can lead back to it (NONCE, CLOSED); internal/store.h has the layout.
 *
 * Whatever fails in a ring, RAM forgets where it was, and the next call recovers it from the region
 * itself. A ring that has failed is left behind only when the other has gone on, and nothing in it
 * verifies any more: else it would lead back to used generations once the other is lost. */
#include "ferrule/store.h"

#include <string.h>

#include "internal/arena.h"
#include "internal/credential.h"
#include "internal/store.h"

_Static_assert(sizeof(struct fer_store) + FER_STORE_PAGE(1) <= FER_STORE_SIZE(1),
               "FER_STORE_SIZE is too small");
_Static_assert(FER_STORE_SIZE(1) <= sizeof(struct fer_store) + FER_STORE_PAGE(1) + 24u,
               "FER_STORE_SIZE is wasteful");

/* Blocks that make two rings: each needs one to hold the newest entry and one to be erased. */
enum { GRANULE_MAX = 512, CELL_BYTES = 8, BLOCKS_OF_TWO_RINGS = 4 };

bool fer_store_is_open(const fer_store *store)
{
    return store != 0 && fer_tag_is(&store->tag, FER_TAG_STORE);
}

/* ---- create and close ------------------------------------------------------------------- */

static bool granule_is_possible(const fer_nv_geometry *geometry)
{
    uint32_t granule = geometry->granule;

    return granule != 0 && granule <= GRANULE_MAX && (granule & (granule - 1u)) == 0 &&
           (geometry->block_size & (granule - 1u)) == 0;
}

static bool medium_is_possible(const fer_nv *nv)
{
    const fer_nv_geometry *geometry = nv->geometry;
    unsigned known = FER_NV_OVERWRITE | FER_NV_REWRITE;

    return nv->ops != 0 && nv->ops->read != 0 && nv->ops->program != 0 && geometry != 0 &&
           granule_is_possible(geometry) && geometry->block_count >= 2 &&
           (geometry->erased == 0x00 || geometry->erased == 0xFF) &&
           (geometry->flags & ~known) == 0 &&
           (nv->ops->erase != 0 || (geometry->flags & (unsigned)FER_NV_REWRITE) != 0);
}

static bool counter_is_possible(const fer_counter *counter)
{
    return counter == 0 ||
           (counter->ops != 0 && counter->ops->read != 0 && counter->ops->raise != 0);
}

static uint16_t round_up(uint32_t n, uint32_t granule)
{
    return (uint16_t)((n + granule - 1u) & ~(granule - 1u));
}

/* Two rings of half the blocks each; an odd one goes to the second. */
static void divide(fer_store *store)
{
    const fer_nv_geometry *geometry = store->nv.geometry;

    store->ring.status = FER_RENEW_MISSING; /* nothing is known yet: the first call recovers */
    store->other.status = FER_RENEW_MISSING;
    if (geometry->block_count >= BLOCKS_OF_TWO_RINGS) {
        store->is_double = true;
        store->other.base = geometry->block_count / 2u * geometry->block_size;
    }
}

/* False where a block holds no slot, or addresses do not fit 32 bits. */
static bool lay_out(fer_store *store)
{
    const fer_nv_geometry *geometry = store->nv.geometry;

    store->body = round_up(FER_CREDENTIAL_BYTES, geometry->granule);
    store->cell = round_up(CELL_BYTES, geometry->granule);
    store->slot = (uint16_t)(store->body + 2u * store->cell);
    uint32_t slots = geometry->block_size / store->slot;
    if (slots > 1 && store->policy == FER_STORE_STRICT && !fer_store_can_overwrite(store)) {
        slots = 1; /* only an erase destroys, so each entry has a block of its own */
    }
    store->end = (slots - 1u) * store->slot;
    divide(store);
    return slots != 0 && geometry->block_count <= UINT32_MAX / geometry->block_size;
}

fer_status fer_store_create(fer_arena *arena, const fer_store_config *config, fer_store **store)
{
    fer_store plan = {0};

    if (config == 0 || store == 0 || !medium_is_possible(&config->nv) ||
        !counter_is_possible(config->counter) ||
        (config->policy != FER_STORE_STRICT && config->policy != FER_STORE_BLOCK)) {
        return FER_ERR_ARGUMENT;
    }
    plan.nv = config->nv;
    plan.policy = (uint8_t)config->policy;
    plan.counter = config->counter;
    if (!lay_out(&plan)) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_crypto_start();
    if (status != FER_OK) {
        return status;
    }
    fer_store *made = fer_arena_carve(arena, sizeof plan + plan.body);
    if (made == 0) {
        return FER_ERR_ARENA;
    }
    *made = plan;
    made->tag = fer_tag_make(made, FER_TAG_STORE);
    *store = made;
    return FER_OK;
}

void fer_store_close(fer_store **store)
{
    if (store == 0 || !fer_store_is_open(*store)) {
        return;
    }
    fer_arena_retire(*store, sizeof **store + (*store)->body);
    *store = 0;
}

/* ---- the rings -------------------------------------------------------------------------- */

static int count_rings(const fer_store *store)
{
    return store->is_double ? 2 : 1;
}

void fer_store_turn(fer_store *store)
{
    uint8_t *ring = (uint8_t *)&store->ring;
    uint8_t *other = (uint8_t *)&store->other;

    for (size_t i = 0; i < sizeof store->ring && store->is_double; i++) {
        uint8_t byte = ring[i];
        ring[i] = other[i];
        other[i] = byte;
    }
}

static bool holds_nothing(const fer_ring *ring)
{
    return ring->status == FER_RENEW_MISSING || ring->status == FER_TROUBLE_STATE;
}

/* Whether the other ring may go on without this one, once nothing in it verifies: not where what
 * ails it may pass (the port failed once, or asks for later), or this build must not touch it. */
static bool is_gone(const fer_ring *ring)
{
    return holds_nothing(ring) || (ring->status == FER_TROUBLE_STORAGE && ring->suspect);
}

bool fer_store_is_other_lost(const fer_store *store, uint32_t generation)
{
    return store->is_double && (store->other.status != FER_OK ||
                                generation - store->other.generation > FER_STORE_BEHIND_MAX);
}

/* ---- finding the next generation -------------------------------------------------------- */

/* Reads both entries. Whether they are, where there are two, of the same identity, epoch and claim
 * key: all that a credential holds but generation and chain key. */
static bool read_both(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    enum { FIRST = 8, END = 88 };

    fer_store_turn(store);
    fer_store_read_newest(store, (fer_credential *)store->page, info);
    fer_store_turn(store);
    fer_store_read_newest(store, credential, info);
    return store->other.status != FER_OK ||
           fer_crypto_equal(store->page + FIRST, credential->bytes + FIRST, END - FIRST);
}

/* Reads the counter, or raises it. An image that was put back stands before what it has seen used
 * (NONCE). */
static fer_status consult_counter(const fer_store *store, uint32_t generation, bool raise)
{
    const fer_counter *counter = store->counter;
    uint32_t lowest = 0;

    if (counter == 0) {
        return FER_OK;
    }
    fer_status status = fer_store_judge(raise ? counter->ops->raise(counter->context, generation)
                                              : counter->ops->read(counter->context, &lowest));
    return status == FER_OK && generation < lowest ? FER_TROUBLE_ROLLBACK : status;
}

fer_status fer_store_gather(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    for (int i = count_rings(store); i > 0; i--) {
        if (store->ring.status != FER_OK) {
            fer_store_recover(store);
        }
        fer_store_turn(store);
    }
    if (store->ring.status != FER_OK ||
        (store->other.status == FER_OK && store->other.generation > store->ring.generation)) {
        fer_store_turn(store);
    }
    bool same = read_both(store, credential, info);
    if (store->other.status != FER_OK && !is_gone(&store->other)) {
        return store->other.status;
    }
    if (store->ring.status != FER_OK) {
        return store->ring.status != FER_RENEW_MISSING ? store->ring.status : store->other.status;
    }
    info->generation = store->ring.generation;
    if (info->generation == FER_STORE_LAST_ENTRY) {
        return FER_RENEW_EXHAUSTED;
    }
    return same ? consult_counter(store, info->generation, false) : FER_TROUBLE_STATE;
}

/* ---- burning ---------------------------------------------------------------------------- */

/* What cannot be read now, or still verifies afterwards, closes the store. Blank blocks that take
 * no entry again are as good as unreadable ones: nothing in them leads back. */
static fer_status rebuild(fer_store *store, const fer_credential *credential, uint32_t steps,
                          uint32_t generation)
{
    fer_store_recover(store);
    if (store->ring.status == FER_OK || holds_nothing(&store->ring)) {
        fer_store_destroy_ring(store);
    }
    if (store->ring.status == FER_OK) {
        fer_store_recover(store);
    }
    if (store->ring.status == FER_RENEW_MISSING) {
        store->ring.status = FER_OK;
        fer_store_advance(store, fer_store_fill_page(store, credential), steps);
        fer_store_write_entry(store, store->ring.base, generation);
        if (store->ring.status == FER_TROUBLE_STORAGE) {
            fer_store_recover(store);
        }
    }
    if (holds_nothing(&store->ring)) {
        return FER_OK;
    }
    return store->ring.status == FER_OK && store->ring.generation != generation
               ? FER_TROUBLE_STATE
               : store->ring.status;
}

fer_status fer_store_rebuild_other(fer_store *store, const fer_credential *credential,
                                   uint32_t steps, uint32_t generation)
{
    fer_store_turn(store);
    fer_status status = rebuild(store, credential, steps, generation);
    fer_store_turn(store);
    return status;
}

/* Whether the ring is some burns behind. */
static bool is_behind(const fer_ring *ring, uint32_t generation)
{
    return ring->status == FER_OK && generation - ring->generation - 1u < FER_STORE_BEHIND_MAX;
}

/* The ring that is behind comes first, so that a cut leaves them no further apart; or that which
 * has failed, so that the one that has not yields. Only where that has come through is the other
 * written anew: a port that fails throughout must not cost both. */
static fer_status burn(fer_store *store, fer_credential *credential)
{
    const uint32_t next = store->ring.generation + 1u;
    fer_status status = FER_OK;

    if (store->ring.suspect && store->other.status == FER_OK && !store->other.suspect) {
        fer_store_turn(store);
    }
    for (int i = 0; i < 2; i++) {
        fer_store_turn(store);
        while (is_behind(&store->ring, next)) {
            fer_store_burn_ring(store, credential);
        }
        status = store->ring.status;
        if (status != FER_OK && !is_gone(&store->ring)) {
            return status;
        }
    }
    if (status == FER_OK && store->ring.generation != next) {
        status = FER_TROUBLE_STORAGE;
    }
    if (status == FER_OK && fer_store_is_other_lost(store, next)) {
        status = fer_store_rebuild_other(store, credential, 1, next);
    }
    return status == FER_OK ? consult_counter(store, next, true) : status;
}

/* ---- the interface ---------------------------------------------------------------------- */

fer_status fer_store_finish(fer_store *store, fer_status status, fer_credential *credential)
{
    fer_wipe(store->page, store->body);
    if (status != FER_OK) {
        fer_credential_wipe(credential);
    }
    return status == FER_DROP_VERSION ? FER_TROUBLE_STATE : status;
}

fer_status fer_store_burn(fer_store *store, fer_credential *credential)
{
    fer_credential_info info;

    if (!fer_store_is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (credential == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_store_gather(store, credential, &info);
    return fer_store_finish(store, status == FER_OK ? burn(store, credential) : status, credential);
}

fer_status fer_store_peek(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    if (!fer_store_is_open(store)) {
        return FER_ERR_HANDLE;
    }
    fer_status status = fer_store_gather(store, credential, info);
    if (status != FER_OK) {
        memset(info, 0, sizeof *info);
    }
    return fer_store_finish(store, status, credential);
}

fer_status fer_store_get_info(fer_store *store, fer_credential_info *info)
{
    fer_credential credential;

    if (!fer_store_is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (info == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_store_peek(store, &credential, info);
    fer_credential_wipe(&credential);
    return status;
}

/* ---- install ---------------------------------------------------------------------------- */

/* Makes room for the first entry: only in a blank ring, or over an install that was cut short
 * before the entry verified, so that no generation of it can have been yielded. */
static void prepare_install(fer_store *store)
{
    fer_store_recover(store);
    fer_status found = store->ring.status;

    if (found == FER_OK) {
        store->ring.status = FER_ERR_ORDER;
    } else if (holds_nothing(&store->ring)) {
        store->ring.status = FER_OK;
        if (found == FER_TROUBLE_STATE) {
            if (fer_store_ring_is_blank(store, store->body)) {
                fer_store_erase(store, store->ring.base);
            } else {
                fer_store_fail(store, FER_ERR_ORDER);
            }
        }
    }
}

/* No ring is written before all have been found to be free. */
static fer_status install(fer_store *store, const fer_credential *credential, uint32_t generation)
{
    fer_status status = consult_counter(store, generation, false);

    for (int i = count_rings(store); i > 0 && status == FER_OK; i--) {
        fer_store_turn(store);
        prepare_install(store);
        status = store->ring.status;
    }
    for (int i = count_rings(store); i > 0 && status == FER_OK; i--) {
        (void)fer_store_fill_page(store, credential);
        fer_store_write_entry(store, store->ring.base, generation);
        status = store->ring.status;
        fer_store_turn(store);
    }
    return status;
}

fer_status fer_store_install(fer_store *store, fer_credential *credential)
{
    fer_credential_info info;

    if (!fer_store_is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (credential == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_credential_get_info(credential, &info);
    if (status == FER_OK && info.generation != 0 && store->counter == 0) {
        status = FER_DROP_MALFORMED;
    }
    if (status != FER_OK) {
        return status;
    }
    status = fer_store_finish(store, install(store, credential, info.generation), 0);
    if (status == FER_OK) {
        fer_credential_wipe(credential);
    }
    return status;
}
