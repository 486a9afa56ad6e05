/* Ferrule: conformance, what its files share: the driver under test behind guards, the wear that
 * was spent on each block, and what each block must hold by now. */
#ifndef FERRULE_PORTS_CONFORMANCE_KIT_H
#define FERRULE_PORTS_CONFORMANCE_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/conformance.h"

enum { KIT_GUARD = 8 };

/* What is programmed. A hash depends on every bit of the address; no byte of it is all ones or all
 * zeros, so that a programmed granule never looks erased. */
enum {
    KIT_ERASED,
    KIT_OPPOSITE, /* of erased: what a destroyed entry is */
    KIT_CHECKER,
    KIT_CHECKER_INVERSE,
    KIT_HASH,
    KIT_HASH_INVERSE,
    KIT_SPARSE = 0x80 /* flag: only granules whose number is 0 or a power of two */
};

/* A block holds `upper` in its first `over` bytes, then `lower` up to `filled`, then erased. */
typedef struct kit_block {
    uint32_t erases;
    uint32_t programs;
    uint32_t over;
    uint32_t filled;
    uint8_t upper;
    uint8_t lower;
} kit_block;

typedef struct kit_trial {
    fer_nv nv;
    const fer_nv_geometry *geometry;
    const fer_conformance_config *config;
    fer_conformance_result *result;
    kit_block *blocks;
    uint8_t *run;      /* the buffer of programs and reads, with guards on both sides */
    uint32_t run_size; /* without them: a multiple of the granule */
    uint32_t erases;   /* that a block may have now: the config's, without what is set aside */
    uint32_t programs;
    fer_arena_cell *rest; /* memory that is left for the store */
    size_t rest_cells;
    uint32_t cut; /* of the finding to come */
    uint32_t second_cut;
    bool worn; /* an operation was not done, for it would have cost more than allowed */
} kit_trial;

/* Answers of fer_conformance_start: what a public function must answer at once, or FER_OK. */
FER_MUST_USE fer_status fer_conformance_start(const fer_conformance_config *config,
                                              fer_conformance_result *result, kit_trial **made);
/* Cuts the next n bytes off the memory that is left, zeroed; null where it is too small. */
void *fer_conformance_take(kit_trial *kit, size_t n);
/* Erases the region and tells the final status. */
FER_MUST_USE fer_status fer_conformance_end(kit_trial *kit);

/* ---- findings --------------------------------------------------------------------------- */

typedef struct kit_place {
    uint32_t block;
    uint32_t offset;
} kit_place;

void fer_conformance_find_at(kit_trial *kit, fer_conformance_rule rule, kit_place at,
                             int32_t expected, int32_t got, const char *sentence);
/* Notes that the rule was put to the test; it passes unless something is found. */
void fer_conformance_cover(kit_trial *kit, fer_conformance_rule rule);

/* ---- operations ------------------------------------------------------------------------- */

/* The driver's answer, after it was asked again where it said not now. What spends wear that is not
 * left is not called: worn, and FER_PORT_FAILED. */
int fer_conformance_ask_read(kit_trial *kit, kit_place at, uint8_t *out, size_t n);
int fer_conformance_ask_program(kit_trial *kit, kit_place at, const uint8_t *in, size_t n);
int fer_conformance_ask_erase(kit_trial *kit, uint32_t block);
int fer_conformance_ask_blank(kit_trial *kit, kit_place at, size_t n);

/* True where the driver did what it was asked, else a finding is made; none where wear ran out. */
bool fer_conformance_read(kit_trial *kit, kit_place at, uint8_t *out, uint32_t n);
bool fer_conformance_program(kit_trial *kit, kit_place at, const uint8_t *in, uint32_t n);
/* By programming, where there is no erase. */
bool fer_conformance_erase(kit_trial *kit, uint32_t block);
/* 1, 0, or negative after a finding. */
int fer_conformance_blank(kit_trial *kit, kit_place at, uint32_t n);
/* True where there is a hook and it succeeded. */
bool fer_conformance_reopen(kit_trial *kit);
/* Notes what is about to be spent on a block, or that there is none left: false. */
bool fer_conformance_spend(kit_trial *kit, uint32_t block, uint32_t erases, uint32_t programs);
/* Whether the block may still be erased and programmed so often. */
bool fer_conformance_can(const kit_trial *kit, uint32_t block, uint32_t erases, uint32_t programs);

/* ---- contents --------------------------------------------------------------------------- */

uint8_t fer_conformance_pattern(const kit_trial *kit, uint8_t pattern, uint32_t block,
                                uint32_t offset);
/* Programs n bytes of a pattern. Tells nothing to `blocks`. */
bool fer_conformance_put(kit_trial *kit, uint8_t pattern, kit_place at, uint32_t n);
/* Whether the driver reads what `blocks` says; the first difference is a finding of this rule. */
bool fer_conformance_verify(kit_trial *kit, fer_conformance_rule rule, kit_place at, uint32_t n,
                            const char *sentence);
/* The same of all blocks but one (or FER_CONFORMANCE_NOWHERE), whole. */
bool fer_conformance_verify_others(kit_trial *kit, fer_conformance_rule rule, uint32_t but,
                                   const char *sentence);

#endif
