/* Whether and how the board keeps sessions: session.c does, no_session.c does not. The program is
 * linked with one of them. */
#ifndef EXAMPLE_SESSION_H
#define EXAMPLE_SESSION_H

#include <stdbool.h>

#include "ferrule/ferrule.h"

/* Once clock and link run, before the device is created: enrols over the link where the board has
 * never been, which takes until `ferrule enroll` has come. The store to install in is `nv`; argv[2]
 * and on are its own. False: it said why. */
bool session_prepare(fer_nv nv, int argc, char **argv);

/* Directly after the device is created. */
fer_status session_join(fer_device *device);

#endif
