/* Ferrule: lifetime. How long a configuration lives, as constant expressions: no code, no memory.
 * For static assertions in firmware, so that a build fails that would wear out its flash too soon.
 *
 * What each argument means, in this order; all are unsigned integers:
 *   page, blocks   bytes in an erase block, and how many Ferrule is given (fer_nv_geometry)
 *   copies         1, or 2 with a mirror, which halves the life
 *   endurance      erases that a block stands, by its data sheet; with FER_NV_REWRITE, writes of
 *                  a cell
 *   policy         FER_STORE_STRICT or FER_STORE_BLOCK
 *   granule, flags as in fer_nv_geometry
 *   boots          restarts a day after which something is sent; at most, over the whole life
 *   records        records a day, both lanes together
 *   burn_records, burn_ms   as in fer_device_config; 0: never
 *
 * Not counted: burns that a power cut or a failing port makes necessary again. They are rare where
 * supplies are checked; leave a margin. Times are in days, rounded down. */
#ifndef FERRULE_LIFETIME_H
#define FERRULE_LIFETIME_H

#include <stdint.h>

#include "ferrule/attributes.h"
#include "ferrule/store.h"

/* Generations that an identity has, and records that a generation has; the device goes on to the
 * next generation by itself where those are used up. */
#define FER_LIFETIME_GENERATIONS UINT64_C(0xFFFFFFFE)
#define FER_LIFETIME_SEQUENCE UINT64_C(0xFFFFFFFE)
/* Generations that a gateway follows at once (max_skip as it is by default). */
#define FER_LIFETIME_SKIP UINT64_C(0x40000)
#define FER_LIFETIME_YEAR 365u

#define FER_LIFETIME_RATIO_(a, b) (((uint64_t)(a) + (b)-1u) / ((b) == 0 ? 1u : (uint64_t)(b)))
#define FER_LIFETIME_MIN_(a, b) ((a) < (b) ? (a) : (b))

/* Generations a day, at most. Never 0: one a day where nothing else makes any. */
#define FER_LIFETIME_BURNS_(boots, records, burn_records, burn_ms)                                 \
    ((uint64_t)(boots) + ((burn_records) == 0 ? 0u : FER_LIFETIME_RATIO_(records, burn_records)) + \
     ((burn_ms) == 0 ? 0u : FER_LIFETIME_RATIO_(UINT64_C(86400000), burn_ms)))
#define FER_LIFETIME_BURNS(boots, records, burn_records, burn_ms)    \
    (FER_LIFETIME_BURNS_(boots, records, burn_records, burn_ms) == 0 \
         ? 1u                                                        \
         : FER_LIFETIME_BURNS_(boots, records, burn_records, burn_ms))

/* Changes of a cell in each turn of a ring: an erase; or, where cells are rewritten, an entry, with
 * policy strict its destruction, and the blanking. */
#define FER_LIFETIME_CHANGES(policy, flags) \
    (((flags) & (unsigned)FER_NV_REWRITE) == 0 ? 1u : (policy) == FER_STORE_STRICT ? 3u : 2u)

/* Generations between two erases of a block. */
#define FER_LIFETIME_TURN(page, blocks, copies, policy, granule, flags) \
    ((uint64_t)FER_STORE_RING_BLOCKS(blocks, copies) *                  \
     FER_STORE_SLOTS(page, granule, policy, flags))

/* Beginnings of a block in each turn that change a cell where they are an uptime's first: its own,
 * or, where destroyed entries are then written over once more, that of every block. */
#define FER_LIFETIME_BEGINS(blocks, copies, policy, flags) \
    (FER_LIFETIME_CHANGES(policy, flags) == 3u ? FER_STORE_RING_BLOCKS(blocks, copies) : 1u)

/* What a day costs: erases of a block times the generations between two. At worst it is always the
 * same block that a boot begins. */
#define FER_LIFETIME_COST(burns, boots, turn, begins, policy, flags) \
    ((burns)*FER_LIFETIME_CHANGES(policy, flags) +                   \
     FER_STORE_BOOT_ERASES *                                         \
         FER_LIFETIME_MIN_((uint64_t)(boots) * (turn), (uint64_t)(burns) * (begins)))

/* Days until a block has been erased `endurance` times; 0: the geometry holds no slot. */
#define FER_LIFETIME_FLASH(page, blocks, copies, endurance, policy, granule, flags, boots,   \
                           records, burn_records, burn_ms)                                   \
    ((uint64_t)(endurance)*FER_LIFETIME_TURN(page, blocks, copies, policy, granule, flags) / \
     FER_LIFETIME_COST(FER_LIFETIME_BURNS(boots, records, burn_records, burn_ms), boots,     \
                       FER_LIFETIME_TURN(page, blocks, copies, policy, granule, flags),      \
                       FER_LIFETIME_BEGINS(blocks, copies, policy, flags), policy, flags))

/* Days until the last generation is used; then the device needs new keys. */
#define FER_LIFETIME_IDENTITY(boots, records, burn_records, burn_ms) \
    (FER_LIFETIME_GENERATIONS / FER_LIFETIME_BURNS(boots, records, burn_records, burn_ms))

/* Days without any record heard after which a gateway no longer follows: it needs a resync. */
#define FER_LIFETIME_SILENCE(boots, records, burn_records, burn_ms) \
    (FER_LIFETIME_SKIP / FER_LIFETIME_BURNS(boots, records, burn_records, burn_ms))

/* At file scope: the build fails, and says which limit it is, unless the configuration lives for so
 * many years. */
#define FER_LIFETIME_HOLDS(years, page, blocks, copies, endurance, policy, granule, flags, boots,  \
                           records, burn_records, burn_ms)                                         \
    FER_STATIC_ASSERT(FER_STORE_SLOTS(page, granule, policy, flags) != 0 &&                        \
                          (blocks) >= 2u * (copies),                                               \
                      "lifetime: no slot fits a block, or a copy has fewer than 2 blocks");        \
    FER_STATIC_ASSERT(                                                                             \
        FER_LIFETIME_FLASH(page, blocks, copies, endurance, policy, granule, flags, boots,         \
                           records, burn_records, burn_ms) >= (uint64_t)(years)*FER_LIFETIME_YEAR, \
        "lifetime: the flash wears out before: more blocks, policy block, or fewer burns");        \
    FER_STATIC_ASSERT(FER_LIFETIME_IDENTITY(boots, records, burn_records, burn_ms) >=              \
                          (uint64_t)(years)*FER_LIFETIME_YEAR,                                     \
                      "lifetime: the generations of an identity run out before: fewer burns")

#endif
