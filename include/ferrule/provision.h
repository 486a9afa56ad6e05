/* Ferrule: provision. A device takes the blob that `ferrule provision` issued for it, once.
 * Bytes in docs/WIRE.md, section blob.
 *
 * A blob is a credential, then, if it is bound, a binding of 16 bytes to the hardware's unique id:
 * a copy of it is refused by every other chip. The binding is no secret and hides none: whoever
 * reads the blob has the keys. It keeps a blob from being installed in two devices by mistake.
 * Concurrency: as the store; nothing is kept between calls. */
#ifndef FERRULE_PROVISION_H
#define FERRULE_PROVISION_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/attributes.h"
#include "ferrule/credential.h"
#include "ferrule/status.h"
#include "ferrule/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a bound blob; an unbound one has FER_CREDENTIAL_BYTES. */
#define FER_BLOB_BYTES (FER_CREDENTIAL_BYTES + 16u)

/* Longest hardware id, in bytes. */
#define FER_HARDWARE_MAX 64u

/* What a blob must be bound to. */
typedef struct fer_provision_config {
    const uint8_t *hardware; /* the chip's unique id, read during the call only; null: none */
    size_t hardware_length;  /* 1 to FER_HARDWARE_MAX; 0 without an id */
    uint8_t bound;           /* not 0: an unbound blob is refused; needs an id */
} fer_provision_config;

/* Installs a blob of n bytes into a store whose region never held one, and wipes the caller's
 * bytes (WIPE). On failure blob and region are as they were, but for FER_TROUBLE_STORAGE.
 *
 *     FER_DROP_MALFORMED, FER_DROP_VERSION  it is no blob: look at what was sent
 *     FER_DROP_FORGED    bound to other hardware: this device needs the one issued for its own id
 *     FER_DROP_BINDING   unbound where config.bound demands it, or bound where config has no id
 *     FER_ERR_ORDER      the region holds a credential, or traces of one: nothing to install
 *
 * The rest as fer_store_install. TOTAL. */
FER_MUST_USE fer_status fer_provision(fer_store *store, const fer_provision_config *config,
                                      uint8_t *blob, size_t n);

/* For the issuing side: writes the bound blob of a credential, FER_BLOB_BYTES, for the hardware of
 * this id of n bytes. FER_ERR_ARGUMENT: n is not 1 to FER_HARDWARE_MAX. FER_DROP_MALFORMED,
 * FER_DROP_VERSION: not a valid credential. On failure out is untouched. */
FER_MUST_USE fer_status fer_provision_bind(const fer_credential *credential,
                                           const uint8_t *hardware, size_t n,
                                           uint8_t out[FER_BLOB_BYTES]);

#ifdef __cplusplus
}
#endif
#endif
