/* The static keys of the board in a flash region of their own, two blocks beside the store's: its
 * own pair, and the gateway's public key. Each is whole, read back, or not there. */
#ifndef EXAMPLE_KEYS_H
#define EXAMPLE_KEYS_H

#include <stdbool.h>

#include "ferrule/ferrule.h"
#include "nv_image.h"

/* False: no pair that fits together. The caller wipes the secret. */
bool keys_read_own(nv_image *flash, fer_static_secret *secret, fer_static_public *own);

/* Draws a pair and writes it in place of what was there. */
bool keys_make_own(nv_image *flash, fer_entropy entropy);

/* False: none, or not intact. */
bool keys_read_gateway(nv_image *flash, fer_static_public *gateway);
bool keys_write_gateway(nv_image *flash, const fer_static_public *gateway);

#endif
