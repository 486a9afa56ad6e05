/* libsodium's ChaCha20-Poly1305, unmodified, as one unit whose implementation is fixed.
 *
 * Upstream calls ChaCha20 and Poly1305 through tables that it may exchange at run time. Here the
 * functions that would exchange them are internal and uncalled, and the tables are constant: the
 * compiler then calls the portable code directly and drops the rest. What only the AEAD calls is
 * internal too. Some 600 bytes less on a Cortex-M. */
#include <stdint.h>

struct crypto_onetimeauth_poly1305_state;

static int _crypto_onetimeauth_poly1305_pick_best_implementation(void);
static int _crypto_stream_chacha20_pick_best_implementation(void);

static int crypto_onetimeauth_poly1305_init(struct crypto_onetimeauth_poly1305_state *state,
                                            const unsigned char *key);
static int crypto_onetimeauth_poly1305_update(struct crypto_onetimeauth_poly1305_state *state,
                                              const unsigned char *in, unsigned long long inlen);
static int crypto_onetimeauth_poly1305_final(struct crypto_onetimeauth_poly1305_state *state,
                                             unsigned char *out);
static int crypto_stream_chacha20_ietf(unsigned char *c, unsigned long long clen,
                                       const unsigned char *n, const unsigned char *k);
static int crypto_stream_chacha20_ietf_xor_ic(unsigned char *c, const unsigned char *m,
                                              unsigned long long mlen, const unsigned char *n,
                                              uint32_t ic, const unsigned char *k);

#include "crypto_onetimeauth/poly1305/onetimeauth_poly1305.h"
#include "crypto_stream/chacha20/stream_chacha20.h"

#define crypto_onetimeauth_poly1305_implementation crypto_onetimeauth_poly1305_implementation const
#define crypto_stream_chacha20_implementation crypto_stream_chacha20_implementation const

#define implementation poly1305
#include "crypto_onetimeauth/poly1305/donna/poly1305_donna.c"
#include "crypto_onetimeauth/poly1305/onetimeauth_poly1305.c"
#undef implementation
#define implementation chacha20
#include "crypto_stream/chacha20/ref/chacha20_ref.c"
#include "crypto_stream/chacha20/stream_chacha20.c"
#undef implementation

#include "crypto_aead/chacha20poly1305/sodium/aead_chacha20poly1305.c"
