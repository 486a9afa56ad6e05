/* Bench: libsodium's own call, which every time is told over. */
#include <sodium.h>

#include "peer.h"

enum { AD_BYTES = 8 }; /* as long as the header of the records of peer_ferrule.c */

static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES], ad[AD_BYTES];

static bool start(void)
{
    return sodium_init() >= 0;
}

static bool seal(const uint8_t *text, size_t n, uint8_t *record, size_t *length)
{
    unsigned long long made = 0;

    const int status = crypto_aead_chacha20poly1305_ietf_encrypt(record, &made, text, n, ad,
                                                                 sizeof ad, NULL, nonce, peer_key);
    *length = (size_t)made;
    return status == 0;
}

static bool open_record(uint8_t *record, size_t length, uint8_t *out, size_t *n)
{
    unsigned long long made = 0;

    const int status = crypto_aead_chacha20poly1305_ietf_decrypt(out, &made, NULL, record, length,
                                                                 ad, sizeof ad, nonce, peer_key);
    *n = (size_t)made;
    return status == 0;
}

static void stop(void)
{
}

const struct peer peer_bare = {.name = "bare libsodium",
                               .version = sodium_version_string,
                               .start = start,
                               .seal = seal,
                               .open = open_record,
                               .stop = stop};
