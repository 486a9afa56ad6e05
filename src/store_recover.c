/* Ferrule: store, recovery: from whatever the region holds to the next generation that was never
 * yielded (NONCE). Writes nothing; bounded by the number of slots; reads each a few times. */
#include "internal/credential.h"
#include "internal/store.h"

struct finding {
    fer_place place;
    uint32_t generation;
    bool any;
    bool sealed;
};

/* Whether a sound entry lies there. One of a later format version closes the store: this build
 * must not act as if it were not there (CLOSED). */
static fer_status look(fer_store *store, fer_place at, bool *valid, uint32_t *generation)
{
    fer_credential *entry = (fer_credential *)store->page;
    fer_credential_info info;
    fer_status status = fer_store_read(store, at.block, fer_store_offset(store, at), store->page,
                                       FER_CREDENTIAL_BYTES);

    *valid = false;
    if (status == FER_OK) {
        fer_status parsed = fer_credential_read(entry, &info, 0, 0);
        *valid = parsed == FER_OK;
        *generation = *valid ? info.generation : 0;
        status = parsed == FER_DROP_VERSION ? FER_TROUBLE_STATE : FER_OK;
    }
    return status;
}

/* An entry without V may be marginal, sound today and not tomorrow: it is the newest only where
 * no entry has V, as after an install that was cut short. */
static bool is_better(const struct finding *best, bool sealed, uint32_t generation)
{
    if (!best->any || sealed != best->sealed) {
        return !best->any || sealed;
    }
    return generation >= best->generation;
}

static fer_status consider(fer_store *store, fer_place at, struct finding *best)
{
    uint32_t generation = 0;
    bool valid = false;
    bool unsealed = false;
    fer_status status = look(store, at, &valid, &generation);

    if (status != FER_OK || !valid) {
        return status;
    }
    status = fer_store_cell_is_blank(store, at, FER_CELL_V, &unsealed);
    if (status == FER_OK && is_better(best, !unsealed, generation)) {
        *best = (struct finding){at, generation, true, !unsealed};
    }
    return status;
}

static fer_status find_newest(fer_store *store, struct finding *best)
{
    fer_status status = FER_OK;
    fer_place at = {0, 0};

    do {
        status = consider(store, at, best);
        at = fer_store_next(store, at);
    } while (status == FER_OK && (at.block != 0 || at.slot != 0));
    return status;
}

/* Every slot after the newest that is not blank counts as used: an entry may have been there that
 * can no longer be read. What lies beyond a block whose last D is blank is older, and does not
 * count: that block was not yet erased. */
static fer_status count_used(fer_store *store)
{
    fer_status status = FER_OK;
    fer_place at = store->newest;
    bool blank = false;

    store->last = at;
    store->skip = 0;
    for (uint32_t distance = 1; status == FER_OK; distance++) {
        if (fer_store_is_last(store, at)) {
            status = fer_store_cell_is_blank(store, at, FER_CELL_D, &blank);
            if (blank || fer_store_next_block(store, at.block) == store->newest.block) {
                break;
            }
        }
        at = fer_store_next(store, at);
        if (status == FER_OK) {
            status = fer_store_slot_is_blank(store, at, &blank);
        }
        if (!blank) {
            store->last = at;
            store->skip = distance;
        }
    }
    return status;
}

/* Whether all blocks are blank, but for the first `except` bytes of block 0. */
static fer_status region_is_blank(const fer_store *store, uint32_t except, bool *yes)
{
    const fer_nv_geometry *geometry = store->nv.geometry;
    fer_status status = fer_store_is_blank(store, 0, except, geometry->block_size - except, yes);

    for (uint32_t block = 1; block < geometry->block_count && *yes && status == FER_OK; block++) {
        status = fer_store_is_blank(store, block, 0, geometry->block_size, yes);
    }
    return status;
}

fer_status fer_store_is_torn_install(const fer_store *store, bool *yes)
{
    return region_is_blank(store, store->body, yes);
}

fer_status fer_store_recover(fer_store *store)
{
    struct finding best = {{0, 0}, 0, false, false};
    bool yes = false;
    fer_status status = find_newest(store, &best);

    fer_wipe(store->page, store->body);
    if (status == FER_OK && !best.any) {
        status = region_is_blank(store, 0, &yes);
        return status != FER_OK ? status : yes ? FER_RENEW_MISSING : FER_TROUBLE_STATE;
    }
    store->newest = best.place;
    if (status == FER_OK) {
        status = count_used(store);
    }
    if (status == FER_OK) {
        status = fer_store_cell_is(store, best.place, FER_CELL_D, 'D', &yes);
    }
    store->thorough = !yes;
    store->ready = status == FER_OK;
    return status;
}
