/* Ferrule: gateway (floor 5): the handle, contexts and their index by route, downlink. */
#include <string.h>

#include "internal/arena.h"
#include "internal/credential.h"
#include "internal/gateway.h"
#include "internal/record.h"
#include "internal/replay.h"

_Static_assert(sizeof(struct fer_context) == 132, "FER_GATEWAY_CONTEXT_SIZE counts on 132 bytes");
_Static_assert(sizeof(struct fer_cached) == 48, "FER_GATEWAY_SIZE counts on 48 bytes");
/* A context: its struct, its place in the order, two windows with their next numbers. */
_Static_assert(FER_GATEWAY_CONTEXT_SIZE(64) ==
                   sizeof(struct fer_context) + sizeof(uint32_t) + 2u * (sizeof(uint32_t) + 8u),
               "FER_GATEWAY_CONTEXT_SIZE is not what a context takes");
_Static_assert(FER_GATEWAY_EARLIER_SIZE(64) == sizeof(uint32_t) + 2u * (sizeof(uint32_t) + 8u),
               "FER_GATEWAY_EARLIER_SIZE is not what a slot takes");
_Static_assert(FER_ARENA_ROUND(sizeof(struct fer_gateway)) <= FER_ARENA_SIZEOF(8, 80),
               "FER_GATEWAY_SIZE is too small");

bool fer_gateway_is_open(const fer_gateway *gateway)
{
    return fer_tag_is((const fer_tag *)gateway, FER_TAG_GATEWAY);
}

void fer_gateway_count(uint32_t *counter)
{
    *counter += *counter != UINT32_MAX;
}

/* ---- the handle ------------------------------------------------------------------------- */

static bool is_valid(const fer_gateway_config *config)
{
    return config->contexts != 0 && fer_window_bits_are_valid(config->window_bits) &&
           config->reach <= FER_REACH_MAX && config->earlier <= config->reach &&
           config->max_skip >= FER_NEAR && config->max_skip <= (uint32_t)1 << 31 &&
           config->cache != 0 && (config->entropy.ops == NULL || config->entropy.ops->fill != NULL);
}

/* Where the parts of a gateway begin, in bytes from its handle. */
struct layout {
    size_t cache;
    size_t contexts;
    size_t order;
    size_t cells;
    size_t end;
};

/* False where the sizes overflow. */
static bool plan(const fer_gateway_config *config, struct layout *layout)
{
    size_t contexts = config->contexts;
    size_t cache = config->cache;
    size_t each = FER_GATEWAY_CONTEXT_SIZE((size_t)config->window_bits) +
                  config->earlier * FER_GATEWAY_EARLIER_SIZE((size_t)config->window_bits);

    if (contexts > SIZE_MAX / 4u / each || cache > SIZE_MAX / 4u / sizeof(struct fer_cached)) {
        return false;
    }
    layout->cache = FER_ARENA_ROUND(sizeof(struct fer_gateway));
    layout->contexts = layout->cache + FER_ARENA_ROUND(cache * sizeof(struct fer_cached));
    layout->order = layout->contexts + contexts * sizeof(struct fer_context);
    layout->cells = layout->order + contexts * sizeof(uint32_t);
    layout->end = layout->contexts + contexts * each;
    return true;
}

static void lay_out(fer_gateway *gateway, const struct layout *layout)
{
    uint8_t *base = (uint8_t *)gateway;

    gateway->cache = (struct fer_cached *)(void *)(base + layout->cache);
    gateway->contexts = (struct fer_context *)(void *)(base + layout->contexts);
    gateway->order = (uint32_t *)(void *)(base + layout->order);
    gateway->cells = (uint32_t *)(void *)(base + layout->cells);
    for (uint32_t i = 0; i < gateway->config.contexts; i++) {
        gateway->order[i] = i;
    }
}

fer_status fer_gateway_create(fer_arena *arena, const fer_gateway_config *config,
                              fer_gateway **gateway)
{
    struct layout layout;
    fer_gateway *made;

    if (config == NULL || gateway == NULL || !is_valid(config)) {
        return FER_ERR_ARGUMENT;
    }
    if (fer_crypto_start() != FER_OK) {
        return FER_TROUBLE_CRYPTO;
    }
    made = plan(config, &layout) ? fer_arena_carve(arena, layout.end) : NULL;
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    made->config = *config;
    lay_out(made, &layout);
    made->tag = fer_tag_make(made, FER_TAG_GATEWAY);
    *gateway = made;
    return FER_OK;
}

void fer_gateway_close(fer_gateway **gateway)
{
    struct layout layout;

    if (gateway != NULL && fer_gateway_is_open(*gateway) && plan(&(*gateway)->config, &layout)) {
        fer_arena_retire(*gateway, layout.end);
        *gateway = NULL;
    }
}

/* ---- contexts --------------------------------------------------------------------------- */

struct fer_context *fer_gateway_get_context(const fer_gateway *gateway, uint32_t number)
{
    if (number >= gateway->config.contexts ||
        (gateway->contexts[number].flags & FER_CONTEXT_USED) == 0) {
        return NULL;
    }
    return &gateway->contexts[number];
}

static int compare_route(const struct fer_context *context, const uint8_t *route, uint8_t length)
{
    int difference = context->route_length - length;

    return difference != 0 ? difference : memcmp(context->route, route, length);
}

bool fer_gateway_find_route(const fer_gateway *gateway, const uint8_t *route, uint8_t length,
                            uint32_t *number, uint32_t *place)
{
    uint32_t low = 0;
    uint32_t high = gateway->used;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2u;
        int order = compare_route(&gateway->contexts[gateway->order[middle]], route, length);

        if (order == 0) {
            *number = gateway->order[middle];
            *place = middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    *place = low;
    return false;
}

bool fer_gateway_take_context(fer_gateway *gateway, const uint8_t *route, uint8_t length,
                              uint32_t *number)
{
    struct fer_context *context;
    uint32_t place;

    if (gateway->used == gateway->config.contexts ||
        fer_gateway_find_route(gateway, route, length, number, &place)) {
        return false;
    }
    *number = gateway->order[gateway->used];
    memmove(gateway->order + place + 1, gateway->order + place,
            (gateway->used - place) * sizeof gateway->order[0]);
    gateway->order[place] = *number;
    gateway->used++;
    context = &gateway->contexts[*number];
    memcpy(context->route, route, length);
    context->route_length = length;
    context->flags = FER_CONTEXT_USED;
    return true;
}

static void fill_context(struct fer_context *context, const fer_credential_info *info,
                         const fer_claim_key *claim, const fer_chain *chain)
{
    uint8_t salt[FER_HASH_BYTES];

    fer_schedule_id_salt(FER_MODE_PROVISIONED, info->epoch, info->identity, info->identity_length,
                         salt);
    memcpy(context->fingerprint, salt, FER_FINGERPRINT_BYTES);
    context->claim = *claim;
    context->chain = *chain;
    context->floor = info->generation;
    context->cur = info->generation;
}

static fer_status add(fer_gateway *gateway, const fer_credential *credential, uint32_t *number)
{
    fer_credential_info info;
    fer_claim_key claim;
    fer_chain chain;
    uint32_t place;
    fer_status status = fer_credential_read(credential, &info, &claim, &chain);

    if (status == FER_OK &&
        fer_gateway_find_route(gateway, info.route, info.route_length, number, &place)) {
        status = FER_ERR_ORDER;
    }
    if (status == FER_OK &&
        !fer_gateway_take_context(gateway, info.route, info.route_length, number)) {
        status = FER_ERR_ARENA;
    }
    if (status == FER_OK) {
        fill_context(&gateway->contexts[*number], &info, &claim, &chain);
    }
    fer_wipe(&claim, sizeof claim);
    fer_wipe(&chain, sizeof chain);
    return status;
}

fer_status fer_gateway_add(fer_gateway *gateway, fer_credential *credential, uint32_t *context)
{
    fer_status status = FER_ERR_ARGUMENT;
    uint32_t number = 0;

    if (!fer_gateway_is_open(gateway)) {
        status = FER_ERR_HANDLE;
    } else if (credential != NULL && context != NULL) {
        status = add(gateway, credential, &number);
    }
    fer_credential_wipe(credential);
    if (status == FER_OK) {
        *context = number;
    }
    return status;
}

fer_status fer_gateway_remove(fer_gateway *gateway, uint32_t context)
{
    struct fer_context *gone;
    uint32_t number;
    uint32_t place;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    gone = fer_gateway_get_context(gateway, context);
    if (gone == NULL ||
        !fer_gateway_find_route(gateway, gone->route, gone->route_length, &number, &place)) {
        return FER_ERR_ARGUMENT;
    }
    gateway->used--;
    memmove(gateway->order + place, gateway->order + place + 1,
            (gateway->used - place) * sizeof gateway->order[0]);
    gateway->order[gateway->used] = context;
    fer_gateway_forget_keys(gateway, context, UINT32_MAX);
    memset(fer_gateway_get_windows(gateway, context), 0,
           fer_gateway_context_cells(gateway) * sizeof(uint32_t));
    fer_wipe(gone, sizeof *gone);
    return FER_OK;
}

fer_status fer_gateway_resync(fer_gateway *gateway, uint32_t context, uint32_t generation)
{
    struct fer_context *of;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    of = fer_gateway_get_context(gateway, context);
    if (of == NULL || generation <= of->cur || generation == FER_SEQUENCE_END) {
        return FER_ERR_ARGUMENT;
    }
    /* The floor first: with it no earlier generation needs windows any more. */
    fer_gateway_raise_floor(gateway, context, generation);
    fer_gateway_advance(gateway, context, generation);
    of->flags &= (uint8_t)~FER_CONTEXT_HEARD;
    of->revision++;
    return FER_OK;
}

/* ---- downlink --------------------------------------------------------------------------- */

/* A sealer for one message. The key is what uplink proved (NONCE: the salt is fresh, so that a
 * gateway restored from a backup, or a second one, does not repeat a nonce). */
static void borrow_sealer(fer_gateway *gateway, uint32_t number, struct fer_sealer *sealer)
{
    const struct fer_context *context = &gateway->contexts[number];
    const fer_record_key *key;

    memset(sealer, 0, sizeof *sealer);
    key = fer_gateway_get_key(gateway, number, context->cur, FER_BRANCH_DOWN, &sealer->key);
    fer_gateway_keep_key(gateway, number, context->cur, FER_BRANCH_DOWN, key);
    fer_record_name_build(&sealer->end.name, FER_KIND_PROVISIONED, FER_FIRST_DOWN, context->route,
                          context->route_length);
    fer_sealer_turn_down(sealer, gateway->config.entropy);
    sealer->end.generation = context->cur;
    sealer->next = context->down_next;
    sealer->end.tag = fer_tag_make(sealer, FER_TAG_SEALER);
}

fer_status fer_gateway_seal(fer_gateway *gateway, uint32_t context, const uint8_t *plaintext,
                            size_t n, uint8_t *out, size_t capacity, size_t *length)
{
    struct fer_context *to;
    struct fer_sealer sealer;
    fer_status status;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    to = fer_gateway_get_context(gateway, context);
    if (to == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if ((to->flags & FER_CONTEXT_HEARD) == 0 || gateway->config.entropy.ops == NULL) {
        return FER_ERR_ORDER;
    }
    borrow_sealer(gateway, context, &sealer);
    status = fer_sealer_seal(&sealer, plaintext, n, out, capacity, length);
    if (to->down_next != sealer.next) {
        to->down_next = sealer.next;
        to->revision++;
    }
    fer_wipe(&sealer, sizeof sealer);
    return status;
}

/* ---- looking ---------------------------------------------------------------------------- */

fer_status fer_gateway_get_counts(const fer_gateway *gateway, fer_gateway_counts *counts)
{
    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    if (counts == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *counts = gateway->counts;
    return FER_OK;
}

fer_status fer_gateway_get_state(const fer_gateway *gateway, uint32_t context,
                                 fer_gateway_state *state)
{
    const struct fer_context *of;
    const uint32_t *windows;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    of = fer_gateway_get_context(gateway, context);
    if (of == NULL || state == NULL) {
        return FER_ERR_ARGUMENT;
    }
    windows = fer_gateway_get_windows(gateway, context);
    state->generation = of->cur;
    state->floor = of->floor;
    state->next_live = windows[0];
    state->next_backlog = windows[fer_gateway_lane_cells(gateway)];
    state->earlier = of->earlier;
    state->heard = (of->flags & FER_CONTEXT_HEARD) != 0;
    return FER_OK;
}
