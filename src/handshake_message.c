/* Ferrule: handshake, messages (floor 3): Noise section 5.3. Writing checks all that can fail for
 * reasons of our own before it changes anything; reading that fails is final (WIPE), and says
 * nothing of why. */
#include <string.h>

#include "crypto/curve.h"
#include "crypto/schedule.h"
#include "ferrule/handshake.h"
#include "internal/bytes.h"
#include "internal/draw.h"
#include "internal/handshake.h"

static bool psk_is_due(const fer_handshake *handshake, unsigned place)
{
    return handshake->psk_place == place && (place != 0 || handshake->message == 0);
}

size_t fer_handshake_get_overhead(const fer_handshake *handshake)
{
    fer_turn turn = fer_handshake_get_turn(handshake);
    size_t n = 0;

    if (turn != FER_TURN_WRITE && turn != FER_TURN_READ) {
        return 0;
    }
    bool encrypted = handshake->has_k; /* every first message has an e, which gives a psk a key */
    for (const uint8_t *token = handshake->at; *token != FER_TOKEN_END; token++) {
        if (*token == FER_TOKEN_E) {
            n += FER_NOISE_KEY_BYTES;
            encrypted = encrypted || handshake->psk_place != FER_NO_PSK;
        } else if (*token == FER_TOKEN_S) {
            n += FER_NOISE_KEY_BYTES + (encrypted ? FER_AEAD_TAG_BYTES : 0u);
        } else {
            encrypted = true;
        }
    }
    return n + (encrypted ? FER_AEAD_TAG_BYTES : 0u);
}

/* ---- CipherState (section 5.1) ---------------------------------------------------------- */

/* Four zero bytes and the number, little-endian: section 12.3. */
static void put_nonce(const fer_handshake *handshake, uint8_t nonce[FER_NONCE_BYTES])
{
    memset(nonce, 0, FER_NONCE_BYTES);
    nonce[4] = handshake->n;
}

/* EncryptAndHash; out has 16 bytes more where there is a key. */
static fer_status encrypt(fer_handshake *handshake, const uint8_t *in, size_t n, uint8_t *out)
{
    uint8_t nonce[FER_NONCE_BYTES];
    size_t length = n;

    if (handshake->has_k) {
        put_nonce(handshake, nonce);
        fer_status status =
            fer_crypto_seal(&handshake->k, nonce, handshake->h, sizeof handshake->h, in, n, out);
        if (status != FER_OK) {
            return status;
        }
        handshake->n++;
        length += FER_AEAD_TAG_BYTES;
    } else if (n != 0) {
        memcpy(out, in, n);
    }
    fer_noise_mix_hash(handshake, out, length);
    return FER_OK;
}

/* DecryptAndHash of `length` bytes. */
static bool decrypt(fer_handshake *handshake, const uint8_t *in, size_t length, uint8_t *out)
{
    uint8_t nonce[FER_NONCE_BYTES];

    if (in == NULL || (handshake->has_k && length < FER_AEAD_TAG_BYTES)) {
        return false;
    }
    if (handshake->has_k) {
        put_nonce(handshake, nonce);
        if (fer_crypto_open(&handshake->k, nonce, handshake->h, sizeof handshake->h, in,
                            length - FER_AEAD_TAG_BYTES, out) != FER_OK) {
            return false;
        }
        handshake->n++;
    } else if (length != 0) {
        memcpy(out, in, length);
    }
    fer_noise_mix_hash(handshake, in, length);
    return true;
}

/* ---- tokens ----------------------------------------------------------------------------- */

static bool mix_product(fer_handshake *handshake, const fer_secret *own,
                        const uint8_t peer[FER_POINT_BYTES])
{
    fer_secret shared;

    if (fer_crypto_dh(own, peer, &shared) != FER_OK) {
        return false;
    }
    fer_noise_mix_key(handshake, shared.bytes, sizeof shared.bytes);
    fer_wipe(&shared, sizeof shared);
    return true;
}

/* The first letter of a product is the initiator's key, the second the responder's. */
static bool mix_token(fer_handshake *handshake, unsigned token)
{
    bool first = handshake->role == FER_INITIATOR;

    switch (token) {
    case FER_TOKEN_EE:
        return mix_product(handshake, &handshake->e, handshake->re);
    case FER_TOKEN_ES:
        return first ? mix_product(handshake, &handshake->e, handshake->rs)
                     : mix_product(handshake, &handshake->s, handshake->re);
    case FER_TOKEN_SE:
        return first ? mix_product(handshake, &handshake->s, handshake->re)
                     : mix_product(handshake, &handshake->e, handshake->rs);
    case FER_TOKEN_SS:
        return mix_product(handshake, &handshake->s, handshake->rs);
    default:
        return false;
    }
}

/* What follows an ephemeral key on the wire, ours or the peer's (sections 5.3 and 9.2). */
static void mix_ephemeral(fer_handshake *handshake, const uint8_t key[FER_NOISE_KEY_BYTES])
{
    fer_noise_mix_hash(handshake, key, FER_NOISE_KEY_BYTES);
    if (handshake->psk_place != FER_NO_PSK) {
        fer_noise_mix_key(handshake, key, FER_NOISE_KEY_BYTES);
    }
}

static void mix_psk_if_due(fer_handshake *handshake, unsigned place)
{
    if (psk_is_due(handshake, place)) {
        fer_noise_mix_psk(handshake);
    }
}

static void next_message(fer_handshake *handshake)
{
    handshake->at++; /* beyond the token that ends a message */
    handshake->message++;
    if (handshake->message == handshake->pattern->messages) {
        fer_wipe(&handshake->s, sizeof handshake->s);
        fer_wipe(&handshake->e, sizeof handshake->e);
        fer_wipe(&handshake->psk, sizeof handshake->psk);
        fer_wipe(&handshake->hedge, sizeof handshake->hedge);
    }
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Draws the secret of an ephemeral key, so that a failing source changes nothing. */
static fer_status draw_ephemeral(fer_handshake *handshake)
{
    const fer_status status =
        fer_draw(handshake->entropy, handshake->e.bytes, sizeof handshake->e.bytes);

    if (status == FER_OK && handshake->hedged) {
        fer_secret drawn = handshake->e;
        fer_schedule_ephemeral(&handshake->hedge, drawn.bytes, handshake->attempt, &handshake->e);
        fer_wipe(&drawn, sizeof drawn);
    }
    return status;
}

static fer_status write_token(fer_handshake *handshake, unsigned token, fer_writer *writer)
{
    uint8_t field[FER_NOISE_KEY_BYTES + FER_AEAD_TAG_BYTES];
    size_t n = FER_NOISE_KEY_BYTES;
    fer_status status = FER_OK;

    switch (token) {
    case FER_TOKEN_E:
        fer_crypto_get_public(&handshake->e, field);
        mix_ephemeral(handshake, field);
        break;
    case FER_TOKEN_S:
        n += handshake->has_k ? FER_AEAD_TAG_BYTES : 0u;
        status = encrypt(handshake, handshake->own_s, FER_NOISE_KEY_BYTES, field);
        break;
    default:
        return mix_token(handshake, token) ? FER_OK : FER_DROP_FORGED;
    }
    fer_write_bytes(writer, field, n);
    return status;
}

/* All tokens and the payload, into a buffer that was found large enough. */
static fer_status write_message(fer_handshake *handshake, const uint8_t *payload, size_t n,
                                fer_writer *writer)
{
    fer_status status = FER_OK;

    mix_psk_if_due(handshake, 0);
    for (; *handshake->at != FER_TOKEN_END && status == FER_OK; handshake->at++) {
        status = write_token(handshake, *handshake->at, writer);
    }
    if (status == FER_OK) {
        mix_psk_if_due(handshake, handshake->message + 1u);
        status = encrypt(handshake, payload, n, writer->bytes + writer->at);
    }
    return status;
}

fer_status fer_handshake_write(fer_handshake *handshake, const uint8_t *payload, size_t n,
                               uint8_t *out, size_t capacity, size_t *length)
{
    if (!fer_handshake_is_open(handshake)) {
        return FER_ERR_HANDLE;
    }
    if ((payload == NULL && n != 0) || out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (fer_handshake_get_turn(handshake) != FER_TURN_WRITE) {
        return FER_ERR_ORDER;
    }
    size_t overhead = fer_handshake_get_overhead(handshake);
    if (n > FER_NOISE_MESSAGE_MAX - overhead || capacity < n + overhead) {
        return FER_ERR_CAPACITY;
    }
    fer_status status = *handshake->at == FER_TOKEN_E ? draw_ephemeral(handshake) : FER_OK;
    if (status != FER_OK) {
        return status;
    }
    fer_writer writer = fer_writer_over(out, n + overhead);
    status = write_message(handshake, payload, n, &writer);
    if (status != FER_OK) {
        fer_wipe(out, n + overhead);
        fer_handshake_fail(handshake);
        return status;
    }
    next_message(handshake);
    *length = n + overhead;
    return FER_OK;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool read_token(fer_handshake *handshake, unsigned token, fer_reader *reader)
{
    if (token == FER_TOKEN_E) {
        fer_read_bytes(reader, handshake->re, sizeof handshake->re);
        mix_ephemeral(handshake, handshake->re);
        return !reader->failed;
    }
    if (token == FER_TOKEN_S) {
        size_t n = FER_NOISE_KEY_BYTES + (handshake->has_k ? FER_AEAD_TAG_BYTES : 0u);
        handshake->has_rs = decrypt(handshake, fer_read_span(reader, n), n, handshake->rs);
        return handshake->has_rs;
    }
    return mix_token(handshake, token);
}

static bool read_message(fer_handshake *handshake, fer_reader *reader, uint8_t *out, size_t *length)
{
    bool good = true;

    mix_psk_if_due(handshake, 0);
    for (; *handshake->at != FER_TOKEN_END && good; handshake->at++) {
        good = read_token(handshake, *handshake->at, reader);
    }
    if (!good) {
        return false;
    }
    mix_psk_if_due(handshake, handshake->message + 1u);
    size_t left = fer_reader_left(reader);
    bool sealed = handshake->has_k;
    *length = left;
    if (!decrypt(handshake, fer_read_span(reader, left), left, out)) {
        return false;
    }
    *length -= sealed ? FER_AEAD_TAG_BYTES : 0u;
    return true;
}

fer_status fer_handshake_read(fer_handshake *handshake, const uint8_t *message, size_t n,
                              uint8_t *out, size_t capacity, size_t *length)
{
    size_t payload;

    if (!fer_handshake_is_open(handshake)) {
        return FER_ERR_HANDLE;
    }
    if ((message == NULL && n != 0) || out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (fer_handshake_get_turn(handshake) != FER_TURN_READ) {
        return FER_ERR_ORDER;
    }
    size_t overhead = fer_handshake_get_overhead(handshake);
    bool whole = n >= overhead && n <= FER_NOISE_MESSAGE_MAX;
    if (whole && capacity < n - overhead) {
        return FER_ERR_CAPACITY;
    }
    fer_reader reader = fer_reader_over(message, n);
    if (!whole || !read_message(handshake, &reader, out, &payload)) {
        *length = 0;
        fer_wipe(out, n < capacity ? n : capacity);
        fer_handshake_fail(handshake);
        return FER_DROP_FORGED;
    }
    next_message(handshake);
    *length = payload;
    return FER_OK;
}
