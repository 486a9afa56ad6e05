/* Ferrule: the body of fer_store, and what its three files share (floor 3's own).
 *
 *     slot = body (a credential) ‖ V cell ‖ D cell, each rounded up to granules
 *
 * Slots fill a block from offset 0; the blocks are a log ring. A slot's place in the ring gives
 * its generation: one more than the slot before it, whatever became of that one. Hence:
 *
 *   - V not blank: the body before it was read back, so it is not marginal.
 *   - D holds "FerruleD": all older entries were destroyed, as far as the policy asks, before.
 *   - D of a block's last slot not blank ("FerruleD" or "FerruleE"): the next block was erased
 *     after that slot was written, so what is not blank in it now is newer.
 *   - A generation is yielded only once its successor's entry, V and D are durable. */
#ifndef FERRULE_INTERNAL_STORE_H
#define FERRULE_INTERNAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/store.h"
#include "internal/handle.h"

typedef struct fer_place {
    uint32_t block;
    uint32_t slot;
} fer_place;

typedef enum fer_cell { FER_CELL_V, FER_CELL_D } fer_cell;

struct fer_store {
    fer_tag tag;
    fer_nv nv;
    uint32_t slots;   /* used in each block; 1 where a slot can die only with its block */
    fer_place newest; /* the newest entry known to be sound */
    fer_place last;   /* the last slot that counts as used: newest, or what follows it */
    uint32_t skip;    /* slots from newest to last: ratchet steps to the current generation */
    uint16_t body;    /* bytes of a slot's body; also the size of page */
    uint16_t cell;
    uint8_t policy;
    bool ready;    /* newest, last, skip and thorough are known */
    bool settled;  /* the newest was written since boot: what follows is surely blank */
    bool thorough; /* what looks blank or destroyed may be marginal: destroy it surely */
    uint8_t page[];
};

/* Tells the newest entry, unburned, for identity and claim key, and the next unused generation's
 * public part. The entry may be of an earlier generation than that. For a device that sleeps. */
FER_MUST_USE fer_status fer_store_peek(fer_store *store, fer_credential *credential,
                                       fer_credential_info *info);

/* ---- the medium (store_medium.c) -------------------------------------------------------- */

/* An uncorrectable read answers FER_OK with bytes that are neither blank, nor destroyed, nor a
 * mark, nor part of anything that verifies. */
FER_MUST_USE fer_status fer_store_read(const fer_store *store, uint32_t block, uint32_t offset,
                                       uint8_t *out, size_t n);
/* Whether n bytes are all `value`. */
FER_MUST_USE fer_status fer_store_holds(const fer_store *store, uint32_t block, uint32_t offset,
                                        size_t n, uint8_t value, bool *yes);
FER_MUST_USE fer_status fer_store_is_blank(const fer_store *store, uint32_t block, uint32_t offset,
                                           size_t n, bool *yes);
/* Programs the first n bytes of the page and reads them back. */
FER_MUST_USE fer_status fer_store_put(fer_store *store, uint32_t block, uint32_t offset, size_t n);
/* Programs n bytes with one value, through the page, and reads them back. */
FER_MUST_USE fer_status fer_store_fill(fer_store *store, uint32_t block, uint32_t offset, size_t n,
                                       uint8_t value);
/* Erases a block, by programming it where the medium has no erase, and checks that it is blank. */
FER_MUST_USE fer_status fer_store_erase(fer_store *store, uint32_t block);

/* ---- slots (store_medium.c) ------------------------------------------------------------- */

uint32_t fer_store_slot_size(const fer_store *store);
uint32_t fer_store_offset(const fer_store *store, fer_place at);
/* What the bytes of a destroyed slot are. */
uint8_t fer_store_destroyed(const fer_store *store);
uint32_t fer_store_next_block(const fer_store *store, uint32_t block);
bool fer_store_is_last(const fer_store *store, fer_place at);
fer_place fer_store_next(const fer_store *store, fer_place at);
FER_MUST_USE fer_status fer_store_slot_is_blank(const fer_store *store, fer_place at, bool *yes);
FER_MUST_USE fer_status fer_store_cell_is_blank(const fer_store *store, fer_place at, fer_cell cell,
                                                bool *yes);
/* Whether the cell holds exactly "Ferrule" and this letter. */
FER_MUST_USE fer_status fer_store_cell_is(const fer_store *store, fer_place at, fer_cell cell,
                                          char letter, bool *yes);
FER_MUST_USE fer_status fer_store_mark(fer_store *store, fer_place at, fer_cell cell, char letter);

/* ---- recovery (store_recover.c); writes nothing ----------------------------------------- */

/* Finds newest, last, skip and thorough, and sets ready. FER_RENEW_MISSING: the region is blank.
 * FER_TROUBLE_STATE: it is not, and nothing verifies (CLOSED). */
FER_MUST_USE fer_status fer_store_recover(fer_store *store);
/* Whether all there is in the region is part of a first entry whose install did not complete. */
FER_MUST_USE fer_status fer_store_is_torn_install(const fer_store *store, bool *yes);

#endif
