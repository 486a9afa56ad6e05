/* Bench: the calls that are counted and timed. A file of their own, so that none is inlined into
 * its caller and callgrind can tell them by name. */
#include "subject.h"

run_subject *find_subject(const char *name)
{
    static const struct {
        const char *name;
        run_subject *run;
    } all[] = {
        {"bare_seal", run_bare_seal},
        {"bare_open", run_bare_open},
        {"seal", run_seal},
        {"open", run_open},
        {"seal_framed", run_seal_framed},
        {"open_framed", run_open_framed},
        {"refuse", run_refuse},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].name, name) == 0) {
            return all[i].run;
        }
    }
    return NULL;
}

bool run_bare_seal(struct subject *s, struct slot *slot)
{
    unsigned long long length;

    return crypto_aead_chacha20poly1305_ietf_encrypt(slot->out, &length, slot->text, s->n, s->ad,
                                                     sizeof s->ad, NULL, s->nonce, s->key) == 0;
}

bool run_bare_open(struct subject *s, struct slot *slot)
{
    unsigned long long length;

    return crypto_aead_chacha20poly1305_ietf_decrypt(slot->out, &length, NULL, slot->bare,
                                                     s->n + FER_TAG_BYTES, s->ad, sizeof s->ad,
                                                     s->nonce, s->key) == 0;
}

bool run_seal(struct subject *s, struct slot *slot)
{
    size_t length;

    return fer_sealer_seal(s->sealer, slot->text, s->n, slot->out, sizeof slot->out, &length) ==
           FER_OK;
}

bool run_open(struct subject *s, struct slot *slot)
{
    fer_opened opened;

    return fer_opener_receive(s->opener, slot->record, slot->record_length, slot->out,
                              sizeof slot->out, &opened) == FER_OK;
}

bool run_refuse(struct subject *s, struct slot *slot)
{
    fer_opened opened;

    return fer_opener_receive(s->opener, slot->record, slot->record_length, slot->out,
                              sizeof slot->out, &opened) == FER_DROP_REPLAY;
}

/* As a device does it: the record at the end of the buffer, the frame over it. */
bool run_seal_framed(struct subject *s, struct slot *slot)
{
    size_t record_length;
    size_t length;
    uint8_t *record = slot->out + FER_FRAME_HEADROOM(RECORD_MAX);

    return fer_sealer_seal(s->sealer, slot->text, s->n, record,
                           sizeof slot->out - FER_FRAME_HEADROOM(RECORD_MAX),
                           &record_length) == FER_OK &&
           fer_frame_encode(record, record_length, slot->out, sizeof slot->out, &length) == FER_OK;
}

/* As a gateway does it: whatever arrived goes through the decoder, and is opened from there. */
bool run_open_framed(struct subject *s, struct slot *slot)
{
    uint8_t *record;
    size_t length;
    size_t used;
    fer_opened opened;

    return fer_frame_decoder_feed(s->decoder, slot->frame, slot->frame_length, &used, &record,
                                  &length) == FER_OK &&
           fer_opener_receive(s->opener, record, length, slot->out, sizeof slot->out, &opened) ==
               FER_OK;
}
