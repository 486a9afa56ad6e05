/* Bench: Ferrule, a sealer and an opener of one link, the records bare and framed. */
#include <string.h>

#include "ferrule/ferrule.h"
#include "peer.h"

enum { ROUTE_BYTES = 4, WINDOW = 64 };

FER_ARENA(arena,
          FER_SEALER_SIZE + FER_OPENER_SIZE(WINDOW) + FER_FRAME_DECODER_SIZE(PEER_RECORD_MAX));

static fer_sealer *sealer;
static fer_opener *opener;
static fer_frame_decoder *decoder;

/* The same keys each time: every end of a link takes its own out of a generation. */
static bool derive_generation(fer_generation *generation)
{
    static const uint8_t name[] = {'p', 'u', 'm', 'p'};
    const fer_identity identity = {1, name, sizeof name, name, ROUTE_BYTES};
    fer_root_key root;
    fer_credential credential;

    memcpy(root.bytes, peer_key, sizeof root.bytes);
    return fer_keychain_mint(&root, &identity, &credential) == FER_OK &&
           fer_keychain_expand(&credential, generation) == FER_OK;
}

static void stop(void)
{
    fer_sealer_close(&sealer);
    fer_opener_close(&opener);
    fer_frame_decoder_close(&decoder);
}

static bool start(void)
{
    const fer_sealer_config sealing = {
        .direction = FER_UP, .lane = FER_LANE_LIVE, .way = FER_TWO_WAY};
    const fer_opener_config opening = {.direction = FER_UP, .window_bits = WINDOW};
    fer_generation generation;

    return fer_arena_rewind(&arena, (fer_arena_position){0}) == FER_OK &&
           derive_generation(&generation) &&
           fer_sealer_create(&arena, &generation, &sealing, &sealer) == FER_OK &&
           derive_generation(&generation) &&
           fer_opener_create(&arena, &generation, &opening, &opener) == FER_OK &&
           fer_frame_decoder_create(&arena, PEER_RECORD_MAX, &decoder) == FER_OK;
}

/* As if the peer had just been heard: the records of a batch are in the short form. */
static bool prepare(void)
{
    return fer_sealer_acknowledge(sealer) == FER_OK;
}

static bool seal(const uint8_t *text, size_t n, uint8_t *record, size_t *length)
{
    return fer_sealer_seal(sealer, text, n, record, PEER_RECORD_MAX, length) == FER_OK;
}

static bool open_record(uint8_t *record, size_t length, uint8_t *out, size_t *n)
{
    fer_opened opened;
    const fer_status status =
        fer_opener_receive(opener, record, length, out, PEER_RECORD_MAX, &opened);

    *n = opened.length;
    return status == FER_OK;
}

/* As a device does it: the record at the end of the buffer, the frame over it. */
static bool seal_framed(const uint8_t *text, size_t n, uint8_t *frame, size_t *length)
{
    uint8_t *record = frame + FER_FRAME_HEADROOM(PEER_RECORD_MAX);
    size_t made;

    return fer_sealer_seal(sealer, text, n, record,
                           PEER_RECORD_MAX - FER_FRAME_HEADROOM(PEER_RECORD_MAX),
                           &made) == FER_OK &&
           fer_frame_encode(record, made, frame, PEER_RECORD_MAX, length) == FER_OK;
}

/* As a gateway does it: what arrived goes through the decoder, and is opened from there. */
static bool open_framed(uint8_t *frame, size_t length, uint8_t *out, size_t *n)
{
    uint8_t *record;
    size_t made;
    size_t used;

    return fer_frame_decoder_feed(decoder, frame, length, &used, &record, &made) == FER_OK &&
           open_record(record, made, out, n);
}

const struct peer peer_ferrule = {.name = "Ferrule",
                                  .kept = FER_SEALER_SIZE + FER_OPENER_SIZE(WINDOW),
                                  .start = start,
                                  .prepare = prepare,
                                  .seal = seal,
                                  .open = open_record,
                                  .stop = stop};

const struct peer peer_framed = {.name = "Ferrule, framed",
                                 .kept = FER_SEALER_SIZE + FER_OPENER_SIZE(WINDOW) +
                                         FER_FRAME_DECODER_SIZE(PEER_RECORD_MAX),
                                 .start = start,
                                 .prepare = prepare,
                                 .seal = seal_framed,
                                 .open = open_framed,
                                 .stop = stop};
