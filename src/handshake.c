/* Ferrule: handshake (floor 3): keys, creation, and the symmetric state of Noise section 5.2. */
#include "ferrule/handshake.h"

#include <string.h>

#include "crypto/curve.h"
#include "internal/arena.h"
#include "internal/bytes.h"
#include "internal/draw.h"
#include "internal/handshake.h"

_Static_assert(sizeof(struct fer_handshake) <= FER_HANDSHAKE_SIZE,
               "FER_HANDSHAKE_SIZE is too small");
_Static_assert(FER_HANDSHAKE_SIZE < sizeof(struct fer_handshake) + 32u,
               "FER_HANDSHAKE_SIZE is wasteful");
_Static_assert(FER_NOISE_KEY_BYTES == FER_POINT_BYTES, "keys of one size");
_Static_assert(FER_NOISE_KEY_BYTES == FER_SECRET_BYTES, "keys of one size");

/* ---- static keys ------------------------------------------------------------------------ */

static void copy_secret(fer_secret *out, const uint8_t in[FER_NOISE_KEY_BYTES])
{
    memcpy(out->bytes, in, FER_NOISE_KEY_BYTES);
}

static void compute_public(const uint8_t secret[FER_NOISE_KEY_BYTES], fer_static_public *own)
{
    fer_secret copy;

    copy_secret(&copy, secret);
    fer_crypto_get_public(&copy, own->bytes);
    fer_wipe(&copy, sizeof copy);
}

fer_status fer_static_get_public(const fer_static_secret *secret, fer_static_public *own)
{
    if (secret == NULL || own == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (fer_crypto_start() != FER_OK) {
        return FER_TROUBLE_CRYPTO;
    }
    compute_public(secret->bytes, own);
    return FER_OK;
}

fer_status fer_static_generate(fer_entropy entropy, fer_static_secret *secret,
                               fer_static_public *own)
{
    if (!fer_can_draw(entropy) || secret == NULL || own == NULL) {
        return FER_ERR_ARGUMENT;
    }
    memset(own, 0, sizeof *own);
    const fer_status status = fer_draw(entropy, secret->bytes, sizeof secret->bytes);
    return status == FER_OK ? fer_static_get_public(secret, own) : status;
}

fer_status fer_static_get_fingerprint(const fer_static_public *key,
                                      uint8_t fingerprint[FER_STATIC_FINGERPRINT_BYTES])
{
    uint8_t hash[FER_HASH_BYTES];

    if (key == NULL || fingerprint == NULL) {
        return FER_ERR_ARGUMENT;
    }
    fer_crypto_hash_pair(key->bytes, sizeof key->bytes, NULL, 0, hash);
    memcpy(fingerprint, hash, FER_STATIC_FINGERPRINT_BYTES);
    return FER_OK;
}

fer_status fer_static_get_fingerprint_text(const fer_static_public *key,
                                           char text[FER_STATIC_FINGERPRINT_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t fingerprint[FER_STATIC_FINGERPRINT_BYTES];

    if (text == NULL) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_static_get_fingerprint(key, fingerprint);
    for (size_t i = 0; status == FER_OK && i < sizeof fingerprint; i++) {
        *text++ = digits[fingerprint[i] >> 4];
        *text++ = digits[fingerprint[i] & 15u];
        if (i % 2u != 0) {
            *text++ = i + 1u < sizeof fingerprint ? '-' : '\0';
        }
    }
    return status;
}

/* ---- symmetric state -------------------------------------------------------------------- */

void fer_noise_mix_hash(fer_handshake *handshake, const uint8_t *bytes, size_t n)
{
    fer_crypto_hash_pair(handshake->h, sizeof handshake->h, bytes, n, handshake->h);
}

/* Takes the first two outputs as ck and k, or, with a psk, k from the third: MixKey, MixKeyAndHash.
 */
static void mix(fer_handshake *handshake, const uint8_t *ikm, size_t n, unsigned count)
{
    uint8_t out[3 * FER_HASH_BYTES];

    fer_crypto_hkdf(handshake->ck, ikm, n, count, out);
    memcpy(handshake->ck, out, FER_HASH_BYTES);
    if (count == 3) {
        fer_noise_mix_hash(handshake, out + FER_HASH_BYTES, FER_HASH_BYTES);
    }
    memcpy(handshake->k.bytes, out + (count - 1u) * FER_HASH_BYTES, FER_HASH_BYTES);
    fer_wipe(out, sizeof out);
    handshake->has_k = true;
    handshake->n = 0;
}

void fer_noise_mix_key(fer_handshake *handshake, const uint8_t *ikm, size_t n)
{
    mix(handshake, ikm, n, 2);
}

void fer_noise_mix_psk(fer_handshake *handshake)
{
    mix(handshake, handshake->psk.bytes, sizeof handshake->psk, 3);
}

void fer_handshake_split(const fer_handshake *handshake, uint8_t out[FER_SPLIT_BYTES])
{
    fer_crypto_hkdf(handshake->ck, NULL, 0, 2, out);
    memcpy(out + 2u * FER_HASH_BYTES, handshake->h, FER_HASH_BYTES);
}

/* ---- creation --------------------------------------------------------------------------- */

/* Whether exactly those keys are given that this side of the pattern uses. */
static bool keys_are_given(const fer_handshake_config *config)
{
    const fer_pattern *pattern = config->pattern;
    unsigned own = 1u << (unsigned)config->role;
    unsigned statics = pattern->known | (unsigned)pattern->sent;
    bool writes = !pattern->one_way || config->role == FER_INITIATOR;

    return (config->own_secret != NULL) == ((statics & own) != 0) &&
           (config->own_public != NULL) == ((statics & own) != 0) &&
           (config->peer != NULL) == ((pattern->known & ~own) != 0) &&
           (config->psk != NULL) == (config->psk_place != FER_NO_PSK) &&
           (!writes || fer_can_draw(config->entropy));
}

static bool is_valid(const fer_handshake_config *config)
{
    return config->pattern != NULL && (unsigned)config->role <= FER_RESPONDER &&
           (config->psk_place == FER_NO_PSK || config->psk_place <= config->pattern->messages) &&
           (config->prologue != NULL || config->prologue_length == 0) && keys_are_given(config);
}

static void write_text(fer_writer *writer, const char *text)
{
    for (; *text != '\0'; text++) {
        fer_write_u8(writer, (uint8_t)*text);
    }
}

/* Initialize (section 5.2) with the protocol's name (section 8). */
static void initialize(fer_handshake *handshake, const char *pattern)
{
    uint8_t name[64];
    fer_writer writer = fer_writer_over(name, sizeof name);

    memset(name, 0, sizeof name);
    write_text(&writer, "Noise_");
    write_text(&writer, pattern);
    if (handshake->psk_place != FER_NO_PSK) {
        write_text(&writer, "psk");
        fer_write_u8(&writer, (uint8_t)('0' + handshake->psk_place));
    }
    write_text(&writer, "_25519_ChaChaPoly_SHA256");
    if (writer.at <= sizeof handshake->h) {
        memcpy(handshake->h, name, sizeof handshake->h);
    } else {
        fer_crypto_hash(name, writer.at, handshake->h);
    }
    memcpy(handshake->ck, handshake->h, sizeof handshake->ck);
}

static void copy_keys(fer_handshake *handshake, const fer_handshake_config *config)
{
    if (config->own_secret != NULL) {
        copy_secret(&handshake->s, config->own_secret->bytes);
        memcpy(handshake->own_s, config->own_public->bytes, sizeof handshake->own_s);
    }
    if (config->peer != NULL) {
        memcpy(handshake->rs, config->peer->bytes, sizeof handshake->rs);
        handshake->has_rs = true;
    }
    if (config->psk != NULL) {
        copy_secret(&handshake->psk, config->psk->bytes);
    }
    if (config->hedge != NULL) {
        copy_secret(&handshake->hedge, config->hedge->key);
        handshake->attempt = config->hedge->attempt;
        handshake->hedged = true;
    }
}

/* Pre-messages: statics known beforehand, the initiator's first. */
static void mix_known(fer_handshake *handshake)
{
    for (unsigned who = FER_INITIATOR; who <= FER_RESPONDER; who++) {
        if ((handshake->pattern->known & 1u << who) != 0) {
            fer_noise_mix_hash(handshake, who == handshake->role ? handshake->own_s : handshake->rs,
                               FER_NOISE_KEY_BYTES);
        }
    }
}

fer_status fer_handshake_create(fer_arena *arena, const fer_handshake_config *config,
                                fer_handshake **handshake)
{
    fer_handshake *made;

    if (config == NULL || handshake == NULL || !is_valid(config)) {
        return FER_ERR_ARGUMENT;
    }
    if (fer_crypto_start() != FER_OK) {
        return FER_TROUBLE_CRYPTO;
    }
    made = fer_arena_carve(arena, sizeof *made);
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    made->pattern = config->pattern;
    made->at = config->pattern->tokens;
    made->entropy = config->entropy;
    made->role = (uint8_t)config->role;
    made->psk_place = config->psk_place;
    copy_keys(made, config);
    initialize(made, config->pattern->name);
    fer_noise_mix_hash(made, config->prologue, config->prologue_length);
    mix_known(made);
    made->tag = fer_tag_make(made, FER_TAG_HANDSHAKE);
    *handshake = made;
    return FER_OK;
}

/* ---- state and end ---------------------------------------------------------------------- */

bool fer_handshake_is_open(const fer_handshake *handshake)
{
    return fer_tag_is((const fer_tag *)handshake, FER_TAG_HANDSHAKE);
}

bool fer_handshake_is_done(const fer_handshake *handshake)
{
    return !handshake->failed && handshake->message == handshake->pattern->messages;
}

void fer_handshake_fail(fer_handshake *handshake)
{
    fer_wipe(handshake, sizeof *handshake);
    handshake->failed = true;
    handshake->tag = fer_tag_make(handshake, FER_TAG_HANDSHAKE);
}

fer_turn fer_handshake_get_turn(const fer_handshake *handshake)
{
    if (!fer_handshake_is_open(handshake) || handshake->failed) {
        return FER_TURN_FAILED;
    }
    if (fer_handshake_is_done(handshake)) {
        return FER_TURN_DONE;
    }
    return handshake->message % 2u == handshake->role ? FER_TURN_WRITE : FER_TURN_READ;
}

fer_status fer_handshake_get_peer(const fer_handshake *handshake, fer_static_public *peer)
{
    if (!fer_handshake_is_open(handshake)) {
        return FER_ERR_HANDLE;
    }
    if (peer == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (!handshake->has_rs) {
        return FER_EMPTY;
    }
    memcpy(peer->bytes, handshake->rs, sizeof peer->bytes);
    return FER_OK;
}

fer_status fer_handshake_get_binding(const fer_handshake *handshake, uint8_t binding[32])
{
    if (!fer_handshake_is_open(handshake)) {
        return FER_ERR_HANDLE;
    }
    if (binding == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (!fer_handshake_is_done(handshake)) {
        return FER_ERR_ORDER;
    }
    memcpy(binding, handshake->h, sizeof handshake->h);
    return FER_OK;
}

void fer_handshake_close(fer_handshake **handshake)
{
    if (handshake != NULL && fer_handshake_is_open(*handshake)) {
        fer_arena_retire(*handshake, sizeof **handshake);
        *handshake = NULL;
    }
}
