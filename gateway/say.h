/* Ferrule gateway: what the programs tell people. One line each, on standard error, with the
 * program's name; nothing secret is ever said. */
#ifndef FERRULE_GATEWAY_SAY_H
#define FERRULE_GATEWAY_SAY_H

#include <errno.h>
#include <stdio.h>

/* Macros, so that the compiler checks every format. */
#define SAY(...)                                                \
    do {                                                        \
        fprintf(stderr, "%s: ", program_invocation_short_name); \
        fprintf(stderr, __VA_ARGS__);                           \
        fputc('\n', stderr);                                    \
    } while (0)

/* Why something failed, for the caller to say once. */
struct fault {
    char text[512];
};

#define FAULT(fault, ...) ((void)snprintf((fault)->text, sizeof(fault)->text, __VA_ARGS__))

#endif
