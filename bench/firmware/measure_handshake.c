/* Figures of a handshake on a running Cortex-M: IKpsk2, both roles, without payloads. Prints a line
 * a figure; see bench/README.md. */
#include <string.h>

#include <sodium.h>

#include "counting.h"
#include "ferrule/ferrule.h"

enum { PRODUCTS = 5, MESSAGE = 128 }; /* an ephemeral key and four products, for each role */

FER_ARENA(arena, 2u * FER_HANDSHAKE_SIZE + 2u * FER_SEALER_SIZE + 2u * FER_OPENER_SIZE(64));

static int failures;
static fer_handshake *sides[2];
static uint8_t message[MESSAGE], payload[MESSAGE];
static uint32_t counts[2], deepest;

static void expect(fer_status status)
{
    if (status != FER_OK) {
        printf("measure_handshake: a call failed: %s\n", fer_status_text(status));
        failures++;
    }
}

static int fill(void *context, uint8_t *out, size_t n)
{
    uint8_t *seed = context;
    memset(out, ++*seed, n);
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy = {fill};

/* A product takes the same time whatever its inputs. */
static uint32_t count_product(void)
{
    uint8_t out[32];
    const uint8_t secret[32] = {1}, point[32] = {9};
    uint32_t start = now();
    int bad = crypto_scalarmult_curve25519(out, secret, point);
    uint32_t count = instructions(start);
    expect(bad == 0 ? FER_OK : FER_TROUBLE_CRYPTO);
    return count;
}

static void create(void)
{
    static uint8_t seeds[2] = {10, 20};
    static fer_static_secret secrets[2];
    static fer_static_public points[2];
    static const fer_preshared_key psk = {{7}};
    for (unsigned i = 0; i < 2; i++) {
        expect(fer_static_generate((fer_entropy){&entropy, &seeds[i]}, &secrets[i], &points[i]));
    }
    for (unsigned i = 0; i < 2; i++) {
        const fer_handshake_config config = {.pattern = &fer_pattern_ik,
                                             .role = (fer_role)i,
                                             .psk_place = 2,
                                             .own_secret = &secrets[i],
                                             .own_public = &points[i],
                                             .peer = i == 0 ? &points[1] : NULL,
                                             .psk = &psk,
                                             .entropy = {&entropy, &seeds[i]}};
        expect(fer_handshake_create(&arena, &config, &sides[i]));
    }
}

/* One message, written by `who` and read by the other; what each took is added. */
static size_t pass(unsigned who)
{
    uint8_t *top = stack_top();
    size_t n = 0, length = 1;
    paint(top);
    uint32_t start = now();
    fer_status status = fer_handshake_write(sides[who], NULL, 0, message, sizeof message, &n);
    counts[who] += instructions(start);
    expect(status);
    start = now();
    status = fer_handshake_read(sides[1 - who], message, n, payload, sizeof payload, &length);
    counts[1 - who] += instructions(start);
    uint32_t now = depth(top);
    deepest = now > deepest ? now : deepest;
    expect(status);
    return n;
}

int main(void)
{
    start_counting();
    uint32_t product = count_product();
    size_t before = arena.used;
    create();
    report("RAM of a handshake", (uint32_t)(arena.used - before) / 2u, "bytes", 400);
    report("handshake IK, first message", (uint32_t)pass(0), "bytes", 96);
    report("handshake IK, second message", (uint32_t)pass(1), "bytes", 48);
    report("stack of a handshake", deepest, "bytes", 2560);
    report("one X25519 product", product, "instructions", 1200000);
    report("handshake IKpsk2, initiator, over its X25519, times 1000",
           (uint32_t)((uint64_t)counts[0] * 1000u / (PRODUCTS * (uint64_t)product)), "ratio", 1050);
    report("handshake IKpsk2, responder, over its X25519, times 1000",
           (uint32_t)((uint64_t)counts[1] * 1000u / (PRODUCTS * (uint64_t)product)), "ratio", 1050);
    return failures == 0 ? 0 : 1;
}
