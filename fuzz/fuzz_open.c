/* Fuzz: fer_gateway_open and fer_opener_open with commit, under the device's own keys.
 *
 * The input is a sequence of operations of a device, a link and a receiver, so that it goes deep:
 * seal, reboot, jump, damage, cut, craft (any header at all under the right key and nonce),
 * deliver, open now and commit later. Asserted: only what was sealed or crafted well opens, with
 * its own bytes; no record is accepted twice (ONCE); a drop leaves zeros, and opening leaves the
 * state as it was (FIRST); what does not bear a valid claim costs at most reach + 8 chain steps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/gateway.h"
#include "internal/bytes.h"
#include "internal/credential.h"
#include "internal/record.h"

enum {
    EARLIER = 2,
    REACH = 12,
    SKIP = 40,
    WINDOW = 64,
    CACHE = 3,
    ROUTE = 2,
    FLIGHT = 8,
    PENDING = 4,
    ACCEPTED = 256,
    LONGEST = 64
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

FER_ARENA(gateway_arena, FER_GATEWAY_SIZE(1, EARLIER, WINDOW, CACHE));
FER_ARENA(device_arena, 2u * FER_SEALER_SIZE + FER_OPENER_SIZE(WINDOW));

struct wire {
    uint8_t bytes[LONGEST + FER_OVERHEAD_MAX];
    size_t length;
    uint8_t text[LONGEST];
    size_t text_length;
    uint32_t generation;
    uint32_t sequence;
    uint32_t lane;
    uint8_t sealed[LONGEST + FER_OVERHEAD_MAX]; /* as sealed, before any damage */
    size_t sealed_length;                       /* 0: never was a record */
};

struct name {
    uint32_t generation;
    uint32_t sequence;
    uint32_t lane;
};

static fer_reader input;
static fer_gateway *gateway;
static fer_opener *opener;
static fer_sealer *sealers[2];
static fer_credential credential;
static struct fer_generation_body keys;
static struct wire flight[FLIGHT];
static struct {
    fer_ticket ticket;
    struct name name;
    bool used;
} pending[PENDING];
static struct {
    struct name names[ACCEPTED];
    uint32_t count;
} accepted, opener_accepted;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void boot(void)
{
    fer_generation generation;
    fer_generation twin;
    fer_credential spent = credential;
    fer_sealer_config up = {FER_UP, FER_LANE_LIVE, FER_TWO_WAY, {NULL, NULL}};
    fer_opener_config down = {FER_UP, WINDOW};

    must(fer_arena_rewind(&device_arena, (fer_arena_position){0}) == FER_OK);
    must(fer_keychain_expand(&spent, &generation) == FER_OK);
    keys = *fer_generation_get_body(&generation);
    must(fer_sealer_create(&device_arena, &generation, &up, &sealers[0]) == FER_OK);
    up.lane = FER_LANE_BACKLOG;
    must(fer_sealer_create(&device_arena, &generation, &up, &sealers[1]) == FER_OK);
    spent = credential;
    must(fer_keychain_expand(&spent, &twin) == FER_OK);
    must(fer_opener_create(&device_arena, &twin, &down, &opener) == FER_OK);
    opener_accepted.count = 0;
}

static void start(void)
{
    static const uint8_t who[] = "fuzz";
    static const uint8_t route[ROUTE] = {0x12, 0x34};
    fer_root_key root = {{1}};
    fer_identity identity = {1, who, 4, route, ROUTE};
    fer_gateway_config config = fer_gateway_config_default();
    fer_credential copy;
    uint32_t context;

    memset(flight, 0, sizeof flight);
    memset(pending, 0, sizeof pending);
    accepted.count = 0;
    config.window_bits = WINDOW;
    config.earlier = EARLIER;
    config.reach = REACH;
    config.max_skip = SKIP;
    config.cache = CACHE;
    must(fer_arena_rewind(&gateway_arena, (fer_arena_position){0}) == FER_OK);
    must(fer_keychain_mint(&root, &identity, &credential) == FER_OK);
    copy = credential;
    must(fer_gateway_create(&gateway_arena, &config, &gateway) == FER_OK);
    must(fer_gateway_add(gateway, &copy, &context) == FER_OK);
    boot();
}

/* ---- what a receiver accepted ------------------------------------------------------------- */

static void accept_once(struct name *names, uint32_t *count, struct name name)
{
    for (uint32_t i = 0; i < *count; i++) {
        must(names[i].generation != name.generation || names[i].sequence != name.sequence ||
             names[i].lane != name.lane);
    }
    if (*count < ACCEPTED) {
        names[(*count)++] = name;
    }
}

static void check_drop(const struct wire *wire, fer_status status, const uint8_t *out,
                       const fer_opened *opened)
{
    fer_unverified header;
    size_t length = 0;

    must(fer_status_get_group(status) == FER_GROUP_DROP_INPUT);
    must(opened->length == 0 && opened->ticket.opaque[0] == 0);
    if (fer_record_inspect(wire->bytes, wire->length, &header) == FER_OK) {
        length = wire->length - header.header_length - FER_TAG_BYTES;
    }
    for (size_t i = 0; i < length; i++) {
        must(out[i] == 0);
    }
}

static void check_opened(const struct wire *wire, const uint8_t *out, const fer_opened *opened)
{
    must(wire->length == wire->sealed_length &&
         memcmp(wire->bytes, wire->sealed, wire->length) == 0);
    must(opened->length == wire->text_length);
    must(memcmp(out, wire->text, wire->text_length) == 0);
    must(opened->generation == wire->generation && opened->sequence == wire->sequence &&
         (uint32_t)opened->lane == wire->lane);
}

static bool has_valid_claim(const struct wire *wire)
{
    fer_unverified header;
    uint8_t claim[4];

    if (fer_record_inspect(wire->bytes, wire->length, &header) != FER_OK ||
        header.form != FER_FORM_FULL || header.direction != FER_UP) {
        return false;
    }
    fer_schedule_claim(&keys.claim, wire->bytes, header.header_length - 4u, claim);
    return memcmp(claim, wire->bytes + header.header_length - 4, 4) == 0;
}

static uint32_t count_steps(void)
{
    fer_gateway_counts counts;

    must(fer_gateway_get_counts(gateway, &counts) == FER_OK);
    return counts.chain_steps;
}

static fer_status open_at_gateway(const struct wire *wire, fer_opened *opened)
{
    uint8_t before[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    uint8_t after[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    uint8_t out[sizeof wire->bytes];
    size_t length = 0;
    size_t again = 0;
    uint32_t steps = count_steps();

    memset(out, 0xA5, sizeof out);
    must(fer_gateway_export(gateway, 0, before, sizeof before, &length) == FER_OK);
    fer_status status =
        fer_gateway_open(gateway, wire->bytes, wire->length, out, sizeof out, opened);
    must(fer_gateway_export(gateway, 0, after, sizeof after, &again) == FER_OK);
    must(length == again && memcmp(before, after, length) == 0);
    must(has_valid_claim(wire) || count_steps() - steps <= REACH + 8u);
    if (status == FER_OK) {
        check_opened(wire, out, opened);
    } else {
        check_drop(wire, status, out, opened);
    }
    return status;
}

static void commit_at_gateway(fer_ticket *ticket, struct name name)
{
    fer_status status = fer_gateway_commit(gateway, ticket);

    must(status == FER_OK || fer_status_get_group(status) == FER_GROUP_DROP_INPUT);
    must(fer_gateway_commit(gateway, ticket) == FER_ERR_ORDER);
    if (status == FER_OK) {
        accept_once(accepted.names, &accepted.count, name);
    }
}

/* ---- operations --------------------------------------------------------------------------- */

static struct wire *pick(void)
{
    return &flight[fer_read_u8(&input) % FLIGHT];
}

static void fill_text(struct wire *wire)
{
    wire->text_length = fer_read_u8(&input) % (LONGEST + 1u);
    for (size_t i = 0; i < wire->text_length; i++) {
        wire->text[i] = (uint8_t)(i * 31u + wire->text_length);
    }
}

static void remember(struct wire *wire, bool genuine)
{
    wire->sealed_length = genuine ? wire->length : 0;
    memcpy(wire->sealed, wire->bytes, wire->sealed_length);
}

static void do_seal(fer_lane lane)
{
    struct wire *wire = pick();

    fill_text(wire);
    must(fer_sealer_get_next(sealers[lane], &wire->sequence) == FER_OK);
    fer_status status = fer_sealer_seal(sealers[lane], wire->text, wire->text_length, wire->bytes,
                                        sizeof wire->bytes, &wire->length);
    must(status == (wire->sequence == UINT32_MAX ? FER_RENEW_EXHAUSTED : FER_OK));
    wire->generation = keys.generation;
    wire->lane = (uint32_t)lane;
    wire->length = status == FER_OK ? wire->length : 0;
    remember(wire, status == FER_OK);
}

static void do_advance(void)
{
    fer_lane lane = (fer_lane)(fer_read_u8(&input) & 1u);
    uint32_t next;

    must(fer_sealer_get_next(sealers[lane], &next) == FER_OK);
    uint32_t to = next + fer_read_u32(&input) % 100000u;
    must(fer_sealer_advance(sealers[lane], to < next ? UINT32_MAX : to) == FER_OK);
}

static void do_reboot(void)
{
    for (uint32_t jump = 1u + fer_read_u8(&input) % (SKIP + 4u); jump > 0; jump--) {
        must(fer_credential_advance(&credential) == FER_OK);
    }
    boot();
}

static void do_damage(void)
{
    struct wire *wire = pick();
    size_t at = fer_read_u16(&input);
    uint8_t change = fer_read_u8(&input);

    if (wire->length != 0) {
        wire->bytes[at % wire->length] ^= change;
    }
}

static void do_cut(void)
{
    struct wire *wire = pick();
    size_t to = fer_read_u8(&input);

    if (to < wire->length) {
        wire->length = to;
    }
}

/* Bytes from nowhere. */
static void do_noise(void)
{
    struct wire *wire = pick();

    wire->length = fer_read_u8(&input) % sizeof wire->bytes;
    for (size_t i = 0; i < wire->length; i++) {
        wire->bytes[i] = fer_read_u8(&input);
    }
}

/* Any header at all, sealed with the live key under the nonce that its numbers would have: what a
 * captured device could send. Genuine only where it is a record by the text of docs/WIRE.md. */
static void do_craft(void)
{
    struct wire *wire = pick();
    uint8_t nonce[FER_NONCE_BYTES];
    uint8_t first = fer_read_u8(&input);
    bool full = (first & 0x10u) != 0;
    size_t at = 1u + ROUTE;

    fill_text(wire);
    wire->generation = keys.generation;
    wire->sequence = fer_read_u32(&input);
    wire->lane = FER_LANE_LIVE;
    wire->bytes[0] = first;
    memcpy(wire->bytes + 1, keys.route, ROUTE);
    if (full) {
        fer_store_u32(wire->bytes + at, wire->generation);
        fer_store_u32(wire->bytes + at + 4, wire->sequence);
        fer_schedule_claim(&keys.claim, wire->bytes, at + 8, wire->bytes + at + 8);
        wire->bytes[at + 8] ^= (uint8_t)(fer_read_u8(&input) == 1);
        at += 12;
    } else {
        wire->bytes[at] = (uint8_t)wire->generation;
        fer_store_u16(wire->bytes + at + 1, (uint16_t)wire->sequence);
        at += 3;
    }
    fer_record_nonce(nonce, NULL, wire->generation, wire->sequence);
    must(fer_crypto_seal(&keys.keys[FER_BRANCH_UP].secret, nonce, wire->bytes, at, wire->text,
                         wire->text_length, wire->bytes + at) == FER_OK);
    wire->length = at + wire->text_length + FER_TAG_BYTES;
    remember(wire, (first | 0x10u) == 0x52u && wire->sequence != UINT32_MAX);
}

static void do_deliver(bool commit)
{
    const struct wire *wire = pick();
    unsigned place = fer_read_u8(&input) % PENDING;
    fer_opened opened;

    if (open_at_gateway(wire, &opened) != FER_OK) {
        return;
    }
    struct name name = {opened.generation, opened.sequence, (uint32_t)opened.lane};
    if (commit) {
        commit_at_gateway(&opened.ticket, name);
        return;
    }
    pending[place].ticket = opened.ticket;
    pending[place].name = name;
    pending[place].used = true;
}

/* A second look: only what was sealed verifies, no plaintext is seen, and nothing moves. */
static void do_verify(void)
{
    const struct wire *wire = pick();
    uint8_t before[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    uint8_t after[FER_SNAPSHOT_SIZE(EARLIER, WINDOW)];
    uint8_t scratch[sizeof wire->bytes] = {0};
    size_t length = 0;
    size_t again = 0;
    uint32_t steps = count_steps();

    must(fer_gateway_export(gateway, 0, before, sizeof before, &length) == FER_OK);
    fer_status status =
        fer_gateway_verify(gateway, wire->bytes, wire->length, scratch, sizeof scratch);
    must(fer_gateway_export(gateway, 0, after, sizeof after, &again) == FER_OK);
    must(length == again && memcmp(before, after, length) == 0);
    must(count_steps() - steps <= REACH);
    for (size_t i = 0; i < sizeof scratch; i++) {
        must(scratch[i] == 0);
    }
    if (status == FER_OK) {
        must(wire->length == wire->sealed_length &&
             memcmp(wire->bytes, wire->sealed, wire->length) == 0);
    } else {
        must(fer_status_get_group(status) == FER_GROUP_DROP_INPUT);
        must(status != FER_DROP_OLD || has_valid_claim(wire));
    }
}

static void do_commit(void)
{
    unsigned place = fer_read_u8(&input) % PENDING;

    if (pending[place].used) {
        pending[place].used = false;
        commit_at_gateway(&pending[place].ticket, pending[place].name);
    }
}

static void do_deliver_to_opener(void)
{
    const struct wire *wire = pick();
    uint8_t out[sizeof wire->bytes];
    fer_opened opened;

    memset(out, 0xA5, sizeof out);
    fer_status status =
        fer_opener_receive(opener, wire->bytes, wire->length, out, sizeof out, &opened);
    if (status != FER_OK) {
        check_drop(wire, status, out, &opened);
        return;
    }
    check_opened(wire, out, &opened);
    must(opened.generation == keys.generation);
    struct name name = {opened.generation, opened.sequence, (uint32_t)opened.lane};
    accept_once(opener_accepted.names, &opener_accepted.count, name);
}

static void step(void)
{
    switch (fer_read_u8(&input) % 13u) {
    case 0:
        do_seal(FER_LANE_LIVE);
        break;
    case 1:
        do_seal(FER_LANE_BACKLOG);
        break;
    case 2:
        must(fer_sealer_acknowledge(sealers[0]) == FER_OK);
        break;
    case 3:
        do_advance();
        break;
    case 4:
        do_reboot();
        break;
    case 5:
        do_damage();
        break;
    case 6:
        do_cut();
        break;
    case 7:
        do_noise();
        break;
    case 8:
        do_craft();
        break;
    case 9:
        do_deliver(fer_read_u8(&input) % 2u == 0);
        break;
    case 10:
        do_commit();
        break;
    case 11:
        do_verify();
        break;
    default:
        do_deliver_to_opener();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    input = fer_reader_over(data, n);
    start();
    for (unsigned steps = 0; steps < 400 && fer_reader_left(&input) > 0; steps++) {
        step();
    }
    return 0;
}
