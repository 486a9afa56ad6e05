/* Fuzz: fer_credential_parse, which reads what provisioning hands over and what flash holds.
 *
 * Input: a first byte of options, then the bytes to parse. Option bit 0 makes the check fit, so
 * that the fields behind it are reached; without it the check itself is under test.
 * Asserted: only 128 bytes parse; what parses re-encodes to itself, tells info in range, expands,
 * and advances to what parses again; what does not parse leaves zeros. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal/credential.h"
#include "internal/keychain.h"

enum { OPTION_SIGN = 1, CHECK_AT = 120 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_rejected(const fer_credential *credential, fer_status status)
{
    static const fer_credential zero;

    must(status == FER_DROP_MALFORMED || status == FER_DROP_VERSION);
    must(memcmp(credential, &zero, sizeof zero) == 0);
}

static void check_info(const fer_credential_info *info)
{
    must(info->identity_length >= 1 && info->identity_length <= FER_IDENTITY_MAX);
    must(info->route_length <= FER_ROUTE_MAX && info->route_length != 6 &&
         (info->route_length & 1u) == 0);
    must(info->generation != 0xFFFFFFFFu);
}

static void check_reencodes(const fer_credential *credential, fer_credential_info *info)
{
    fer_claim_key claim;
    fer_chain chain;
    fer_credential again;

    must(fer_credential_read(credential, info, &claim, &chain) == FER_OK);
    must(fer_credential_build(info, &claim, &chain, &again) == FER_OK);
    must(memcmp(credential, &again, sizeof again) == 0);
}

static void check_advances(const fer_credential *credential, const fer_credential_info *info)
{
    fer_credential next = *credential;
    fer_credential_info after;
    fer_status status = fer_credential_advance(&next);

    if (info->generation == 0xFFFFFFFEu) {
        must(status == FER_RENEW_EXHAUSTED);
        must(memcmp(credential, &next, sizeof next) == 0);
        return;
    }
    must(status == FER_OK && fer_credential_get_info(&next, &after) == FER_OK);
    must(after.generation == info->generation + 1 && after.epoch == info->epoch);
    must(memcmp(after.identity, info->identity, sizeof after.identity) == 0);
    must(memcmp(after.route, info->route, sizeof after.route) == 0);
    must(memcmp(next.bytes + 88, credential->bytes + 88, FER_SECRET_BYTES) != 0);
}

static void check_expands(fer_credential credential, const fer_credential_info *info)
{
    static const fer_credential zero;
    fer_generation generation;

    must(fer_keychain_expand(&credential, &generation) == FER_OK);
    must(memcmp(&credential, &zero, sizeof zero) == 0);
    const struct fer_generation_body *body = fer_generation_get_body(&generation);
    must(body != NULL && body->generation == info->generation);
    fer_generation_wipe(&generation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t in[FER_CREDENTIAL_BYTES];
    uint8_t hash[FER_HASH_BYTES];
    fer_credential credential;
    fer_credential_info info;

    if (n == 0) {
        return 0;
    }
    bool sign = (data[0] & OPTION_SIGN) != 0;
    data++;
    n--;
    if (sign && n == FER_CREDENTIAL_BYTES) {
        fer_crypto_hash(data, CHECK_AT, hash);
        memcpy(in, data, CHECK_AT);
        memcpy(in + CHECK_AT, hash, FER_CREDENTIAL_BYTES - CHECK_AT);
        data = in;
    }
    memset(&credential, 0xA5, sizeof credential);
    fer_status status = fer_credential_parse(data, n, &credential);
    if (status != FER_OK) {
        check_rejected(&credential, status);
        return 0;
    }
    must(n == FER_CREDENTIAL_BYTES && memcmp(credential.bytes, data, n) == 0);
    check_reencodes(&credential, &info);
    check_info(&info);
    check_advances(&credential, &info);
    check_expands(credential, &info);
    return 0;
}
