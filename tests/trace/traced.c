/* Tests: what scripts/trace runs on an emulated core: each operation over many secrets, between two
 * markers. CONSTANT asks that all of one operation leave the same trace. Says on standard output, a
 * line each, in the order in which they are run:
 *
 *     operation NAME same|differs TIMES         what is expected
 */
#include <stdio.h>
#include <string.h>

#include "crypto/curve.h"
#include "crypto/schedule.h"

enum { TEXT = 48, TIMES = 8 };

/* The markers: found by their symbols, so never inlined, and never merged into one. */
void trace_begin(void);
void trace_end(void);
static volatile uint32_t marked;

__attribute__((noinline)) void trace_begin(void)
{
    marked = 1;
}

__attribute__((noinline)) void trace_end(void)
{
    marked = 2;
}

static fer_secret secret;
static uint8_t text[TEXT];
static uint8_t out[TEXT + FER_AEAD_TAG_BYTES];
static uint8_t sealed[TEXT + FER_AEAD_TAG_BYTES];
static const uint8_t nonce[FER_NONCE_BYTES] = {1, 2, 3};
static const uint8_t ad[4] = {4, 5};
static const uint8_t point[FER_POINT_BYTES] = {9};

/* Secrets that differ much: random ones, and those at the ends, where carries are rare or many. */
static void choose_secret(uint32_t number)
{
    uint32_t state = number * 2654435761u + 12345u;

    for (unsigned i = 0; i < sizeof secret.bytes; i++) {
        state = state * 1664525u + 1013904223u;
        secret.bytes[i] = (uint8_t)(state >> 24);
    }
    if (number < 2) {
        memset(secret.bytes, number == 0 ? 0x00 : 0xFF, sizeof secret.bytes);
    }
    for (unsigned i = 0; i < TEXT; i++) {
        text[i] = (uint8_t)(secret.bytes[i % sizeof secret.bytes] * 7u);
    }
    (void)!fer_crypto_seal(&secret, nonce, ad, sizeof ad, text, TEXT, sealed);
}

static void run_x25519(void)
{
    (void)!fer_crypto_dh(&secret, point, (fer_secret *)out);
}

static void run_public(void)
{
    fer_crypto_get_public(&secret, out);
}

static void run_seal(void)
{
    (void)!fer_crypto_seal(&secret, nonce, ad, sizeof ad, text, TEXT, out);
}

static void run_open(void)
{
    (void)!fer_crypto_open(&secret, nonce, ad, sizeof ad, sealed, TEXT, out);
}

static void run_mac(void)
{
    fer_crypto_mac_secret(&secret, text, TEXT, NULL, 0, out);
}

static void run_ratchet(void)
{
    fer_chain chain = {secret};

    fer_schedule_next(&chain, 7);
}

static void run_equal(void)
{
    out[0] = fer_crypto_equal(secret.bytes, text, sizeof secret.bytes);
}

/* Shows that a trace can differ: a branch on a secret, and an index. */
static void run_branch(void)
{
    for (unsigned i = 0; i < sizeof secret.bytes; i++) {
        if ((secret.bytes[i] & 1u) != 0) {
            marked = i;
        }
    }
}

static void run_index(void)
{
    marked = ((volatile uint8_t *)text)[secret.bytes[3] % TEXT];
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
        int differs;
    } operations[] = {
        {"x25519", run_x25519, 0},
        {"public_key", run_public, 0},
        {"seal", run_seal, 0},
        {"open", run_open, 0},
        {"hmac", run_mac, 0},
        {"ratchet", run_ratchet, 0},
        {"compare", run_equal, 0},
        {"control_branch", run_branch, 1},
        {"control_index", run_index, 1},
    };

    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        printf("operation %s %s %d\n", operations[i].name,
               operations[i].differs ? "differs" : "same", TIMES);
        for (uint32_t number = 0; number < TIMES; number++) {
            choose_secret(number);
            trace_begin();
            operations[i].run();
            trace_end();
        }
    }
    return 0;
}
