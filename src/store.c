/* Ferrule: store. Burning a generation (NONCE, WIPE, CLOSED); internal/store.h has the layout.
 *
 * A burn changes the region in this order, and a cut between any two steps, or in one, is found
 * by recovery: next slot blank, entry n+1, V, older entries destroyed, next block blank (after a
 * block's last slot), D, and only then n is yielded. Whatever fails, RAM forgets where it was and
 * the next call recovers from the region itself. */
#include "ferrule/store.h"

#include <string.h>

#include "internal/arena.h"
#include "internal/credential.h"
#include "internal/store.h"

_Static_assert(sizeof(struct fer_store) + FER_STORE_PAGE(1) <= FER_STORE_SIZE(1),
               "FER_STORE_SIZE is too small");
_Static_assert(FER_STORE_SIZE(1) <= sizeof(struct fer_store) + FER_STORE_PAGE(1) + 24u,
               "FER_STORE_SIZE is wasteful");

/* Generation 2^32-2 is the last that can have an entry, so the one before is the last to burn. */
#define LAST_ENTRY 0xFFFFFFFEu

enum { GRANULE_MAX = 512, CELL_BYTES = 8 };

static bool is_open(const fer_store *store)
{
    return store != 0 && fer_tag_is(&store->tag, FER_TAG_STORE);
}

static bool can_overwrite(const fer_nv_geometry *geometry)
{
    return (geometry->flags & (unsigned)(FER_NV_OVERWRITE | FER_NV_REWRITE)) != 0;
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

static uint16_t round_up(uint32_t n, uint32_t granule)
{
    return (uint16_t)((n + granule - 1u) & ~(granule - 1u));
}

/* False where a block holds no slot, or the slots cannot be counted in 32 bits. */
static bool lay_out(fer_store *store)
{
    const fer_nv_geometry *geometry = store->nv.geometry;

    store->body = round_up(FER_CREDENTIAL_BYTES, geometry->granule);
    store->cell = round_up(CELL_BYTES, geometry->granule);
    store->slots = geometry->block_size / fer_store_slot_size(store);
    if (store->slots > 1 && store->policy == FER_STORE_STRICT && !can_overwrite(geometry)) {
        store->slots = 1; /* only an erase destroys, so each entry has a block of its own */
    }
    return store->slots != 0 && geometry->block_count <= UINT32_MAX / store->slots;
}

fer_status fer_store_create(fer_arena *arena, const fer_store_config *config, fer_store **store)
{
    fer_store plan = {0};

    if (config == 0 || store == 0 || !medium_is_possible(&config->nv) ||
        (config->policy != FER_STORE_STRICT && config->policy != FER_STORE_BLOCK)) {
        return FER_ERR_ARGUMENT;
    }
    plan.nv = config->nv;
    plan.policy = (uint8_t)config->policy;
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
    if (store == 0 || !is_open(*store)) {
        return;
    }
    fer_arena_retire(*store, sizeof **store + (*store)->body);
    *store = 0;
}

/* ---- destroying ------------------------------------------------------------------------- */

/* Destroys one slot by programming over it; where not told to do so surely, only if it is neither
 * blank nor destroyed already. */
static fer_status destroy_slot(fer_store *store, fer_place at, bool surely)
{
    uint32_t offset = fer_store_offset(store, at);
    uint32_t size = fer_store_slot_size(store);
    bool done = false;
    fer_status status = FER_OK;

    if (!surely) {
        status = fer_store_is_blank(store, at.block, offset, size, &done);
    }
    if (!surely && !done && status == FER_OK) {
        status = fer_store_holds(store, at.block, offset, size, fer_store_destroyed(store), &done);
    }
    if (status != FER_OK || done) {
        return status;
    }
    return fer_store_fill(store, at.block, offset, size, fer_store_destroyed(store));
}

/* The slots after the kept one are the next to be used, so they stay blank. */
static fer_status destroy_in_block(fer_store *store, uint32_t block, fer_place keep)
{
    fer_status status = FER_OK;

    for (uint32_t slot = 0; slot < store->slots && status == FER_OK; slot++) {
        bool later = block == keep.block && slot > keep.slot;

        if (block != keep.block || slot != keep.slot) {
            status = destroy_slot(store, (fer_place){block, slot}, store->thorough && !later);
        }
    }
    return status;
}

/* A block that reads as erased may be so by half, where no port looks at the margin: surely means
 * that it is erased all the same. */
static fer_status make_blank(fer_store *store, uint32_t block, bool surely)
{
    bool blank = false;
    fer_status status = fer_store_is_blank(store, block, 0, store->nv.geometry->block_size, &blank);

    if (status != FER_OK || (blank && (!surely || store->nv.ops->is_blank != 0))) {
        return status;
    }
    return fer_store_erase(store, block);
}

/* Destroys every entry but one, unfinished destructions included (WIPE). */
static fer_status destroy_all_but(fer_store *store, fer_place keep)
{
    bool in_place = can_overwrite(store->nv.geometry);
    fer_status status = FER_OK;

    for (uint32_t block = 0; block < store->nv.geometry->block_count && status == FER_OK; block++) {
        if (in_place) {
            status = destroy_in_block(store, block, keep);
        }
        if (block != keep.block && (!in_place || status == FER_TROUBLE_STORAGE)) {
            status = make_blank(store, block, store->thorough);
        }
    }
    return status;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Programs the credential in the page as an entry, with V once it was read back. */
static fer_status write_entry(fer_store *store, fer_place at)
{
    uint32_t padding = (uint32_t)store->body - FER_CREDENTIAL_BYTES;
    bool blank = false;
    fer_status status = fer_store_slot_is_blank(store, at, &blank);

    if (status == FER_OK && !blank) {
        status = FER_TROUBLE_STORAGE;
    }
    if (status == FER_OK) {
        memset(store->page + FER_CREDENTIAL_BYTES, store->nv.geometry->erased, padding);
        status = fer_store_put(store, at.block, fer_store_offset(store, at), store->body);
    }
    return status == FER_OK ? fer_store_mark(store, at, FER_CELL_V, 'V') : status;
}

/* From here on the entry at `at` is the only one that counts. */
static fer_status settle(fer_store *store, fer_place at)
{
    fer_status status = FER_OK;

    if (store->policy == FER_STORE_STRICT) {
        status = destroy_all_but(store, at);
    }
    if (status == FER_OK && fer_store_is_last(store, at)) {
        status = make_blank(store, fer_store_next_block(store, at.block), false);
    }
    if (status == FER_OK) {
        status = fer_store_mark(store, at, FER_CELL_D, 'D');
    }
    if (status == FER_OK) {
        store->newest = at;
        store->last = at;
        store->skip = 0;
        store->thorough = false;
        store->ready = true;
        store->settled = true;
    }
    return status;
}

/* Whether some slot of the block was once sealed with V. */
static fer_status block_has_v(const fer_store *store, uint32_t block, bool *yes)
{
    fer_status status = FER_OK;

    *yes = false;
    for (uint32_t slot = 0; slot < store->slots && !*yes && status == FER_OK; slot++) {
        status = fer_store_cell_is(store, (fer_place){block, slot}, FER_CELL_V, 'V', yes);
    }
    return status;
}

/* The ring is full of slots whose programming was cut short: the block before the newest entry's
 * is to be erased and begun again. Not so where an entry in it was sealed and has become
 * unreadable: that is what shows that generations were used (NONCE, CLOSED). */
static fer_status may_begin_again(const fer_store *store, uint32_t block)
{
    bool sealed = false;
    fer_status status = block_has_v(store, block, &sealed);

    return status == FER_OK && sealed ? FER_TROUBLE_STATE : status;
}

/* Makes sure that the block after `before` is erased; `before` then says so. */
static fer_status begin_block(fer_store *store, fer_place before, uint32_t block)
{
    bool unmarked = false;
    fer_status status = fer_store_cell_is_blank(store, before, FER_CELL_D, &unmarked);

    if (status == FER_OK) {
        status = make_blank(store, block, true);
    }
    return status == FER_OK && unmarked ? fer_store_mark(store, before, FER_CELL_D, 'E') : status;
}

/* Chooses the slot for the next entry. */
static fer_status choose(fer_store *store, fer_place *at)
{
    *at = fer_store_next(store, store->last);
    if (at->slot != 0 || store->settled) {
        return FER_OK;
    }
    if (at->block != store->newest.block) {
        return begin_block(store, store->last, at->block);
    }
    at->block = store->last.block;
    fer_status status = may_begin_again(store, at->block);
    return status == FER_OK ? make_blank(store, at->block, true) : status;
}

/* ---- the interface ---------------------------------------------------------------------- */

static fer_status make_ready(fer_store *store)
{
    return store->ready ? FER_OK : fer_store_recover(store);
}

static fer_status read_newest(const fer_store *store, fer_credential *credential,
                              fer_credential_info *info)
{
    fer_status status =
        fer_store_read(store, store->newest.block, fer_store_offset(store, store->newest),
                       credential->bytes, sizeof credential->bytes);

    if (status != FER_OK) {
        return status;
    }
    if (fer_credential_read(credential, info, 0, 0) != FER_OK) {
        return FER_TROUBLE_STATE;
    }
    if (store->skip >= LAST_ENTRY - info->generation) {
        return FER_RENEW_EXHAUSTED;
    }
    info->generation += store->skip;
    return FER_OK;
}

/* The credential of the current generation, which may have no entry of its own. */
static fer_status derive_current(const fer_store *store, fer_credential *credential)
{
    fer_credential_info info;
    fer_status status = read_newest(store, credential, &info);

    for (uint32_t i = 0; i < store->skip && status == FER_OK; i++) {
        status = fer_credential_advance(credential);
    }
    return status;
}

static fer_status burn(fer_store *store, fer_credential *credential)
{
    fer_place at = {0, 0};
    fer_status status = derive_current(store, credential);

    if (status == FER_OK) {
        status = choose(store, &at);
    }
    if (status == FER_OK) {
        memcpy(store->page, credential->bytes, sizeof credential->bytes);
        status = fer_credential_advance((fer_credential *)store->page);
    }
    if (status == FER_OK) {
        status = write_entry(store, at);
    }
    return status == FER_OK ? settle(store, at) : status;
}

/* Ends every call: the page holds no key, and a failed call leaves nothing believed. */
static fer_status finish(fer_store *store, fer_status status)
{
    fer_wipe(store->page, store->body);
    if (status != FER_OK) {
        store->ready = false;
        store->settled = false;
    }
    return status;
}

fer_status fer_store_burn(fer_store *store, fer_credential *credential)
{
    if (!is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (credential == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = make_ready(store);
    if (status == FER_OK) {
        status = burn(store, credential);
    }
    if (status != FER_OK) {
        fer_credential_wipe(credential);
    }
    return finish(store, status);
}

fer_status fer_store_get_info(fer_store *store, fer_credential_info *info)
{
    if (!is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (info == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = make_ready(store);
    if (status == FER_OK) {
        status = read_newest(store, (fer_credential *)store->page, info);
    }
    if (status != FER_OK) {
        memset(info, 0, sizeof *info);
    }
    return finish(store, status);
}

fer_status fer_store_peek(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    if (!is_open(store)) {
        return FER_ERR_HANDLE;
    }
    fer_status status = make_ready(store);
    if (status == FER_OK) {
        status = read_newest(store, credential, info);
    }
    if (status != FER_OK) {
        fer_credential_wipe(credential);
        memset(info, 0, sizeof *info);
    }
    return finish(store, status);
}

/* Makes room for the first entry: only in a blank region, or over an install that was cut short
 * before the entry verified, so that no generation of it can have been yielded. */
static fer_status prepare_install(fer_store *store)
{
    bool torn = false;
    fer_status status = fer_store_recover(store);

    if (status == FER_RENEW_MISSING) {
        return FER_OK;
    }
    if (status == FER_OK) {
        return FER_ERR_ORDER;
    }
    if (status == FER_TROUBLE_STATE) {
        status = fer_store_is_torn_install(store, &torn);
        if (status == FER_OK) {
            status = torn ? fer_store_erase(store, 0) : FER_ERR_ORDER;
        }
    }
    return status;
}

fer_status fer_store_install(fer_store *store, fer_credential *credential)
{
    fer_credential_info info;
    fer_place first = {0, 0};

    if (!is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (credential == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_credential_get_info(credential, &info);
    if (status == FER_OK && info.generation != 0) {
        status = FER_DROP_MALFORMED;
    }
    if (status == FER_OK) {
        status = prepare_install(store);
    }
    if (status == FER_OK) {
        memcpy(store->page, credential->bytes, sizeof credential->bytes);
        status = write_entry(store, first);
    }
    if (status == FER_OK) {
        status = settle(store, first);
    }
    if (status == FER_OK) {
        fer_credential_wipe(credential);
    }
    return finish(store, status);
}
