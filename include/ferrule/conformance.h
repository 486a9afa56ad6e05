/* Ferrule: conformance. Proves that an nv driver keeps the contract of port.h, and that a store
 * over it survives power cuts; runs on the host or on the board (docs/PORTING.md).
 *
 *     *** IT ERASES AND REWRITES THE WHOLE REGION THAT config.nv DESCRIBES, AGAIN AND AGAIN. ***
 *     *** Whatever is stored there is lost. Never run it on a device that holds a credential. ***
 *
 * It is no part of libferrule and of ferrule.h: link ferrule::conformance (ports/conformance) into
 * a test program. It uses the library's public headers only.
 * Memory:      the caller's, made by FER_CONFORMANCE_MEMORY; no heap, no globals, about 2 KB of
 *              stack.
 * Wear:        no block is erased or programmed more often than the config allows; where that does
 *              not suffice for every check, result.complete says so.
 * Concurrency: one thread; blocks for as long as it runs. No function may be called from an ISR. */
#ifndef FERRULE_CONFORMANCE_H
#define FERRULE_CONFORMANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/port.h"
#include "ferrule/status.h"
#include "ferrule/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is checked; fer_conformance_rule_name tells the short name of each. */
typedef enum fer_conformance_rule {
    /* The driver's contract. */
    FER_CONFORMANCE_GEOMETRY,           /* tables and geometry can work */
    FER_CONFORMANCE_POSITIVE_ANSWER,    /* no call answers a positive number */
    FER_CONFORMANCE_READ_ANSWER,        /* a read that must succeed does */
    FER_CONFORMANCE_PROGRAM_ANSWER,     /* a program that must succeed does */
    FER_CONFORMANCE_ERASE_ANSWER,       /* an erase that must succeed does */
    FER_CONFORMANCE_BLANK_ANSWER,       /* a blank check answers 0 or 1 */
    FER_CONFORMANCE_READ_SHORT,         /* a read fills all that it was asked for */
    FER_CONFORMANCE_READ_OVERRUN,       /* and nothing beside it */
    FER_CONFORMANCE_READ_UNALIGNED,     /* at any offset, of any length */
    FER_CONFORMANCE_ERASE_WHOLE,        /* an erase leaves exactly `erased`, in the whole block */
    FER_CONFORMANCE_ERASE_ALONE,        /* and touches no other block */
    FER_CONFORMANCE_ERASE_DURABLE,      /* and survives a reopen */
    FER_CONFORMANCE_PROGRAM_READS_BACK, /* what was programmed is read, at every granule */
    FER_CONFORMANCE_PROGRAM_ALONE,      /* programming touches nothing beside its range */
    FER_CONFORMANCE_PROGRAM_DURABLE,    /* what was programmed survives a reopen */
    FER_CONFORMANCE_ADDRESS_LINES,      /* no two places are the same memory */
    FER_CONFORMANCE_BITS,               /* each bit holds 0 and 1, beside bits of either kind */
    FER_CONFORMANCE_OVERWRITE,          /* FER_NV_OVERWRITE: destroying programs every bit */
    FER_CONFORMANCE_REWRITE,            /* FER_NV_REWRITE: anything over anything */
    FER_CONFORMANCE_BLANK_ERASED,       /* is_blank is 1 after an erase */
    FER_CONFORMANCE_BLANK_PROGRAMMED,   /* and 0 where any one granule was programmed */
    FER_CONFORMANCE_BLANK_DESTROYED,    /* and 0 where all bits are the opposite of erased */
    FER_CONFORMANCE_OUTSIDE,            /* what lies outside, or is misaligned, is refused */
    FER_CONFORMANCE_FAILURE_REPORTED,   /* an operation that fails answers a negative number */
    FER_CONFORMANCE_REOPEN,             /* the reopen hook succeeds */
    /* The store over the driver, under power cuts. */
    FER_CONFORMANCE_STORE_WORKS,      /* without a cut: an install, then every burn, succeeds */
    FER_CONFORMANCE_INSTALL,          /* a cut install goes on, starts anew, or says trouble */
    FER_CONFORMANCE_GENERATION_ONCE,  /* generations rise; none is yielded twice (NONCE) */
    FER_CONFORMANCE_CREDENTIAL_TRUE,  /* each is the credential of its generation */
    FER_CONFORMANCE_FAILED_BURN,      /* a burn that fails yields nothing (CLOSED) */
    FER_CONFORMANCE_NO_LOCKOUT,       /* once installed, it always yields again */
    FER_CONFORMANCE_SPENT_KEYS_GONE,  /* policy strict: no spent chain key is left (WIPE) */
    FER_CONFORMANCE_CALLS_BOUNDED,    /* a burn ends within a bounded number of calls */
    FER_CONFORMANCE_STORE_ASKS_RIGHT, /* the store asks for no range that port.h forbids */
    FER_CONFORMANCE_RULES             /* how many there are */
} fer_conformance_rule;

/* The rule's short name, stable across versions: "erase-whole". Static storage, never null. */
const char *fer_conformance_rule_name(fer_conformance_rule rule);

/* No place, or no cut. */
#define FER_CONFORMANCE_NOWHERE 0xFFFFFFFFu

/* One breach of a rule. */
typedef struct fer_conformance_finding {
    fer_conformance_rule rule; /* that is broken */
    const char *name;          /* of the rule; static storage */
    const char *sentence;      /* what is wrong, in English; static storage */
    uint32_t block;            /* where; FER_CONFORMANCE_NOWHERE if that says nothing */
    uint32_t offset;           /* in the block, in bytes */
    int32_t expected;          /* bytes, answers, statuses or generations */
    int32_t got;               /* what came instead */
    uint32_t cut;              /* store: the change at which power failed, from 0; or NOWHERE */
    uint32_t second_cut;       /* store: and the change of the recovery; or NOWHERE */
} fer_conformance_finding;

/* Operations that the fault hook is asked to make fail. */
typedef enum fer_conformance_operation {
    FER_CONFORMANCE_READ,    /* the next read */
    FER_CONFORMANCE_PROGRAM, /* the next program */
    FER_CONFORMANCE_ERASE    /* the next erase */
} fer_conformance_operation;

/* Hooks; each may be null, and so may the table. */
struct fer_conformance_ops {
    /* Gets each finding, as it is found; the finding is gone after the return. */
    void (*report)(void *context, const fer_conformance_finding *finding);
    /* Closes the driver and opens it again, or switches the memory off and on: whatever the
     * driver holds in RAM must be gone. False: it could not. Without it nothing is known about
     * durability; see fer_conformance_leave, too. */
    bool (*reopen)(void *context);
    /* Makes the driver's next operation of this kind fail in the medium. False: it cannot. */
    bool (*fault)(void *context, fer_conformance_operation operation);
};

enum {
    /* Also ask for what lies outside the region or is misaligned, which the driver should refuse.
     * Off by default: a driver that does not refuse may change what lies beside the region. */
    FER_CONFORMANCE_ASK_OUTSIDE = 1u << 0
};

/* Written out in config.destroy, it says that the region may be destroyed. */
#define FER_CONFORMANCE_DESTROY_THE_REGION 0xE7A5EA11u

/* What is checked, and what it may cost; read during a call. */
typedef struct fer_conformance_config {
    fer_nv nv;        /* the driver; tables and context must outlive the call */
    uint32_t destroy; /* FER_CONFORMANCE_DESTROY_THE_REGION, or nothing is touched */
    uint32_t flags;   /* FER_CONFORMANCE_ASK_OUTSIDE */
    /* The most that a call may spend on each block. Erases: 4 are a smoke test of the driver, 10
     * all of it; a store survives one or two cuts for each, and every cut of its life takes
     * thousands. Programs are program calls: a dozen times as many as a block has granules let the
     * driver program each by itself. Without erase, programs are all that counts. */
    uint32_t erases;
    uint32_t programs;
    uint32_t lives; /* store: the most lives to try, each with its cuts */
    uint32_t seed;  /* store: chooses what cuts leave behind, and when they come */
    const struct fer_conformance_ops *ops;
    void *context;          /* of ops */
    fer_arena_cell *memory; /* at least FER_CONFORMANCE_SIZE bytes, for the length of the call */
    size_t cells;
} fer_conformance_config;

/* Bytes of the longest program or read that is tried. */
#define FER_CONFORMANCE_RUN(granule) ((granule) > 256 ? 2u * (granule) : 512u)

/* Bytes of memory for a region of this many blocks and this granule (bytes). */
#define FER_CONFORMANCE_SIZE(block_count, granule)                             \
    (FER_ARENA_SIZEOF(26, 2904) + FER_ARENA_ROUND(20u * (block_count)) +       \
     FER_ARENA_ROUND(FER_CONFORMANCE_RUN(granule) + 16u) + FER_STORE_SIZE(1) + \
     FER_STORE_SIZE(granule) + FER_STORE_MIRROR_SIZE)

/* Defines static memory `name`: config.memory is name, config.cells sizeof name / sizeof *name. */
#define FER_CONFORMANCE_MEMORY(name, block_count, granule) \
    static fer_arena_cell name[FER_CONFORMANCE_SIZE(block_count, granule) / FER_ARENA_ALIGN]

/* What is known of a rule. */
typedef enum fer_conformance_verdict {
    FER_CONFORMANCE_NOT_TESTED = 0, /* no such hook or function, no wear left, or stopped before */
    FER_CONFORMANCE_PASSED = 1,     /* tested, and nothing was found */
    FER_CONFORMANCE_FAILED = 2      /* a finding says why */
} fer_conformance_verdict;

/* What a check found. */
typedef struct fer_conformance_result {
    uint32_t findings;                      /* how many were reported */
    uint8_t verdict[FER_CONFORMANCE_RULES]; /* fer_conformance_verdict of each rule */
    bool complete;                          /* wear and lives sufficed for every check */
    uint32_t erases;                        /* what the most worn block has spent */
    uint32_t programs;                      /* of it, too */
    uint32_t lives;                         /* store: lives lived */
    uint32_t cuts;                          /* store: power cuts survived */
} fer_conformance_result;

/* Checks the driver's contract. The region is erased at the end.
 * FER_OK: nothing found. FER_TROUBLE_STORAGE: something was; see *result and the report hook.
 * FER_ERR_ARGUMENT: config.destroy is not as above, a table is null, or wear does not suffice for
 * that erase. FER_ERR_ARENA: config.memory is smaller than FER_CONFORMANCE_SIZE says. With both,
 * nothing was touched. */
FER_MUST_USE fer_status fer_conformance_check_driver(const fer_conformance_config *config,
                                                     fer_conformance_result *result);

/* Lives the life of a store of this policy over the driver, from four blocks on with a mirror:
 * install, first boot, burns through every block. Power fails at each change in turn (before it,
 * midway, after it), again during the recovery, and changes fail without a cut. Where power fails
 * midway, a program has done some of its granules, an erase nothing, or all and left garbage.
 * Granules that read differently at each boot are not played; for these pull the plug. Answers and
 * *result as above, the region is erased at the end. Meanwhile it holds credentials of a root that
 * everybody knows: never seal with them, and where the check was interrupted, run it again or erase
 * the region before the device is provisioned. */
FER_MUST_USE fer_status fer_conformance_check_store(const fer_conformance_config *config,
                                                    fer_store_policy policy,
                                                    fer_conformance_result *result);

/* For a driver whose board must be reset to forget what it holds in RAM: leave programs every
 * block, then reset the board or cut its power, and find checks that all is there
 * (FER_CONFORMANCE_PROGRAM_DURABLE) and erases the region. One erase each. Answers as above; leave
 * also FER_TROUBLE_STORAGE where wear did not suffice. */
FER_MUST_USE fer_status fer_conformance_leave(const fer_conformance_config *config,
                                              fer_conformance_result *result);
FER_MUST_USE fer_status fer_conformance_find(const fer_conformance_config *config,
                                             fer_conformance_result *result);

#ifdef __cplusplus
}
#endif
#endif
