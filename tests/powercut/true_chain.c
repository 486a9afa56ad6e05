#include "powercut/true_chain.h"

#include <string.h>

#include "internal/credential.h"

enum { WINDOW = 8, WINDOWS = 32 - WINDOW + 1, NOBODY = 0xFFFF };

fer_credential truth[TRUE_CHAIN_LENGTH];

/* Where each 8-byte window of the chains is found by its first two bytes. */
static uint16_t window_next[TRUE_CHAIN_LENGTH * WINDOWS];
static uint16_t window_first[65536];

static const uint8_t *chain_of(uint32_t generation)
{
    return truth[generation].bytes + 88;
}

static uint16_t key_of(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

bool true_chain_make(void)
{
    fer_credential_info info = {.epoch = 7, .identity = "powercut", .identity_length = 8};
    fer_claim_key claim;
    fer_chain chain;

    memset(&claim, 0xC1, sizeof claim);
    memset(&chain, 0xC4, sizeof chain);
    chain.secret.bytes[0] = 0x11; /* no run of equal bytes, which the model may write */
    for (uint8_t i = 0; i < 32; i++) {
        chain.secret.bytes[i] = (uint8_t)(0x31 + 7 * i);
    }
    if (fer_credential_build(&info, &claim, &chain, &truth[0]) != FER_OK) {
        return false;
    }
    memset(window_first, 0xFF, sizeof window_first);
    for (uint32_t g = 0; g < TRUE_CHAIN_LENGTH; g++) {
        if (g > 0) {
            truth[g] = truth[g - 1];
            if (fer_credential_advance(&truth[g]) != FER_OK) {
                return false;
            }
        }
        for (uint32_t i = 0; i < WINDOWS; i++) {
            uint16_t *first = &window_first[key_of(chain_of(g) + i)];
            window_next[g * WINDOWS + i] = *first;
            *first = (uint16_t)(g * WINDOWS + i);
        }
    }
    return true;
}

static bool is_spent(const uint8_t *bytes, uint32_t up_to)
{
    for (uint16_t at = window_first[key_of(bytes)]; at != NOBODY; at = window_next[at]) {
        if (at / WINDOWS <= up_to &&
            memcmp(bytes, chain_of(at / WINDOWS) + at % WINDOWS, WINDOW) == 0) {
            return true;
        }
    }
    return false;
}

bool true_chain_is_in(const uint8_t *image, uint32_t size, uint32_t up_to)
{
    for (uint32_t at = 0; at + WINDOW <= size; at++) {
        if (is_spent(image + at, up_to)) {
            return true;
        }
    }
    return false;
}
