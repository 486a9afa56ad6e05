/* Bench: bare libsodium and Ferrule on an emulated core, record by record. A link from point to
 * point: the header of a short record is 4 bytes, and bare libsodium authenticates as many. */
#include <sodium.h>
#include <unistd.h>

#include "ferrule/ferrule.h"
#include "record_report.h"

enum { WINDOW = 64, AD_BYTES = 4 };

FER_ARENA(arena, FER_SEALER_SIZE + FER_OPENER_SIZE(WINDOW));

static fer_sealer *sealer;
static fer_opener *opener;
static const uint8_t key[32] = {1}, nonce[12] = {2}, ad[AD_BYTES] = {3};

static bool prepare_nothing(void)
{
    return true;
}

static bool seal_bare(const uint8_t *text, size_t n, uint8_t *record, size_t *length)
{
    unsigned long long made = 0;
    const int status = crypto_aead_chacha20poly1305_ietf_encrypt(record, &made, text, n, ad,
                                                                 sizeof ad, 0, nonce, key);
    *length = (size_t)made;
    return status == 0;
}

static bool open_bare(uint8_t *record, size_t length, uint8_t *out, size_t *n)
{
    unsigned long long made = 0;
    const int status = crypto_aead_chacha20poly1305_ietf_decrypt(out, &made, 0, record, length, ad,
                                                                 sizeof ad, nonce, key);
    *n = (size_t)made;
    return status == 0;
}

static bool derive_generation(fer_generation *generation)
{
    static const uint8_t name[] = "bench";
    const fer_identity who = {.epoch = 1, .identity = name, .identity_length = 5};
    fer_root_key root;
    fer_credential credential;

    memset(&root, 7, sizeof root);
    return fer_keychain_mint(&root, &who, &credential) == FER_OK &&
           fer_keychain_expand(&credential, generation) == FER_OK;
}

static bool start(void)
{
    const fer_sealer_config up = {.direction = FER_UP, .way = FER_TWO_WAY};
    const fer_opener_config from = {.direction = FER_UP, .window_bits = WINDOW};
    fer_generation generation;

    return derive_generation(&generation) &&
           fer_sealer_create(&arena, &generation, &up, &sealer) == FER_OK &&
           derive_generation(&generation) &&
           fer_opener_create(&arena, &generation, &from, &opener) == FER_OK;
}

static bool acknowledge(void)
{
    return fer_sealer_acknowledge(sealer) == FER_OK;
}

static bool seal(const uint8_t *text, size_t n, uint8_t *record, size_t *length)
{
    return fer_sealer_seal(sealer, text, n, record, RECORD_MAX, length) == FER_OK;
}

static bool open_record(uint8_t *record, size_t length, uint8_t *out, size_t *n)
{
    fer_opened opened;
    const fer_status status = fer_opener_receive(opener, record, length, out, RECORD_MAX, &opened);

    *n = opened.length;
    return status == FER_OK;
}

int main(void)
{
    const struct link bare = {"bare libsodium", prepare_nothing, seal_bare, open_bare};
    const struct link ours = {"Ferrule", acknowledge, seal, open_record};

    const char *heap_end = sbrk(0);
    start_counting();
    if (!start() || !measure_link(&bare) || !measure_link(&ours)) {
        printf("measure_record: a call failed\n");
        return 1;
    }
    report_record("Ferrule", "RAM of a session", 0, arena.used, "bytes");
    report_record("Ferrule", "heap of a session", 0, (uint32_t)((char *)sbrk(0) - heap_end),
                  "bytes");
    return 0;
}
