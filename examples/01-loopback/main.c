/* Ferrule example 01: a device and its gateway in one program. Seals a reading, opens it again. */
#include <stdio.h>

#include "ferrule/ferrule.h"
#include "nv_ram.h"
#include "posix.h"

#define TRY(call)                                                          \
    for (fer_status status_ = (call); status_ != FER_OK; status_ = FER_OK) \
    return fprintf(stderr, "%s: %s\n", #call, fer_status_text(status_)), 1

static void print_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    (void)context;
    printf("reading of series %u: %g, %s\n", reading->series, reading->value,
           base == FER_TIME_BOOT ? "by a device without clock" : "dated");
}

int main(void)
{
    FER_ARENA(arena, FER_STORE_SIZE(NV_RAM_GRANULE) + FER_DEVICE_SIZE(32, 128, 64, NV_RAM_GRANULE) +
                         FER_GATEWAY_SIZE(1, 8, 64, 8));
    static nv_ram memory;
    const fer_nv nv = nv_ram_start(&memory);

    /* Provisioning, once in a device's life: a random root becomes a credential for each side. */
    const fer_entropy entropy = posix_entropy();
    const fer_identity identity = {.identity = (const uint8_t *)"pump-7", .identity_length = 6};
    fer_root_key root;
    if (entropy.ops->fill(entropy.context, root.bytes, sizeof root.bytes) != FER_PORT_OK) {
        return 1;
    }
    fer_credential credential;
    TRY(fer_keychain_mint(&root, &identity, &credential)); /* the root is gone now */
    fer_credential copy = credential;
    const fer_store_config store_config = {.nv = nv};
    fer_store *store;
    TRY(fer_store_create(&arena, &store_config, &store));
    TRY(fer_store_install(store, &credential));
    fer_store_close(&store);

    const fer_gateway_config gateway_config = fer_gateway_config_default();
    fer_gateway *gateway;
    uint32_t number;
    TRY(fer_gateway_create(&arena, &gateway_config, &gateway));
    TRY(fer_gateway_add(gateway, &copy, &number));

    fer_device_config config = fer_device_config_default();
    config.nv = nv;
    config.link = FER_LINK_DATAGRAM;
    fer_device *device;
    TRY(fer_device_create(&arena, &config, &device));
    fer_device_record(device, 3, 21.5); /* from any thread or interrupt */

    /* The link: what the device yields goes to the gateway. */
    const fer_telemetry_visitor visitor = {.on_reading = print_reading};
    uint8_t record[256], plaintext[256];
    fer_opened opened;
    for (size_t n; fer_device_take(device, record, sizeof record, &n) == FER_OK;) {
        printf("sealed ");
        for (size_t i = 0; i < n; i++) {
            printf("%02x", record[i]);
        }
        TRY(fer_gateway_receive(gateway, record, n, plaintext, sizeof plaintext, &opened));
        printf("\nopened record %u, %zu bytes\n", (unsigned)opened.sequence, opened.length);
        TRY(fer_telemetry_decode(plaintext, opened.length, &visitor));
    }
    fer_device_close(&device);
    fer_gateway_close(&gateway);
    return 0;
}
