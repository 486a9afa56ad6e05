/* libsodium's ChaCha20, unmodified, block by block; a file of its own, because it is the hot one and has
 * options of its own. A length that is constant lets the compiler drop what upstream does for a last
 * block that is not whole: fewer instructions where messages are short, and less flash. */
#include <stdint.h>
#include <string.h>

void *explicit_memset(void *bytes, int value, size_t n); /* by words: wipe.c */
#define memset explicit_memset

#include "crypto_stream/chacha20/ref/chacha20_ref.c"

#include "chacha20.h"

void ferrule_chacha20_blocks(unsigned char *c, const unsigned char *m, size_t blocks,
                             const unsigned char *n, uint32_t ic, const unsigned char *k)
{
    for (; blocks != 0; blocks--, c += 64, m += 64) {
        (void)stream_ietf_ext_ref_xor_ic(c, m, 64, n, ic++, k);
    }
}
