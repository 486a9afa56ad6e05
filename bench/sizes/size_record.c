/* The record path alone: seal, frame, unframe, open. Linked for its size, never run. */
#include "ferrule/ferrule.h"

FER_ARENA(arena, FER_SEALER_SIZE + FER_OPENER_SIZE(64) + FER_FRAME_DECODER_SIZE(128));

extern fer_generation keys;
fer_generation keys; /* stands for what a store or a handshake yields */
volatile uint8_t link;

int main(void)
{
    static const fer_sealer_config up = {.direction = FER_UP, .way = FER_ONE_WAY};
    static const fer_opener_config down = {.direction = FER_DOWN, .window_bits = 64};
    fer_sealer *sealer;
    fer_opener *opener;
    fer_frame_decoder *decoder;
    if (fer_sealer_create(&arena, &keys, &up, &sealer) != FER_OK ||
        fer_opener_create(&arena, &keys, &down, &opener) != FER_OK ||
        fer_frame_decoder_create(&arena, 128, &decoder) != FER_OK) {
        return 1;
    }
    uint8_t plaintext[64] = {0}, record[128], frame[FER_FRAME_SIZE(128)];
    for (;;) {
        size_t n, length, used;
        if (fer_sealer_seal(sealer, plaintext, sizeof plaintext, record, sizeof record, &n) ==
                FER_OK &&
            fer_frame_encode(record, n, frame, sizeof frame, &length) == FER_OK) {
            for (size_t i = 0; i < length; i++) {
                link = frame[i];
            }
        }
        uint8_t byte = link, *in;
        fer_opened opened;
        if (fer_frame_decoder_feed(decoder, &byte, 1, &used, &in, &n) == FER_OK &&
            fer_opener_receive(opener, in, n, plaintext, sizeof plaintext, &opened) == FER_OK) {
            link = plaintext[0];
        }
    }
}
