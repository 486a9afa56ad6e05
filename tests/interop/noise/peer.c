/* Tests: one side of a Noise handshake as a filter, for a peer that shares no code with it.
 *
 *     noise_peer PATTERN initiator|responder PROLOGUE SECRET|- PEER|-      keys and prologue in hex
 *
 * Then a line a step; each answers with a line:
 *     write PAYLOAD    the message          read MESSAGE    the payload, or "refused"
 *     split            the handshake hash   seal TEXT       a transport message (Noise
 * section 12.3) peer             the peer's static    open MESSAGE    its text, or "refused"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "internal/handshake.h"

enum { BYTES_MAX = 1024, LINE_MAX_BYTES = 2 * BYTES_MAX + 16 };

struct bytes {
    uint8_t at[BYTES_MAX];
    size_t n;
};

static fer_handshake *handshake;
static fer_role role;
static uint8_t keys[FER_SPLIT_BYTES];
static uint8_t sent, received;
FER_ARENA(arena, FER_HANDSHAKE_SIZE);

static _Noreturn void stop(const char *why)
{
    (void)fprintf(stderr, "noise_peer: %s\n", why);
    exit(EXIT_FAILURE);
}

static void from_hex(const char *text, struct bytes *out)
{
    size_t n = strcspn(text, " \n");
    unsigned value;

    out->n = n / 2;
    if (out->n > BYTES_MAX) {
        stop("too long");
    }
    for (size_t i = 0; i < out->n; i++) {
        if (sscanf(text + 2 * i, "%2x", &value) != 1) {
            stop("not hex");
        }
        out->at[i] = (uint8_t)value;
    }
}

static void answer(fer_status status, const struct bytes *out)
{
    if (status != FER_OK) {
        (void)printf(status == FER_DROP_FORGED ? "refused" : "%s", fer_status_text(status));
    }
    for (size_t i = 0; status == FER_OK && i < out->n; i++) {
        (void)printf("%02x", out->at[i]);
    }
    (void)putchar('\n');
    (void)fflush(stdout);
}

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    return getrandom(out, n, 0) == (ssize_t)n ? FER_PORT_OK : FER_PORT_FAILED;
}

static const fer_pattern *find_pattern(const char *name)
{
    static const fer_pattern *const all[] = {&fer_pattern_ik, &fer_pattern_xx, &fer_pattern_kk,
                                             &fer_pattern_nn, &fer_pattern_nk, &fer_pattern_ix,
                                             &fer_pattern_n,  &fer_pattern_x,  &fer_pattern_k};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i]->name, name) == 0) {
            return all[i];
        }
    }
    stop("no such pattern");
}

static void create(char **argv)
{
    static const struct fer_entropy_ops entropy = {fill};
    static struct bytes prologue, secret, peer;
    fer_static_secret own;
    fer_static_public point;
    fer_static_public other;
    fer_handshake_config config = {.pattern = find_pattern(argv[1]),
                                   .psk_place = FER_NO_PSK,
                                   .prologue = prologue.at,
                                   .entropy = {&entropy, NULL}};

    role = strcmp(argv[2], "initiator") == 0 ? FER_INITIATOR : FER_RESPONDER;
    from_hex(argv[3], &prologue);
    from_hex(argv[4], &secret);
    from_hex(argv[5], &peer);
    memcpy(own.bytes, secret.at, sizeof own);
    memcpy(other.bytes, peer.at, sizeof other);
    if (fer_static_get_public(&own, &point) != FER_OK) {
        stop("no public key");
    }
    config.role = role;
    config.prologue_length = prologue.n;
    config.own_secret = secret.n == sizeof own ? &own : NULL;
    config.own_public = secret.n == sizeof own ? &point : NULL;
    config.peer = peer.n == sizeof other ? &other : NULL;
    fer_status status = fer_handshake_create(&arena, &config, &handshake);
    if (status != FER_OK) {
        stop(fer_status_text(status));
    }
}

/* The initiator's messages are under the first key of Split, the responder's under the second. */
static fer_status transport(bool seals, const struct bytes *in, struct bytes *out)
{
    bool first = (role == FER_INITIATOR) == seals;
    uint8_t nonce[FER_NONCE_BYTES] = {0};
    fer_secret key;

    memcpy(key.bytes, keys + (first ? 0 : FER_HASH_BYTES), sizeof key);
    nonce[4] = seals ? sent++ : received++;
    if (!seals && in->n < FER_AEAD_TAG_BYTES) {
        return FER_DROP_FORGED;
    }
    out->n = seals ? in->n + FER_AEAD_TAG_BYTES : in->n - FER_AEAD_TAG_BYTES;
    return seals ? fer_crypto_seal(&key, nonce, NULL, 0, in->at, in->n, out->at)
                 : fer_crypto_open(&key, nonce, NULL, 0, in->at, out->n, out->at);
}

static fer_status step(const char *line, const struct bytes *in, struct bytes *out)
{
    switch (line[0]) {
    case 'w':
        return fer_handshake_write(handshake, in->at, in->n, out->at, sizeof out->at, &out->n);
    case 'r':
        return fer_handshake_read(handshake, in->at, in->n, out->at, sizeof out->at, &out->n);
    case 'p':
        out->n = FER_NOISE_KEY_BYTES;
        return fer_handshake_get_peer(handshake, (fer_static_public *)(void *)out->at);
    case 'o':
        return transport(false, in, out);
    default:
        return transport(true, in, out);
    }
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    static struct bytes in, out;

    if (argc != 6) {
        stop("usage: noise_peer PATTERN initiator|responder PROLOGUE SECRET|- PEER|-");
    }
    create(argv);
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *argument = strchr(line, ' ');
        from_hex(argument == NULL ? "" : argument + 1, &in);
        if (strncmp(line, "split", 5) == 0) {
            fer_status status = fer_handshake_get_binding(handshake, out.at);
            out.n = FER_HASH_BYTES;
            fer_handshake_split(handshake, keys);
            answer(status, &out);
        } else {
            answer(step(line, &in, &out), &out);
        }
    }
    return EXIT_SUCCESS;
}
