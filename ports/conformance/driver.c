/* Ferrule: conformance, the driver's contract: every rule of port.h, on every block.
 *
 * What is checked first is checked with the least: a driver that breaks one rule should be found
 * under the name of that rule. */
#include "driver.h"

#include <string.h>

static const char *const not_read_back = "What was programmed does not read back.";
static const char *const not_alone = "A program changed something beside its range.";

static uint32_t block_size(const kit_trial *kit)
{
    return kit->geometry->block_size;
}

static uint32_t granules(const kit_trial *kit)
{
    return block_size(kit) / kit->geometry->granule;
}

/* ---- reading ---------------------------------------------------------------------------- */

/* Reads the same twice over different bytes: what differs then was not written. */
static bool reads_whole(kit_trial *kit, kit_place at, uint32_t n)
{
    uint8_t *first = kit->run;
    uint8_t *second = kit->run + n;

    memset(first, 0xA5, n);
    memset(second, 0x5A, n);
    if (!fer_conformance_read(kit, at, first, n) || !fer_conformance_read(kit, at, second, n)) {
        return false;
    }
    fer_conformance_cover(kit, FER_CONFORMANCE_READ_SHORT);
    for (uint32_t i = 0; i < n; i++) {
        kit_place there = {at.block, at.offset + i};

        if (first[i] == 0xA5 && second[i] == 0x5A) {
            fer_conformance_find_at(kit, FER_CONFORMANCE_READ_SHORT, there, (int32_t)n, (int32_t)i,
                                    "A read answered 0 and did not fill all n bytes.");
            return false;
        }
    }
    return true;
}

static bool check_reads(kit_trial *kit)
{
    bool good = true;

    for (uint32_t n = 1; n <= kit->run_size / 2u && n <= block_size(kit) && good; n++) {
        kit_place begin = {0, 0};
        kit_place end = {kit->geometry->block_count - 1u, block_size(kit) - n};

        good = reads_whole(kit, begin, n) && reads_whole(kit, end, n);
    }
    return good;
}

/* Of 1 to n bytes, from offsets of every alignment, and up to the very end of a block. */
static void check_unaligned(kit_trial *kit)
{
    const char *sentence = "A read of other length or alignment tells something else.";
    bool good = true;

    for (uint32_t n = 1; n <= kit->run_size && n < block_size(kit) && good; n++) {
        uint32_t last = block_size(kit) - n;
        kit_place begin = {n % kit->geometry->block_count, 1u};
        kit_place middle = {begin.block, n * 37u % last};
        kit_place end = {begin.block, last};

        good = fer_conformance_verify(kit, FER_CONFORMANCE_READ_UNALIGNED, begin, n, sentence) &&
               fer_conformance_verify(kit, FER_CONFORMANCE_READ_UNALIGNED, middle, n, sentence) &&
               fer_conformance_verify(kit, FER_CONFORMANCE_READ_UNALIGNED, end, n, sentence);
    }
}

/* ---- blank checks ----------------------------------------------------------------------- */

static bool expect_blank(kit_trial *kit, fer_conformance_rule rule, kit_place at, uint32_t n,
                         int expected)
{
    if (kit->nv.ops->is_blank == 0 || n == 0) {
        return true;
    }
    int answer = fer_conformance_blank(kit, at, n);
    if (answer < 0) {
        return false;
    }
    fer_conformance_cover(kit, rule);
    if (answer != expected) {
        fer_conformance_find_at(kit, rule, at, expected, answer,
                                expected == 1 ? "An erased range is not blank."
                                              : "A range that was programmed is blank.");
    }
    return answer == expected;
}

/* From `at` on: the first n bytes were programmed just now, the rest is erased. */
static bool check_blank_from(kit_trial *kit, uint8_t pattern, kit_place at, uint32_t n)
{
    fer_conformance_rule rule = pattern == KIT_OPPOSITE ? FER_CONFORMANCE_BLANK_DESTROYED
                                                        : FER_CONFORMANCE_BLANK_PROGRAMMED;
    kit_place after = {at.block, at.offset + n};
    uint32_t left = block_size(kit) - at.offset;

    return expect_blank(kit, rule, at, n, 0) && expect_blank(kit, rule, at, left, 0) &&
           expect_blank(kit, FER_CONFORMANCE_BLANK_ERASED, after, left - n, 1);
}

static bool check_blank_each(kit_trial *kit, fer_conformance_rule rule, uint32_t block,
                             int expected)
{
    kit_place at = {block, 0};
    bool good = expect_blank(kit, rule, at, block_size(kit), expected);

    for (; at.offset < block_size(kit) && good; at.offset += kit->geometry->granule) {
        good = expect_blank(kit, rule, at, kit->geometry->granule, expected);
    }
    return good;
}

/* ---- erasing ---------------------------------------------------------------------------- */

static bool erase_each(kit_trial *kit)
{
    bool good = true;

    for (uint32_t block = 0; block < kit->geometry->block_count && good; block++) {
        kit_place at = {block, 0};

        good = fer_conformance_erase(kit, block) &&
               fer_conformance_verify_others(kit, FER_CONFORMANCE_ERASE_ALONE, block,
                                             "Erasing a block changed another one.") &&
               fer_conformance_verify(kit, FER_CONFORMANCE_ERASE_WHOLE, at, block_size(kit),
                                      "An erased block does not read as erased.") &&
               check_blank_each(kit, FER_CONFORMANCE_BLANK_ERASED, block, 1);
    }
    if (good && fer_conformance_reopen(kit)) {
        good = fer_conformance_verify_others(kit, FER_CONFORMANCE_ERASE_DURABLE,
                                             FER_CONFORMANCE_NOWHERE,
                                             "A reopen undid an erase that had returned.");
    }
    return good;
}

/* The first erase finds what nobody knows: only when all is erased is there something to check. */
static bool erase_all(kit_trial *kit)
{
    bool good = true;

    for (uint32_t block = 0; block < kit->geometry->block_count && good; block++) {
        good = fer_conformance_erase(kit, block);
    }
    return good && check_reads(kit) &&
           fer_conformance_verify_others(kit, FER_CONFORMANCE_ERASE_WHOLE, FER_CONFORMANCE_NOWHERE,
                                         "An erased block does not read as erased.");
}

/* ---- programming ------------------------------------------------------------------------ */

/* The granules before and after a range must be as they were. */
static bool check_neighbours(kit_trial *kit, kit_place at, uint32_t n)
{
    uint32_t granule = kit->geometry->granule;
    kit_place before = {at.block, at.offset - granule};
    kit_place after = {at.block, at.offset + n};
    bool good = true;

    if (at.offset > 0) {
        good =
            fer_conformance_verify(kit, FER_CONFORMANCE_PROGRAM_ALONE, before, granule, not_alone);
    }
    if (after.offset < block_size(kit)) {
        good =
            fer_conformance_verify(kit, FER_CONFORMANCE_PROGRAM_ALONE, after, granule, not_alone) &&
            good;
    }
    return good;
}

/* Granules one by one, for some patterns and where wear allows; else single ones at both ends of a
 * block, and runs of every length between. */
static uint32_t next_length(const kit_trial *kit, bool singly, uint32_t offset, uint32_t step)
{
    uint32_t granule = kit->geometry->granule;
    uint32_t most = kit->run_size / granule;
    uint32_t left = (block_size(kit) - offset) / granule;
    uint32_t length = 1u + step * 167u % most; /* long and short ones by turns */

    if (singly || offset < 4u * granule || left <= 4u) {
        return granule;
    }
    return (length < left - 4u ? length : left - 4u) * granule;
}

/* Programs a layer of a block from its begin to its end: the lower one, over erased bytes, or the
 * upper one over it. */
static bool fill(kit_trial *kit, fer_conformance_rule rule, kit_block *held, kit_place at,
                 bool upper)
{
    uint32_t *filled = upper ? &held->over : &held->filled;
    uint8_t pattern = upper ? held->upper : held->lower;
    bool singly = (pattern == KIT_HASH || pattern == KIT_OPPOSITE) &&
                  fer_conformance_can(kit, at.block, 0, granules(kit));
    bool good = true;

    for (uint32_t step = 0; at.offset < block_size(kit) && good; step++) {
        uint32_t n = next_length(kit, singly, at.offset, step);

        good = fer_conformance_put(kit, pattern, at, n);
        *filled = at.offset + n;
        good = good && fer_conformance_verify(kit, rule, at, n, not_read_back) &&
               check_neighbours(kit, at, n) && (upper || check_blank_from(kit, pattern, at, n));
        at.offset += n;
    }
    return good;
}

static bool fill_each(kit_trial *kit, fer_conformance_rule rule, uint8_t pattern, bool upper)
{
    bool good = true;

    for (uint32_t block = 0; block < kit->geometry->block_count && good; block++) {
        kit_block *held = &kit->blocks[block];
        kit_place at = {block, 0};

        *(upper ? &held->upper : &held->lower) = pattern;
        good = fill(kit, rule, held, at, upper) &&
               fer_conformance_verify_others(kit, FER_CONFORMANCE_PROGRAM_ALONE,
                                             FER_CONFORMANCE_NOWHERE, not_alone);
    }
    if (good && fer_conformance_reopen(kit)) {
        good = fer_conformance_verify_others(kit, FER_CONFORMANCE_PROGRAM_DURABLE,
                                             FER_CONFORMANCE_NOWHERE,
                                             "A reopen undid a program that had returned.");
    }
    return good;
}

/* Whether every block has wear left for a pass; else the run is not complete. */
static bool can_pass(kit_trial *kit, uint32_t erases)
{
    uint32_t programs = block_size(kit) / kit->run_size * 3u + 16u; /* what fill needs at most */
    bool can = true;

    if (programs > granules(kit)) {
        programs = granules(kit);
    }
    for (uint32_t block = 0; block < kit->geometry->block_count; block++) {
        can = can && fer_conformance_can(kit, block, erases, programs);
    }
    kit->result->complete = kit->result->complete && can;
    return can;
}

/* Erases every block and programs a pattern into it, each step checked. */
static void pass(kit_trial *kit, uint8_t pattern, fer_conformance_rule rule)
{
    if (can_pass(kit, kit->nv.ops->erase != 0 ? 1u : 0u) && erase_each(kit)) {
        (void)fill_each(kit, rule, pattern, false);
    }
}

/* Whether the last pass came to its end, as far as is known. */
static bool is_filled(const kit_trial *kit)
{
    bool filled = true;

    for (uint32_t block = 0; block < kit->geometry->block_count; block++) {
        filled = filled && kit->blocks[block].filled == block_size(kit);
    }
    return filled;
}

/* Programs over what the last pass left. */
static void pass_over(kit_trial *kit, uint8_t pattern, fer_conformance_rule rule)
{
    for (uint32_t block = 0; block < kit->geometry->block_count; block++) {
        kit_block *held = &kit->blocks[block];

        if (held->over == block_size(kit)) {
            held->lower = held->upper;
            held->over = 0;
        }
    }
    if (is_filled(kit) && can_pass(kit, 0)) {
        (void)fill_each(kit, rule, pattern, true);
    }
}

/* ---- address lines ---------------------------------------------------------------------- */

/* One granule for each address line of a block. Each must still be erased when its turn comes, or
 * it is the same memory as one before. */
static bool walk(kit_trial *kit, kit_place at)
{
    const char *sentence = "A place reads as another one: address lines, or block arithmetic.";
    uint32_t granule = kit->geometry->granule;
    kit_block *held = &kit->blocks[at.block];
    kit_place from = at; /* behind the granule before it */
    uint32_t number = 0;
    bool good = true;

    for (; number < granules(kit) && good; number = number == 0 ? 1u : number * 2u) {
        at.offset = number * granule;
        good = fer_conformance_verify(kit, FER_CONFORMANCE_ADDRESS_LINES, at, granule, sentence) &&
               fer_conformance_put(kit, KIT_HASH, at, granule);
        held->filled = at.offset + granule;
        good = good &&
               fer_conformance_verify(kit, FER_CONFORMANCE_PROGRAM_READS_BACK, at, granule,
                                      not_read_back) &&
               check_neighbours(kit, at, granule) &&
               expect_blank(kit, FER_CONFORMANCE_BLANK_PROGRAMMED, from, held->filled - from.offset,
                            0);
        from.offset = held->filled;
    }
    return good;
}

static void check_addresses(kit_trial *kit)
{
    kit_place at = {0, 0};
    bool good = true;

    for (; at.block < kit->geometry->block_count && good; at.block++) {
        kit->blocks[at.block].lower = KIT_HASH | KIT_SPARSE;
        good = walk(kit, at);
    }
    if (good && fer_conformance_reopen(kit)) {
        good = fer_conformance_verify_others(kit, FER_CONFORMANCE_PROGRAM_DURABLE,
                                             FER_CONFORMANCE_NOWHERE,
                                             "A reopen undid a program that had returned.");
    }
    if (good) {
        (void)fer_conformance_verify_others(
            kit, FER_CONFORMANCE_ADDRESS_LINES, FER_CONFORMANCE_NOWHERE,
            "Programming one place changed another: address lines, or block arithmetic.");
    }
}

/* ---- the whole -------------------------------------------------------------------------- */

static void check_destroyed(kit_trial *kit)
{
    bool good = is_filled(kit);

    for (uint32_t block = 0; block < kit->geometry->block_count && good; block++) {
        good = check_blank_each(kit, FER_CONFORMANCE_BLANK_DESTROYED, block, 0);
    }
}

/* Over what the last pass left: zeros (or ones) where that is allowed, or anything. */
static void check_overwrite(kit_trial *kit)
{
    unsigned flags = kit->geometry->flags;

    if ((flags & (unsigned)(FER_NV_OVERWRITE | FER_NV_REWRITE)) != 0) {
        pass_over(kit, KIT_OPPOSITE,
                  (flags & (unsigned)FER_NV_OVERWRITE) != 0 ? FER_CONFORMANCE_OVERWRITE
                                                            : FER_CONFORMANCE_REWRITE);
        check_destroyed(kit);
    }
}

static void check_rewrite(kit_trial *kit)
{
    if ((kit->geometry->flags & (unsigned)FER_NV_REWRITE) != 0) {
        pass_over(kit, KIT_HASH, FER_CONFORMANCE_REWRITE);
        pass_over(kit, KIT_CHECKER, FER_CONFORMANCE_REWRITE);
        pass_over(kit, KIT_ERASED, FER_CONFORMANCE_REWRITE);
    }
}

static bool begin(kit_trial *kit)
{
    return can_pass(kit, kit->nv.ops->erase != 0 ? 1u : 0u) && erase_all(kit);
}

void fer_conformance_fill(kit_trial *kit)
{
    if (begin(kit)) {
        (void)fill_each(kit, FER_CONFORMANCE_PROGRAM_READS_BACK, KIT_HASH, false);
    }
}

void fer_conformance_drive(kit_trial *kit)
{
    if (!begin(kit)) {
        return;
    }
    check_addresses(kit);
    pass(kit, KIT_HASH, FER_CONFORMANCE_PROGRAM_READS_BACK);
    if (is_filled(kit)) {
        check_unaligned(kit);
    }
    check_overwrite(kit);
    pass(kit, KIT_HASH_INVERSE, FER_CONFORMANCE_PROGRAM_READS_BACK);
    check_rewrite(kit);
    pass(kit, KIT_CHECKER, FER_CONFORMANCE_BITS);
    pass(kit, KIT_CHECKER_INVERSE, FER_CONFORMANCE_BITS);
    pass(kit, KIT_OPPOSITE, FER_CONFORMANCE_BITS);
    check_destroyed(kit);
    fer_conformance_check_outside(kit);
    fer_conformance_check_failures(kit);
}
