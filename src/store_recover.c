/* Ferrule: store, recovery: from whatever the region holds to the next generation that was never
 * yielded (NONCE). Writes nothing; bounded by the number of slots; reads each a few times. */
#include "internal/credential.h"
#include "internal/store.h"

/* An entry without V may be marginal, sound today and not tomorrow: it is the newest only where
 * no entry has V, as after an install that was cut short. */
typedef enum rank { NOTHING, UNSEALED, SEALED } rank;

/* Whether a sound entry lies there. */
FER_COLD static bool look(fer_store *store, fer_address at, fer_credential_info *info)
{
    if (!fer_store_read(store, at, store->page, FER_CREDENTIAL_BYTES)) {
        return false;
    }
    fer_status status = fer_credential_read((fer_credential *)store->page, info, 0, 0);
    if (status == FER_DROP_VERSION) {
        fer_store_fail(store, status);
    }
    return status == FER_OK;
}

bool fer_store_has_entry(fer_store *store, fer_address block)
{
    fer_credential_info info;
    fer_address at = block;

    while (!look(store, at, &info)) {
        if (fer_store_is_last(store, at)) {
            return false;
        }
        at += store->slot;
    }
    return true;
}

static bool find_newest(fer_store *store)
{
    fer_credential_info info;
    rank best = NOTHING;
    fer_address at = store->ring.base;

    do {
        if (look(store, at, &info)) {
            rank found =
                fer_store_is_blank(store, fer_store_v(store, at), store->cell) ? UNSEALED : SEALED;
            if (found > best || (found == best && info.generation >= store->ring.generation)) {
                store->ring.newest = at;
                store->ring.generation = info.generation;
                best = found;
            }
        }
        at = fer_store_next(store, at);
    } while (at != store->ring.base);
    return best != NOTHING;
}

/* Whether a slot of another block is older than the newest: an entry, or a destroyed one. */
static bool is_older(fer_store *store, fer_address at)
{
    fer_credential_info info;

    return (look(store, at, &info) && info.generation < store->ring.generation) ||
           fer_store_holds(store, at, store->slot, (uint8_t)~store->erased);
}

/* Whether a block that is not full holds a first entry, as an erase cut short does not leave it: it
 * was begun, though the D before it reads blank. A D that a cut has torn may do so at one boot and
 * not at the next (NONCE). Policy strict has destroyed what that would lead back to. */
static bool is_begun(fer_store *store, fer_address block)
{
    return store->policy != FER_STORE_STRICT && !fer_store_has_d(store, block + store->end) &&
           fer_store_is_marked(store, fer_store_v(store, block), 'V');
}

/* Every slot after the newest that is not blank counts as used: an entry may have been there that
 * can no longer be read. What lies beyond a block whose last D is blank does not count, unless it
 * was begun, nor a block that still has an older entry: it was not yet erased, so nothing newer can
 * be in it. Finds the last of them, and how many slots after the newest it lies. */
static void count_used(fer_store *store)
{
    fer_address home = fer_store_block_of(store, store->ring.newest);
    fer_address at = store->ring.newest;
    fer_address last = at;
    uint32_t distance = 0;
    uint32_t skipped = 0;
    bool away = false; /* in another block than the newest */
    bool more = true;

    do {
        if (!fer_store_is_blank(store, at, store->slot)) {
            if (away && is_older(store, at)) {
                break;
            }
            last = at;
            skipped = distance;
        }
        if (fer_store_is_last(store, at)) {
            store->ring.last = last;
            store->ring.skipped = skipped;
            more = fer_store_has_d(store, at) || is_begun(store, fer_store_next_block(store, at));
            away = true;
        }
        at = fer_store_next(store, at);
        distance++;
    } while (more && at != home); /* the ring is left where home begins */
}

bool fer_store_ring_is_blank(fer_store *store, uint32_t except)
{
    fer_address at = store->ring.base;
    bool blank;

    do {
        blank = fer_store_is_blank(store, at + except, store->block_size - except);
        except = 0;
        at = fer_store_next_block(store, at);
    } while (blank && at != store->ring.base);
    return blank;
}

void fer_store_recover(fer_store *store)
{
    store->ring.status = FER_OK;
    store->ring.newest = store->ring.base;
    store->ring.last = store->ring.base;
    store->ring.generation = 0;
    store->ring.settled = false;
    store->ring.thorough = false;
    if (!find_newest(store)) {
        fer_store_fail(store,
                       fer_store_ring_is_blank(store, 0) ? FER_RENEW_MISSING : FER_TROUBLE_STATE);
        return;
    }
    count_used(store);
    if (store->ring.skipped < FER_STORE_LAST_ENTRY - store->ring.generation) {
        store->ring.generation += store->ring.skipped;
    } else {
        store->ring.generation = FER_STORE_LAST_ENTRY;
    }
    store->ring.thorough = !fer_store_is_marked(store, fer_store_d(store, store->ring.newest), 'D');
}
