/* Ferrule: store, one ring: burning a generation of it (NONCE, WIPE); internal/store.h has the
 * layout.
 *
 * A burn changes a ring in this order, and a cut between any two steps, or in one, is found by
 * recovery: next slot blank, entry n+1, V, older entries destroyed, D. After a block's last slot D
 * waits for the erase of the next block, which is left for when nobody waits for a seal. */
#include <string.h>

#include "internal/credential.h"
#include "internal/store.h"

bool fer_store_can_overwrite(const fer_store *store)
{
    return (store->nv.geometry->flags & (unsigned)(FER_NV_OVERWRITE | FER_NV_REWRITE)) != 0;
}

void fer_store_fail(fer_store *store, fer_status status)
{
    if (store->ring.status == FER_OK) {
        store->ring.status = status;
    }
}

/* ---- destroying ------------------------------------------------------------------------- */

/* A block that reads as erased may be so by half, where no port looks at the margin: surely means
 * that it is erased all the same. */
void fer_store_make_blank(fer_store *store, fer_address block, bool surely)
{
    if (!fer_store_is_blank(store, block, store->block_size) ||
        (surely && store->nv.ops->is_blank == 0)) {
        fer_store_erase(store, block);
    }
}

void fer_store_destroy(fer_store *store, fer_address at)
{
    if (fer_store_can_overwrite(store)) {
        fer_store_fill(store, at, store->slot, (uint8_t)~store->erased);
    } else {
        fer_store_make_blank(store, at, true); /* such a block has no other slot: see lay_out */
    }
}

/* Destroys the former entry, and what a cut left after it. What is older was destroyed before the
 * former one got its D; without that D, all slots are destroyed again, however they read, but for
 * those after the kept one in its block, which stay blank (WIPE). */
static void destroy_all_but(fer_store *store, fer_address keep)
{
    fer_address at = store->ring.thorough ? fer_store_next_block(store, keep) : store->ring.newest;

    for (; at != keep; at = fer_store_next(store, at)) {
        fer_store_destroy(store, at);
    }
}

/* ---- writing ---------------------------------------------------------------------------- */

fer_credential *fer_store_fill_page(fer_store *store, const fer_credential *credential)
{
    fer_store_set_page(store, store->erased);
    memcpy(store->page, credential->bytes, sizeof credential->bytes);
    return (fer_credential *)store->page;
}

void fer_store_read_newest(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    if (fer_store_read(store, store->ring.newest, credential->bytes, sizeof credential->bytes) &&
        fer_credential_read(credential, info, 0, 0) != FER_OK) {
        fer_store_fail(store, FER_TROUBLE_STATE);
    }
}

void fer_store_advance(fer_store *store, fer_credential *credential, uint32_t steps)
{
    for (uint32_t i = 0; i < steps && store->ring.status == FER_OK; i++) {
        store->ring.status = fer_credential_advance(credential);
    }
}

FER_COLD void fer_store_write_entry(fer_store *store, fer_address at, uint32_t generation)
{
    fer_store_put(store, at, store->body);
    fer_store_mark(store, fer_store_v(store, at), 'V');
    if (store->policy == FER_STORE_STRICT) {
        destroy_all_but(store, at);
    }
    if (!fer_store_is_last(store, at) ||
        fer_store_is_blank(store, fer_store_next_block(store, at), store->block_size)) {
        fer_store_mark(store, fer_store_d(store, at), 'D');
    }
    store->ring.newest = at;
    store->ring.last = at;
    store->ring.generation = generation;
    store->ring.skipped = 0;
    store->ring.thorough = false;
    store->ring.settled = true;
}

/* ---- the next slot ---------------------------------------------------------------------- */

/* Only the D of a slot that is sound was written by us after the erase, even if it was cut; that of
 * another may be what a cut erase has left of an earlier turn. What rots in a blank block is erased
 * again, but not in the uptime that wrote before it: it may be another handle's entry (NONCE). */
bool fer_store_is_erase_due(fer_store *store)
{
    fer_address last = store->ring.last;

    return fer_store_is_last(store, last) &&
           (last != store->ring.newest || !fer_store_has_d(store, last) ||
            (!store->ring.settled &&
             !fer_store_is_blank(store, fer_store_next(store, last), store->slot)));
}

/* E instead of D where older entries may be left. */
void fer_store_begin_next_block(fer_store *store)
{
    fer_address last = store->ring.last;
    bool marked = fer_store_has_d(store, last);

    fer_store_make_blank(store, fer_store_next_block(store, last), !store->ring.settled);
    if (!marked) {
        fer_store_mark(store, fer_store_d(store, last), store->ring.settled ? 'D' : 'E');
    }
}

/* The ring is full of slots whose programming was cut short: the block that ends with the last is
 * to be erased and begun again. Not so where an entry in it was sealed and has become unreadable:
 * that is what shows that generations were used (NONCE, CLOSED). */
static fer_address begin_again(fer_store *store)
{
    fer_address block = fer_store_block_of(store, store->ring.last);

    for (fer_address at = block; at <= store->ring.last; at += store->slot) {
        if (fer_store_is_marked(store, fer_store_v(store, at), 'V')) {
            fer_store_fail(store, FER_TROUBLE_STATE);
        }
    }
    fer_store_make_blank(store, block, true);
    return block;
}

static fer_address choose(fer_store *store)
{
    fer_address at = fer_store_next(store, store->ring.last);

    if (at == fer_store_block_of(store, store->ring.newest)) {
        return begin_again(store);
    }
    if (fer_store_is_erase_due(store)) {
        fer_store_begin_next_block(store);
    }
    return at;
}

fer_status fer_store_burn_ring(fer_store *store, fer_credential *credential)
{
    fer_address at = choose(store);
    if (!fer_store_is_blank(store, at, store->slot)) {
        fer_store_fail(store, FER_TROUBLE_STORAGE);
    }
    fer_store_advance(store, credential, store->ring.skipped);
    fer_store_advance(store, fer_store_fill_page(store, credential), 1);
    fer_store_write_entry(store, at, store->ring.generation + 1u);
    return store->ring.status;
}
