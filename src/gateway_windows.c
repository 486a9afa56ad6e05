/* Ferrule: gateway, windows (floor 5). Invariant ONCE: a generation's windows are forgotten only
 * when the floor has risen past it. */
#include <string.h>

#include "internal/gateway.h"
#include "internal/wipe.h"

uint32_t *fer_gateway_get_windows(const fer_gateway *gateway, uint32_t number)
{
    return gateway->cells + number * fer_gateway_context_cells(gateway);
}

uint32_t *fer_gateway_get_slot(const fer_gateway *gateway, uint32_t number, uint32_t slot)
{
    return fer_gateway_get_windows(gateway, number) + 2u * fer_gateway_lane_cells(gateway) +
           slot * fer_gateway_slot_cells(gateway);
}

/* How many slots hold generations below this one. */
static uint32_t count_below(const fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    uint32_t slot = 0;

    while (slot < gateway->contexts[number].earlier &&
           fer_gateway_get_slot(gateway, number, slot)[0] < generation) {
        slot++;
    }
    return slot;
}

uint32_t *fer_gateway_find_windows(const fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    const struct fer_context *context = &gateway->contexts[number];
    uint32_t slot;

    if (generation == context->cur) {
        return fer_gateway_get_windows(gateway, number);
    }
    slot = count_below(gateway, number, generation);
    if (slot < context->earlier && fer_gateway_get_slot(gateway, number, slot)[0] == generation) {
        return fer_gateway_get_slot(gateway, number, slot) + 1;
    }
    return NULL;
}

bool fer_gateway_has_room(const fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    const struct fer_context *context = &gateway->contexts[number];

    if (context->earlier < gateway->config.earlier) {
        return true;
    }
    return gateway->config.earlier != 0 && generation > fer_gateway_get_slot(gateway, number, 0)[0];
}

/* Drops the slots below the floor and wipes their memory. */
static void drop_slots(fer_gateway *gateway, uint32_t number)
{
    struct fer_context *context = &gateway->contexts[number];
    uint32_t gone = count_below(gateway, number, context->floor);
    uint32_t kept = context->earlier - gone;
    size_t size = fer_gateway_slot_cells(gateway) * sizeof(uint32_t);

    memmove(fer_gateway_get_slot(gateway, number, 0), fer_gateway_get_slot(gateway, number, gone),
            kept * size);
    memset(fer_gateway_get_slot(gateway, number, kept), 0, gone * size);
    context->earlier = (uint16_t)kept;
}

void fer_gateway_raise_floor(fer_gateway *gateway, uint32_t number, uint32_t floor)
{
    struct fer_context *context = &gateway->contexts[number];
    fer_chain chain;

    if (floor <= context->floor) {
        return;
    }
    fer_gateway_get_chain(gateway, number, floor, &chain);
    context->chain = chain;
    context->floor = floor;
    fer_wipe(&chain, sizeof chain);
    fer_gateway_forget_keys(gateway, number, floor);
    drop_slots(gateway, number);
}

uint32_t *fer_gateway_claim_slot(fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    struct fer_context *context = &gateway->contexts[number];
    uint32_t *slot;
    uint32_t at;

    if (!fer_gateway_has_room(gateway, number, generation)) {
        return NULL;
    }
    if (context->earlier == gateway->config.earlier) {
        fer_gateway_raise_floor(gateway, number, fer_gateway_get_slot(gateway, number, 0)[0] + 1u);
    }
    at = count_below(gateway, number, generation);
    slot = fer_gateway_get_slot(gateway, number, at);
    memmove(fer_gateway_get_slot(gateway, number, at + 1u), slot,
            (context->earlier - at) * fer_gateway_slot_cells(gateway) * sizeof(uint32_t));
    memset(slot, 0, fer_gateway_slot_cells(gateway) * sizeof(uint32_t));
    slot[0] = generation;
    context->earlier++;
    return slot + 1;
}

/* Where the floor must be for `cur` to be `generation`. */
static uint32_t choose_floor(const fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    uint32_t floor = gateway->contexts[number].floor;

    if (gateway->config.earlier == 0) {
        return generation;
    }
    return generation > gateway->config.reach && generation - gateway->config.reach > floor
               ? generation - gateway->config.reach
               : floor;
}

void fer_gateway_advance(fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    struct fer_context *context = &gateway->contexts[number];
    uint32_t *windows = fer_gateway_get_windows(gateway, number);
    size_t size = 2u * fer_gateway_lane_cells(gateway) * sizeof(uint32_t);

    fer_gateway_raise_floor(gateway, number, choose_floor(gateway, number, generation));
    bool used = windows[0] != 0 || windows[fer_gateway_lane_cells(gateway)] != 0;
    if (used && context->cur >= context->floor) {
        uint32_t *slot = fer_gateway_claim_slot(gateway, number, context->cur);

        memcpy(slot, windows, size);
    }
    memset(windows, 0, size);
    context->cur = generation;
    context->down_next = 0;
    fer_gateway_settle_live(gateway, number);
}

void fer_gateway_prove(fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    struct fer_context *context = &gateway->contexts[number];

    if (generation < context->cur || generation - context->cur > gateway->config.max_skip) {
        return;
    }
    if (generation > context->cur) {
        fer_gateway_advance(gateway, number, generation);
    }
    context->flags |= FER_CONTEXT_HEARD;
    context->revision++;
}
