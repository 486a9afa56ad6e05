/* Ferrule: store, what can wait: the erases that the next burn would wait for, and writing a ring
 * anew. In a file of its own: firmware that never calls it does not carry it. */
#include "internal/credential.h"
#include "internal/store.h"

static fer_status rebuild(fer_store *store, const fer_credential *credential)
{
    const uint32_t generation = store->ring.generation;
    fer_credential_info entry;
    fer_status status = fer_credential_read(credential, &entry, 0, 0);

    if (status == FER_OK) {
        status =
            fer_store_rebuild_other(store, credential, generation - entry.generation, generation);
    }
    /* Harmless, but of no use: the region is down to one copy. */
    return status == FER_OK && store->other.status != FER_OK ? FER_TROUBLE_STORAGE : status;
}

/* Where slots after the newest were cut, nothing can be marked for sure: that is for the burn. */
static fer_status begin_next_block(fer_store *store)
{
    if (store->ring.last != store->ring.newest || !fer_store_is_erase_due(store)) {
        return store->ring.status == FER_OK ? FER_EMPTY : store->ring.status;
    }
    fer_store_begin_next_block(store);
    return store->ring.status;
}

static fer_status maintain(fer_store *store, const fer_credential *credential)
{
    if (fer_store_is_other_lost(store, store->ring.generation)) {
        return rebuild(store, credential);
    }
    fer_status status = begin_next_block(store);
    if (status == FER_EMPTY && store->is_double) {
        fer_store_turn(store);
        status = begin_next_block(store);
    }
    return status;
}

fer_status fer_store_maintain(fer_store *store)
{
    fer_credential credential;
    fer_credential_info info;

    if (!fer_store_is_open(store)) {
        return FER_ERR_HANDLE;
    }
    fer_status status = fer_store_gather(store, &credential, &info);
    status = fer_store_finish(store, status == FER_OK ? maintain(store, &credential) : status,
                              &credential);
    fer_credential_wipe(&credential);
    return status;
}
