/* Ferrule: conformance, how each run begins and ends, and what is left for a reset to find. */
#include <string.h>

#include "driver.h"
#include "life.h"

#define KIT_FIXED (FER_ARENA_ROUND(sizeof(kit_trial)) + FER_ARENA_ROUND(sizeof(kit_life)))
_Static_assert(KIT_FIXED <= FER_ARENA_SIZEOF(26, 2904), "FER_CONFORMANCE_SIZE is too small");
_Static_assert(FER_ARENA_SIZEOF(26, 2904) <= KIT_FIXED + 64u, "FER_CONFORMANCE_SIZE is wasteful");
_Static_assert(sizeof(kit_block) == 20, "FER_CONFORMANCE_SIZE counts 20 bytes for each block");
_Static_assert(FER_CONFORMANCE_RUN(512) % 512 == 0 && FER_CONFORMANCE_RUN(256) % 256 == 0,
               "a run is whole granules");

static bool is_asked_for(const fer_conformance_config *config)
{
    return config != 0 && config->destroy == FER_CONFORMANCE_DESTROY_THE_REGION &&
           config->nv.ops != 0 && config->nv.geometry != 0 && config->memory != 0;
}

void *fer_conformance_take(kit_trial *kit, size_t n)
{
    size_t cells = FER_ARENA_ROUND(n) / FER_ARENA_ALIGN;
    void *taken = kit->rest;

    if (cells > kit->rest_cells) {
        return 0;
    }
    memset(taken, 0, n);
    kit->rest += cells;
    kit->rest_cells -= cells;
    return taken;
}

/* A geometry that cannot work needs no memory: it is refused before anything is touched. */
static bool lay_out(kit_trial *kit)
{
    kit->run_size = FER_CONFORMANCE_RUN(kit->geometry->granule);
    if (!fer_conformance_check_geometry(kit)) {
        return true;
    }
    if (kit->geometry->block_count / 2u > kit->rest_cells / 5u) {
        return false; /* two blocks take five cells: so the product below cannot overflow */
    }
    kit->blocks = fer_conformance_take(kit, kit->geometry->block_count * sizeof(kit_block));
    kit->run = fer_conformance_take(kit, kit->run_size + 2u * KIT_GUARD);
    return kit->blocks != 0 && kit->run != 0;
}

/* What the erase at the end costs is set aside. */
static bool set_aside(kit_trial *kit)
{
    uint32_t runs = (kit->geometry->block_size + kit->run_size - 1u) / kit->run_size;
    bool can_erase = kit->nv.ops->erase != 0;
    uint32_t erases = can_erase ? 1u : 0u;
    uint32_t programs = can_erase ? 0u : runs;

    if (kit->config->erases < erases || kit->config->programs < programs) {
        return false;
    }
    kit->erases = kit->config->erases - erases;
    kit->programs = kit->config->programs - programs;
    return true;
}

fer_status fer_conformance_start(const fer_conformance_config *config,
                                 fer_conformance_result *result, kit_trial **made)
{
    kit_trial plan = {0};

    if (result == 0 || !is_asked_for(config)) {
        return FER_ERR_ARGUMENT;
    }
    memset(result, 0, sizeof *result);
    result->complete = true;
    plan.nv = config->nv;
    plan.geometry = config->nv.geometry;
    plan.config = config;
    plan.result = result;
    plan.rest = config->memory;
    plan.rest_cells = config->cells;
    plan.cut = FER_CONFORMANCE_NOWHERE;
    plan.second_cut = FER_CONFORMANCE_NOWHERE;
    kit_trial *kit = fer_conformance_take(&plan, sizeof plan);
    if (kit == 0 || !lay_out(&plan)) {
        return FER_ERR_ARENA;
    }
    if (result->findings != 0) {
        return FER_TROUBLE_STORAGE;
    }
    if (!set_aside(&plan)) {
        return FER_ERR_ARGUMENT;
    }
    *kit = plan;
    *made = kit;
    return FER_OK;
}

fer_status fer_conformance_end(kit_trial *kit)
{
    kit->worn = false; /* what this costs was set aside */
    kit->erases = kit->config->erases;
    kit->programs = kit->config->programs;
    for (uint32_t block = 0; block < kit->geometry->block_count; block++) {
        (void)fer_conformance_erase(kit, block);
    }
    (void)fer_conformance_verify_others(kit, FER_CONFORMANCE_ERASE_WHOLE, FER_CONFORMANCE_NOWHERE,
                                        "The region is not erased after the last erase of it.");
    return kit->result->findings == 0 ? FER_OK : FER_TROUBLE_STORAGE;
}

fer_status fer_conformance_check_driver(const fer_conformance_config *config,
                                        fer_conformance_result *result)
{
    kit_trial *kit;
    fer_status status = fer_conformance_start(config, result, &kit);

    if (status != FER_OK) {
        return status;
    }
    fer_conformance_drive(kit);
    return fer_conformance_end(kit);
}

fer_status fer_conformance_leave(const fer_conformance_config *config,
                                 fer_conformance_result *result)
{
    kit_trial *kit;
    fer_status status = fer_conformance_start(config, result, &kit);

    if (status != FER_OK) {
        return status;
    }
    kit->erases = config->erases; /* nothing is erased at the end */
    kit->programs = config->programs;
    fer_conformance_fill(kit);
    return result->findings == 0 && result->complete ? FER_OK : FER_TROUBLE_STORAGE;
}

fer_status fer_conformance_find(const fer_conformance_config *config,
                                fer_conformance_result *result)
{
    kit_trial *kit;
    fer_status status = fer_conformance_start(config, result, &kit);

    if (status != FER_OK) {
        return status;
    }
    for (uint32_t block = 0; block < kit->geometry->block_count; block++) {
        kit->blocks[block].lower = KIT_HASH;
        kit->blocks[block].filled = kit->geometry->block_size;
    }
    (void)fer_conformance_verify_others(kit, FER_CONFORMANCE_PROGRAM_DURABLE,
                                        FER_CONFORMANCE_NOWHERE,
                                        "What was programmed before the reset is not there.");
    return fer_conformance_end(kit);
}
