/* Bench: what is compared with Ferrule on a host. A peer is both ends of one link, in memory: it
 * seals at one end and opens at the other. Each has a file of its own, peer_*.c. */
#ifndef FERRULE_BENCH_PEERS_PEER_H
#define FERRULE_BENCH_PEERS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEER_TEXT_MAX = 1024,
    PEER_RECORD_MAX = PEER_TEXT_MAX + 128,
    PEER_KEY_BYTES = 32 /* the shared key of those that have one */
};

struct peer {
    const char *name;
    const char *(*version)(void); /* null: the one that is measured */
    /* What the caller keeps of one end, besides what that end takes from the heap. */
    size_t kept;
    /* Makes both ends, as far as that they can seal and open. */
    bool (*start)(void);
    /* Readies a batch of calls; may be null. */
    bool (*prepare)(void);
    /* The first end seals; `record` has PEER_RECORD_MAX bytes. */
    bool (*seal)(const uint8_t *text, size_t n, uint8_t *record, size_t *length);
    /* The second end opens into `out`, which has PEER_RECORD_MAX bytes. */
    bool (*open)(uint8_t *record, size_t length, uint8_t *out, size_t *n);
    void (*stop)(void);
};

extern const struct peer peer_bare, peer_ferrule, peer_framed, peer_openssl, peer_mbedtls,
    peer_wolfssl;

extern const uint8_t peer_key[PEER_KEY_BYTES];
extern const char peer_identity[];

#endif
