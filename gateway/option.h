/* Ferrule gateway: what the programs' option parsers share. */
#ifndef FERRULE_GATEWAY_OPTION_H
#define FERRULE_GATEWAY_OPTION_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

/* The number that --name was given; argp_error where it is none, or out of range. */
uint32_t option_number(const char *text, uint32_t least, uint32_t most, const char *name,
                       struct argp_state *state);

/* The bytes, at least one, that --name was given in hex; argp_error where it is no hex, or more
 * than fits. */
void option_bytes(const char *text, uint8_t *out, size_t capacity, size_t *length, const char *name,
                  struct argp_state *state);

#endif
