/* Bench: what the gateway's core spends on one forged record, for callgrind to count.
 *     forgery KIND
 * calls run_forgery often, on a forgery of that kind, and prints how many calls that was, and how
 * many ratchet steps each took. Two kinds are libsodium's own calls, to compare with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ferrule/ferrule.h"
#include "internal/credential.h"

enum {
    CUR = 100, /* the newest generation that the gateway has heard; reach is the default, 64 */
    FAR = 1000,
    CALLS = 64,
    TEXT = 32,
    ROUTE = 4,
    GENERATION = 1 + ROUTE, /* where its number begins in a header */
    FULL_HEADER = GENERATION + 12,
    SHORT_HEADER = GENERATION + 3,
    RECORD_MAX = TEXT + FER_OVERHEAD_MAX,
    HMAC_BYTES = 17, /* what a ratchet step hashes */
    CACHE = 8,
    CACHE_MANY = 4096 /* what ferrule-gateway keeps for many devices */
};

FER_ARENA(arena, FER_GATEWAY_SIZE(1, 8, 64, CACHE_MANY));
FER_ARENA(device, FER_SEALER_SIZE);

struct run {
    fer_gateway *gateway;
    uint8_t record[RECORD_MAX];
    size_t n;
    uint8_t out[RECORD_MAX];
    fer_status expected;
};

/* ---- a device and a gateway, of one identity --------------------------------------------- */

static bool mint(fer_credential *credential)
{
    static const uint8_t name[] = {'p', 'u', 'm', 'p'};
    const fer_identity identity = {1, name, sizeof name, name, ROUTE};
    fer_root_key root;

    memset(&root, 0x5A, sizeof root);
    return fer_keychain_mint(&root, &identity, credential) == FER_OK;
}

/* The first record of a generation, in the full form. */
static bool seal(uint32_t generation, struct run *run)
{
    static const uint8_t text[TEXT];
    const fer_sealer_config config = {
        .direction = FER_UP, .lane = FER_LANE_LIVE, .way = FER_TWO_WAY};
    fer_credential credential;
    fer_generation keys;
    fer_sealer *sealer = NULL;
    bool good = mint(&credential);

    for (uint32_t i = 0; good && i < generation; i++) {
        good = fer_credential_advance(&credential) == FER_OK;
    }
    good = good && fer_arena_rewind(&device, (fer_arena_position){0}) == FER_OK &&
           fer_keychain_expand(&credential, &keys) == FER_OK &&
           fer_sealer_create(&device, &keys, &config, &sealer) == FER_OK &&
           fer_sealer_seal(sealer, text, sizeof text, run->record, sizeof run->record, &run->n) ==
               FER_OK;
    fer_generation_wipe(&keys);
    fer_sealer_close(&sealer);
    return good;
}

/* A gateway that has heard one record of generation CUR, which `run` then holds. */
static bool start(struct run *run, uint32_t cache)
{
    fer_gateway_config config = fer_gateway_config_default();
    fer_credential credential;
    fer_opened opened;
    uint32_t context;

    config.cache = cache;
    fer_gateway_close(&run->gateway);
    return fer_arena_rewind(&arena, (fer_arena_position){0}) == FER_OK && mint(&credential) &&
           fer_gateway_create(&arena, &config, &run->gateway) == FER_OK &&
           fer_gateway_add(run->gateway, &credential, &context) == FER_OK && seal(CUR, run) &&
           fer_gateway_receive(run->gateway, run->record, run->n, run->out, sizeof run->out,
                               &opened) == FER_OK;
}

/* ---- forgeries --------------------------------------------------------------------------- */

/* In the short form, of the generation that is this far from CUR. */
static bool forge_short(struct run *run, int distance)
{
    run->record[0] &= (uint8_t)~0x10u;
    run->record[GENERATION] = (uint8_t)(CUR + distance);
    run->record[GENERATION + 1] = 5;
    run->record[GENERATION + 2] = 0;
    run->n -= FULL_HEADER - SHORT_HEADER;
    run->expected = FER_DROP_FORGED;
    return true;
}

static bool forge_malformed(struct run *run)
{
    run->record[0] |= 1;
    run->expected = FER_DROP_MALFORMED;
    return true;
}

static bool forge_route(struct run *run)
{
    run->record[1] ^= 1;
    run->expected = FER_DROP_ROUTE;
    return true;
}

static bool forge_replay(struct run *run)
{
    run->expected = FER_DROP_REPLAY;
    return true;
}

static bool forge_old(struct run *run)
{
    run->record[GENERATION] = CUR - 65;
    run->expected = FER_DROP_OLD;
    return true;
}

static bool forge_current(struct run *run)
{
    return forge_short(run, 0);
}

static bool forge_ahead(struct run *run)
{
    return forge_short(run, 8);
}

static bool forge_back(struct run *run)
{
    return forge_short(run, -1);
}

static bool forge_floor(struct run *run)
{
    return forge_short(run, -64);
}

static bool forge_claim(struct run *run)
{
    run->record[GENERATION + 1] = 1;
    run->expected = FER_DROP_FORGED;
    return true;
}

static bool forge_far(struct run *run)
{
    run->expected = FER_DROP_FORGED;
    if (!seal(CUR + FAR, run)) {
        return false;
    }
    run->record[run->n - 1] ^= 1;
    return true;
}

/* ---- what is counted --------------------------------------------------------------------- */

/* Called by its address, so that it stays a function of its own, which callgrind tells by name. */
static bool run_forgery(struct run *run)
{
    fer_opened opened;

    return fer_gateway_receive(run->gateway, run->record, run->n, run->out, sizeof run->out,
                               &opened) == run->expected;
}

static bool run_bare_hmac(struct run *run)
{
    uint8_t tag[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;

    return crypto_auth_hmacsha256_init(&state, run->out, 32) == 0 &&
           crypto_auth_hmacsha256_update(&state, run->record, HMAC_BYTES) == 0 &&
           crypto_auth_hmacsha256_final(&state, tag) == 0;
}

static bool run_bare_open(struct run *run)
{
    static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

    return crypto_aead_chacha20poly1305_ietf_decrypt(
               run->out, NULL, NULL, run->record + SHORT_HEADER, TEXT + FER_TAG_BYTES, run->record,
               SHORT_HEADER, nonce, run->record) != 0;
}

static const struct kind {
    const char *name;
    bool (*forge)(struct run *run);
    bool (*call)(struct run *run);
    uint32_t cache;
    unsigned warm_up; /* calls that are made before, uncounted, on each fresh gateway */
} kinds[] = {
    {"bare_hmac", forge_replay, run_bare_hmac, CACHE, 0},
    {"bare_open", forge_replay, run_bare_open, CACHE, 0},
    {"malformed", forge_malformed, run_forgery, CACHE, 0},
    {"route", forge_route, run_forgery, CACHE, 0},
    {"replay", forge_replay, run_forgery, CACHE, 0},
    {"old", forge_old, run_forgery, CACHE, 0},
    {"current", forge_current, run_forgery, CACHE, 0},
    {"back", forge_back, run_forgery, CACHE, 0},
    {"floor", forge_floor, run_forgery, CACHE, 0},
    {"ahead", forge_ahead, run_forgery, CACHE, 0},
    {"ahead_many", forge_ahead, run_forgery, CACHE_MANY, 0},
    {"claim", forge_claim, run_forgery, CACHE, 0},
    {"far", forge_far, run_forgery, CACHE, 0},
    {"far_again", forge_far, run_forgery, CACHE, 1},
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* The forgery once more, by its address, so that callgrind does not count it. */
static bool warm_up(struct run *run)
{
    fer_opened opened;

    return fer_gateway_receive(run->gateway, run->record, run->n, run->out, sizeof run->out,
                               &opened) == run->expected;
}

static uint32_t count_steps(const struct run *run)
{
    fer_gateway_counts counts;

    return fer_gateway_get_counts(run->gateway, &counts) == FER_OK ? counts.chain_steps : 0;
}

int main(int argc, char **argv)
{
    static struct run run;
    const struct kind *kind = argc == 2 ? find_kind(argv[1]) : NULL;
    bool good = kind != NULL && sodium_init() >= 0;
    uint32_t steps = 0;

    for (unsigned i = 0; good && i < CALLS; i++) { /* a fresh gateway for each */
        good = start(&run, kind->cache) && kind->forge(&run);
        for (unsigned j = 0; good && j < kind->warm_up; j++) {
            good = warm_up(&run);
        }
        const uint32_t before = count_steps(&run);
        good = good && kind->call(&run);
        steps = count_steps(&run) - before;
    }
    if (!good) {
        (void)fprintf(stderr, "forgery: a call did not do what it is counted for\n");
        return EXIT_FAILURE;
    }
    (void)printf("%d %u\n", (int)CALLS, (unsigned)steps);
    return EXIT_SUCCESS;
}
