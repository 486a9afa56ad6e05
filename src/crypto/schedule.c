/* Ferrule: the key schedule (docs/WIRE.md, section keys). */
#include "crypto/schedule.h"

#include <string.h>

#include "internal/bytes.h"

enum { PROTOCOL_BYTES = 8, LABEL_BYTES = 4, INFO_BYTES = PROTOCOL_BYTES + LABEL_BYTES + 4 + 1 };

/* Also begins the input of the claim, which is why the two stand together. */
static const char protocol_claim[] = "ferrule1clm1";

/* X(k, l, g); out may be k. */
static void derive(fer_secret *out, const fer_secret *key, const char label[LABEL_BYTES],
                   uint32_t generation)
{
    uint8_t info[INFO_BYTES];

    memcpy(info, protocol_claim, PROTOCOL_BYTES);
    memcpy(info + PROTOCOL_BYTES, label, LABEL_BYTES);
    fer_store_u32(info + PROTOCOL_BYTES + LABEL_BYTES, generation);
    info[INFO_BYTES - 1] = 0x01;
    fer_crypto_derive(out, key, info, sizeof info);
}

void fer_schedule_id_salt(uint8_t mode, uint32_t epoch, const uint8_t *identity, size_t length,
                          uint8_t salt[FER_HASH_BYTES])
{
    enum { HEAD = PROTOCOL_BYTES + 1 + 1 + 4 + 1, LONGEST = 32 };
    uint8_t in[HEAD + LONGEST];
    size_t n = length < LONGEST ? length : LONGEST;

    memcpy(in, protocol_claim, PROTOCOL_BYTES);
    in[PROTOCOL_BYTES] = mode;
    in[PROTOCOL_BYTES + 1] = FER_SUITE;
    fer_store_u32(in + PROTOCOL_BYTES + 2, epoch);
    in[HEAD - 1] = (uint8_t)n;
    memcpy(in + HEAD, identity, n);
    fer_crypto_hash(in, HEAD + n, salt);
}

void fer_schedule_root(const uint8_t salt[FER_HASH_BYTES], const uint8_t *ikm, size_t ikm_length,
                       fer_chain *chain, fer_claim_key *claim)
{
    fer_secret prk;

    fer_crypto_mac(salt, FER_HASH_BYTES, ikm, ikm_length, 0, 0, prk.bytes);
    derive(&chain->secret, &prk, "chn0", 0);
    derive(&claim->secret, &prk, "clm0", 0);
    fer_wipe(&prk, sizeof prk);
}

void fer_schedule_next(fer_chain *chain, uint32_t generation)
{
    derive(&chain->secret, &chain->secret, "next", generation);
}

void fer_schedule_branch(const fer_chain *chain, uint32_t generation, fer_branch branch,
                         fer_record_key *key)
{
    /* By fer_branch. */
    static const char labels[][LABEL_BYTES + 1] = {"upl0", "bck0", "dwn0"};

    derive(&key->secret, &chain->secret, labels[branch], generation);
}

void fer_schedule_psk(const fer_chain *chain, uint32_t generation, fer_secret *psk)
{
    derive(psk, &chain->secret, "psk0", generation);
}

void fer_schedule_hedge(const fer_chain *chain, uint32_t generation, fer_secret *hedge)
{
    derive(hedge, &chain->secret, "hdg0", generation);
}

void fer_schedule_claim(const fer_claim_key *claim, const uint8_t *header, size_t n, uint8_t out[4])
{
    uint8_t mac[FER_HASH_BYTES];

    fer_crypto_mac_secret(&claim->secret, (const uint8_t *)protocol_claim,
                          sizeof protocol_claim - 1, header, n, mac);
    memcpy(out, mac, 4);
    fer_wipe(mac, sizeof mac);
}

void fer_schedule_ephemeral(const fer_secret *hedge, const uint8_t entropy[FER_SECRET_BYTES],
                            uint32_t attempt, fer_secret *ephemeral)
{
    fer_crypto_derive(ephemeral, hedge, entropy, FER_SECRET_BYTES);
    derive(ephemeral, ephemeral, "eph0", attempt);
}

void fer_schedule_binding(const fer_claim_key *claim, const uint8_t *hardware, size_t n,
                          uint8_t out[FER_BINDING_BYTES])
{
    static const char protocol_binding[] = "ferrule1hwid";
    uint8_t mac[FER_HASH_BYTES];

    fer_crypto_mac_secret(&claim->secret, (const uint8_t *)protocol_binding,
                          sizeof protocol_binding - 1, hardware, n, mac);
    memcpy(out, mac, FER_BINDING_BYTES);
    fer_wipe(mac, sizeof mac);
}
