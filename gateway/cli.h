/* ferrule: the command line tool. One file for each command, each with its own --help. */
#ifndef FERRULE_GATEWAY_CLI_H
#define FERRULE_GATEWAY_CLI_H

#include <argp.h>

#include "contexts.h"

int cli_keygen(int argc, char **argv);
int cli_fingerprint(int argc, char **argv);
int cli_enroll(int argc, char **argv);
int cli_revoke(int argc, char **argv);
int cli_provision(int argc, char **argv);
int cli_resync(int argc, char **argv);
int cli_flash(int argc, char **argv);
int cli_lifetime(int argc, char **argv);
int cli_decode(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_send(int argc, char **argv);
int cli_commands(int argc, char **argv);
int cli_export(int argc, char **argv);

/* Registry, database and core, opened for looking only: nothing stored ever changes. */
struct view {
    struct registry registry;
    struct database db;
    struct contexts contexts;
};

bool view_open(struct view *view, const char *registry, const char *database, struct fault *fault);
void view_close(struct view *view);

/* Every record of captured bytes in turn: frames, or datagrams behind their lengths. Says what it
 * skips; false when it skipped anything. */
bool view_each(const uint8_t *bytes, size_t n, bool datagrams,
               void (*call)(void *context, const uint8_t *record, size_t n), void *context);

/* A whole command line of options; argp ends the program on errors. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

#endif
