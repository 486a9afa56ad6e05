/* Fuzz: fer_gateway_import, which reads what a database gives back.
 *
 * Input: a first byte of options, then the snapshot. Option bit 0 makes the check fit, so that what
 * lies behind it is reached. Asserted: a refusal changes nothing, in a gateway that knows the
 * context and in one that does not; what is taken comes out again byte for byte, is within the
 * receiver's invariants, and bears records without a fault. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/gateway.h"
#include "internal/bytes.h"
#include "internal/gateway.h"

enum { OPTION_SIGN = 1, EARLIER = 3, WINDOW = 64, CACHE = 2, LONGEST = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

FER_ARENA(known_arena, FER_GATEWAY_SIZE(1, EARLIER, WINDOW, CACHE));
FER_ARENA(empty_arena, FER_GATEWAY_SIZE(1, EARLIER, WINDOW, CACHE));

struct image {
    uint8_t bytes[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    size_t length;
};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static fer_gateway *create(fer_arena *arena)
{
    fer_gateway_config config = fer_gateway_config_default();
    fer_gateway *gateway = NULL;

    config.earlier = EARLIER;
    config.reach = FER_REACH_MAX;
    config.window_bits = WINDOW;
    config.cache = CACHE;
    must(fer_arena_rewind(arena, (fer_arena_position){0}) == FER_OK);
    must(fer_gateway_create(arena, &config, &gateway) == FER_OK);
    return gateway;
}

static fer_gateway *create_known(void)
{
    static const uint8_t who[] = "fuzz";
    static const uint8_t route[2] = {0x12, 0x34};
    fer_root_key root = {{1}};
    fer_identity identity = {1, who, 4, route, 2};
    fer_gateway *gateway = create(&known_arena);
    fer_credential credential;
    uint32_t context;

    must(fer_keychain_mint(&root, &identity, &credential) == FER_OK);
    must(fer_gateway_add(gateway, &credential, &context) == FER_OK);
    return gateway;
}

static void export(const fer_gateway *gateway, struct image *image)
{
    memset(image, 0, sizeof *image);
    must(fer_gateway_export(gateway, 0, image->bytes, sizeof image->bytes, &image->length) ==
         FER_OK);
}

/* What marking leaves: the top's bit is set, and none of a number not reached. */
static void check_window(const uint32_t *window)
{
    uint32_t next = window[0];

    for (uint32_t number = next; number < WINDOW; number++) {
        must((window[1 + number / 32u] >> number % 32u & 1u) == 0);
    }
    if (next != 0) {
        must((window[1 + (next - 1u) % WINDOW / 32u] >> (next - 1u) % 32u & 1u) == 1);
    }
}

static void check_state(const fer_gateway *gateway)
{
    fer_gateway_state state;

    must(fer_gateway_get_state(gateway, 0, &state) == FER_OK);
    must(state.floor <= state.generation && state.generation != UINT32_MAX);
    must(state.generation - state.floor <= FER_REACH_MAX && state.earlier <= EARLIER);
    check_window(fer_gateway_get_windows(gateway, 0));
    check_window(fer_gateway_get_windows(gateway, 0) + fer_gateway_lane_cells(gateway));
    for (uint32_t i = 0; i < state.earlier; i++) {
        const uint32_t *slot = fer_gateway_get_slot(gateway, 0, i);
        uint32_t generation = slot[0];

        check_window(slot + 1);
        check_window(slot + 1 + fer_gateway_lane_cells(gateway));

        must(generation >= state.floor && generation < state.generation);
        must(i == 0 || fer_gateway_get_slot(gateway, 0, i - 1)[0] < generation);
    }
}

/* Records of no one, short and full, around the generations that the snapshot names. */
static void deliver(fer_gateway *gateway)
{
    const struct fer_context *context = fer_gateway_get_context(gateway, 0);
    uint8_t record[64] = {0};
    uint8_t out[64];
    fer_opened opened;
    uint8_t code = context->route_length == 8 ? 3 : (uint8_t)(context->route_length / 2u);
    size_t at = 1u + context->route_length;

    memcpy(record + 1, context->route, context->route_length);
    for (uint32_t i = 0; i < 24; i++) {
        uint32_t generation = context->cur + 4u - i;

        record[0] = (uint8_t)(0x40u | (unsigned)code << 1 | (i % 2u == 0 ? 0x10u : 0u));
        fer_store_u32(record + at, generation);
        must(fer_status_get_group(fer_gateway_open(gateway, record, sizeof record, out, sizeof out,
                                                   &opened)) == FER_GROUP_DROP_INPUT);
    }
}

static void check_taken(fer_gateway *gateway, const uint8_t *data, size_t n)
{
    struct image image;
    uint32_t context = 7;

    export(gateway, &image);
    must(image.length == n && memcmp(image.bytes, data, n) == 0);
    check_state(gateway);
    must(fer_gateway_import(gateway, data, n, &context) == FER_OK && context == 0);
    deliver(gateway);
    struct image after;
    export(gateway, &after);
    must(memcmp(&image, &after, sizeof image) == 0);
}

static void try_known(const uint8_t *data, size_t n)
{
    fer_gateway *gateway = create_known();
    struct image before;
    struct image after;
    uint32_t context = 7;

    export(gateway, &before);
    if (fer_gateway_import(gateway, data, n, &context) == FER_OK) {
        check_state(gateway);
        return;
    }
    export(gateway, &after);
    must(context == 7 && memcmp(&before, &after, sizeof before) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t in[LONGEST];
    uint8_t hash[FER_HASH_BYTES];
    uint32_t context = 7;
    fer_gateway_state state;

    if (n == 0 || n > LONGEST) {
        return 0;
    }
    bool sign = (data[0] & OPTION_SIGN) != 0;
    n--;
    memcpy(in, data + 1, n);
    if (sign && n >= 8) {
        fer_crypto_hash(in, n - 8, hash);
        memcpy(in + n - 8, hash, 8);
    }
    fer_gateway *empty = create(&empty_arena);
    if (fer_gateway_import(empty, in, n, &context) == FER_OK) {
        must(context == 0);
        check_taken(empty, in, n);
    } else {
        must(context == 7);
        must(fer_gateway_get_state(empty, 0, &state) == FER_ERR_ARGUMENT);
    }
    try_known(in, n);
    return 0;
}
