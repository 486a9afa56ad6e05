/* Ferrule: store. Creation, and what its callers ask for: a generation is yielded once nothing in
 * the region can lead back to it (NONCE, CLOSED); internal/store.h has the layout. What two rings
 * do otherwise is the mirror's, which firmware that does not name it does not link.
 *
 * Whatever fails in a ring, RAM forgets where it was, and the next call recovers it from the region
 * itself. */
#include "ferrule/store.h"

#include <string.h>

#include "internal/arena.h"
#include "internal/credential.h"
#include "internal/store.h"

_Static_assert(sizeof(struct fer_store) + FER_STORE_PAGE(1) <= FER_STORE_SIZE(1),
               "FER_STORE_SIZE is too small");
_Static_assert(FER_STORE_SIZE(1) <= sizeof(struct fer_store) + FER_STORE_PAGE(1) + 24u,
               "FER_STORE_SIZE is wasteful");
_Static_assert(sizeof(fer_ring) <= FER_STORE_MIRROR_SIZE &&
                   FER_STORE_MIRROR_SIZE <= sizeof(fer_ring) + 8u,
               "FER_STORE_MIRROR_SIZE is not what a second ring takes");

enum { GRANULE_MAX = 512 };

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

/* Each block holds a slot, and addresses fit 32 bits. */
static bool medium_is_possible(const fer_nv *nv)
{
    const fer_nv_geometry *geometry = nv->geometry;
    unsigned known = FER_NV_OVERWRITE | FER_NV_REWRITE;

    return nv->ops != 0 && nv->ops->read != 0 && nv->ops->program != 0 && geometry != 0 &&
           granule_is_possible(geometry) &&
           geometry->block_size >= FER_STORE_SLOT((uint32_t)geometry->granule) &&
           geometry->block_count >= 2 &&
           geometry->block_count <= UINT32_MAX / geometry->block_size &&
           (geometry->erased == 0x00 || geometry->erased == 0xFF) &&
           (geometry->flags & ~known) == 0 &&
           (nv->ops->erase != 0 || (geometry->flags & (unsigned)FER_NV_REWRITE) != 0);
}

static bool counter_is_possible(const fer_counter *counter)
{
    return counter == 0 ||
           (counter->ops != 0 && counter->ops->read != 0 && counter->ops->raise != 0);
}

/* The handle, its page of so many bytes, and the other ring, if any. */
static size_t measure(size_t page, const struct fer_store_mirror *mirror)
{
    return sizeof(fer_store) + page + (mirror != 0 ? sizeof(fer_ring) : 0);
}

static void lay_out(fer_store *store, const fer_nv_geometry *geometry)
{
    const uint32_t granule = geometry->granule;
    const uint32_t slots =
        FER_STORE_SLOTS(geometry->block_size, granule, store->policy, geometry->flags);

    store->erased = geometry->erased;
    store->block_size = geometry->block_size;
    store->body = (uint16_t)FER_STORE_ROUND(FER_CREDENTIAL_BYTES, granule);
    store->cell = (uint16_t)FER_STORE_ROUND(FER_STORE_CELL, granule);
    store->slot = (uint16_t)FER_STORE_SLOT(granule);
    store->end = (slots - 1u) * store->slot;
    store->ring.status = FER_RENEW_MISSING; /* nothing is known yet: the first call recovers */
    store->ring.limit = geometry->block_size * geometry->block_count;
    if (store->mirror != 0) {
        store->mirror->begin(store);
    }
}

fer_status fer_store_create(fer_arena *arena, const fer_store_config *config, fer_store **store)
{
    if (config == 0 || store == 0 || !medium_is_possible(&config->nv) ||
        !counter_is_possible(config->counter) ||
        (config->mirror != 0 && config->nv.geometry->block_count < FER_STORE_MIRROR_BLOCKS) ||
        (unsigned)config->policy > FER_STORE_BLOCK) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_crypto_start();
    if (status != FER_OK) {
        return status;
    }
    const uint32_t page =
        FER_STORE_ROUND(FER_CREDENTIAL_BYTES, (uint32_t)config->nv.geometry->granule);
    fer_store *made = fer_arena_carve(arena, measure(page, config->mirror));
    if (made == 0) {
        return FER_ERR_ARENA;
    }
    made->tag = fer_tag_make(made, FER_TAG_STORE);
    made->nv = config->nv;
    made->policy = (uint8_t)config->policy;
    made->counter = config->counter;
    made->mirror = config->mirror;
    lay_out(made, config->nv.geometry);
    *store = made;
    return FER_OK;
}

void fer_store_close(fer_store **store)
{
    if (store == 0 || !fer_store_is_open(*store)) {
        return;
    }
    fer_arena_retire(*store, measure((*store)->body, (*store)->mirror));
    *store = 0;
}

/* ---- finding the next generation -------------------------------------------------------- */

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

static fer_status find(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    if (store->ring.status != FER_OK) {
        fer_store_recover(store);
    }
    fer_store_read_newest(store, credential, info);
    return store->ring.status;
}

fer_status fer_store_gather(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    fer_status status = store->mirror != 0 ? store->mirror->find(store, credential, info)
                                           : find(store, credential, info);

    info->generation = store->ring.generation;
    if (status == FER_OK && info->generation == FER_STORE_LAST_ENTRY) {
        status = FER_RENEW_EXHAUSTED;
    }
    return status == FER_OK ? consult_counter(store, info->generation, false) : status;
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
    if (status == FER_OK) {
        status = store->mirror != 0 ? store->mirror->burn(store, credential)
                                    : fer_store_burn_ring(store, credential);
    }
    if (status == FER_OK) {
        status = consult_counter(store, store->ring.generation, true);
    }
    return fer_store_finish(store, status, credential);
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

bool fer_store_holds_nothing(const fer_ring *ring)
{
    return ring->status == FER_RENEW_MISSING || ring->status == FER_TROUBLE_STATE;
}

/* Only in a blank ring, or over an install that was cut short before the entry verified, so that no
 * generation of it can have been yielded. */
fer_status fer_store_prepare_install(fer_store *store)
{
    fer_store_recover(store);
    fer_status found = store->ring.status;

    if (found == FER_OK) {
        store->ring.status = FER_ERR_ORDER;
    } else if (fer_store_holds_nothing(&store->ring)) {
        store->ring.status = FER_OK;
        if (found == FER_TROUBLE_STATE) {
            if (fer_store_ring_is_blank(store, store->body)) {
                fer_store_erase(store, store->ring.base);
            } else {
                fer_store_fail(store, FER_ERR_ORDER);
            }
        }
    }
    return store->ring.status;
}

fer_status fer_store_write_first(fer_store *store, const fer_credential *credential,
                                 uint32_t generation)
{
    (void)fer_store_fill_page(store, credential);
    fer_store_write_entry(store, store->ring.base, generation);
    return store->ring.status;
}

static fer_status install(fer_store *store, const fer_credential *credential, uint32_t generation)
{
    fer_status status = consult_counter(store, generation, false);

    if (status == FER_OK && store->mirror != 0) {
        return store->mirror->install(store, credential, generation);
    }
    if (status == FER_OK) {
        status = fer_store_prepare_install(store);
    }
    return status == FER_OK ? fer_store_write_first(store, credential, generation) : status;
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
