/* Ferrule: device, deep sleep. An image is the only place that can seal for its generation: the
 * handles it was made from are closed, and it is destroyed before a seal by those made from it
 * (NONCE).
 *
 *     0  keys: live, backlog, down, 32 bytes each     96  highest command id32
 *     100 next32: live, backlog, down                112  the first 16 bytes of
 *                HMAC-SHA256(claim key, "ferrule1img1" ‖ generation32 ‖ bytes 0..111) */
#include <string.h>

#include "ferrule/device.h"
#include "ferrule/replay.h"
#include "internal/bytes.h"
#include "internal/credential.h"
#include "internal/device_command.h"
#include "internal/record.h"
#include "internal/store.h"
#include "internal/wipe.h"

enum { NUMBERS_AT = 96, MAC_AT = 112, MAC_BYTES = 16, BRANCHES = 3 };

_Static_assert(MAC_AT + MAC_BYTES == FER_IMAGE_BYTES, "the image has another size");
_Static_assert(BRANCHES * sizeof(fer_record_key) == NUMBERS_AT, "keys are no longer 32 bytes");

typedef struct fer_image_numbers {
    uint32_t command;
    uint32_t next[BRANCHES]; /* by fer_branch */
} fer_image_numbers;

/* Reads what an image is bound to: the store's newest entry, its claim key, and the next unused
 * generation. Where the claim key cannot be read, neither suspend nor resume goes on: nothing is
 * ever authenticated under a key that is not the device's own (CLOSED). */
static fer_status look_up(fer_device *device, fer_credential *credential, fer_credential_info *info,
                          fer_claim_key *claim)
{
    fer_status status = fer_store_peek(device->store, credential, info);

    return status == FER_OK ? fer_credential_read(credential, NULL, claim, NULL) : status;
}

static void authenticate(const fer_claim_key *claim, uint32_t generation, const uint8_t *image,
                         uint8_t mac[FER_HASH_BYTES])
{
    uint8_t label[] = {'f', 'e', 'r', 'r', 'u', 'l', 'e', '1', 'i', 'm', 'g', '1', 0, 0, 0, 0};

    fer_store_u32(label + sizeof label - 4, generation);
    fer_crypto_mac_secret(&claim->secret, label, sizeof label, image, MAC_AT, mac);
}

/* ---- to sleep --------------------------------------------------------------------------- */

/* Moves the keys out of the handles, which closes them. Without an opener the down key's number is
 * the one that is never used: what is made from it opens nothing. */
static void write_image(fer_device *device, fer_writer *writer)
{
    fer_record_key keys[BRANCHES];
    uint32_t next[BRANCHES] = {FER_SEQUENCE_END, FER_SEQUENCE_END, FER_SEQUENCE_END};

    memset(keys, 0, sizeof keys);
    (void)!fer_device_ready_opener(device); /* before the sealers go, of which it is made */
    (void)!fer_sealer_suspend(&device->sealers[FER_LANE_LIVE], &keys[FER_BRANCH_UP],
                              &next[FER_BRANCH_UP]);
    (void)!fer_sealer_suspend(&device->sealers[FER_LANE_BACKLOG], &keys[FER_BRANCH_BACKLOG],
                              &next[FER_BRANCH_BACKLOG]);
    (void)!fer_opener_suspend(&device->opener, &keys[FER_BRANCH_DOWN], &next[FER_BRANCH_DOWN]);
    for (unsigned i = 0; i < BRANCHES; i++) {
        fer_write_bytes(writer, keys[i].secret.bytes, sizeof keys[i]);
    }
    fer_write_u32(writer, fer_device_get_highest_command(device));
    for (unsigned i = 0; i < BRANCHES; i++) {
        fer_write_u32(writer, next[i]);
    }
    fer_wipe(keys, sizeof keys);
}

fer_status fer_device_suspend(fer_device **device, uint8_t image[FER_IMAGE_BYTES])
{
    fer_credential credential;
    fer_credential_info info;
    fer_claim_key claim;
    uint8_t mac[FER_HASH_BYTES];
    fer_status status;

    if (device == NULL || image == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (!fer_device_is_open(*device)) {
        return FER_ERR_HANDLE;
    }
    if ((*device)->sealers[FER_LANE_LIVE] == NULL) {
        return FER_EMPTY;
    }
    if (!fer_device_is_idle(*device)) {
        return FER_ERR_ORDER;
    }
    status = look_up(*device, &credential, &info, &claim);
    if (status == FER_OK) {
        const fer_greeter_hooks *hooks = fer_greeter_get_hooks((*device)->greeter);
        if (hooks != NULL) {
            hooks->sleep(*device);
        }
        fer_writer writer = fer_writer_over(image, FER_IMAGE_BYTES);
        write_image(*device, &writer);
        authenticate(&claim, (*device)->health.generation, image, mac);
        fer_write_bytes(&writer, mac, MAC_BYTES);
        fer_device_close(device);
    }
    fer_credential_wipe(&credential);
    fer_wipe(&claim, sizeof claim);
    return status;
}

/* ---- awake ------------------------------------------------------------------------------ */

/* Takes the image away from where it was: false where the memory kept any of it. */
static bool consume(uint8_t image[FER_IMAGE_BYTES], uint8_t copy[FER_IMAGE_BYTES])
{
    const volatile uint8_t *left = image;
    uint8_t any = 0;

    memcpy(copy, image, FER_IMAGE_BYTES);
    fer_wipe(image, FER_IMAGE_BYTES);
    for (unsigned i = 0; i < FER_IMAGE_BYTES; i++) {
        any |= left[i];
    }
    return any == 0;
}

static fer_status check_image(const fer_claim_key *claim, const fer_credential_info *info,
                              const uint8_t image[FER_IMAGE_BYTES], fer_image_numbers *numbers)
{
    uint8_t mac[FER_HASH_BYTES];

    authenticate(claim, info->generation - 1u, image, mac);
    if (!fer_crypto_equal(mac, image + MAC_AT, MAC_BYTES)) {
        return FER_DROP_FORGED;
    }
    fer_reader reader = fer_reader_over(image + NUMBERS_AT, MAC_AT - NUMBERS_AT);
    numbers->command = fer_read_u32(&reader);
    for (unsigned i = 0; i < BRANCHES; i++) {
        numbers->next[i] = fer_read_u32(&reader);
    }
    return FER_OK;
}

static fer_status advance(fer_device *device, const fer_image_numbers *numbers)
{
    const uint32_t *next = numbers->next;
    fer_status status = fer_sealer_advance(device->sealers[FER_LANE_LIVE], next[FER_BRANCH_UP]);

    if (status == FER_OK) {
        status = fer_sealer_advance(device->sealers[FER_LANE_BACKLOG], next[FER_BRANCH_BACKLOG]);
    }
    if (status == FER_OK) {
        status = fer_device_ready_opener(device);
    }
    if (status == FER_OK && device->opener != NULL) {
        status = fer_opener_advance(device->opener, next[FER_BRANCH_DOWN]);
    }
    if (numbers->command > device->config.commands_done) {
        device->config.commands_done = numbers->command;
    }
    if (device->config.inbound != 0) {
        fer_device_mark_waking(device);
    }
    /* Each number was a record's; together they are at most burn_records, so this cannot wrap. */
    device->records = next[FER_BRANCH_UP] + next[FER_BRANCH_BACKLOG];
    return status;
}

static fer_status rebuild(fer_device *device, const fer_credential *credential,
                          const fer_credential_info *info, const uint8_t image[FER_IMAGE_BYTES],
                          const fer_image_numbers *numbers)
{
    fer_generation generation;
    fer_record_key keys[BRANCHES];
    fer_reader reader = fer_reader_over(image, NUMBERS_AT);
    fer_status status;

    for (unsigned i = 0; i < BRANCHES; i++) {
        fer_read_bytes(&reader, keys[i].secret.bytes, sizeof keys[i]);
    }
    status = fer_generation_rebuild(&generation, credential, info->generation - 1u, keys);
    if (status == FER_OK) {
        status = fer_device_open_generation(device, &generation);
    }
    if (status == FER_OK) {
        status = advance(device, numbers);
        if (status != FER_OK) {
            fer_device_close_generation(device);
        }
    }
    return status;
}

static fer_status resume(fer_device *device, const uint8_t image[FER_IMAGE_BYTES])
{
    fer_credential credential;
    fer_credential_info info;
    fer_claim_key claim;
    fer_image_numbers numbers;
    fer_status status = look_up(device, &credential, &info, &claim);

    if (status == FER_OK) {
        status = check_image(&claim, &info, image, &numbers);
    }
    if (status == FER_OK) {
        status = rebuild(device, &credential, &info, image, &numbers);
    }
    fer_credential_wipe(&credential);
    fer_wipe(&claim, sizeof claim);
    return status;
}

fer_status fer_device_resume(fer_device *device, uint8_t image[FER_IMAGE_BYTES])
{
    uint8_t copy[FER_IMAGE_BYTES];
    fer_status status;

    if (image == NULL) {
        return FER_ERR_ARGUMENT;
    }
    bool gone = consume(image, copy);
    if (!fer_device_is_open(device)) {
        status = FER_ERR_HANDLE;
    } else if (device->tried || device->sealers[FER_LANE_LIVE] != NULL) {
        status = FER_ERR_ORDER;
    } else {
        status = gone ? resume(device, copy) : FER_TROUBLE_STATE;
    }
    fer_wipe(copy, sizeof copy);
    return status;
}
