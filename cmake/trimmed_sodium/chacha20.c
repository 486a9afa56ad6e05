/* libsodium's ChaCha20, unmodified, as one unit whose implementation is fixed.
 *
 * Upstream calls through a table that it may exchange at run time. Here the one function that would
 * exchange it is internal and uncalled, and the table is constant: the compiler then calls the
 * portable code directly and drops the rest, some 300 bytes on a Cortex-M. */
static int _crypto_stream_chacha20_pick_best_implementation(void);

#include "crypto_stream/chacha20/stream_chacha20.h"
#define crypto_stream_chacha20_implementation crypto_stream_chacha20_implementation const

#include "crypto_stream/chacha20/ref/chacha20_ref.c"
#include "crypto_stream/chacha20/stream_chacha20.c"
