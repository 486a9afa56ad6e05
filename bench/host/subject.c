/* Bench: both ends of one link, provisioned from one root, and messages for it. */
#include "subject.h"

FER_ARENA(arena, FER_SEALER_SIZE + FER_OPENER_SIZE(64) + FER_FRAME_DECODER_SIZE(RECORD_MAX));

/* The same keys each time: every end of a link takes its own out of a generation. */
static bool derive_generation(fer_generation *generation)
{
    static const uint8_t name[] = {'p', 'u', 'm', 'p'};
    fer_identity identity = {1, name, sizeof name, name, ROUTE_BYTES};
    fer_root_key root;
    fer_credential credential;

    memset(&root, 0x5A, sizeof root);
    return fer_keychain_mint(&root, &identity, &credential) == FER_OK &&
           fer_keychain_expand(&credential, generation) == FER_OK;
}

bool subject_start(struct subject *subject, size_t n)
{
    fer_generation generation;
    fer_sealer_config sealing = {.direction = FER_UP, .lane = FER_LANE_LIVE, .way = FER_TWO_WAY};
    fer_opener_config opening = {.direction = FER_UP, .window_bits = 64};

    memset(subject, 0x3C, sizeof *subject);
    subject->n = n;
    return n <= TEXT_MAX && sodium_init() >= 0 && derive_generation(&generation) &&
           fer_sealer_create(&arena, &generation, &sealing, &subject->sealer) == FER_OK &&
           derive_generation(&generation) &&
           fer_opener_create(&arena, &generation, &opening, &subject->opener) == FER_OK &&
           fer_frame_decoder_create(&arena, RECORD_MAX, &subject->decoder) == FER_OK;
}

static bool prepare_slot(struct subject *s, struct slot *slot)
{
    unsigned long long length;

    return fer_sealer_seal(s->sealer, slot->text, s->n, slot->record, sizeof slot->record,
                           &slot->record_length) == FER_OK &&
           slot->record_length == s->n + AD_BYTES + FER_TAG_BYTES && /* it is short */
           fer_frame_encode(slot->record, slot->record_length, slot->frame, sizeof slot->frame,
                            &slot->frame_length) == FER_OK &&
           crypto_aead_chacha20poly1305_ietf_encrypt(slot->bare, &length, slot->text, s->n, s->ad,
                                                     sizeof s->ad, NULL, s->nonce, s->key) == 0;
}

bool subject_prepare(struct subject *s, bool spent)
{
    bool good = fer_sealer_acknowledge(s->sealer) == FER_OK;

    for (size_t i = 0; i < SLOTS; i++) {
        good = good && prepare_slot(s, &s->slots[i]) && (!spent || run_open(s, &s->slots[i]));
    }
    return good && fer_sealer_acknowledge(s->sealer) == FER_OK;
}
