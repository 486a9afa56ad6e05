/* Ferrule: conformance, one life of a store over the driver, from its install on. */
#ifndef FERRULE_PORTS_CONFORMANCE_LIFE_H
#define FERRULE_PORTS_CONFORMANCE_LIFE_H

#include "chain.h"
#include "power.h"

typedef struct kit_life {
    kit_trial *kit;
    fer_store_policy policy;
    fer_arena_cell *cells; /* of the store, FER_STORE_SIZE(granule) + FER_STORE_MIRROR_SIZE bytes */
    size_t cell_count;
    fer_arena arena;
    fer_store *store;
    kit_power power;
    kit_chain chain;
    fer_credential first; /* credential 0 */
    bool installed;       /* install returned FER_OK */
    int32_t highest;      /* generation yielded last; -1: none */
    uint32_t may_fail;    /* calls that may fail though power is on */
    bool over;            /* something was found, or no wear is left */
} kit_life;

/* Carves it from the kit's memory; null where that is too small. */
kit_life *fer_conformance_life_make(kit_trial *kit, fer_store_policy policy);
void fer_conformance_life_close(kit_life *life);
/* Whether the region is as erased; else it is erased. Then a new life begins, not yet installed. */
void fer_conformance_life_begin(kit_life *life);
/* Power returns: the store is created anew, over a driver that was reopened. */
void fer_conformance_life_boot(kit_life *life);
/* Installs, or goes on with an install that was cut. True where the store can go on. */
bool fer_conformance_life_install(kit_life *life);
/* Burns so many generations: each must succeed, until power fails. */
void fer_conformance_life_burn(kit_life *life, uint32_t burns);
/* Burns that turn the whole region over, and a few more. */
uint32_t fer_conformance_life_length(const kit_life *life);

#endif
