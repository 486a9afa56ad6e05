/* Ferrule: provision (floor 4). A blob is judged whole before the store is touched (CLOSED); the
 * keys pass through one copy on the stack, which is wiped (WIPE). */
#include "ferrule/provision.h"

#include <string.h>

#include "internal/credential.h"
#include "internal/handle.h"

_Static_assert(FER_CREDENTIAL_BYTES + FER_BINDING_BYTES == FER_BLOB_BYTES, "layout");

static bool is_hardware(const uint8_t *hardware, size_t n)
{
    return hardware != NULL && n != 0 && n <= FER_HARDWARE_MAX;
}

static bool is_valid(const fer_provision_config *config)
{
    if (config->hardware == NULL && config->hardware_length == 0) {
        return config->bound == 0;
    }
    return is_hardware(config->hardware, config->hardware_length);
}

static fer_status compute_binding(const fer_credential *credential, const uint8_t *hardware,
                                  size_t n, uint8_t out[FER_BINDING_BYTES])
{
    fer_claim_key claim;
    fer_status status = fer_credential_read(credential, NULL, &claim, NULL);

    if (status == FER_OK) {
        fer_schedule_binding(&claim, hardware, n, out);
        fer_wipe(&claim, sizeof claim);
    }
    return status;
}

/* Whether a blob's binding is this device's (CONSTANT). */
static fer_status check_binding(const fer_provision_config *config,
                                const fer_credential *credential, const uint8_t *binding)
{
    uint8_t own[FER_BINDING_BYTES];
    fer_status status;

    if (config->hardware == NULL) {
        return FER_DROP_BINDING;
    }
    status = compute_binding(credential, config->hardware, config->hardware_length, own);
    if (status == FER_OK && !fer_crypto_equal(own, binding, sizeof own)) {
        status = FER_DROP_FORGED;
    }
    fer_wipe(own, sizeof own); /* the right answer for this id */
    return status;
}

static fer_status read_blob(const fer_provision_config *config, const uint8_t *blob, size_t n,
                            fer_credential *credential)
{
    bool is_bound = n == FER_BLOB_BYTES;
    fer_status status = fer_credential_parse(blob, is_bound ? FER_CREDENTIAL_BYTES : n, credential);

    if (status != FER_OK) {
        return status;
    }
    if (is_bound) {
        return check_binding(config, credential, blob + FER_CREDENTIAL_BYTES);
    }
    return config->bound != 0 ? FER_DROP_BINDING : FER_OK;
}

fer_status fer_provision(fer_store *store, const fer_provision_config *config, uint8_t *blob,
                         size_t n)
{
    fer_credential credential;
    fer_status status;

    if (!fer_tag_is((const fer_tag *)store, FER_TAG_STORE)) {
        return FER_ERR_HANDLE;
    }
    if (config == NULL || blob == NULL || !is_valid(config)) {
        return FER_ERR_ARGUMENT;
    }
    status = read_blob(config, blob, n, &credential);
    if (status == FER_OK) {
        status = fer_store_install(store, &credential);
    }
    fer_credential_wipe(&credential);
    if (status == FER_OK) {
        fer_wipe(blob, n);
    }
    return status;
}

fer_status fer_provision_bind(const fer_credential *credential, const uint8_t *hardware, size_t n,
                              uint8_t out[FER_BLOB_BYTES])
{
    uint8_t binding[FER_BINDING_BYTES];
    fer_status status = FER_ERR_ARGUMENT;

    if (credential != NULL && out != NULL && is_hardware(hardware, n)) {
        status = compute_binding(credential, hardware, n, binding);
    }
    if (status == FER_OK) {
        memmove(out, credential->bytes, FER_CREDENTIAL_BYTES);
        memcpy(out + FER_CREDENTIAL_BYTES, binding, sizeof binding);
    }
    return status;
}
