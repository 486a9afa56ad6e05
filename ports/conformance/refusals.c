/* Ferrule: conformance, what the driver must not answer with 0: ranges that are not its own, and
 * operations that fail in the medium. */
#include "driver.h"

#include <string.h>

static void expect_refusal(kit_trial *kit, fer_conformance_rule rule, kit_place at, int answer)
{
    fer_conformance_cover(kit, rule);
    if (answer >= 0) {
        fer_conformance_find_at(kit, rule, at, FER_PORT_FAILED, answer,
                                rule == FER_CONFORMANCE_OUTSIDE
                                    ? "A call outside the region, across blocks or misaligned was "
                                      "not refused."
                                    : "An operation that failed in the medium did not say so.");
    }
}

static void ask_range(kit_trial *kit, kit_place at, uint32_t n)
{
    const struct fer_nv_ops *ops = kit->nv.ops;
    uint8_t *run = kit->run + KIT_GUARD;

    expect_refusal(kit, FER_CONFORMANCE_OUTSIDE, at,
                   ops->read(kit->nv.context, at.block, at.offset, run, n));
    memset(run, kit->geometry->erased, n); /* what does the least where it is not refused */
    expect_refusal(kit, FER_CONFORMANCE_OUTSIDE, at,
                   ops->program(kit->nv.context, at.block, at.offset, run, n));
    if (ops->is_blank != 0) {
        expect_refusal(kit, FER_CONFORMANCE_OUTSIDE, at,
                       ops->is_blank(kit->nv.context, at.block, at.offset, n));
    }
}

static void ask_misaligned(kit_trial *kit, uint32_t offset, uint32_t n)
{
    kit_place at = {0, offset};
    uint8_t *run = kit->run + KIT_GUARD;

    memset(run, kit->geometry->erased, n);
    expect_refusal(kit, FER_CONFORMANCE_OUTSIDE, at,
                   kit->nv.ops->program(kit->nv.context, 0, offset, run, n));
}

void fer_conformance_check_outside(kit_trial *kit)
{
    uint32_t granule = kit->geometry->granule;
    kit_place behind = {kit->geometry->block_count, 0};
    kit_place far = {UINT32_MAX / kit->geometry->block_size + 1u, 0};
    kit_place at_end = {0, kit->geometry->block_size};
    kit_place across = {0, kit->geometry->block_size - granule};
    kit_place wrapped = {0, 0u - granule};

    if ((kit->config->flags & (unsigned)FER_CONFORMANCE_ASK_OUTSIDE) == 0) {
        return;
    }
    ask_range(kit, behind, granule);
    ask_range(kit, far, granule);
    ask_range(kit, at_end, granule);
    ask_range(kit, across, 2u * granule);
    ask_range(kit, wrapped, 2u * granule);
    if (granule > 1) {
        ask_misaligned(kit, 1, granule);
        ask_misaligned(kit, 0, granule - 1u);
    }
    if (kit->nv.ops->erase != 0) {
        expect_refusal(kit, FER_CONFORMANCE_OUTSIDE, behind,
                       kit->nv.ops->erase(kit->nv.context, behind.block));
    }
    (void)fer_conformance_verify_others(kit, FER_CONFORMANCE_OUTSIDE, FER_CONFORMANCE_NOWHERE,
                                        "A call that had to be refused changed the region.");
}

static bool is_faulty(kit_trial *kit, fer_conformance_operation operation)
{
    return kit->config->ops->fault(kit->config->context, operation);
}

/* What a failed operation leaves is undefined, so the block is erased before and after. */
void fer_conformance_check_failures(kit_trial *kit)
{
    const struct fer_nv_ops *ops = kit->nv.ops;
    uint8_t *run = kit->run + KIT_GUARD;
    uint32_t granule = kit->geometry->granule;
    kit_place at = {0, 0};

    if (kit->config->ops == 0 || kit->config->ops->fault == 0 || !fer_conformance_erase(kit, 0)) {
        return;
    }
    if (is_faulty(kit, FER_CONFORMANCE_READ)) {
        expect_refusal(kit, FER_CONFORMANCE_FAILURE_REPORTED, at,
                       ops->read(kit->nv.context, 0, 0, run, granule));
    }
    if (fer_conformance_spend(kit, 0, 0, 1) && is_faulty(kit, FER_CONFORMANCE_PROGRAM)) {
        memset(run, 0x3C, granule);
        expect_refusal(kit, FER_CONFORMANCE_FAILURE_REPORTED, at,
                       ops->program(kit->nv.context, 0, 0, run, granule));
    }
    if (ops->erase != 0 && fer_conformance_spend(kit, 0, 1, 0) &&
        is_faulty(kit, FER_CONFORMANCE_ERASE)) {
        expect_refusal(kit, FER_CONFORMANCE_FAILURE_REPORTED, at, ops->erase(kit->nv.context, 0));
    }
    (void)fer_conformance_erase(kit, 0);
}
