/* What comes back to a device from outside, on a stream and as datagrams, and images to resume
 * from. Invariants: nothing that was not sealed for it opens (FIRST); every input is consumed whole
 * (TOTAL) and counted (HONEST); afterwards the real gateway is still heard, once (ONCE). And what
 * the real gateway may seal: a command that was delivered is not delivered again. The first byte
 * chooses link and pieces, or one of the two others. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule/ferrule.h"

enum { BLOCK = 512, BLOCKS = 2, INBOUND = 96 };

static uint8_t memory[BLOCKS][BLOCK];
static fer_sealer *gateway; /* of generation 0, down */

static void check(bool truth)
{
    if (!truth) {
        abort();
    }
}

static int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context;
    memcpy(out, memory[block] + offset, n);
    return FER_PORT_OK;
}

static int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    (void)context;
    memcpy(memory[block] + offset, in, n);
    return FER_PORT_OK;
}

static int nv_erase(void *context, uint32_t block)
{
    (void)context;
    memset(memory[block], 0xFF, BLOCK);
    return FER_PORT_OK;
}

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 0x5A, n); /* the sealer's numbers keep its nonces apart */
    return FER_PORT_OK;
}

static const fer_nv_geometry geometry = {BLOCK, BLOCKS, 1, 0xFF, FER_NV_OVERWRITE | FER_NV_REWRITE};
static const struct fer_nv_ops nv_ops = {nv_read, nv_program, nv_erase, NULL};
static const struct fer_entropy_ops entropy_ops = {fill};

/* Sends what waits, which opens a generation where none is. */
static void send_all(fer_device *device)
{
    uint8_t out[128];
    size_t n;
    fer_device_record(device, 1, 1.0);
    while (fer_device_take(device, out, sizeof out, &n) == FER_OK) {
    }
}

/* A device with credential 0, and the gateway's end of its generation 0. */
static fer_device *start(fer_link link)
{
    FER_ARENA(arena, FER_STORE_SIZE(1) + FER_SEALER_SIZE + FER_DEVICE_SIZE(2, 32, INBOUND, 1));
    const fer_arena_position empty = {0};
    const fer_identity identity = {.identity = (const uint8_t *)"fuzz", .identity_length = 4};
    const fer_store_config store_config = {
        {&nv_ops, &geometry, NULL}, FER_STORE_STRICT, NULL, NULL};
    const fer_sealer_config down = {
        .direction = FER_DOWN, .lane = FER_LANE_LIVE, .entropy = {&entropy_ops, NULL}};
    fer_device_config config = fer_device_config_default();
    fer_root_key root = {{7}};
    fer_credential credential, copy;
    fer_generation generation;
    fer_device *device = NULL;
    fer_store *store;

    memset(memory, 0xFF, sizeof memory);
    check(fer_arena_rewind(&arena, empty) == FER_OK);
    check(fer_keychain_mint(&root, &identity, &credential) == FER_OK);
    copy = credential;
    check(fer_store_create(&arena, &store_config, &store) == FER_OK);
    check(fer_store_install(store, &credential) == FER_OK);
    fer_store_close(&store);
    check(fer_keychain_expand(&copy, &generation) == FER_OK);
    check(fer_sealer_create(&arena, &generation, &down, &gateway) == FER_OK);
    fer_generation_wipe(&generation);
    config.nv = store_config.nv;
    config.link = link;
    config.readings = 2;
    config.messages = 32;
    config.inbound = INBOUND;
    check(fer_device_create(&arena, &config, &device) == FER_OK);
    return device;
}

static fer_status feed(fer_device *device, const uint8_t *bytes, size_t n, size_t *used)
{
    uint8_t out[INBOUND];
    size_t length = 0;
    fer_status status = fer_device_feed(device, bytes, n, used, out, sizeof out, &length);
    check(*used <= n && (status == FER_OK || (status == FER_EMPTY && *used == n && length == 0)));
    return status;
}

static void feed_noise(fer_device *device, const uint8_t *bytes, size_t n, size_t piece)
{
    for (size_t at = 0; at < n;) {
        size_t part = n - at < piece ? n - at : piece;
        size_t used;
        check(feed(device, bytes + at, part, &used) == FER_EMPTY);
        at += used;
    }
}

/* A real record, after a delimiter that ends whatever noise began. */
static void feed_genuine(fer_device *device, fer_link link)
{
    uint8_t record[64], wire[80] = {0};
    size_t n, used;
    check(fer_sealer_seal(gateway, (const uint8_t *)"", 0, record, sizeof record, &n) == FER_OK);
    if (link == FER_LINK_STREAM) {
        check(fer_frame_encode(record, n, wire + 1, sizeof wire - 1, &n) == FER_OK);
        n++;
    } else {
        memcpy(wire, record, n);
    }
    check(feed(device, wire, n, &used) == FER_OK && used == n);
    check(feed(device, wire, n, &used) == FER_EMPTY);
}

static void note_command(void *context, const fer_command *command)
{
    *(uint32_t *)context = command->id;
}

/* Seals a plaintext down; the id of the command that comes out of the device, or 0. */
static uint32_t deliver(fer_device *device, const uint8_t *plaintext, size_t n)
{
    uint8_t record[INBOUND], out[INBOUND];
    size_t used, length;
    uint32_t id = 0;
    const fer_telemetry_visitor visitor = {.on_command = note_command, .context = &id};
    check(fer_sealer_seal(gateway, plaintext, n, record, sizeof record, &length) == FER_OK);
    fer_status status = fer_device_feed(device, record, length, &used, out, sizeof out, &length);
    check(used != 0 && (status == FER_OK ? length == n : status == FER_EMPTY && length == 0));
    if (status == FER_OK) {
        check(memcmp(out, plaintext, n) == 0);
        (void)!fer_telemetry_decode(out, n, &visitor);
    }
    return id;
}

/* A gateway that says anything at all. */
static void obey(const uint8_t *plaintext, size_t n)
{
    fer_device *device = start(FER_LINK_DATAGRAM);
    fer_health health;
    n = n < INBOUND - FER_OVERHEAD_DOWN(0) ? n : INBOUND - FER_OVERHEAD_DOWN(0);
    send_all(device);
    uint32_t id = deliver(device, plaintext, n);
    if (id != 0) {
        check(fer_device_answer(device, id, FER_RESULT_DONE, NULL, 0) == FER_OK);
        check(deliver(device, plaintext, n) == 0);
        check(fer_device_get_health(device, &health) == FER_OK && health.commands_repeated == 1);
    }
    send_all(device);
    fer_device_close(&device);
    fer_sealer_close(&gateway);
}

static void resume_from(const uint8_t *bytes, size_t n)
{
    uint8_t image[FER_IMAGE_BYTES] = {0};
    fer_device *device = start(FER_LINK_DATAGRAM);
    fer_health health;
    memcpy(image, bytes, n < sizeof image ? n : sizeof image);
    check(fer_device_resume(device, image) == FER_DROP_FORGED);
    for (size_t i = 0; i < sizeof image; i++) {
        check(image[i] == 0);
    }
    send_all(device);
    check(fer_device_get_health(device, &health) == FER_OK && health.records_sealed == 2);
    fer_device_close(&device);
    fer_sealer_close(&gateway);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (data[0] == 0xFF) {
        resume_from(data + 1, size - 1);
        return 0;
    }
    if (data[0] == 0xFE) {
        obey(data + 1, size - 1);
        return 0;
    }
    fer_link link = (data[0] & 1) != 0 ? FER_LINK_STREAM : FER_LINK_DATAGRAM;
    fer_device *device = start(link);
    fer_health before, after;
    send_all(device);
    check(fer_device_get_health(device, &before) == FER_OK);
    feed_noise(device, data + 1, size - 1, 1u + (data[0] >> 1));
    check(fer_device_get_health(device, &after) == FER_OK);
    if (link == FER_LINK_DATAGRAM) {
        size_t piece = 1u + (data[0] >> 1);
        check(after.inbound_rejected - before.inbound_rejected == (size - 1 + piece - 1) / piece);
    }
    feed_genuine(device, link);
    fer_device_close(&device);
    fer_sealer_close(&gateway);
    return 0;
}
