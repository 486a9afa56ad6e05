/* Ferrule: credential. What an identity holds at one generation: epoch, identity, route, claim
 * key and chain key, in one checked encoding of 128 bytes (docs/WIRE.md, section credential).
 *
 * The same encoding is the blob that provisioning hands to a device (generation 0) and the body
 * of each entry in its store: one parser, one proof, one fuzz target.
 * Concurrency: pure functions on the caller's memory; any thread, no ISR; nothing blocks.
 * A credential is secret. Functions that consume one wipe the caller's copy (WIPE). */
#ifndef FERRULE_CREDENTIAL_H
#define FERRULE_CREDENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/attributes.h"
#include "ferrule/config.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a credential. */
#define FER_CREDENTIAL_BYTES 128u

/* The encoding itself; read it through the functions below only. */
typedef struct fer_credential {
    uint8_t bytes[FER_CREDENTIAL_BYTES]; /* secret */
} fer_credential;

/* The part of a credential that is not secret. */
typedef struct fer_credential_info {
    uint32_t epoch;                     /* number of the provisioning */
    uint32_t generation;                /* the one its chain key is of */
    uint8_t identity[FER_IDENTITY_MAX]; /* its first identity_length bytes */
    uint8_t route[FER_ROUTE_MAX];       /* its first route_length bytes */
    uint8_t identity_length;            /* 1 to FER_IDENTITY_MAX */
    uint8_t route_length;               /* 0, 2, 4 or 8 */
} fer_credential_info;

/* Parses exactly FER_CREDENTIAL_BYTES bytes from outside. FER_DROP_MALFORMED: wrong length, magic,
 * field or check. FER_DROP_VERSION: intact, of a later format. On failure *credential is zeroed.
 * Any thread. TOTAL. */
FER_MUST_USE fer_status fer_credential_parse(const uint8_t *in, size_t n,
                                             fer_credential *credential);

/* Tells the public part of a valid credential; where it is not one, the answers of parse, and
 * *info is as it was. */
FER_MUST_USE fer_status fer_credential_get_info(const fer_credential *credential,
                                                fer_credential_info *info);

/* Wipes it. Null: no effect. */
void fer_credential_wipe(fer_credential *credential);

#ifdef __cplusplus
}
#endif
#endif
