/* Ferrule gateway: the command line of ferrule-gateway. */
#ifndef FERRULE_GATEWAY_SERVER_OPTIONS_H
#define FERRULE_GATEWAY_SERVER_OPTIONS_H

#include "server.h"

/* Fills *options, or says what is wrong and ends the program. */
void server_options_parse(int argc, char **argv, struct options *options);

#endif
