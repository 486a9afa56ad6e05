/* Ferrule: handshake, its end (floor 3): from k1, k2 and h to the keys of a session (docs/WIRE.md,
 * section keys), and from these to a sealer and an opener. */
#include <string.h>

#include "crypto/schedule.h"
#include "ferrule/handshake.h"
#include "internal/credential.h"
#include "internal/handshake.h"
#include "internal/keychain.h"

/* The keys of a session's only generation. */
static bool derive_session(const fer_handshake *handshake, const fer_identity *identity,
                           fer_generation *generation)
{
    struct fer_generation_body *body = (struct fer_generation_body *)(void *)generation->opaque;
    fer_credential_info info;
    uint8_t salt[FER_HASH_BYTES];
    uint8_t ikm[FER_SPLIT_BYTES];
    fer_chain chain;

    if (!fer_identity_gather(identity, &info) ||
        !fer_credential_lengths_are_valid(info.identity_length, info.route_length)) {
        return false;
    }
    fer_schedule_id_salt(FER_MODE_SESSION, info.epoch, info.identity, info.identity_length, salt);
    fer_handshake_split(handshake, ikm);
    fer_schedule_root(salt, ikm, sizeof ikm, &chain, &body->claim);
    fer_wipe(ikm, sizeof ikm);
    fer_generation_build(body, FER_MODE_SESSION, &info, &chain);
    return true;
}

static fer_status create_sealer(fer_arena *arena, fer_generation *generation, fer_direction way,
                                const fer_session_config *config, fer_session *session)
{
    const fer_sealer_config sealer = {way, FER_LANE_LIVE, config->way, config->entropy};

    return fer_sealer_create(arena, generation, &sealer, &session->sealer);
}

static fer_status create_opener(fer_arena *arena, fer_generation *generation, fer_direction way,
                                const fer_session_config *config, fer_session *session)
{
    const fer_opener_config opener = {way, config->window_bits};

    return fer_opener_create(arena, generation, &opener, &session->opener);
}

/* The initiator's records go up, the responder's down; after a one-way pattern there are only the
 * first. */
static fer_status open_session(fer_arena *arena, fer_generation *generation, bool initiates,
                               bool one_way, const fer_session_config *config, fer_session *session)
{
    fer_status status = FER_OK;

    if (initiates || !one_way) {
        status = create_sealer(arena, generation, initiates ? FER_UP : FER_DOWN, config, session);
    }
    if (status == FER_OK && (!initiates || !one_way)) {
        status = create_opener(arena, generation, initiates ? FER_DOWN : FER_UP, config, session);
    }
    return status;
}

fer_status fer_handshake_finish(fer_handshake **handshake, fer_arena *arena,
                                const fer_session_config *config, fer_session *session)
{
    fer_generation generation;
    fer_arena_position start;
    fer_status status = FER_ERR_ARGUMENT;

    if (handshake == NULL || !fer_handshake_is_open(*handshake)) {
        return FER_ERR_HANDLE;
    }
    if (!fer_handshake_is_done(*handshake)) {
        return FER_ERR_ORDER;
    }
    bool initiates = (*handshake)->role == FER_INITIATOR;
    bool one_way = (*handshake)->pattern->one_way != 0;
    memset(&generation, 0, sizeof generation);
    if (session != NULL) {
        *session = (fer_session){NULL, NULL};
    }
    if (config != NULL && session != NULL && fer_arena_mark(arena, &start) == FER_OK &&
        derive_session(*handshake, &config->identity, &generation)) {
        status = open_session(arena, &generation, initiates, one_way, config, session);
        if (status != FER_OK && fer_arena_rewind(arena, start) == FER_OK) {
            *session = (fer_session){NULL, NULL};
        }
    }
    fer_generation_wipe(&generation);
    fer_handshake_close(handshake);
    return status;
}
