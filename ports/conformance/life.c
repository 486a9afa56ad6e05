/* Ferrule: conformance, one life of a store: what must hold whatever power did (NONCE, WIPE,
 * CLOSED). The first thing found ends it. */
#include "life.h"

enum { INSTALLS = 3, BODY = FER_CREDENTIAL_BYTES, CELL = 8 };

static void find(kit_life *life, fer_conformance_rule rule, int32_t expected, int32_t got,
                 const char *sentence)
{
    const kit_place nowhere = {FER_CONFORMANCE_NOWHERE, FER_CONFORMANCE_NOWHERE};

    life->over = true;
    fer_conformance_find_at(life->kit, rule, nowhere, expected, got, sentence);
}

/* A rule that holds; an unmet one ends the life. */
static bool hold(kit_life *life, bool met, fer_conformance_rule rule, int32_t expected, int32_t got,
                 const char *sentence)
{
    fer_conformance_cover(life->kit, rule);
    if (!met && !life->over) {
        find(life, rule, expected, got, sentence);
    }
    return met;
}

/* ---- begin and boot --------------------------------------------------------------------- */

kit_life *fer_conformance_life_make(kit_trial *kit, fer_store_policy policy)
{
    size_t cell_count =
        (FER_STORE_SIZE(kit->geometry->granule) + FER_STORE_MIRROR_SIZE) / FER_ARENA_ALIGN;
    kit_life *life = fer_conformance_take(kit, sizeof *life);
    fer_arena_cell *cells = fer_conformance_take(kit, cell_count * sizeof *cells);
    fer_arena_cell *truth = fer_conformance_take(kit, FER_STORE_SIZE(1));

    if (life == 0 || cells == 0 || truth == 0) {
        return 0;
    }
    life->kit = kit;
    life->policy = policy;
    life->cells = cells;
    life->cell_count = cell_count;
    life->chain.cells = truth;
    life->power.kit = kit;
    life->power.random = kit->config->seed;
    return life;
}

/* Gives the memory back to the caller, who may use it again. */
void fer_conformance_life_close(kit_life *life)
{
    fer_store_close(&life->store);
    fer_store_close(&life->chain.store);
    fer_arena_close(&life->arena);
    fer_arena_close(&life->chain.arena);
    fer_credential_wipe(&life->first);
    fer_credential_wipe(&life->chain.newest);
}

static bool reads_erased(kit_trial *kit, uint32_t block)
{
    uint8_t *run = kit->run + KIT_GUARD;
    uint32_t size = kit->geometry->granule; /* which divides a block */
    kit_place at = {block, 0};

    for (; at.offset < kit->geometry->block_size; at.offset += size) {
        if (!fer_conformance_read(kit, at, run, size)) {
            return false;
        }
        for (uint32_t i = 0; i < size; i++) {
            if (run[i] != kit->geometry->erased) {
                return false;
            }
        }
    }
    return true;
}

void fer_conformance_life_begin(kit_life *life)
{
    kit_trial *kit = life->kit;

    life->over = false;
    life->installed = false;
    life->highest = -1;
    life->may_fail = 0;
    fer_conformance_power_on(&life->power, KIT_NEVER, KIT_BEFORE, false);
    kit->cut = FER_CONFORMANCE_NOWHERE;
    kit->second_cut = FER_CONFORMANCE_NOWHERE;
    for (uint32_t block = 0; block < kit->geometry->block_count && !life->over; block++) {
        life->over = !reads_erased(kit, block) && !fer_conformance_erase(kit, block);
    }
    if (!life->over && !fer_conformance_chain_start(&life->chain, &life->first)) {
        find(life, FER_CONFORMANCE_STORE_WORKS, 0, 1,
             "A store over perfect memory does not install: a fault of Ferrule.");
    }
    kit->result->lives++;
}

void fer_conformance_life_boot(kit_life *life)
{
    fer_store_config config = {.nv = fer_conformance_power_nv(&life->power),
                               .policy = life->policy,
                               .mirror = life->kit->geometry->block_count >= FER_STORE_MIRROR_BLOCKS
                                             ? &fer_store_mirror
                                             : NULL};
    fer_status status;

    (void)fer_conformance_reopen(life->kit);
    fer_store_close(&life->store);
    status = fer_arena_init(&life->arena, life->cells, life->cell_count);
    if (status == FER_OK) {
        status = fer_store_create(&life->arena, &config, &life->store);
    }
    (void)hold(life, status == FER_OK, FER_CONFORMANCE_STORE_WORKS, FER_OK, (int32_t)status,
               "A store cannot be created over this geometry.");
}

/* ---- calls ------------------------------------------------------------------------------ */

/* A load reads the region a few times over, a burn once more: docs of store.h. */
static uint32_t call_bound(const kit_life *life)
{
    const fer_nv_geometry *geometry = life->kit->geometry;

    return 16u * (geometry->block_size / 32u + 8u) * geometry->block_count + 128u;
}

/* Whether a call must have succeeded: power is on, and it was not its turn to fail. */
static bool must_succeed(kit_life *life, fer_status status)
{
    if (status == FER_OK || life->power.off || life->kit->worn) {
        return false;
    }
    if (life->may_fail > 0) {
        life->may_fail--;
        return false;
    }
    return true;
}

static bool is_clear(const fer_credential *credential)
{
    for (size_t i = 0; i < sizeof credential->bytes; i++) {
        if (credential->bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Searches what the driver reads, each 8 bytes in one piece (WIPE). */
static bool is_wiped(kit_life *life)
{
    kit_trial *kit = life->kit;
    uint8_t *run = kit->run + KIT_GUARD;
    uint32_t step = kit->run_size - 8u;
    kit_place at = {0, 0};

    for (; at.block < kit->geometry->block_count; at.block++) {
        for (at.offset = 0; at.offset < kit->geometry->block_size; at.offset += step) {
            uint32_t left = kit->geometry->block_size - at.offset;
            uint32_t n = left < kit->run_size ? left : kit->run_size;

            if (fer_conformance_read(kit, at, run, n) &&
                fer_conformance_chain_is_in(&life->chain, run, n)) {
                return false;
            }
        }
    }
    return true;
}

/* Rising, and by no more than a region can lose: else the chain is not followed so far. */
static bool is_next(kit_life *life, uint32_t generation)
{
    uint32_t bound = (uint32_t)(life->highest + 1) + fer_conformance_life_length(life);

    return hold(life, generation < INT32_MAX && (int32_t)generation > life->highest,
                FER_CONFORMANCE_GENERATION_ONCE, life->highest + 1, (int32_t)generation,
                "A generation was yielded again, or one before it: nonces repeat.") &&
           hold(life, generation <= bound, FER_CONFORMANCE_CREDENTIAL_TRUE, (int32_t)bound,
                (int32_t)generation, "A burn skipped more generations than the region has slots.");
}

static void judge_yield(kit_life *life, const fer_credential *credential)
{
    fer_credential_info info = {0};
    fer_status status = fer_credential_get_info(credential, &info);

    if (!hold(life, status == FER_OK, FER_CONFORMANCE_CREDENTIAL_TRUE, FER_OK, (int32_t)status,
              "What a burn yielded is no credential.") ||
        !is_next(life, info.generation) ||
        !hold(life, fer_conformance_chain_is(&life->chain, info.generation, credential),
              FER_CONFORMANCE_CREDENTIAL_TRUE, (int32_t)info.generation, (int32_t)info.generation,
              "What a burn yielded is not the credential of its generation.")) {
        return;
    }
    life->highest = (int32_t)info.generation;
    if (life->policy == FER_STORE_STRICT) {
        (void)hold(life, is_wiped(life), FER_CONFORMANCE_SPENT_KEYS_GONE, 0, life->highest,
                   "A spent chain key still stands in the region.");
    }
}

static fer_status burn(kit_life *life, fer_credential *credential)
{
    uint32_t before = life->power.calls;
    fer_status status = fer_store_burn(life->store, credential);

    (void)hold(life, life->power.calls - before <= call_bound(life), FER_CONFORMANCE_CALLS_BOUNDED,
               (int32_t)call_bound(life), (int32_t)(life->power.calls - before),
               "A burn made too many calls.");
    return status;
}

static void burn_once(kit_life *life)
{
    bool uncut = life->kit->cut == FER_CONFORMANCE_NOWHERE;
    fer_credential credential;
    fer_status status = burn(life, &credential);

    if (status != FER_OK) {
        (void)hold(life, is_clear(&credential), FER_CONFORMANCE_FAILED_BURN, 0, (int32_t)status,
                   "A burn that failed left a credential.");
    } else if (hold(life, !life->power.off, FER_CONFORMANCE_FAILED_BURN, FER_TROUBLE_STORAGE,
                    FER_OK, "A burn succeeded though power had failed.")) {
        judge_yield(life, &credential);
    }
    (void)hold(life, !must_succeed(life, status),
               uncut ? FER_CONFORMANCE_STORE_WORKS : FER_CONFORMANCE_NO_LOCKOUT, FER_OK,
               (int32_t)status,
               uncut ? "A burn failed, though nothing was cut."
                     : "A store that was installed yields no more.");
    life->over = life->over || life->kit->worn;
    fer_credential_wipe(&credential);
}

void fer_conformance_life_burn(kit_life *life, uint32_t burns)
{
    for (; burns > 0 && !life->power.off && !life->over; burns--) {
        burn_once(life);
    }
}

/* ---- install ---------------------------------------------------------------------------- */

/* After a boot, a region that holds no whole install says so, and yields nothing. */
static void check_empty(kit_life *life, fer_status found)
{
    fer_credential credential;
    fer_status status;

    (void)hold(life, found == FER_RENEW_MISSING || found == FER_TROUBLE_STATE,
               FER_CONFORMANCE_INSTALL, FER_RENEW_MISSING, (int32_t)found,
               "A region without a whole install says neither that it is empty nor trouble.");
    status = burn(life, &credential);
    (void)hold(life, status == found, FER_CONFORMANCE_INSTALL, (int32_t)found, (int32_t)status,
               "A burn from a region without a whole install did not say what that is.");
}

/* After one cut it succeeds. After two it may find traces of what it must not write over. */
static void install(kit_life *life, fer_status found)
{
    fer_credential credential = life->first;
    fer_status status = fer_store_install(life->store, &credential);
    bool refuses = status == FER_ERR_ORDER && found == FER_TROUBLE_STATE;
    bool closed = refuses && life->kit->second_cut != FER_CONFORMANCE_NOWHERE;

    life->installed = status == FER_OK;
    (void)hold(life, closed || !must_succeed(life, status), FER_CONFORMANCE_INSTALL, FER_OK,
               (int32_t)status, "An install failed, though power was on.");
    life->over = life->over || closed || life->kit->worn;
    fer_credential_wipe(&credential);
}

bool fer_conformance_life_install(kit_life *life)
{
    fer_status found = FER_OK;

    for (int i = 0; i < INSTALLS && !life->over && !life->installed; i++) {
        fer_credential_info info;

        found = fer_store_get_info(life->store, &info);
        if (found == FER_OK || life->power.off) {
            return found == FER_OK; /* the entry was whole, though the install was cut */
        }
        if (i == 0) {
            check_empty(life, found);
        }
        install(life, found);
    }
    return hold(life, life->installed || life->over || life->power.off, FER_CONFORMANCE_INSTALL,
                FER_OK, (int32_t)found, "One failed change keeps an install from succeeding.") &&
           life->installed && !life->over;
}

/* ---- length ----------------------------------------------------------------------------- */

static uint32_t round_up(uint32_t n, uint32_t granule)
{
    return (n + granule - 1u) / granule * granule;
}

/* Slots as docs/WIRE.md, section store, lays them out. */
uint32_t fer_conformance_life_length(const kit_life *life)
{
    const fer_nv_geometry *geometry = life->kit->geometry;
    uint32_t granule = geometry->granule;
    uint32_t slots =
        geometry->block_size / (round_up(BODY, granule) + 2u * round_up(CELL, granule));
    unsigned over = FER_NV_OVERWRITE | FER_NV_REWRITE;

    if (life->policy == FER_STORE_STRICT && (geometry->flags & over) == 0) {
        slots = 1; /* only an erase destroys */
    }
    return slots * geometry->block_count + 2u;
}
