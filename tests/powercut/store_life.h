/* What the power-cut tests of the store share: a subject (a medium and a policy), the store that
 * lives on it, and what must hold at each of its burns.
 *
 *     no generation is yielded twice, and they only rise (NONCE);
 *     what is yielded is the true credential of its generation;
 *     under the strict policy no 8 bytes of a spent chain remain (WIPE);
 *     the medium's rules are kept, in a bounded number of calls. */
#ifndef FERRULE_TESTS_POWERCUT_STORE_LIFE_H
#define FERRULE_TESTS_POWERCUT_STORE_LIFE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferrule/store.h"
#include "powercut/flash_model.h"

typedef struct subject {
    flash_shape shape;
    fer_store_policy policy;
    bool mirror; /* two rings */
} subject;

#define SHAPE(name, size, count, granule, erased, flags, erase, blank, ecc) \
    {                                                                       \
        name, {size, count, granule, erased, flags}, erase, blank, ecc      \
    }

typedef struct life {
    const subject *subject;
    flash model;
    fer_arena arena;
    fer_store *store;
    bool installed; /* install returned FER_OK */
    bool maintains; /* burns are followed by fer_store_maintain, and a counter is there */
    uint32_t counter;
    int64_t highest;  /* generation yielded last; -1: none */
    uint32_t chances; /* burns tried: bounds what may be lost */
    bool may_close;   /* FER_TROUBLE_STATE is no failure */
    bool closed;
} life;

/* The life that all functions below work on; copied and put back to branch from one moment. */
extern life run;
extern uint64_t seed;       /* FERRULE_SEED, or a fixed one */
extern uint64_t cut_points; /* how often power was cut so far, or a medium damaged */
extern bool quick;          /* FERRULE_QUICK: a smaller matrix */
extern bool whole;          /* FERRULE_WHOLE: a larger one */

void explain(const char *what);

#define CHECK(condition)         \
    do {                         \
        if (!(condition)) {      \
            explain(#condition); \
            fail();              \
        }                        \
    } while (0)

/* A blank medium with a store over it. */
void begin(const subject *chosen, bool maintains);
void open_store(void);
fer_status install(void);
fer_status burn(void);
/* Calls fer_store_maintain until it has nothing to do, where the life maintains. */
void maintain(void);
/* Boots, and burns a few: each must succeed unless power fails again. */
void live(flash_look look, uint32_t burns, uint32_t cut_at, flash_moment moment);

uint32_t slots_in_block(void);
uint32_t burns_of_life(void);
flash_look any_look(void);

/* One kind of test, run on each subject. */
typedef struct kind {
    const char *name;
    CMUnitTestFunction function;
} kind;

/* Runs all kinds on all subjects, on every third one where quick; prints the number of cut points,
 * and writes it to the file `name` in the directory that FERRULE_EVIDENCE names, if any. */
int run_matrix(const char *name, const subject *subjects, size_t count, const kind *kinds,
               size_t kind_count);

#endif
