/* The chain that a store should yield, made by the credential's own code, and a fast search for
 * what is left of it in an image of flash (WIPE). */
#ifndef FERRULE_TESTS_POWERCUT_TRUE_CHAIN_H
#define FERRULE_TESTS_POWERCUT_TRUE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "ferrule/credential.h"

enum { TRUE_CHAIN_LENGTH = 400 };

/* The credentials of the first generations. */
extern fer_credential truth[TRUE_CHAIN_LENGTH];

bool true_chain_make(void);

/* Whether 8 bytes of a chain key of a generation up to `up_to` stand anywhere in the image. */
bool true_chain_is_in(const uint8_t *image, uint32_t size, uint32_t up_to);

#endif
