/* A model of flash (or EEPROM, with FER_NV_REWRITE) in RAM, behind fer_nv_ops.
 *
 * It holds the medium's rules: a granule that is not blank is programmed again only as the flags
 * allow; alignment; no call across blocks. Breaking one is counted in `violations` and fails.
 * Power is cut at the n-th change (program or erase): before it, midway, or after it; from then on
 * every call fails until flash_boot. A granule caught midway is *torn*: what it reads as is drawn
 * anew at every boot, until it is programmed or erased completely. */
#ifndef FLASH_MODEL_H
#define FLASH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "ferrule/port.h"

enum { FLASH_BYTES = 6144, FLASH_BLOCKS = 16, FLASH_NEVER = 0x7FFFFFFF };

typedef enum flash_moment { FLASH_BEFORE, FLASH_MIDWAY, FLASH_AFTER } flash_moment;

/* What torn granules read as after a boot. */
typedef enum flash_look {
    FLASH_OLD,        /* as if nothing had happened */
    FLASH_NEW,        /* as if all had */
    FLASH_MIXED,      /* each bit that was to change, either */
    FLASH_WILD,       /* any bits */
    FLASH_UNREADABLE, /* FER_PORT_UNCORRECTABLE */
    FLASH_LOOKS
} flash_look;

/* How a block that is worn out fails, or what rot makes of a range. */
typedef enum flash_wear {
    FLASH_SOUND,
    FLASH_DEAD,      /* every change fails and does nothing */
    FLASH_HALF,      /* every change fails midway */
    FLASH_STUCK_LOW, /* a bit in each granule reads as 0 for ever, and the changes report nothing */
    FLASH_STUCK_HIGH,
    FLASH_WEARS
} flash_wear;

typedef enum flash_rot {
    FLASH_ZEROS,
    FLASH_ONES,
    FLASH_NOISE,
    FLASH_LOST,  /* FER_PORT_UNCORRECTABLE */
    FLASH_FLAKY, /* any bits, others at each read */
    FLASH_ROTS
} flash_rot;

typedef struct flash_shape {
    const char *name;
    fer_nv_geometry geometry;
    bool has_erase;
    bool has_is_blank; /* which sees torn granules, whatever they read as */
    bool has_ecc;      /* torn granules may be unreadable; see flash_boot */
} flash_shape;

typedef struct flash {
    const flash_shape *shape;
    uint8_t bytes[FLASH_BYTES];      /* what reads see */
    uint8_t old[FLASH_BYTES];        /* of torn granules: before the operation */
    uint8_t target[FLASH_BYTES];     /* and after it */
    uint8_t torn[FLASH_BYTES];       /* by granule */
    uint8_t unreadable[FLASH_BYTES]; /* by granule, until it is changed; FLAKY: see flash_damage */
    bool damaged;                    /* some granule was made flaky */
    uint64_t random;
    bool settles; /* torn granules keep what they read as at the first boot */

    uint32_t changes; /* programs and erases so far */
    uint32_t calls;   /* all calls so far */
    uint32_t touched; /* changes that began to alter the medium */

    uint32_t cut_at; /* number of the change, from 0, or FLASH_NEVER */
    flash_moment cut_moment;
    uint32_t cut_prefix; /* granules completed before the torn one; modulo what there is */
    bool off;

    uint32_t fail_at; /* number of the call, from 0, or FLASH_NEVER */
    int fail_answer;
    bool fail_midway; /* a change that fails stops midway instead of before */

    flash_wear wear; /* of one block, from a change on, counted from flash_make */
    uint32_t worn_block;
    uint32_t worn_from;
    uint32_t age; /* changes since flash_make */

    uint32_t programs; /* since flash_make, by kind; erases by block */
    uint32_t erases[FLASH_BLOCKS];

    uint32_t violations;
} flash;

void flash_make(flash *model, const flash_shape *shape, uint64_t seed);
/* Power returns: counters start again, no cut is due. FLASH_UNREADABLE without ECC: FLASH_WILD. */
void flash_boot(flash *model, flash_look look);
/* Damages n bytes from `at`, whole granules; they can be programmed and erased as before. */
void flash_damage(flash *model, uint32_t at, uint32_t n, flash_rot rot);
fer_nv flash_nv(flash *model);
uint32_t flash_size(const flash *model);
uint32_t flash_random(flash *model, uint32_t below);

#endif
