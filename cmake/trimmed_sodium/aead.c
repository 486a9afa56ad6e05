/* libsodium's ChaCha20-Poly1305, unmodified, as one unit whose implementation is fixed.
 *
 * Upstream calls ChaCha20 and Poly1305 through tables that it may exchange at run time. Here the
 * function that would exchange Poly1305 is internal and uncalled, and its table is constant: the
 * compiler then calls the portable code directly and drops the rest. What only the AEAD calls is
 * internal too. ChaCha20 is called by whole blocks, without its table (chacha20.c). */
#include <stdint.h>
#include <string.h>

#include "chacha20.h"
#include "crypto_stream_chacha20.h"
#include "utils.h"
#include "wipe.h"

#define memset explicit_memset

struct crypto_onetimeauth_poly1305_state;

static int _crypto_onetimeauth_poly1305_pick_best_implementation(void);

static int crypto_onetimeauth_poly1305_init(struct crypto_onetimeauth_poly1305_state *state,
                                            const unsigned char *key);
static int crypto_onetimeauth_poly1305_update(struct crypto_onetimeauth_poly1305_state *state,
                                              const unsigned char *in, unsigned long long inlen);
static int crypto_onetimeauth_poly1305_final(struct crypto_onetimeauth_poly1305_state *state,
                                             unsigned char *out);

#include "crypto_onetimeauth/poly1305/onetimeauth_poly1305.h"

#define crypto_onetimeauth_poly1305_implementation crypto_onetimeauth_poly1305_implementation const

#define implementation poly1305
#include "crypto_onetimeauth/poly1305/donna/poly1305_donna.c"
#include "crypto_onetimeauth/poly1305/onetimeauth_poly1305.c"
#undef implementation

enum { BLOCK = 64 };

/* A block of the key stream. */
static void make_block(unsigned char block[BLOCK], const unsigned char *n, uint32_t ic,
                       const unsigned char *k)
{
    memset(block, 0, BLOCK);
    ferrule_chacha20_blocks(block, block, 1, n, ic, k);
}

static void turn_tail(unsigned char *c, const unsigned char *m, size_t tail,
                      const unsigned char *block)
{
    size_t i = 0;

    for (; i + sizeof(uint32_t) <= tail; i += sizeof(uint32_t)) {
        uint32_t word, mask;

        memcpy(&word, m + i, sizeof word);
        memcpy(&mask, block + i, sizeof mask);
        word ^= mask;
        memcpy(c + i, &word, sizeof word);
    }
    for (; i < tail; i++) {
        c[i] = m[i] ^ block[i];
    }
}

/* Upstream turns a last block that is not whole byte by byte, three times over. The block that is
 * spent here is wiped (WIPE). */
static void turn_message(unsigned char *c, const unsigned char *m, size_t mlen,
                         const unsigned char *n, const unsigned char *k)
{
    const size_t blocks = mlen / BLOCK;
    const size_t whole = blocks * BLOCK;
    unsigned char block[BLOCK];

    ferrule_chacha20_blocks(c, m, blocks, n, 1, k);
    if (mlen != whole) {
        make_block(block, n, 1 + (uint32_t)blocks, k);
        turn_tail(c + whole, m + whole, mlen - whole, block);
        sodium_memzero(block, sizeof block);
    }
}

#define crypto_stream_chacha20_ietf(block, length, n, k) make_block(block, n, 0, k)
#define crypto_stream_chacha20_ietf_xor_ic(c, m, mlen, n, ic, k) \
    turn_message(c, m, (size_t)(mlen), n, k)
#include "crypto_aead/chacha20poly1305/sodium/aead_chacha20poly1305.c"
