/* Ferrule: conformance, the tables and the geometry: checked before the driver is called. */
#include "driver.h"

enum { GRANULE_MAX = 512, SLOT_MIN = 144 };

static bool refuse(kit_trial *kit, uint32_t got, const char *sentence)
{
    const kit_place nowhere = {FER_CONFORMANCE_NOWHERE, FER_CONFORMANCE_NOWHERE};

    fer_conformance_find_at(kit, FER_CONFORMANCE_GEOMETRY, nowhere, 0, (int32_t)got, sentence);
    return false;
}

static bool check_tables(kit_trial *kit)
{
    unsigned known = FER_NV_OVERWRITE | FER_NV_REWRITE;
    unsigned flags = kit->geometry->flags;

    if (kit->nv.ops->read == 0 || kit->nv.ops->program == 0) {
        return refuse(kit, 0, "The table has no read, or no program.");
    }
    if ((flags & ~known) != 0) {
        return refuse(kit, flags, "flags holds a bit that port.h does not name.");
    }
    if (kit->nv.ops->erase == 0 && (flags & (unsigned)FER_NV_REWRITE) == 0) {
        return refuse(kit, flags, "The table has no erase; only FER_NV_REWRITE may do without.");
    }
    return true;
}

/* The rest, what a slot needs of a block, is the store's own to judge; see check_store.  */
bool fer_conformance_check_geometry(kit_trial *kit)
{
    const fer_nv_geometry *geometry = kit->geometry;
    uint32_t granule = geometry->granule;

    fer_conformance_cover(kit, FER_CONFORMANCE_GEOMETRY);
    if (granule == 0 || granule > GRANULE_MAX || (granule & (granule - 1u)) != 0) {
        return refuse(kit, granule, "granule is no power of two from 1 to 512.");
    }
    if (geometry->block_size % granule != 0 || geometry->block_size < SLOT_MIN) {
        return refuse(kit, geometry->block_size,
                      "block_size is no multiple of granule, or too small for a store's slot.");
    }
    if (geometry->block_count < 2) {
        return refuse(kit, geometry->block_count, "block_count is below 2.");
    }
    if (geometry->block_count > UINT32_MAX / geometry->block_size) {
        return refuse(kit, geometry->block_count, "The region has 4 GiB or more.");
    }
    if (geometry->erased != 0x00 && geometry->erased != 0xFF) {
        return refuse(kit, geometry->erased, "erased is neither 0x00 nor 0xFF.");
    }
    return check_tables(kit);
}
