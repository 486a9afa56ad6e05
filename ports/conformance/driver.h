/* Ferrule: conformance, the checks of a driver's contract. */
#ifndef FERRULE_PORTS_CONFORMANCE_DRIVER_H
#define FERRULE_PORTS_CONFORMANCE_DRIVER_H

#include "kit.h"

/* Whether tables and geometry can work; else it is a finding. Touches no memory but the kit's. */
bool fer_conformance_check_geometry(kit_trial *kit);
/* Erases every block and fills it with KIT_HASH. */
void fer_conformance_fill(kit_trial *kit);
/* Asks for what the driver should refuse, where the config allows to. */
void fer_conformance_check_outside(kit_trial *kit);
/* Lets each operation fail in the medium, where there is a hook for it. */
void fer_conformance_check_failures(kit_trial *kit);
/* Every check of the driver. */
void fer_conformance_drive(kit_trial *kit);

#endif
