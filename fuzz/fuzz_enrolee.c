/* Fuzz: fer_enrolee_feed, with a gateway that answers, and the line between them in the input's
 * hands.
 *
 * Each step is a byte: take, let the gateway answer, spoil what it said, hear other bytes, let time
 * go by, confirm, restart. Asserted: the stage never goes on but for what the gateway itself said
 * to this attempt, whole; no byte of a blob is there before it was authenticated (FIRST), nor after
 * it was confirmed (WIPE); the gateway hears a receipt only after the application confirmed. */
#include "../tests/enrolment_kit.h"

#include "internal/bytes.h"

enum { STEPS_MAX = 64, RETRY_MS = 1000, WAIT_MS = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

FER_ARENA(arena, FER_ENROLEE_SIZE);

static struct world {
    struct kit_source source;
    kit_gateway gateway;
    fer_enrolee *enrolee;
    uint64_t now;
    kit_bytes up;   /* the device's last message */
    kit_bytes down; /* what the gateway says to it */
    bool answered;  /* `down` is its second message, to the attempt under way */
    bool accepts;   /* `down` is its acceptance */
    bool confirmed;
    size_t handed_over;
} world;

static void start(void)
{
    fer_enrolee_config config = {.secret = kit_secrets[0],
                                 .retry_ms = RETRY_MS,
                                 .wait_ms = WAIT_MS,
                                 .entropy = {&kit_fill_ops, &world.source}};

    memset(&world, 0, sizeof world);
    kit_gateway_start(&world.gateway);
    kit_must(fer_static_get_public(&config.secret, &config.own) == FER_OK);
    kit_must(fer_arena_rewind(&arena, (fer_arena_position){0}) == FER_OK);
    kit_must(fer_enrolee_create(&arena, &config, &world.enrolee) == FER_OK);
}

static void must_have_no_blob(void)
{
    for (size_t i = 0; i < FER_BLOB_BYTES; i++) {
        kit_must(world.enrolee->blob[i] == 0);
    }
}

static void take(void)
{
    fer_enrolee_stage before = fer_enrolee_get_stage(world.enrolee);
    uint8_t out[FER_ENROLEE_FRAME];
    size_t length = 0;
    fer_status status = fer_enrolee_take(world.enrolee, world.now, out, sizeof out, &length);

    if (status != FER_OK) {
        kit_must(status == FER_EMPTY && length == 0);
        return;
    }
    world.up = kit_unframe(out, length);
    if (before == FER_ENROLEE_CONFIRMED) {
        kit_must(world.confirmed && kit_gateway_hears_receipt(&world.gateway, &world.up));
        return;
    }
    kit_must(before <= FER_ENROLEE_MET && world.up.at[0] == 0);
    world.answered = world.answered && world.up.at[1] == 6;
    world.accepts = false;
}

/* What the gateway says next, and whether it can. */
static void answer(size_t handed_over)
{
    static const uint8_t blob[FER_BLOB_BYTES + 1] = {0xB1, 0xB2, 0xB3};

    if (world.up.n == 34) {
        world.down = kit_gateway_answer(&world.gateway, &world.up);
        world.answered = true;
        world.accepts = false;
        world.up.n = 0;
    } else if (world.up.n == 66 && world.answered) {
        kit_must(kit_gateway_meet(&world.gateway, &world.up) == FER_OK);
        world.handed_over = handed_over % sizeof blob;
        world.down = kit_gateway_seal(&world.gateway, blob, world.handed_over);
        world.accepts = true;
        world.up.n = 0;
    }
}

static bool is_blob(size_t n)
{
    return n == 0 || n == FER_CREDENTIAL_BYTES || n == FER_BLOB_BYTES;
}

static void feed(const uint8_t *bytes, size_t n, bool whole)
{
    fer_enrolee_stage before = fer_enrolee_get_stage(world.enrolee);
    size_t used = 0;

    for (size_t at = 0; at < n; at += used) {
        fer_status status = fer_enrolee_feed(world.enrolee, bytes + at, n - at, &used);

        kit_must(used != 0 && used <= n - at);
        kit_must(fer_status_get_group(status) == FER_GROUP_DROP_INPUT || status == FER_EMPTY ||
                 status == FER_OK);
        kit_must(status != FER_EMPTY || used == n - at);
    }
    fer_enrolee_stage after = fer_enrolee_get_stage(world.enrolee);
    if (after != before) {
        kit_must(whole && after == before + 1);
        kit_must(after == FER_ENROLEE_MET ? world.answered && !world.accepts
                                          : world.accepts && is_blob(world.handed_over));
    }
    if (after < FER_ENROLEE_ACCEPTED) {
        must_have_no_blob();
    }
}

/* The gateway's words, some of them changed. Two edits may undo each other. */
static void spoil(fer_reader *input)
{
    kit_bytes heard = world.down;
    bool whole = true;

    for (unsigned edits = fer_read_u8(input) % 3u; edits > 0 && heard.n != 0; edits--) {
        const uint8_t change = fer_read_u8(input);
        heard.at[fer_read_u8(input) % heard.n] ^= change;
    }
    if ((fer_read_u8(input) & 1u) != 0) {
        heard.n = fer_read_u8(input) % (heard.n + 1u);
    }
    whole = heard.n == world.down.n && memcmp(heard.at, world.down.at, heard.n) == 0;
    const kit_bytes frame = kit_frame(heard.at, heard.n);
    feed(frame.at, frame.n, whole);
}

static void hear_others(fer_reader *input)
{
    size_t left = fer_reader_left(input);
    size_t n = fer_read_u8(input);
    const uint8_t *bytes = fer_read_span(input, n < left ? n : 0);

    if (bytes != NULL && n < left) {
        feed(bytes, n, false);
    }
}

static void confirm(void)
{
    uint8_t *blob = NULL;
    size_t n = 0;
    bool may = fer_enrolee_get_stage(world.enrolee) == FER_ENROLEE_ACCEPTED;

    kit_must(fer_enrolee_get_blob(world.enrolee, &blob, &n) == (may ? FER_OK : FER_ERR_ORDER));
    kit_must(!may || n == world.handed_over);
    kit_must(fer_enrolee_confirm(world.enrolee) == (may ? FER_OK : FER_ERR_ORDER));
    world.confirmed = world.confirmed || may;
    if (may) {
        must_have_no_blob();
    }
}

static void restart(void)
{
    kit_must(fer_enrolee_restart(world.enrolee) == FER_OK);
    must_have_no_blob();
    world.answered = false;
    world.accepts = false;
    world.confirmed = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fer_reader input = fer_reader_over(data, n);

    start();
    for (unsigned step = 0; step < STEPS_MAX && fer_reader_left(&input) != 0; step++) {
        switch (fer_read_u8(&input) & 7u) {
        case 0:
            take();
            break;
        case 1:
            answer(fer_read_u8(&input));
            break;
        case 2:
            spoil(&input);
            break;
        case 3:
            hear_others(&input);
            break;
        case 4:
            world.now += (uint64_t)fer_read_u8(&input) * 100u;
            break;
        case 5:
            confirm();
            break;
        case 6:
            restart();
            break;
        default: { /* as it was said */
            const kit_bytes frame = kit_frame(world.down.at, world.down.n);
            feed(frame.at, frame.n, true);
        }
        }
    }
    fer_enrolee_close(&world.enrolee);
    fer_arena_close(&world.gateway.arena);
    return 0;
}
