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

/* Whether a slot of another block is older than the newest: an entry, or a destroyed one. */
static fer_status is_older(fer_store *store, fer_place at, bool *yes)
{
    uint32_t generation;
    fer_status status = look(store, at, yes, &generation);

    if (status != FER_OK || *yes) {
        return status;
    }
    return fer_store_holds(store, at.block, fer_store_offset(store, at), fer_store_slot_size(store),
                           fer_store_destroyed(store), yes);
}

/* Counts the used slots of one block, from `at` on; `distance` is that of the slot before it. */
static fer_status count_in_block(fer_store *store, fer_place at, uint32_t distance, bool *older)
{
    fer_status status = FER_OK;
    bool blank = true;

    *older = false;
    for (; at.slot < store->slots && status == FER_OK && !*older; at.slot++) {
        distance++;
        status = fer_store_slot_is_blank(store, at, &blank);
        if (status == FER_OK && !blank && at.block != store->newest.block) {
            status = is_older(store, at, older);
        }
        if (!blank) {
            store->last = at;
            store->skip = distance;
        }
    }
    return status;
}

/* Every slot after the newest that is not blank counts as used: an entry may have been there that
 * can no longer be read. What lies beyond a block whose last D is blank does not count, nor a block
 * that still has an older entry: it was not yet erased, so nothing newer can be in it. */
static fer_status count_used(fer_store *store)
{
    fer_place at = store->newest;
    uint32_t distance = store->slots - 1u - at.slot;
    bool end = false;

    store->last = at;
    store->skip = 0;
    at.slot++;
    fer_status status = count_in_block(store, at, 0, &end);
    while (status == FER_OK) {
        fer_place last = store->last;
        uint32_t skip = store->skip;

        at.slot = store->slots - 1u;
        status = fer_store_cell_is_blank(store, at, FER_CELL_D, &end);
        at = (fer_place){fer_store_next_block(store, at.block), 0};
        if (status != FER_OK || end || at.block == store->newest.block) {
            break;
        }
        status = count_in_block(store, at, distance, &end);
        if (end) {
            store->last = last;
            store->skip = skip;
            break;
        }
        distance += store->slots;
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
    store->thorough = !yes || store->skip != 0;
    store->ready = status == FER_OK;
    return status;
}
