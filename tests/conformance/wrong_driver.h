/* Flash in RAM behind drivers that are wrong, each in one way: what the conformance kit must find.
 * It counts what each block has to bear, and keeps a fence beside the region. */
#ifndef FERRULE_TESTS_CONFORMANCE_WRONG_DRIVER_H
#define FERRULE_TESTS_CONFORMANCE_WRONG_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "ferrule/conformance.h"
#include "ferrule/port.h"

enum { WRONG_BLOCKS = 4, WRONG_BYTES = 4096, WRONG_FENCE = 64 };

typedef enum wrong {
    WRONG_NOTHING,
    WRONG_READ_POSITIVE,     /* answers how many bytes */
    WRONG_PROGRAM_POSITIVE,  /* likewise */
    WRONG_READ_REFUSES,      /* the last byte of a block */
    WRONG_PROGRAM_REFUSES,   /* the last granule of a block */
    WRONG_ERASE_REFUSES,     /* the last block */
    WRONG_BLANK_ODD,         /* the blank check answers how many bytes are erased */
    WRONG_READ_SHORT,        /* at most 32 bytes */
    WRONG_READ_OVERRUN,      /* whole words */
    WRONG_READ_ALIGNS,       /* from the word before */
    WRONG_ERASE_BYTE,        /* leaves the last byte */
    WRONG_ERASE_NEXT,        /* and the first byte of the next block */
    WRONG_ERASE_OTHER,       /* the next block instead */
    WRONG_ERASE_LAZY,        /* a reopen undoes the last one */
    WRONG_PROGRAM_DROPS,     /* nothing, where a block ends */
    WRONG_PROGRAM_SWAPS,     /* bytes of half-words */
    WRONG_PROGRAM_ONE,       /* only the first granule of a run */
    WRONG_PROGRAM_ACROSS,    /* whole pages of two granules, the rest zeros */
    WRONG_PROGRAM_BEFORE,    /* likewise, the page's first half */
    WRONG_PROGRAM_LAZY,      /* a reopen undoes the last one */
    WRONG_ADDRESS_LINE,      /* one bit of the offset is ignored */
    WRONG_BLOCK_ARITHMETIC,  /* blocks overlap by half */
    WRONG_BIT_COUPLED,       /* a bit amid opposite ones is lost */
    WRONG_OVERWRITE_IGNORED, /* a programmed granule stays as it is */
    WRONG_BLANK_ALWAYS,
    WRONG_BLANK_NEVER,
    WRONG_BLANK_FIRST,       /* looks at the first granule */
    WRONG_BLANK_LAST,        /* looks at the last granule */
    WRONG_BLANK_COARSE,      /* looks at whole 16 bytes, but where a block ends */
    WRONG_BLANK_UNIFORM,     /* looks whether all bytes are alike */
    WRONG_OUTSIDE_READ,      /* outside the region: reads something */
    WRONG_OUTSIDE_PROGRAM,   /* programs it */
    WRONG_MISALIGNED,        /* programs whatever it is asked for */
    WRONG_FAILURE_SWALLOWED, /* error flags are not looked at */
    WRONG_REOPEN,            /* does not open again */
    WRONG_BUSY,              /* not wrong: asks to be called again, now and then */
    /* Seen by a store only. */
    WRONG_ROLLBACK,        /* a late reopen undoes up to 40 changes */
    WRONG_ROLLBACK_LITTLE, /* up to 6: less than two burns */
    WRONG_FORGETS,         /* the twentieth reopen finds all erased */
    WRONG_MIXED_UP,        /* the twentieth reopen finds the region of another device */
    WRONG_OVERWRITE_LAZY,  /* a reopen undoes what was overwritten */
    WRONG_KINDS
} wrong;

typedef struct wrong_driver {
    fer_nv_geometry geometry;
    wrong kind;
    uint8_t bytes[WRONG_BYTES + WRONG_FENCE];
    uint8_t before[WRONG_BYTES]; /* what a reopen may go back to */
    const uint8_t *other;        /* of another device */
    uint32_t erases[WRONG_BLOCKS];
    uint32_t programs[WRONG_BLOCKS];
    uint32_t calls;
    uint32_t changes;
    uint32_t reopens;
    int failing; /* fer_conformance_operation to fail next, or -1 */
} wrong_driver;

/* Filled with garbage, as a region that nobody knows. */
void wrong_driver_make(wrong_driver *driver, wrong kind, const fer_nv_geometry *geometry);
fer_nv wrong_driver_nv(wrong_driver *driver, bool has_erase, bool has_is_blank);
bool wrong_driver_reopen(wrong_driver *driver);
bool wrong_driver_fence_holds(const wrong_driver *driver);

#endif
