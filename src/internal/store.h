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

/* A byte's address in the region, its blocks one after another. A slot goes by its first byte's. */
typedef uint32_t fer_address;

/* Bytes come first: Thumb reaches them with its short loads and stores. */
struct fer_store {
    fer_tag tag;
    fer_status status; /* the first failure; what newest, last and skip say holds while FER_OK */
    uint8_t policy;
    bool settled;  /* the newest was written since boot: what follows is surely blank */
    bool thorough; /* older entries may be left, even where slots read as destroyed or blank */
    fer_nv nv;
    fer_address newest; /* the newest entry known to be sound */
    fer_address last;   /* the last slot that counts as used: newest, or what follows it */
    uint32_t skip;      /* slots from newest to last: ratchet steps to the current generation */
    uint32_t end;       /* offset in each block of its last slot */
    uint16_t body;      /* bytes of a slot's body; also the size of page: a power of two */
    uint16_t cell;
    uint16_t slot;
    uint8_t page[];
};

/* Tells the newest entry, unburned, for identity and claim key, and the next unused generation's
 * public part. The entry may be of an earlier generation than that. For a device that sleeps. */
FER_MUST_USE fer_status fer_store_peek(fer_store *store, fer_credential *credential,
                                       fer_credential_info *info);

/* The first failure stays in the store's status. From then on the port is no longer called: what
 * asks answers false, what writes does nothing. So a call checks once, at its end (CLOSED). */
void fer_store_fail(fer_store *store, fer_status status);

/* ---- the medium (store_medium.c): overwrites the page where it does not read into it -------- */

/* False where the port failed; out is then undefined. An uncorrectable read answers true with
 * bytes that are neither blank, nor destroyed, nor a mark, nor part of anything that verifies. */
bool fer_store_read(fer_store *store, fer_address at, uint8_t *out, size_t n);
/* Fills the page with one value. */
void fer_store_set_page(fer_store *store, uint8_t value);
/* Whether n bytes are all `value`. */
bool fer_store_holds(fer_store *store, fer_address at, uint32_t n, uint8_t value);
bool fer_store_is_blank(fer_store *store, fer_address at, uint32_t n);
/* Programs n bytes from the page, which repeats, and reads them back. */
void fer_store_put(fer_store *store, fer_address at, uint32_t n);
/* Programs n bytes with one value and reads them back. */
void fer_store_fill(fer_store *store, fer_address at, uint32_t n, uint8_t value);
/* Erases the block that begins at `block`, by programming it where the medium has no erase, and
 * checks that it is blank. */
void fer_store_erase(fer_store *store, fer_address block);

/* ---- slots (store_medium.c) ------------------------------------------------------------- */

fer_address fer_store_block_of(const fer_store *store, fer_address at);
fer_address fer_store_next_block(const fer_store *store, fer_address at);
bool fer_store_is_last(const fer_store *store, fer_address at);
fer_address fer_store_next(const fer_store *store, fer_address at);
/* The cells of a slot. */
fer_address fer_store_v(const fer_store *store, fer_address at);
fer_address fer_store_d(const fer_store *store, fer_address at);
/* Whether the cell holds exactly "Ferrule" and this letter. */
bool fer_store_is_marked(fer_store *store, fer_address cell, char letter);
void fer_store_mark(fer_store *store, fer_address cell, char letter);

/* ---- recovery (store_recover.c); writes nothing ----------------------------------------- */

/* Finds newest, last, skip and thorough. FER_RENEW_MISSING: the region is blank.
 * FER_TROUBLE_STATE: it is not, and nothing verifies (CLOSED). */
void fer_store_recover(fer_store *store);
/* Whether all is blank but for the first `except` bytes of the region. */
bool fer_store_region_is_blank(fer_store *store, uint32_t except);

#endif
