/* Ferrule: credential (docs/WIRE.md, section credential). One fixed layout, so every offset is a
 * constant below FER_CREDENTIAL_BYTES and no cursor is needed (TOTAL). */
#include <stdbool.h>
#include <string.h>

#include "internal/bytes.h"
#include "internal/credential.h"

enum {
    AT_VERSION = 2,
    AT_FLAGS = 3,
    AT_GENERATION = 4,
    AT_EPOCH = 8,
    AT_ROUTE_LENGTH = 12,
    AT_IDENTITY_LENGTH = 13,
    AT_ZERO = 14,
    AT_ROUTE = 16,
    AT_IDENTITY = 24,
    AT_CLAIM = 56,
    AT_CHAIN = 88,
    AT_CHECK = 120,
    VERSION = 1
};

/* 2^32-1 is never a generation: it is where counting stops. */
#define GENERATION_END 0xFFFFFFFFu

_Static_assert(AT_ROUTE + FER_ROUTE_MAX == AT_IDENTITY, "layout");
_Static_assert(AT_IDENTITY + FER_IDENTITY_MAX == AT_CLAIM, "layout");
_Static_assert(FER_IDENTITY_MAX == FER_SECRET_BYTES, "an identity is copied like a secret");
_Static_assert(AT_CLAIM + FER_SECRET_BYTES == AT_CHAIN, "layout");
_Static_assert(AT_CHAIN + FER_SECRET_BYTES == AT_CHECK, "layout");
_Static_assert(AT_CHECK + 8 == FER_CREDENTIAL_BYTES, "layout");
_Static_assert(sizeof(fer_chain) == FER_SECRET_BYTES, "a chain key lies in a credential as it is");

/* One routine, so that small cores do not unroll it at each use. */
static FER_COLD void copy_field(uint8_t out[FER_SECRET_BYTES], const uint8_t in[FER_SECRET_BYTES])
{
    memcpy(out, in, FER_SECRET_BYTES);
}

bool fer_credential_lengths_are_valid(unsigned identity, unsigned route)
{
    return identity - 1u < FER_IDENTITY_MAX &&
           (route == 0 || route == 2 || route == 4 || route == 8);
}

static void compute_check(const uint8_t bytes[FER_CREDENTIAL_BYTES], uint8_t check[FER_HASH_BYTES])
{
    fer_crypto_hash(bytes, AT_CHECK, check);
}

/* The check hashes secrets: it is compared in constant time and wiped (CONSTANT, WIPE). */
static bool check_verifies(const uint8_t bytes[FER_CREDENTIAL_BYTES])
{
    uint8_t check[FER_HASH_BYTES];

    compute_check(bytes, check);
    bool equal = fer_crypto_equal(check, bytes + AT_CHECK, FER_CREDENTIAL_BYTES - AT_CHECK);
    fer_wipe(check, sizeof check);
    return equal;
}

static void write_check(uint8_t bytes[FER_CREDENTIAL_BYTES])
{
    uint8_t check[FER_HASH_BYTES];

    compute_check(bytes, check);
    memcpy(bytes + AT_CHECK, check, FER_CREDENTIAL_BYTES - AT_CHECK);
    fer_wipe(check, sizeof check);
}

/* Whether all is zero that no field fills. It borders on secrets: no early exit. */
static bool rest_is_zero(const uint8_t bytes[FER_CREDENTIAL_BYTES])
{
    unsigned route = bytes[AT_ROUTE_LENGTH];
    unsigned identity = bytes[AT_IDENTITY_LENGTH];
    unsigned seen = bytes[AT_FLAGS];

    for (unsigned i = AT_ZERO; i < AT_CLAIM; i++) {
        if (i - AT_ROUTE >= route && i - AT_IDENTITY >= identity) {
            seen |= bytes[i];
        }
    }
    return seen == 0;
}

static bool fields_in_range(const uint8_t bytes[FER_CREDENTIAL_BYTES])
{
    return fer_credential_lengths_are_valid(bytes[AT_IDENTITY_LENGTH], bytes[AT_ROUTE_LENGTH]) &&
           rest_is_zero(bytes) && fer_load_u32(bytes + AT_GENERATION) != GENERATION_END;
}

static fer_status validate(const uint8_t bytes[FER_CREDENTIAL_BYTES])
{
    if (bytes[0] != 'F' || bytes[1] != 'r' || bytes[AT_VERSION] < VERSION ||
        !check_verifies(bytes)) {
        return FER_DROP_MALFORMED;
    }
    /* Only what is intact may claim to be of the future. */
    if (bytes[AT_VERSION] > VERSION) {
        return FER_DROP_VERSION;
    }
    return fields_in_range(bytes) ? FER_OK : FER_DROP_MALFORMED;
}

fer_status fer_credential_parse(const uint8_t *in, size_t n, fer_credential *credential)
{
    if (credential == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = in == 0 ? FER_ERR_ARGUMENT : FER_DROP_MALFORMED;
    if (in != 0 && n == FER_CREDENTIAL_BYTES) {
        memmove(credential->bytes, in, FER_CREDENTIAL_BYTES);
        status = validate(credential->bytes);
    }
    if (status != FER_OK) {
        fer_credential_wipe(credential);
    }
    return status;
}

fer_status fer_credential_build(const fer_credential_info *info, const fer_claim_key *claim,
                                const fer_chain *chain, fer_credential *credential)
{
    uint8_t *bytes = credential->bytes;

    if (!fer_credential_lengths_are_valid(info->identity_length, info->route_length) ||
        info->generation == GENERATION_END) {
        return FER_ERR_ARGUMENT;
    }
    memset(bytes, 0, FER_CREDENTIAL_BYTES);
    bytes[0] = 'F';
    bytes[1] = 'r';
    bytes[AT_VERSION] = VERSION;
    fer_store_u32(bytes + AT_GENERATION, info->generation);
    fer_store_u32(bytes + AT_EPOCH, info->epoch);
    bytes[AT_ROUTE_LENGTH] = info->route_length;
    bytes[AT_IDENTITY_LENGTH] = info->identity_length;
    memcpy(bytes + AT_ROUTE, info->route, info->route_length);
    memcpy(bytes + AT_IDENTITY, info->identity, info->identity_length);
    copy_field(bytes + AT_CLAIM, claim->secret.bytes);
    copy_field(bytes + AT_CHAIN, chain->secret.bytes);
    write_check(bytes);
    return FER_OK;
}

static void read_info(const uint8_t bytes[FER_CREDENTIAL_BYTES], fer_credential_info *info)
{
    info->generation = fer_load_u32(bytes + AT_GENERATION);
    info->epoch = fer_load_u32(bytes + AT_EPOCH);
    info->route_length = bytes[AT_ROUTE_LENGTH];
    info->identity_length = bytes[AT_IDENTITY_LENGTH];
    memcpy(info->route, bytes + AT_ROUTE, FER_ROUTE_MAX);
    copy_field(info->identity, bytes + AT_IDENTITY);
}

fer_status fer_credential_read(const fer_credential *credential, fer_credential_info *info,
                               fer_claim_key *claim, fer_chain *chain)
{
    fer_status status = validate(credential->bytes);

    if (status != FER_OK) {
        return status;
    }
    if (info != 0) {
        read_info(credential->bytes, info);
    }
    if (claim != 0) {
        copy_field(claim->secret.bytes, credential->bytes + AT_CLAIM);
    }
    if (chain != 0) {
        copy_field(chain->secret.bytes, credential->bytes + AT_CHAIN);
    }
    return FER_OK;
}

fer_status fer_credential_get_info(const fer_credential *credential, fer_credential_info *info)
{
    if (credential == 0 || info == 0) {
        return FER_ERR_ARGUMENT;
    }
    return fer_credential_read(credential, info, 0, 0);
}

fer_chain *fer_credential_get_chain(fer_credential *credential)
{
    return (fer_chain *)(void *)(credential->bytes + AT_CHAIN);
}

fer_status fer_credential_advance(fer_credential *credential)
{
    uint8_t *bytes = credential->bytes;
    uint32_t next = fer_load_u32(bytes + AT_GENERATION) + 1u;
    /* Validated first: a fresh check must never bless a corrupt credential (CLOSED). */
    fer_status status = validate(bytes);

    if (status != FER_OK) {
        return status;
    }
    if (next == GENERATION_END) {
        return FER_RENEW_EXHAUSTED;
    }
    fer_schedule_next(fer_credential_get_chain(credential), next - 1u);
    fer_store_u32(bytes + AT_GENERATION, next);
    write_check(bytes);
    return FER_OK;
}

void fer_credential_wipe(fer_credential *credential)
{
    if (credential != 0) {
        fer_wipe(credential, sizeof *credential);
    }
}
