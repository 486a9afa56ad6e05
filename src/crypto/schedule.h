/* Ferrule: key schedule (floor 2), pure arithmetic over crypto.h. Names and labels are those of
 * docs/WIRE.md, section keys:
 *
 *     X(k, l, g)  = HMAC-SHA256(k, "ferrule1" ‖ l (4 bytes) ‖ g32 ‖ 0x01)
 *     chain_{g+1} = X(chain_g, "next", g)                    one-way
 *
 * Each kind of key is a type of its own, so that mixing them up does not compile. */
#ifndef FERRULE_CRYPTO_SCHEDULE_H
#define FERRULE_CRYPTO_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/crypto.h"

typedef struct fer_chain {
    fer_secret secret;
} fer_chain;

typedef struct fer_claim_key {
    fer_secret secret;
} fer_claim_key;

/* The key of one lane or direction of one generation: it seals and opens records. */
typedef struct fer_record_key {
    fer_secret secret;
} fer_record_key;

typedef enum fer_branch { FER_BRANCH_UP, FER_BRANCH_BACKLOG, FER_BRANCH_DOWN } fer_branch;

enum { FER_MODE_PROVISIONED = 1, FER_MODE_SESSION = 2, FER_SUITE = 1 };

/* id_salt = SHA-256("ferrule1" ‖ mode8 ‖ suite8 ‖ epoch32 ‖ len8 ‖ identity); length 1 to 32. */
void fer_schedule_id_salt(uint8_t mode, uint32_t epoch, const uint8_t *identity, size_t length,
                          uint8_t salt[FER_HASH_BYTES]);

/* prk = HMAC-SHA256(id_salt, ikm); chain_0 and claim from it. The prk is wiped. */
void fer_schedule_root(const uint8_t salt[FER_HASH_BYTES], const uint8_t *ikm, size_t ikm_length,
                       fer_chain *chain, fer_claim_key *claim);

/* Turns chain_g into chain_{g+1}, in place: the former is gone (WIPE). */
void fer_schedule_next(fer_chain *chain, uint32_t generation);

/* The record key of a branch of generation g, from chain_g. */
void fer_schedule_branch(const fer_chain *chain, uint32_t generation, fer_branch branch,
                         fer_record_key *key);

/* Of generation g besides, from chain_g: what ties a session's handshake to the chain, X(chain_g,
 * "psk0", g), and what hedges a device's ephemeral keys, X(chain_g, "hdg0", g). */
void fer_schedule_psk(const fer_chain *chain, uint32_t generation, fer_secret *psk);
void fer_schedule_hedge(const fer_chain *chain, uint32_t generation, fer_secret *hedge);

/* claim32 = the first 4 bytes of HMAC-SHA256(claim, "ferrule1clm1" ‖ header before it). */
void fer_schedule_claim(const fer_claim_key *claim, const uint8_t *header, size_t n,
                        uint8_t out[4]);

/* X(HMAC-SHA256(hedge, entropy), "eph0", attempt): an ephemeral secret that stays secret while
 * either hedge or entropy is, and repeats only where entropy and attempt both do. */
void fer_schedule_ephemeral(const fer_secret *hedge, const uint8_t entropy[FER_SECRET_BYTES],
                            uint32_t attempt, fer_secret *ephemeral);

/* The binding of a blob to hardware: the first 16 bytes of
 * HMAC-SHA256(claim, "ferrule1hwid" ‖ hardware id). */
enum { FER_BINDING_BYTES = 16 };
void fer_schedule_binding(const fer_claim_key *claim, const uint8_t *hardware, size_t n,
                          uint8_t out[FER_BINDING_BYTES]);

#endif
