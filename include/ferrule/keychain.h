/* Ferrule: keychain. From a root key to the keys of one generation (docs/WIRE.md, section keys).
 *
 *     root + epoch + identity --mint--> credential 0      at provisioning, once
 *     credential g --expand--> the keys of generation g   each burn (see store)
 *
 * Every step forward is one-way: the keys of generation g tell nothing of generation g - 1.
 * Concurrency: pure functions on the caller's memory; any thread, no ISR; nothing blocks. */
#ifndef FERRULE_KEYCHAIN_H
#define FERRULE_KEYCHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/credential.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a root key. */
#define FER_ROOT_BYTES 32u

/* The root key of an identity. It exists at provisioning only; a device never holds one. */
typedef struct fer_root_key {
    uint8_t bytes[FER_ROOT_BYTES]; /* drawn at random */
} fer_root_key;

/* What provisioning knows of an identity. */
typedef struct fer_identity {
    uint32_t epoch;          /* a new number for each provisioning of the same identity */
    const uint8_t *identity; /* 1 to FER_IDENTITY_MAX bytes, unique on the gateway */
    size_t identity_length;  /* in bytes */
    const uint8_t *route;    /* 0, 2, 4 or 8 bytes, unique on the gateway; public on the wire */
    size_t route_length;     /* in bytes */
} fer_identity;

/* The keys of one generation: single use. Each create function that takes one removes the keys it
 * used, so that no key is ever given a second counter (NONCE). Lives on the caller's stack;
 * contents are the library's. Must not be copied: a copy fails its tag check. */
typedef struct fer_generation {
    fer_arena_cell opaque[24]; /* the library's */
} fer_generation;

/* Mints credential 0 of an identity and wipes the root (WIPE), also on failure.
 * FER_ERR_ARGUMENT: a length out of range. FER_ERR_ORDER: an all-zero root, which is one that was
 * minted before, or never filled. On failure *credential is zeroed. */
FER_MUST_USE fer_status fer_keychain_mint(fer_root_key *root, const fer_identity *identity,
                                          fer_credential *credential);

/* Ratchets a credential forward, in place, to a generation not below its own: for hardware whose
 * monotonic counter stands there already. About 1 µs a step on a host. FER_ERR_ARGUMENT: a
 * generation below its own, or 2^32-1. FER_DROP_MALFORMED, FER_DROP_VERSION: not a valid
 * credential. On failure it is as it was. */
FER_MUST_USE fer_status fer_keychain_forward(fer_credential *credential, uint32_t generation);

/* Turns a credential into the keys of its generation and wipes it (WIPE), also on failure.
 * FER_DROP_MALFORMED, FER_DROP_VERSION: not a valid credential; *generation is zeroed. */
FER_MUST_USE fer_status fer_keychain_expand(fer_credential *credential, fer_generation *generation);

/* Wipes what is left of it. Null: no effect. */
void fer_generation_wipe(fer_generation *generation);

#ifdef __cplusplus
}
#endif
#endif
