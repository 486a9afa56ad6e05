/* Ferrule: store, the mirror: two rings in different blocks, of which either may be lost. A
 * generation is yielded once neither can lead back to it (NONCE, CLOSED). In a file of its own, and
 * reached by one table: firmware that does not name the mirror does not carry it.
 *
 * A ring that has failed is left behind only when the other has gone on, and nothing in it verifies
 * any more: else it would lead back to used generations once the other is lost. */
#include "internal/credential.h"
#include "internal/store.h"

/* A ring this far behind the other is caught up, burn by burn; further, it is written anew. */
enum { BEHIND_MAX = 8 };

/* ---- two rings -------------------------------------------------------------------------- */

static fer_ring *other_of(fer_store *store)
{
    return (void *)(store->page + store->body);
}

/* Makes the other ring the current one. */
static void turn(fer_store *store)
{
    fer_ring ring = store->ring;

    store->ring = *other_of(store);
    *other_of(store) = ring;
}

/* Each of half the blocks; an odd one goes to the second. */
static void begin(fer_store *store)
{
    const fer_nv_geometry *geometry = store->nv.geometry;

    *other_of(store) = store->ring;
    store->ring.limit = geometry->block_count / 2u * geometry->block_size;
    other_of(store)->base = store->ring.limit;
}

static void recover(fer_store *store)
{
    store->ring.suspect |= store->ring.status == FER_TROUBLE_STORAGE;
    fer_store_recover(store);
}

/* Whether the other ring may go on without this one, once nothing in it verifies: not where what
 * ails it may pass (the port failed once, or asks for later), or this build must not touch it. */
static bool is_gone(const fer_ring *ring)
{
    return fer_store_holds_nothing(ring) || (ring->status == FER_TROUBLE_STORAGE && ring->suspect);
}

/* Whether the other ring is to be written anew, and not burned, to reach `generation`. */
static bool is_other_lost(fer_store *store, uint32_t generation)
{
    const fer_ring *other = other_of(store);

    return other->status != FER_OK || generation - other->generation > BEHIND_MAX;
}

/* ---- finding the next generation -------------------------------------------------------- */

/* Reads both entries. Whether they are, where there are two, of the same identity, epoch and claim
 * key: all that a credential holds but generation and chain key. */
static bool read_both(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    enum { FIRST = 8, END = 88 };

    turn(store);
    fer_store_read_newest(store, (fer_credential *)store->page, info);
    turn(store);
    fer_store_read_newest(store, credential, info);
    return other_of(store)->status != FER_OK ||
           fer_crypto_equal(store->page + FIRST, credential->bytes + FIRST, END - FIRST);
}

static fer_status find(fer_store *store, fer_credential *credential, fer_credential_info *info)
{
    const fer_ring *other = other_of(store);

    for (int i = 0; i < 2; i++) {
        if (store->ring.status != FER_OK) {
            recover(store);
        }
        turn(store);
    }
    if (store->ring.status != FER_OK ||
        (other->status == FER_OK && other->generation > store->ring.generation)) {
        turn(store);
    }
    bool same = read_both(store, credential, info);
    if (other->status != FER_OK && !is_gone(other)) {
        return other->status;
    }
    if (store->ring.status != FER_OK) {
        return store->ring.status != FER_RENEW_MISSING ? store->ring.status : other->status;
    }
    return same ? FER_OK : FER_TROUBLE_STATE;
}

/* ---- writing a ring anew ---------------------------------------------------------------- */

/* Overwrites what it can of a block that could not be erased. Whether an entry in it still
 * verifies. */
static bool keeps_entry(fer_store *store, fer_address block)
{
    for (fer_address at = block; fer_store_can_overwrite(store); at += store->slot) {
        store->ring.status = FER_OK;
        fer_store_destroy(store, at);
        if (fer_store_is_last(store, at)) {
            break;
        }
    }
    store->ring.status = FER_OK;
    return fer_store_has_entry(store, block);
}

/* Erases all blocks of a ring that was recovered, or else overwrites them, however they read: the
 * oldest first, and no further than to one that keeps an entry, so that what is left never tells
 * less than all did (NONCE). */
static void destroy_ring(fer_store *store)
{
    fer_address last = fer_store_block_of(store, store->ring.last);
    fer_address block = last;

    store->ring.status = FER_OK;
    do {
        block = fer_store_next_block(store, block);
        fer_store_make_blank(store, block, true);
        if (store->ring.status == FER_TROUBLE_STORAGE && keeps_entry(store, block)) {
            fer_store_fail(store, FER_TROUBLE_STORAGE);
        }
    } while (block != last && store->ring.status == FER_OK);
}

/* What cannot be read now, or still verifies afterwards, closes the store. Blank blocks that take
 * no entry again are as good as unreadable ones: nothing in them leads back. */
static fer_status rebuild(fer_store *store, const fer_credential *credential, uint32_t steps,
                          uint32_t generation)
{
    recover(store);
    if (store->ring.status == FER_OK || fer_store_holds_nothing(&store->ring)) {
        destroy_ring(store);
    }
    if (store->ring.status == FER_OK) {
        recover(store);
    }
    if (store->ring.status == FER_RENEW_MISSING) {
        store->ring.status = FER_OK;
        fer_store_advance(store, fer_store_fill_page(store, credential), steps);
        fer_store_write_entry(store, store->ring.base, generation);
        store->ring.suspect &= store->ring.status != FER_OK;
        if (store->ring.status == FER_TROUBLE_STORAGE) {
            recover(store);
        }
    }
    if (fer_store_holds_nothing(&store->ring)) {
        return FER_OK;
    }
    return store->ring.status == FER_OK && store->ring.generation != generation
               ? FER_TROUBLE_STATE
               : store->ring.status;
}

/* Destroys all that the other ring holds, and writes the entry that lies `steps` after the
 * credential into it. FER_OK: it holds that entry, or (a worn-out block) no entry that verifies. */
static fer_status rebuild_other(fer_store *store, const fer_credential *credential, uint32_t steps,
                                uint32_t generation)
{
    turn(store);
    fer_status status = rebuild(store, credential, steps, generation);
    turn(store);
    return status;
}

/* ---- burning ---------------------------------------------------------------------------- */

/* Whether the ring is some burns behind. */
static bool is_behind(const fer_ring *ring, uint32_t generation)
{
    return ring->status == FER_OK && generation - ring->generation - 1u < BEHIND_MAX;
}

static void catch_up(fer_store *store, fer_credential *credential, uint32_t generation)
{
    fer_credential_info info;

    while (is_behind(&store->ring, generation)) {
        fer_store_read_newest(store, credential, &info);
        store->ring.suspect &= fer_store_burn_ring(store, credential) != FER_OK;
    }
}

/* The ring that is behind comes first, so that a cut leaves them no further apart; or that which
 * has failed, so that the one that has not yields. Only where that has come through is the other
 * written anew: a port that fails throughout must not cost both. */
static fer_status burn(fer_store *store, fer_credential *credential)
{
    const uint32_t next = store->ring.generation + 1u;
    fer_status status = FER_OK;

    if (store->ring.suspect && other_of(store)->status == FER_OK && !other_of(store)->suspect) {
        turn(store);
    }
    for (int i = 0; i < 2; i++) {
        turn(store);
        catch_up(store, credential, next);
        status = store->ring.status;
        if (status != FER_OK && !is_gone(&store->ring)) {
            return status;
        }
    }
    if (status == FER_OK && store->ring.generation != next) {
        status = FER_TROUBLE_STORAGE;
    }
    return status == FER_OK && is_other_lost(store, next)
               ? rebuild_other(store, credential, 1, next)
               : status;
}

/* ---- install and maintain --------------------------------------------------------------- */

/* No ring is written before both have been found to be free. What RAM knows of either is forgotten
 * where one failed: it may have been found free and hold nothing, or hold the entry already. */
static fer_status install(fer_store *store, const fer_credential *credential, uint32_t generation)
{
    fer_status status = FER_OK;

    for (int i = 0; i < 2 && status == FER_OK; i++) {
        turn(store);
        status = fer_store_prepare_install(store);
    }
    for (int i = 0; i < 2 && status == FER_OK; i++) {
        status = fer_store_write_first(store, credential, generation);
        turn(store);
    }
    if (status != FER_OK) {
        store->ring.status = FER_RENEW_MISSING;
        other_of(store)->status = FER_RENEW_MISSING;
    }
    return status;
}

static fer_status maintain_lost(fer_store *store, const fer_credential *credential)
{
    fer_status status =
        rebuild_other(store, credential, store->ring.skipped, store->ring.generation);

    /* Harmless, but of no use: the region is down to one copy. */
    return status == FER_OK && other_of(store)->status != FER_OK ? FER_TROUBLE_STORAGE : status;
}

static fer_status maintain(fer_store *store, const fer_credential *credential)
{
    if (is_other_lost(store, store->ring.generation)) {
        return maintain_lost(store, credential);
    }
    fer_status status = fer_store_maintain_ring(store);
    if (status == FER_EMPTY) {
        turn(store);
        status = fer_store_maintain_ring(store);
    }
    return status;
}

const struct fer_store_mirror fer_store_mirror = {begin, find, burn, install, maintain};
