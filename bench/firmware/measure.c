/* Figures that need a running Cortex-M: instructions, stack, RAM, bytes on the wire. Prints a line
 * a figure; see bench/README.md. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "counting.h"
#include "ferrule/ferrule.h"
#include "nv_ram.h"

enum { READINGS = 32, MESSAGES = 128, RECORD = 230, PAYLOAD = 32, ROUNDS = 16 };

static int failures;

/* A figure of something that failed is no figure. */
static void expect(fer_status status)
{
    if (status != FER_OK) {
        printf("measure: a call failed: %s\n", fer_status_text(status));
        failures++;
    }
}

/* ---- what is measured ------------------------------------------------------------------- */

FER_ARENA(arena, FER_DEVICE_SIZE(READINGS, MESSAGES, 64, NV_RAM_GRANULE) + 4096);

static fer_credential mint(void)
{
    static const uint8_t identity[] = "bench";
    fer_root_key root;
    memset(&root, 7, sizeof root);
    fer_identity who = {.epoch = 1, .identity = identity, .identity_length = 5};
    fer_credential credential;
    expect(fer_keychain_mint(&root, &who, &credential));
    return credential;
}

static void provision(void)
{
    fer_credential credential = mint();
    fer_store_config config = {.nv = nv_ram, .policy = FER_STORE_STRICT};
    fer_store *store;
    nv_ram_clear();
    expect(fer_store_create(&arena, &config, &store));
    expect(fer_store_install(store, &credential));
    fer_store_close(&store);
}

static fer_sealer *make_sealer(void)
{
    fer_credential credential = mint();
    fer_generation generation;
    fer_sealer_config config = {.direction = FER_UP, .way = FER_TWO_WAY};
    fer_sealer *sealer = 0;
    expect(fer_keychain_expand(&credential, &generation));
    expect(fer_sealer_create(&arena, &generation, &config, &sealer));
    expect(fer_sealer_acknowledge(sealer));
    fer_generation_wipe(&generation);
    return sealer;
}

static uint32_t count_bare_seal(const uint8_t *plaintext)
{
    uint8_t key[32] = {1}, nonce[12] = {2}, out[PAYLOAD + FER_TAG_BYTES];
    const uint8_t ad[4] = {3};
    uint32_t start = now();
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, 0, plaintext, PAYLOAD, ad, sizeof ad, 0,
                                                    nonce, key);
    return instructions(start);
}

/* The worst of some seals in the short form: header, nonce, numbers and checks included. */
static void measure_seal(void)
{
    uint8_t plaintext[PAYLOAD] = {5}, record[PAYLOAD + FER_OVERHEAD_FULL(0)];
    fer_sealer *sealer = make_sealer();
    uint32_t bare = count_bare_seal(plaintext), worst = 0;
    for (int i = 0; i < ROUNDS; i++) {
        size_t n;
        uint32_t start = now();
        fer_status status = fer_sealer_seal(sealer, plaintext, PAYLOAD, record, sizeof record, &n);
        uint32_t count = instructions(start);
        expect(status);
        worst = count > worst ? count : worst;
    }
    report("seal 32 bytes", worst, "instructions", bare + 250);
    report("seal 32 bytes beyond bare libsodium", worst - bare, "instructions", 250);
    fer_sealer_close(&sealer);
}

static void measure_frame(void)
{
    static uint8_t in[RECORD], frame[FER_FRAME_SIZE(RECORD)];
    for (unsigned i = 0; i < RECORD; i++) {
        in[i] = (uint8_t)(i * 167u + 13u);
    }
    size_t n, used, length;
    uint8_t *out;
    fer_frame_decoder *decoder;
    expect(fer_frame_decoder_create(&arena, RECORD, &decoder));

    uint32_t start = now();
    expect(fer_frame_encode(in, RECORD, frame, sizeof frame, &n));
    uint32_t encode = instructions(start);
    start = now();
    expect(fer_frame_decoder_feed(decoder, frame, n, &used, &out, &length));
    uint32_t decode = instructions(start);
    if (length != RECORD || memcmp(out, in, RECORD) != 0) {
        expect(FER_DROP_MALFORMED);
    }
    report("framing, a byte, times 100", encode * 100u / RECORD, "instructions", 1200);
    report("unframing, a byte, times 100", decode * 100u / RECORD, "instructions", 1200);
    fer_frame_decoder_close(&decoder);
}

static void measure_wire(void)
{
    static uint8_t plaintext[RECORD], record[RECORD], frame[FER_FRAME_SIZE(RECORD)];
    fer_sealer *sealer = make_sealer();
    size_t n = 0, longest = 0, framed = 0, length = 0;
    for (size_t payload = 1; payload + FER_OVERHEAD_SHORT(0) <= RECORD; payload++) {
        if (payload % 32 == 0) {
            expect(fer_sealer_acknowledge(sealer));
        }
        expect(fer_sealer_seal(sealer, plaintext, payload, record, sizeof record, &n));
        expect(fer_frame_encode(record, n, frame, sizeof frame, &length));
        longest = n - payload > longest ? n - payload : longest;
        framed = length - payload > framed ? length - payload : framed;
    }
    report("datagram over its payload", (uint32_t)longest, "bytes", 20);
    report("frame over its payload", (uint32_t)framed, "bytes", 22);
    fer_sealer_close(&sealer);
}

/* What create keeps, beyond the buffers whose sizes the caller chose and the page of its flash. */
static void report_ram(size_t used)
{
    uint32_t buffers = FER_ARENA_ROUND(READINGS * 16u) + FER_ARENA_ROUND(MESSAGES) +
                       FER_ARENA_ROUND(FER_STORE_PAGE(NV_RAM_GRANULE));
    report("RAM of a seal-only device beyond its buffers", (uint32_t)used - buffers, "bytes", 512);
}

static uint32_t deepest;

static void note_depth(const char *name, uint8_t *top)
{
    uint32_t now = depth(top);
    report(name, now, "bytes", 1536);
    deepest = now > deepest ? now : deepest;
}

static fer_device_config seal_only(void)
{
    fer_device_config config = fer_device_config_default();
    config.nv = nv_ram;
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = 0;
    config.way = FER_ONE_WAY;
    return config;
}

static void measure_device(void)
{
    static uint8_t frame[FER_FRAME_SIZE(RECORD)];
    size_t before = arena.used, n;
    fer_device_config config = seal_only();
    fer_device *device;
    uint8_t *top = stack_top();
    provision();
    expect(fer_arena_rewind(&arena, (fer_arena_position){before}));

    paint(top);
    fer_status status = fer_device_create(&arena, &config, &device);
    note_depth("stack of create", top);
    expect(status);
    paint(top);
    fer_device_record_at(device, 1, 1700000000000, 21.5);
    note_depth("stack of record", top);
    expect(fer_device_event(device, FER_INFO, "bench"));
    paint(top);
    status = fer_device_take(device, frame, sizeof frame, &n);
    note_depth("stack of the take that burns a generation", top);
    expect(status);
    report_ram(arena.used - before);
    for (int i = 0; i < ROUNDS; i++) {
        fer_device_record_at(device, 1, 1700000000000 + i, 0.1 * i);
    }
    paint(top);
    while ((status = fer_device_take(device, frame, sizeof frame, &n)) == FER_OK) {
    }
    note_depth("stack of take", top);
    expect(status == FER_EMPTY ? FER_OK : status);
    report("stack of a seal-only device", deepest, "bytes", 1536);
    fer_device_close(&device);
}

/* A boot over memory that has been in use: recovery, the burn, and one reading sealed and framed.
 * The flash driver is the copy loop in RAM; real flash adds what it takes to program. */
static void measure_boot(void)
{
    static uint8_t frame[FER_FRAME_SIZE(RECORD)];
    const fer_device_config config = seal_only();
    fer_device *device;
    size_t n;

    uint32_t start = now();
    expect(fer_device_create(&arena, &config, &device));
    fer_device_record_at(device, 1, 1700000000000, 21.5);
    expect(fer_device_take(device, frame, sizeof frame, &n));
    report("create to the first sealed record", instructions(start), "instructions", 200000);
    fer_device_close(&device);
}

int main(void)
{
    start_counting();
    fer_arena_position start;
    expect(fer_arena_mark(&arena, &start));
    measure_seal();
    measure_frame();
    measure_wire();
    expect(fer_arena_rewind(&arena, start));
    measure_device();
    expect(fer_arena_rewind(&arena, start));
    measure_boot();
    return failures == 0 ? 0 : 1;
}
