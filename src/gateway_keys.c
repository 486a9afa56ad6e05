/* Ferrule: gateway, keys (floor 5). Keys are derived on copies and kept after they have proved
 * themselves, so that a forger can neither move a chain nor push a key out with a wrong one. */
#include "internal/gateway.h"
#include "internal/wipe.h"

static struct fer_cached *find(const fer_gateway *gateway, uint32_t number, uint32_t generation,
                               uint32_t branch)
{
    for (uint32_t i = 0; i < gateway->config.cache; i++) {
        struct fer_cached *entry = &gateway->cache[i];

        if (entry->owner == number + 1u && entry->generation == generation &&
            entry->branch == branch) {
            return entry;
        }
    }
    return NULL;
}

/* An empty entry, or the one that was not used for longest. */
static struct fer_cached *choose(const fer_gateway *gateway)
{
    struct fer_cached *oldest = &gateway->cache[0];

    for (uint32_t i = 0; i < gateway->config.cache; i++) {
        struct fer_cached *entry = &gateway->cache[i];

        if (entry->owner == 0) {
            return entry;
        }
        if (gateway->tick - entry->used > gateway->tick - oldest->used) {
            oldest = entry;
        }
    }
    return oldest;
}

static void keep(fer_gateway *gateway, uint32_t number, uint32_t generation, uint32_t branch,
                 const fer_secret *secret)
{
    struct fer_cached *entry = find(gateway, number, generation, branch);

    if (entry == NULL) {
        entry = choose(gateway);
        entry->owner = number + 1u;
        entry->generation = generation;
        entry->branch = branch;
        entry->secret = *secret;
    }
    entry->used = ++gateway->tick;
}

/* The nearest chain known at or before a generation: a kept one, or the floor's. */
static uint32_t find_chain(const fer_gateway *gateway, uint32_t number, uint32_t generation,
                           fer_chain *chain)
{
    const struct fer_context *context = &gateway->contexts[number];
    uint32_t nearest = context->floor;

    *chain = context->chain;
    for (uint32_t i = 0; i < gateway->config.cache; i++) {
        const struct fer_cached *entry = &gateway->cache[i];

        if (entry->owner == number + 1u && entry->branch == FER_CACHED_CHAIN &&
            entry->generation > nearest && entry->generation <= generation) {
            nearest = entry->generation;
            chain->secret = entry->secret;
        }
    }
    return nearest;
}

void fer_gateway_get_chain(fer_gateway *gateway, uint32_t number, uint32_t generation,
                           fer_chain *chain)
{
    for (uint32_t at = find_chain(gateway, number, generation, chain); at < generation; at++) {
        fer_schedule_next(chain, at);
        fer_gateway_count(&gateway->counts.chain_steps);
    }
}

const fer_record_key *fer_gateway_get_key(fer_gateway *gateway, uint32_t number,
                                          uint32_t generation, fer_branch branch,
                                          fer_record_key *scratch)
{
    const struct fer_context *context = &gateway->contexts[number];
    struct fer_cached *entry;
    fer_chain chain;

    if (branch == FER_BRANCH_UP && generation == context->cur &&
        (context->flags & FER_CONTEXT_HAS_LIVE) != 0) {
        return &context->live;
    }
    entry = find(gateway, number, generation, branch);
    if (entry != NULL) {
        entry->used = ++gateway->tick;
        scratch->secret = entry->secret;
        return scratch;
    }
    fer_gateway_get_chain(gateway, number, generation, &chain);
    fer_schedule_branch(&chain, generation, branch, scratch);
    fer_wipe(&chain, sizeof chain);
    return scratch;
}

void fer_gateway_keep_key(fer_gateway *gateway, uint32_t number, uint32_t generation,
                          fer_branch branch, const fer_record_key *key)
{
    struct fer_context *context = &gateway->contexts[number];

    if (branch != FER_BRANCH_UP || generation != context->cur) {
        keep(gateway, number, generation, (uint32_t)branch, &key->secret);
    } else if ((context->flags & FER_CONTEXT_HAS_LIVE) == 0) {
        context->live = *key;
        context->flags |= FER_CONTEXT_HAS_LIVE;
    }
}

void fer_gateway_keep_chain(fer_gateway *gateway, uint32_t number, uint32_t generation,
                            const fer_chain *chain)
{
    keep(gateway, number, generation, FER_CACHED_CHAIN, &chain->secret);
}

void fer_gateway_settle_live(fer_gateway *gateway, uint32_t number)
{
    struct fer_context *context = &gateway->contexts[number];
    struct fer_cached *entry = find(gateway, number, context->cur, FER_BRANCH_UP);

    fer_wipe(&context->live, sizeof context->live);
    context->flags &= (uint8_t)~FER_CONTEXT_HAS_LIVE;
    if (entry != NULL) {
        context->live.secret = entry->secret;
        context->flags |= FER_CONTEXT_HAS_LIVE;
        fer_wipe(entry, sizeof *entry);
    }
}

void fer_gateway_forget_keys(fer_gateway *gateway, uint32_t number, uint32_t generation)
{
    for (uint32_t i = 0; i < gateway->config.cache; i++) {
        struct fer_cached *entry = &gateway->cache[i];

        if (entry->owner == number + 1u && entry->generation < generation) {
            fer_wipe(entry, sizeof *entry);
        }
    }
}
