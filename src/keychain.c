/* Ferrule: keychain (docs/WIRE.md, section keys). */
#include <string.h>

#include "internal/credential.h"
#include "internal/keychain.h"

/* A root that mint wiped before is all zeros, and so is one that nobody filled: credentials from
 * it would be everybody's. Reads every byte (CONSTANT). */
static bool is_spent(const fer_root_key *root)
{
    static const uint8_t zeros[FER_ROOT_BYTES];

    return fer_crypto_equal(root->bytes, zeros, FER_ROOT_BYTES);
}

bool fer_identity_gather(const fer_identity *identity, fer_credential_info *info)
{
    memset(info, 0, sizeof *info);
    if (identity->identity == 0 || identity->identity_length > FER_IDENTITY_MAX ||
        identity->route_length > FER_ROUTE_MAX ||
        (identity->route == 0 && identity->route_length != 0)) {
        return false;
    }
    info->epoch = identity->epoch;
    info->identity_length = (uint8_t)identity->identity_length;
    info->route_length = (uint8_t)identity->route_length;
    memcpy(info->identity, identity->identity, identity->identity_length);
    if (identity->route_length != 0) {
        memcpy(info->route, identity->route, identity->route_length);
    }
    return true;
}

static fer_status mint(const fer_root_key *root, const fer_identity *identity,
                       fer_credential *credential)
{
    fer_credential_info info;
    uint8_t salt[FER_HASH_BYTES];
    fer_chain chain;
    fer_claim_key claim;

    if (!fer_identity_gather(identity, &info)) {
        return FER_ERR_ARGUMENT;
    }
    if (is_spent(root)) {
        return FER_ERR_ORDER;
    }
    fer_schedule_id_salt(FER_MODE_PROVISIONED, info.epoch, info.identity, info.identity_length,
                         salt);
    fer_schedule_root(salt, root->bytes, FER_ROOT_BYTES, &chain, &claim);
    fer_status status = fer_credential_build(&info, &claim, &chain, credential);
    fer_wipe(&chain, sizeof chain);
    fer_wipe(&claim, sizeof claim);
    return status;
}

fer_status fer_keychain_mint(fer_root_key *root, const fer_identity *identity,
                             fer_credential *credential)
{
    fer_status status = FER_ERR_ARGUMENT;

    if (root != 0 && identity != 0 && credential != 0) {
        fer_credential_wipe(credential);
        status = mint(root, identity, credential);
    }
    if (root != 0) {
        fer_wipe(root, sizeof *root);
    }
    return status;
}

void fer_generation_build(struct fer_generation_body *body, uint8_t mode,
                          const fer_credential_info *info, fer_chain *chain)
{
    for (unsigned i = FER_BRANCH_UP; i <= FER_BRANCH_DOWN; i++) {
        fer_schedule_branch(chain, info->generation, (fer_branch)i, &body->keys[i]);
    }
    fer_wipe(chain, sizeof *chain);
    body->generation = info->generation;
    body->present = (1u << (FER_BRANCH_DOWN + 1u)) - 1u;
    body->kind = mode; /* on the wire, kinds 1 and 2 are the modes 1 and 2 */
    body->route_length = info->route_length;
    memcpy(body->route, info->route, FER_ROUTE_MAX);
    body->tag = fer_tag_make(body, FER_TAG_GENERATION);
}

fer_status fer_keychain_forward(fer_credential *credential, uint32_t generation)
{
    fer_credential_info info;
    fer_claim_key claim;
    fer_chain chain;

    if (credential == 0) {
        return FER_ERR_ARGUMENT;
    }
    fer_status status = fer_credential_read(credential, &info, &claim, &chain);
    if (status != FER_OK) {
        return status;
    }
    if (generation < info.generation) {
        status = FER_ERR_ARGUMENT;
    } else {
        while (info.generation < generation && generation != UINT32_MAX) {
            fer_schedule_next(&chain, info.generation++);
        }
        info.generation = generation;
        status = fer_credential_build(&info, &claim, &chain, credential);
    }
    fer_wipe(&chain, sizeof chain);
    fer_wipe(&claim, sizeof claim);
    return status;
}

static fer_status expand(fer_credential *credential, struct fer_generation_body *body)
{
    fer_credential_info info;
    fer_status status = fer_credential_read(credential, &info, &body->claim, 0);

    if (status == FER_OK) {
        fer_generation_build(body, FER_MODE_PROVISIONED, &info,
                             fer_credential_get_chain(credential));
    }
    return status;
}

fer_status fer_keychain_expand(fer_credential *credential, fer_generation *generation)
{
    fer_status status = FER_ERR_ARGUMENT;

    fer_generation_wipe(generation);
    if (credential != 0 && generation != 0) {
        status = expand(credential, (struct fer_generation_body *)(void *)generation->opaque);
    }
    fer_credential_wipe(credential);
    return status;
}

struct fer_generation_body *fer_generation_get_body(fer_generation *generation)
{
    struct fer_generation_body *body = (struct fer_generation_body *)(void *)generation;

    return body != 0 && fer_tag_is(&body->tag, FER_TAG_GENERATION) ? body : 0;
}

/* Out of line, where each end of a link would have a copy of it. */
FER_COLD bool fer_generation_take_key(struct fer_generation_body *body, fer_branch branch,
                                      fer_record_key *key)
{
    unsigned bit = 1u << (unsigned)branch;

    if ((body->present & bit) == 0) {
        return false;
    }
    body->present = (uint8_t)(body->present & ~bit);
    memcpy(key, &body->keys[branch], sizeof *key);
    fer_wipe(&body->keys[branch], sizeof *key);
    return true;
}

void fer_generation_wipe(fer_generation *generation)
{
    if (generation != 0) {
        fer_wipe(generation, sizeof *generation);
    }
}
