/* Ferrule example 03: commands. What the gateway may ask of this device, each run at most once: its
 * id is on disk before anything happens, its outcome after. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "ferrule/ferrule.h"

#define COMMANDS_TEXT 120u

struct commands {
    char path[4096];
    uint32_t id;   /* the last one; 0: none yet */
    bool finished; /* and its outcome, if it came so far */
    fer_result_code code;
    char text[COMMANDS_TEXT];
    unsigned long interval_ms; /* what a command may change */
};

/* Reads what an earlier run left behind, STATE.commands; nothing there is no failure. */
bool commands_load(struct commands *commands, const char *state);

/* Tells the outcome of the last command of the earlier run again: its report may be lost. */
void commands_report(const struct commands *commands, fer_device *device);

/* Runs one and answers it. */
void commands_run(struct commands *commands, fer_device *device, const fer_command *command);

#endif
