/* Ferrule: conformance, the driver under test behind guards. Nothing here goes past the wear that
 * the config allows, or outside the region. */
#include "kit.h"

#include <string.h>

enum { TRIES = 100, POISON = 0xA5 };

/* ---- findings --------------------------------------------------------------------------- */

void fer_conformance_find_at(kit_trial *kit, fer_conformance_rule rule, kit_place at,
                             int32_t expected, int32_t got, const char *sentence)
{
    const struct fer_conformance_ops *ops = kit->config->ops;
    fer_conformance_finding finding;

    kit->result->findings++;
    kit->result->verdict[rule] = FER_CONFORMANCE_FAILED;
    if (ops == 0 || ops->report == 0) {
        return;
    }
    finding.rule = rule;
    finding.name = fer_conformance_rule_name(rule);
    finding.sentence = sentence;
    finding.block = at.block;
    finding.offset = at.offset;
    finding.expected = expected;
    finding.got = got;
    finding.cut = kit->cut;
    finding.second_cut = kit->second_cut;
    ops->report(kit->config->context, &finding);
}

void fer_conformance_cover(kit_trial *kit, fer_conformance_rule rule)
{
    if (kit->result->verdict[rule] == FER_CONFORMANCE_NOT_TESTED) {
        kit->result->verdict[rule] = FER_CONFORMANCE_PASSED;
    }
}

/* ---- operations ------------------------------------------------------------------------- */

/* Judges the answer of a call that must succeed, if it was made. */
static bool judge(kit_trial *kit, fer_conformance_rule rule, kit_place at, int answer)
{
    if (kit->worn) {
        return false;
    }
    fer_conformance_cover(kit, FER_CONFORMANCE_POSITIVE_ANSWER);
    fer_conformance_cover(kit, rule);
    if (answer > 0) {
        fer_conformance_find_at(kit, FER_CONFORMANCE_POSITIVE_ANSWER, at, FER_PORT_OK, answer,
                                "A call answered a positive number: there are no short reads or "
                                "writes, and every failure is negative.");
    } else if (answer < 0) {
        fer_conformance_find_at(kit, rule, at, FER_PORT_OK, answer,
                                "A call that must succeed failed.");
    }
    return answer == FER_PORT_OK;
}

bool fer_conformance_can(const kit_trial *kit, uint32_t block, uint32_t erases, uint32_t programs)
{
    const kit_block *spent = &kit->blocks[block];

    return erases <= kit->erases - spent->erases && programs <= kit->programs - spent->programs;
}

bool fer_conformance_spend(kit_trial *kit, uint32_t block, uint32_t erases, uint32_t programs)
{
    kit_block *spent = &kit->blocks[block];

    if (!fer_conformance_can(kit, block, erases, programs)) {
        kit->worn = true;
        kit->result->complete = false;
        return false;
    }
    spent->erases += erases;
    spent->programs += programs;
    if (spent->erases > kit->result->erases) {
        kit->result->erases = spent->erases;
    }
    if (spent->programs > kit->result->programs) {
        kit->result->programs = spent->programs;
    }
    return true;
}

int fer_conformance_ask_read(kit_trial *kit, kit_place at, uint8_t *out, size_t n)
{
    int answer = FER_PORT_NOT_NOW;

    for (int i = 0; i < TRIES && answer == FER_PORT_NOT_NOW; i++) {
        answer = kit->nv.ops->read(kit->nv.context, at.block, at.offset, out, n);
    }
    return answer;
}

int fer_conformance_ask_program(kit_trial *kit, kit_place at, const uint8_t *in, size_t n)
{
    int answer = FER_PORT_NOT_NOW;

    for (int i = 0; i < TRIES && answer == FER_PORT_NOT_NOW; i++) {
        if (!fer_conformance_spend(kit, at.block, 0, 1)) {
            return FER_PORT_FAILED;
        }
        answer = kit->nv.ops->program(kit->nv.context, at.block, at.offset, in, n);
    }
    return answer;
}

int fer_conformance_ask_erase(kit_trial *kit, uint32_t block)
{
    int answer = FER_PORT_NOT_NOW;

    for (int i = 0; i < TRIES && answer == FER_PORT_NOT_NOW; i++) {
        if (!fer_conformance_spend(kit, block, 1, 0)) {
            return FER_PORT_FAILED;
        }
        answer = kit->nv.ops->erase(kit->nv.context, block);
    }
    return answer;
}

int fer_conformance_ask_blank(kit_trial *kit, kit_place at, size_t n)
{
    int answer = FER_PORT_NOT_NOW;

    for (int i = 0; i < TRIES && answer == FER_PORT_NOT_NOW; i++) {
        answer = kit->nv.ops->is_blank(kit->nv.context, at.block, at.offset, n);
    }
    return answer;
}

bool fer_conformance_read(kit_trial *kit, kit_place at, uint8_t *out, uint32_t n)
{
    return judge(kit, FER_CONFORMANCE_READ_ANSWER, at, fer_conformance_ask_read(kit, at, out, n));
}

bool fer_conformance_program(kit_trial *kit, kit_place at, const uint8_t *in, uint32_t n)
{
    return judge(kit, FER_CONFORMANCE_PROGRAM_ANSWER, at,
                 fer_conformance_ask_program(kit, at, in, n));
}

static bool erase_by_program(kit_trial *kit, uint32_t block)
{
    kit_place at = {block, 0};
    bool good = true;

    for (; at.offset < kit->geometry->block_size && good; at.offset += kit->run_size) {
        uint32_t left = kit->geometry->block_size - at.offset;
        good =
            fer_conformance_put(kit, KIT_ERASED, at, left < kit->run_size ? left : kit->run_size);
    }
    return good;
}

bool fer_conformance_erase(kit_trial *kit, uint32_t block)
{
    kit_block *held = &kit->blocks[block];
    kit_place at = {block, 0};
    bool erased = kit->nv.ops->erase == 0 ? erase_by_program(kit, block)
                                          : judge(kit, FER_CONFORMANCE_ERASE_ANSWER, at,
                                                  fer_conformance_ask_erase(kit, block));

    if (!kit->worn) {
        held->over = 0;
        held->filled = 0;
    }
    return erased;
}

int fer_conformance_blank(kit_trial *kit, kit_place at, uint32_t n)
{
    int answer = fer_conformance_ask_blank(kit, at, n);

    if (answer == 0 || answer == 1) {
        fer_conformance_cover(kit, FER_CONFORMANCE_BLANK_ANSWER);
        return answer;
    }
    fer_conformance_find_at(kit, FER_CONFORMANCE_BLANK_ANSWER, at, 1, answer,
                            "A blank check answered neither 0 nor 1.");
    return FER_PORT_FAILED;
}

bool fer_conformance_reopen(kit_trial *kit)
{
    const struct fer_conformance_ops *ops = kit->config->ops;
    const kit_place nowhere = {FER_CONFORMANCE_NOWHERE, FER_CONFORMANCE_NOWHERE};

    if (ops == 0 || ops->reopen == 0) {
        return false;
    }
    fer_conformance_cover(kit, FER_CONFORMANCE_REOPEN);
    if (!ops->reopen(kit->config->context)) {
        fer_conformance_find_at(kit, FER_CONFORMANCE_REOPEN, nowhere, 1, 0,
                                "The reopen hook failed.");
        return false;
    }
    return true;
}

/* ---- contents --------------------------------------------------------------------------- */

/* A byte that depends on every bit of its address, and is neither 0x00 nor 0xFF. */
static uint8_t hash(uint32_t block, uint32_t offset)
{
    uint32_t x = offset * 0x9E3779B1u ^ (block + 1u) * 0x85EBCA77u;
    uint8_t byte;

    x ^= x >> 15;
    x *= 0x2C1B3C6Du;
    x ^= x >> 12;
    x *= 0x297A2D39u;
    byte = (uint8_t)(x >> 24);
    return byte == 0x00 || byte == 0xFF ? 0x6B : byte;
}

static bool is_bare(const kit_trial *kit, uint8_t pattern, uint32_t offset)
{
    uint32_t granule = offset / kit->geometry->granule;

    return (pattern & KIT_SPARSE) != 0 && (granule & (granule - 1u)) != 0;
}

uint8_t fer_conformance_pattern(const kit_trial *kit, uint8_t pattern, uint32_t block,
                                uint32_t offset)
{
    uint8_t erased = kit->geometry->erased;

    if (is_bare(kit, pattern, offset)) {
        return erased;
    }
    switch (pattern & ~(unsigned)KIT_SPARSE) {
    case KIT_OPPOSITE:
        return (uint8_t)~erased;
    case KIT_CHECKER:
        return (offset & 1u) != 0 ? 0x55 : 0xAA;
    case KIT_CHECKER_INVERSE:
        return (offset & 1u) != 0 ? 0xAA : 0x55;
    case KIT_HASH:
        return hash(block, offset);
    case KIT_HASH_INVERSE:
        return (uint8_t)~hash(block, offset);
    default:
        return erased;
    }
}

static uint8_t expected_at(const kit_trial *kit, uint32_t block, uint32_t offset)
{
    const kit_block *held = &kit->blocks[block];
    uint8_t pattern = offset < held->over     ? held->upper
                      : offset < held->filled ? held->lower
                                              : (uint8_t)KIT_ERASED;

    return fer_conformance_pattern(kit, pattern, block, offset);
}

bool fer_conformance_put(kit_trial *kit, uint8_t pattern, kit_place at, uint32_t n)
{
    uint8_t *run = kit->run + KIT_GUARD;

    for (uint32_t i = 0; i < n; i++) {
        run[i] = fer_conformance_pattern(kit, pattern, at.block, at.offset + i);
    }
    return fer_conformance_program(kit, at, run, n);
}

/* Reads into the run, between guards that must stay as they are. */
static bool read_guarded(kit_trial *kit, kit_place at, uint32_t n)
{
    uint8_t *run = kit->run + KIT_GUARD;

    memset(kit->run, POISON, KIT_GUARD + n + KIT_GUARD);
    if (!fer_conformance_read(kit, at, run, n)) {
        return false;
    }
    fer_conformance_cover(kit, FER_CONFORMANCE_READ_OVERRUN);
    for (uint32_t i = 0; i < KIT_GUARD; i++) {
        uint8_t got = kit->run[i] != POISON ? kit->run[i] : run[n + i];
        if (got != POISON) {
            fer_conformance_find_at(kit, FER_CONFORMANCE_READ_OVERRUN, at, POISON, got,
                                    "A read wrote outside the memory that it was given.");
            return false;
        }
    }
    return true;
}

static bool verify_run(kit_trial *kit, fer_conformance_rule rule, kit_place at, uint32_t n,
                       const char *sentence)
{
    const uint8_t *run = kit->run + KIT_GUARD;

    if (!read_guarded(kit, at, n)) {
        return false;
    }
    fer_conformance_cover(kit, rule);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t expected = expected_at(kit, at.block, at.offset + i);
        kit_place there = {at.block, at.offset + i};

        if (run[i] != expected) {
            fer_conformance_find_at(kit, rule, there, expected, run[i], sentence);
            return false;
        }
    }
    return true;
}

bool fer_conformance_verify(kit_trial *kit, fer_conformance_rule rule, kit_place at, uint32_t n,
                            const char *sentence)
{
    bool good = true;

    while (n > 0 && good) {
        uint32_t size = n < kit->run_size ? n : kit->run_size;

        good = verify_run(kit, rule, at, size, sentence);
        at.offset += size;
        n -= size;
    }
    return good;
}

bool fer_conformance_verify_others(kit_trial *kit, fer_conformance_rule rule, uint32_t but,
                                   const char *sentence)
{
    kit_place at = {0, 0};
    bool good = true;

    for (; at.block < kit->geometry->block_count; at.block++) {
        good = (at.block == but ||
                fer_conformance_verify(kit, rule, at, kit->geometry->block_size, sentence)) &&
               good;
    }
    return good;
}
