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

enum { FLASH_BYTES = 6144, FLASH_NEVER = 0x7FFFFFFF };

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

typedef struct flash_shape {
    const char *name;
    fer_nv_geometry geometry;
    bool has_erase;
    bool has_is_blank; /* which sees torn granules, whatever they read as */
    bool has_ecc;      /* torn granules may be unreadable; see flash_boot */
} flash_shape;

typedef struct flash {
    const flash_shape *shape;
    uint8_t bytes[FLASH_BYTES];  /* what reads see */
    uint8_t old[FLASH_BYTES];    /* of torn granules: before the operation */
    uint8_t target[FLASH_BYTES]; /* and after it */
    uint8_t torn[FLASH_BYTES];   /* by granule */
    uint8_t unreadable[FLASH_BYTES];
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

    uint32_t violations;
} flash;

void flash_make(flash *model, const flash_shape *shape, uint64_t seed);
/* Power returns: counters start again, no cut is due. FLASH_UNREADABLE without ECC: FLASH_WILD. */
void flash_boot(flash *model, flash_look look);
fer_nv flash_nv(flash *model);
uint32_t flash_size(const flash *model);
uint32_t flash_random(flash *model, uint32_t below);

#endif
