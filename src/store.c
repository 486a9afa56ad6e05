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

/* False where a block holds no slot, or addresses do not fit 32 bits. */
static bool lay_out(fer_store *store)
{
    const fer_nv_geometry *geometry = store->nv.geometry;

    store->body = round_up(FER_CREDENTIAL_BYTES, geometry->granule);
    store->cell = round_up(CELL_BYTES, geometry->granule);
    store->slot = (uint16_t)(store->body + 2u * store->cell);
    uint32_t slots = geometry->block_size / store->slot;
    if (slots > 1 && store->policy == FER_STORE_STRICT && !can_overwrite(geometry)) {
        slots = 1; /* only an erase destroys, so each entry has a block of its own */
    }
    store->end = (slots - 1u) * store->slot;
    return slots != 0 && geometry->block_count <= UINT32_MAX / geometry->block_size;
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
    plan.status = FER_RENEW_MISSING; /* nothing is known yet: the first call recovers */
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

/* A block that reads as erased may be so by half, where no port looks at the margin: surely means
 * that it is erased all the same. */
static void make_blank(fer_store *store, fer_address block, bool surely)
{
    if (!fer_store_is_blank(store, block, store->nv.geometry->block_size) ||
        (surely && store->nv.ops->is_blank == 0)) {
        fer_store_erase(store, block);
    }
}

static void destroy(fer_store *store, fer_address at)
{
    if (can_overwrite(store->nv.geometry)) {
        fer_store_fill(store, at, store->slot, (uint8_t)~store->nv.geometry->erased);
    } else {
        make_blank(store, at, true); /* such a block has no other slot: see lay_out */
    }
}

/* Destroys the former entry, and what a cut left after it. What is older was destroyed before the
 * former one got its D; without that D, all slots are destroyed again, however they read, but for
 * those after the kept one in its block, which stay blank (WIPE). */
static void destroy_all_but(fer_store *store, fer_address keep)
{
    fer_address at = store->thorough ? fer_store_next_block(store, keep) : store->newest;

    for (; at != keep; at = fer_store_next(store, at)) {
        destroy(store, at);
    }
}

/* ---- writing ---------------------------------------------------------------------------- */

static fer_credential *fill_page(fer_store *store, const fer_credential *credential)
{
    fer_store_set_page(store, store->nv.geometry->erased);
    memcpy(store->page, credential->bytes, sizeof credential->bytes);
    return (fer_credential *)store->page;
}

/* Programs the page as the entry at `at`, which from here on is the only one that counts. */
static void write_entry(fer_store *store, fer_address at)
{
    fer_store_put(store, at, store->body);
    fer_store_mark(store, fer_store_v(store, at), 'V');
    if (store->policy == FER_STORE_STRICT) {
        destroy_all_but(store, at);
    }
    if (fer_store_is_last(store, at)) {
        make_blank(store, fer_store_next_block(store, at), false);
    }
    fer_store_mark(store, fer_store_d(store, at), 'D');
    store->newest = at;
    store->last = at;
    store->skip = 0;
    store->thorough = false;
    store->settled = true;
}

/* The ring is full of slots whose programming was cut short: the block that ends with the last is
 * to be erased and begun again. Not so where an entry in it was sealed and has become unreadable:
 * that is what shows that generations were used (NONCE, CLOSED). */
static fer_address begin_again(fer_store *store)
{
    fer_address block = fer_store_block_of(store, store->last);

    for (fer_address at = block; at <= store->last; at += store->slot) {
        if (fer_store_is_marked(store, fer_store_v(store, at), 'V')) {
            fer_store_fail(store, FER_TROUBLE_STATE);
        }
    }
    make_blank(store, block, true);
    return block;
}

/* Chooses the slot for the next entry. After a restart, what looks like an erased block is erased
 * surely; the D before it then says so. */
static fer_address choose(fer_store *store)
{
    fer_address at = fer_store_next(store, store->last);
    fer_address d = fer_store_d(store, store->last);

    if (store->settled || fer_store_block_of(store, at) != at) {
        return at;
    }
    if (at == fer_store_block_of(store, store->newest)) {
        return begin_again(store);
    }
    bool unmarked = fer_store_is_blank(store, d, store->cell);
    make_blank(store, at, true);
    if (unmarked) {
        fer_store_mark(store, d, 'E');
    }
    return at;
}

/* ---- the interface ---------------------------------------------------------------------- */

/* Recovers if needed; the newest entry, and the public part of the current generation. */
static void read_newest(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    if (store->status != FER_OK) {
        fer_store_recover(store);
    }
    if (!fer_store_read(store, store->newest, credential->bytes, sizeof credential->bytes)) {
        return;
    }
    if (fer_credential_read(credential, info, 0, 0) != FER_OK) {
        fer_store_fail(store, FER_TROUBLE_STATE);
    } else if (store->skip >= LAST_ENTRY - info->generation) {
        fer_store_fail(store, FER_RENEW_EXHAUSTED);
    } else {
        info->generation += store->skip;
    }
}

static void advance(fer_store *store, fer_credential *credential, uint32_t steps)
{
    for (uint32_t i = 0; i < steps && store->status == FER_OK; i++) {
        store->status = fer_credential_advance(credential);
    }
}

/* From the newest credential to the current one, which may have no entry of its own; the entry
 * of its successor is durable before it is yielded. */
static void burn(fer_store *store, fer_credential *credential)
{
    fer_address at = choose(store);

    if (!fer_store_is_blank(store, at, store->slot)) {
        fer_store_fail(store, FER_TROUBLE_STORAGE);
    }
    advance(store, credential, store->skip);
    advance(store, fill_page(store, credential), 1);
    write_entry(store, at);
}

/* Ends every call: the page holds no key, and a failed call leaves and yields nothing. */
static fer_status finish(fer_store *store, fer_credential *credential)
{
    fer_wipe(store->page, store->body);
    if (store->status != FER_OK) {
        fer_credential_wipe(credential);
    }
    return store->status;
}

fer_status fer_store_burn(fer_store *store, fer_credential *credential)
{
    fer_credential_info info;

    if (!is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (credential == 0) {
        return FER_ERR_ARGUMENT;
    }
    read_newest(store, credential, &info);
    burn(store, credential);
    return finish(store, credential);
}

fer_status fer_store_peek(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    if (!is_open(store)) {
        return FER_ERR_HANDLE;
    }
    read_newest(store, credential, info);
    if (store->status != FER_OK) {
        memset(info, 0, sizeof *info);
    }
    return finish(store, credential);
}

fer_status fer_store_get_info(fer_store *store, fer_credential_info *info)
{
    fer_credential credential;

    if (!is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (info == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_store_peek(store, &credential, info);
    fer_credential_wipe(&credential);
    return status;
}

/* Makes room for the first entry: only in a blank region, or over an install that was cut short
 * before the entry verified, so that no generation of it can have been yielded. */
static void prepare_install(fer_store *store)
{
    fer_store_recover(store);
    fer_status found = store->status;

    if (found == FER_OK) {
        store->status = FER_ERR_ORDER;
    } else if (found == FER_RENEW_MISSING) {
        store->status = FER_OK;
    } else if (found == FER_TROUBLE_STATE) {
        store->status = FER_OK;
        if (fer_store_region_is_blank(store, store->body)) {
            fer_store_erase(store, 0);
        } else {
            fer_store_fail(store, FER_ERR_ORDER);
        }
    }
}

fer_status fer_store_install(fer_store *store, fer_credential *credential)
{
    fer_credential_info info;

    if (!is_open(store)) {
        return FER_ERR_HANDLE;
    }
    if (credential == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_credential_get_info(credential, &info);
    if (status != FER_OK || info.generation != 0) {
        return status != FER_OK ? status : FER_DROP_MALFORMED;
    }
    prepare_install(store);
    (void)fill_page(store, credential);
    write_entry(store, 0);
    fer_wipe(store->page, store->body);
    if (store->status == FER_OK) {
        fer_credential_wipe(credential);
    }
    return store->status;
}
