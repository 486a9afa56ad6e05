/* Ferrule: conformance, an nv port in front of the driver that fails like a supply: from the n-th
 * change on (a program or an erase) nothing works until the next boot. */
#ifndef FERRULE_PORTS_CONFORMANCE_POWER_H
#define FERRULE_PORTS_CONFORMANCE_POWER_H

#include "kit.h"

#define KIT_NEVER FER_CONFORMANCE_NOWHERE

/* Midway a program has done some of its granules and a part of the next; an erase nothing, or all,
 * and garbage was left in a part of the block. */
typedef enum kit_moment { KIT_BEFORE, KIT_MIDWAY, KIT_AFTER, KIT_MOMENTS } kit_moment;

typedef struct kit_power {
    kit_trial *kit;
    uint32_t changes; /* programs and erases since boot */
    uint32_t calls;   /* all calls since boot */
    uint32_t at;      /* the change, from 0, or KIT_NEVER */
    kit_moment moment;
    bool keeps; /* the change fails, but power stays on */
    bool off;
    uint32_t random;
} kit_power;

/* Power returns, to fail again as told. Counters start anew. */
void fer_conformance_power_on(kit_power *power, uint32_t at, kit_moment moment, bool keeps);
fer_nv fer_conformance_power_nv(kit_power *power);
uint32_t fer_conformance_random(kit_power *power, uint32_t below);

#endif
