/* Ferrule: store. Keeps the chain in non-volatile memory so that no generation is used twice,
 * whatever moment the power fails (NONCE), and spent chain keys are gone (policy strict).
 * Layout and recovery rule in docs/WIRE.md, section store.
 *
 * Concurrency: one thread; blocks for as long as the nv port does. No function may be called from
 * an ISR. Bounded: a load reads the region a few times over, a burn once more.
 *
 * With a mirror there are two copies in different blocks; the loss of either is survived. Whatever
 * is cut, rots or fails, no generation is yielded twice. A burn that failed or was cut may lose
 * generations, by the slots of a block at most. Where the port has is_blank, the store trusts what
 * it calls blank; without, a block that a cut may have left half erased is erased once more. A
 * region must keep its geometry, its policy, and whether it has a mirror, for life. */
#ifndef FERRULE_STORE_H
#define FERRULE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/credential.h"
#include "ferrule/port.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A chain in non-volatile memory. */
typedef struct fer_store fer_store;

/* When a spent entry is destroyed. */
typedef enum fer_store_policy {
    /* The spent entry is destroyed before its generation is used. */
    FER_STORE_STRICT = 0,
    /* Spent entries stay until their block turns over: forward secrecy per block. For flash that
     * forbids overwriting and whose erases are dear. */
    FER_STORE_BLOCK = 1
} fer_store_policy;

/* Two copies of the chain, each in half of the blocks: &fer_store_mirror. Firmware that does not
 * name it does not link its code. */
struct fer_store_mirror;
extern const struct fer_store_mirror fer_store_mirror;

/* Blocks that it takes: each copy needs one to hold the newest entry and one to be erased. */
#define FER_STORE_MIRROR_BLOCKS 4u

/* What a store stands on. */
typedef struct fer_store_config {
    fer_nv nv;                             /* tables must outlive the store */
    fer_store_policy policy;               /* for the life of the region */
    const fer_counter *counter;            /* null: none; likewise */
    const struct fer_store_mirror *mirror; /* null: one copy, over all blocks */
} fer_store_config;

/* Arena bytes of a store over memory of this granule (bytes): the struct and one page buffer. With
 * a mirror FER_STORE_MIRROR_SIZE more. */
#define FER_STORE_PAGE(granule) \
    ((granule) > FER_CREDENTIAL_BYTES ? (granule) : FER_CREDENTIAL_BYTES)
#define FER_STORE_SIZE(granule) (FER_ARENA_SIZEOF(6, 52) + FER_ARENA_ROUND(FER_STORE_PAGE(granule)))
#define FER_STORE_MIRROR_SIZE FER_ARENA_SIZEOF(0, 32)

/* The layout, in bytes; docs/WIRE.md, section store. `granule` and `block_size` as in
 * fer_nv_geometry, flags FER_NV_…. */
#define FER_STORE_CELL 8u
#define FER_STORE_ROUND(n, granule) (((n) + ((granule)-1u)) & ~((granule)-1u))
#define FER_STORE_SLOT(granule) \
    (FER_STORE_ROUND(FER_CREDENTIAL_BYTES, granule) + 2u * FER_STORE_ROUND(FER_STORE_CELL, granule))
/* Slots of a block that are used: one where only an erase destroys. */
#define FER_STORE_SLOTS(block_size, granule, policy, flags)                                      \
    ((policy) == FER_STORE_STRICT && (flags) == 0 && (block_size) / FER_STORE_SLOT(granule) > 1u \
         ? 1u                                                                                    \
         : (block_size) / FER_STORE_SLOT(granule))
/* Blocks that hold one copy of the chain, and so take one entry in each generation: of two copies,
 * the smaller. */
#define FER_STORE_RING_BLOCKS(block_count, copies) ((block_count) / (copies))
/* Erases of one block that the first burn of an uptime adds, at most. */
#define FER_STORE_BOOT_ERASES 1u

/* Touches RAM only. FER_ERR_ARGUMENT: a geometry that cannot work (see port.h and
 * docs/PORTING.md: block_size below one slot, granule not a power of two, a region of 4 GiB or
 * more, no way to erase, a mirror over less than FER_STORE_MIRROR_BLOCKS, …). */
FER_MUST_USE fer_status fer_store_create(fer_arena *arena, const fer_store_config *config,
                                         fer_store **store);

/* Installs credential 0 into a region that never held one, and wipes the caller's copy on success.
 * With a counter: one of any generation that is not below it, else FER_TROUBLE_ROLLBACK.
 * An install that was cut before its entry was whole leaves FER_TROUBLE_STATE; install again.
 * FER_ERR_ORDER: the region holds a credential, or traces of one. FER_DROP_MALFORMED: not a valid
 * credential of generation 0. FER_TROUBLE_STORAGE: nothing usable was written; try again. */
FER_MUST_USE fer_status fer_store_install(fer_store *store, fer_credential *credential);

/* Recovers if needed and tells the public part of the next unused credential. Writes nothing.
 * FER_RENEW_MISSING: an empty region. FER_TROUBLE_STATE: something is there, nothing verifies. */
FER_MUST_USE fer_status fer_store_get_info(fer_store *store, fer_credential_info *info);

/* Burns one generation: makes durable that it is used, destroys its entry by policy, and only
 * then yields its credential. On any failure nothing is yielded and the generation may be lost,
 * never repeated. FER_RENEW_EXHAUSTED: the last generation was used. FER_TROUBLE_STORAGE: the port
 * failed; with two copies call again: a second failure in a row gives that copy up, and the other
 * goes on. FER_TROUBLE_ROLLBACK: the region stands before what the counter has seen used.
 * FER_NOT_NOW: the port asked for later; call again. The generation is lost only if it had been
 * begun. */
FER_MUST_USE fer_status fer_store_burn(fer_store *store, fer_credential *credential);

/* Does what can wait for a moment without hurry, best after the seals of an uptime: erases the
 * block that a next burn will need, so that no burn waits for an erase; or writes the second copy
 * anew where it was lost. FER_OK: it did one such thing, call again; FER_EMPTY: nothing is to be
 * done. Blocks as long as one erase takes, for a lost copy as long as one of each of its blocks.
 * Never called, burns do the same when they must: they are merely slower. FER_TROUBLE_STORAGE: it
 * failed; where burns still succeed, one copy alone is left. Other failures as for a burn. */
FER_MUST_USE fer_status fer_store_maintain(fer_store *store);

/* Wipes the handle and sets the caller's pointer to null. Null or closed: no effect. */
void fer_store_close(fer_store **store);

#ifdef __cplusplus
}
#endif
#endif
