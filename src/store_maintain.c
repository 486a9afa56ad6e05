/* Ferrule: store, what can wait: the erases that the next burn would wait for, and (the mirror's)
 * writing a ring anew. In a file of its own: firmware that never calls it does not carry it. */
#include "internal/credential.h"
#include "internal/store.h"

/* Where slots after the newest were cut, nothing can be marked for sure: that is for the burn. */
fer_status fer_store_maintain_ring(fer_store *store)
{
    if (store->ring.last != store->ring.newest || !fer_store_is_erase_due(store)) {
        return store->ring.status == FER_OK ? FER_EMPTY : store->ring.status;
    }
    fer_store_begin_next_block(store);
    return store->ring.status;
}

static fer_status maintain(fer_store *store, const fer_credential *credential)
{
    return store->mirror != 0 ? store->mirror->maintain(store, credential)
                              : fer_store_maintain_ring(store);
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
