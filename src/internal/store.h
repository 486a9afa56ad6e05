/* Ferrule: the body of fer_store, and what its files share (floor 3's own).
 *
 *     slot = body (a credential) ‖ V cell ‖ D cell, each rounded up to granules
 *
 * The blocks of a region are one ring, or with a mirror two of half of them each, which hold the
 * same entries. In a ring, slots fill a block from offset 0; the blocks are a log. A slot's place
 * gives its generation: one more than the slot before it, whatever became of that one. Hence, of
 * each ring:
 *
 *   - V not blank: the body before it was read back, so it is not marginal.
 *   - D holds "FerruleD": all older entries were destroyed, as far as the policy asks, before.
 *   - D of a block's last slot not blank ("FerruleD" or "FerruleE"): the next block was erased
 *     after that slot was written, so what is not blank in it now is newer. D blank: the next block
 *     is still to be erased, and nothing in it is newer.
 *   - It never goes backwards: its generation is at least that of its newest entry with V.
 *
 * Of the region (NONCE): a generation is yielded only once each ring either holds its successor's
 * entry with V durable, all older ones destroyed as far as the policy asks, and D, but for the last
 * slot of a block, or holds no entry that verifies. So the higher of two rings is never behind what
 * was used, nor is the only one that still verifies. */
#ifndef FERRULE_INTERNAL_STORE_H
#define FERRULE_INTERNAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/store.h"
#include "internal/handle.h"

/* A byte's address in the region, its blocks one after another. A slot goes by its first byte's. */
typedef uint32_t fer_address;

/* Generation 2^32-2 is the last that can have an entry, so the one before is the last to burn. */
#define FER_STORE_LAST_ENTRY 0xFFFFFFFEu

/* Bytes come first: Thumb reaches them with its short loads and stores. */
typedef struct fer_ring {
    fer_status status;  /* the first failure; all but base holds while FER_OK */
    bool settled;       /* the newest was written since boot: what follows is surely blank */
    bool thorough;      /* older entries may be left, even where slots read as destroyed or blank */
    bool suspect;       /* the mirror's: the port failed here, and no burn has succeeded since */
    fer_address newest; /* the newest entry known to be sound */
    fer_address last;   /* the last slot that counts as used: newest, or what follows it */
    uint32_t
        generation;   /* the next unused: the newest entry's, and one more for each slot to last */
    uint32_t skipped; /* generations from the newest entry's to it */
    fer_address base; /* its first block, and the end of its last one */
    fer_address limit;
} fer_ring;

struct fer_store {
    fer_tag tag;
    fer_ring ring; /* the one that all but store_mirror.c work on */
    uint8_t policy;
    uint8_t erased;
    uint16_t body; /* bytes of a slot's body; also the size of page: a power of two */
    uint16_t cell;
    uint16_t slot;
    uint32_t block_size;
    uint32_t end; /* offset in each block of its last slot */
    fer_nv nv;
    const fer_counter *counter;
    const struct fer_store_mirror *mirror;
    uint8_t page[]; /* `body` bytes, and behind them the other ring where there is a mirror */
};

/* What a store does otherwise where it has two rings (store_mirror.c). All but `begin` answer as
 * the functions of store.c that they stand in for. */
struct fer_store_mirror {
    void (*begin)(fer_store *store); /* makes two rings of the one */
    fer_status (*find)(fer_store *store, fer_credential *credential, fer_credential_info *info);
    fer_status (*burn)(fer_store *store, fer_credential *credential);
    fer_status (*install)(fer_store *store, const fer_credential *credential, uint32_t generation);
    fer_status (*maintain)(fer_store *store, const fer_credential *credential);
};

/* Tells the newest entry, unburned, for identity and claim key, and the next unused generation's
 * public part. The entry may be of an earlier generation than that. For a device that sleeps. */
FER_MUST_USE fer_status fer_store_peek(fer_store *store, fer_credential *credential,
                                       fer_credential_info *info);

/* ---- the whole store (store.c) ---------------------------------------------------------- */

bool fer_store_is_open(const fer_store *store);

/* Recovers what needs it, and does as fer_store_peek. Writes nothing. With two rings, the one that
 * is ahead is the current one then, and FER_OK: the other is fit, or behind, or gone. */
FER_MUST_USE fer_status fer_store_gather(fer_store *store, fer_credential *credential,
                                         fer_credential_info *info);

/* Makes room for the first entry of a ring. FER_OK: it is blank. */
FER_MUST_USE fer_status fer_store_prepare_install(fer_store *store);
/* Writes the first entry into a ring that is blank. */
FER_MUST_USE fer_status fer_store_write_first(fer_store *store, const fer_credential *credential,
                                              uint32_t generation);
/* Whether recovery found no entry in it. */
bool fer_store_holds_nothing(const fer_ring *ring);

/* Ends every call: the page holds no key, and a failed call leaves and yields nothing. */
FER_MUST_USE fer_status fer_store_finish(fer_store *store, fer_status status,
                                         fer_credential *credential);

/* ---- one ring (store_ring.c) ------------------------------------------------------------ */

/* The first failure stays in the ring's status. From then on the port is no longer called: what
 * asks answers false, what writes does nothing. So a call checks once, at its end (CLOSED). */
void fer_store_fail(fer_store *store, fer_status status);

/* Whether what is programmed can be destroyed without an erase. */
bool fer_store_can_overwrite(const fer_store *store);
/* Reads the newest entry, which may be of an earlier generation than the ring's; info is set where
 * the status is FER_OK then. */
void fer_store_read_newest(fer_store *store, fer_credential *credential, fer_credential_info *info);
/* Advances a credential by so many generations. */
void fer_store_advance(fer_store *store, fer_credential *credential, uint32_t steps);
/* Fills the page with the credential as an entry. */
fer_credential *fer_store_fill_page(fer_store *store, const fer_credential *credential);
/* Programs the page, which holds that generation, as the entry at `at`, which from here on is the
 * only one that counts. Leaves the erase that a block's last slot asks for. */
void fer_store_write_entry(fer_store *store, fer_address at, uint32_t generation);
/* Whether the next entry needs the next block, which is not yet known to be blank and newer. */
bool fer_store_is_erase_due(fer_store *store);
/* Does that erase, and its mark. */
void fer_store_begin_next_block(fer_store *store);
/* Makes the block blank; `surely`: even where it reads as that, unless a port looks at the margin.
 */
void fer_store_make_blank(fer_store *store, fer_address block, bool surely);
/* Destroys a slot; where only an erase does, its block. */
void fer_store_destroy(fer_store *store, fer_address at);
/* Burns one generation of the ring, whose newest entry the credential is: makes its successor's
 * entry durable and itself destroyed. The credential is undefined where that fails. */
FER_MUST_USE fer_status fer_store_burn_ring(fer_store *store, fer_credential *credential);

/* Does the ring's erase that can wait (store_maintain.c). FER_EMPTY: none is due. */
FER_MUST_USE fer_status fer_store_maintain_ring(fer_store *store);

/* ---- the medium (store_medium.c): overwrites the page where it does not read into it -------- */

/* What the port's answer means. */
fer_status fer_store_judge(int answer);

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
/* Whether the slot's D is not blank. */
bool fer_store_has_d(fer_store *store, fer_address at);
/* Whether the cell holds exactly "Ferrule" and this letter. */
bool fer_store_is_marked(fer_store *store, fer_address cell, char letter);
void fer_store_mark(fer_store *store, fer_address cell, char letter);

/* ---- recovery (store_recover.c); writes nothing ----------------------------------------- */

/* Finds newest, last, generation and thorough. FER_RENEW_MISSING: the ring is blank.
 * FER_TROUBLE_STATE: it is not, and nothing verifies (CLOSED). FER_DROP_VERSION: it holds an entry
 * of a later format; this build must not act as if it were not there, nor destroy it. */
void fer_store_recover(fer_store *store);
/* Whether an entry in the block verifies. */
bool fer_store_has_entry(fer_store *store, fer_address block);
/* Whether all is blank but for the first `except` bytes of the ring. */
bool fer_store_ring_is_blank(fer_store *store, uint32_t except);

#endif
