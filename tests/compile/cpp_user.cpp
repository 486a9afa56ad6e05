// An application in C++17: every macro and inline function of the headers, linked and run.
#include <ferrule/ferrule.h>

#include <cstdint>
#include <vector>

FER_ARENA(memory, FER_REPLAY_SIZE(64u) + FER_FRAME_DECODER_SIZE(64u));
FER_ARENA_HOLDS(memory, FER_REPLAY_SIZE(64u) + FER_FRAME_DECODER_SIZE(64u));

static bool replays()
{
    fer_replay *window = nullptr;

    if (fer_replay_create(&memory, 64, &window) != FER_OK) {
        return false;
    }
    bool right =
        fer_replay_mark(window, 7) == FER_OK && fer_replay_mark(window, 7) == FER_DROP_REPLAY;
    fer_replay_close(&window);
    return right && window == nullptr;
}

static bool frames()
{
    const std::uint8_t in[] = {1, 0, 2};
    std::vector<std::uint8_t> out(FER_FRAME_SIZE(sizeof in));
    std::uint8_t *frame = nullptr;
    std::size_t length = 0, used = 0, got = 0;
    fer_frame_decoder *decoder = nullptr;

    if (fer_frame_encode(in, sizeof in, out.data(), out.size(), &length) != FER_OK ||
        fer_frame_decoder_create(&memory, 64, &decoder) != FER_OK ||
        fer_frame_decoder_feed(decoder, out.data(), length, &used, &frame, &got) != FER_OK) {
        return false;
    }
    bool right = got == sizeof in && frame[0] == 1 && frame[1] == 0 && frame[2] == 2;
    fer_frame_decoder_close(&decoder);
    return right;
}

int main()
{
    fer_device_config device = fer_device_config_default();
    fer_gateway_config gateway = fer_gateway_config_default();

    if (device.readings == 0 || gateway.contexts != 1 || fer_status_is_fatal(FER_DROP_OLD)) {
        return 1;
    }
    return replays() && frames() ? 0 : 2;
}
