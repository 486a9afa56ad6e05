/* ChaCha20 over whole blocks of 64 bytes, from the block `ic` on; m may be c. */
#ifndef FERRULE_TRIMMED_CHACHA20_H
#define FERRULE_TRIMMED_CHACHA20_H

#include <stddef.h>
#include <stdint.h>

void ferrule_chacha20_blocks(unsigned char *c, const unsigned char *m, size_t blocks,
                             const unsigned char *n, uint32_t ic, const unsigned char *k);

#endif
