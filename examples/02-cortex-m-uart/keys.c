#include "keys.h"

#include <string.h>

enum { OWN = 0, GATEWAY = 1 }; /* blocks */

typedef struct own_page {
    fer_static_secret secret;
    fer_static_public own;
} own_page;

typedef struct gateway_page {
    fer_static_public gateway;
    uint8_t fingerprint[FER_STATIC_FINGERPRINT_BYTES];
} gateway_page;

_Static_assert(sizeof(own_page) % NV_IMAGE_GRANULE == 0, "whole granules");
_Static_assert(sizeof(gateway_page) % NV_IMAGE_GRANULE == 0, "whole granules");

static bool read_page(nv_image *flash, uint32_t block, void *page, size_t n)
{
    return nv_image_ops.read(flash, block, 0, page, n) == FER_PORT_OK;
}

static bool write_page(nv_image *flash, uint32_t block, const void *page, size_t n)
{
    return nv_image_ops.erase(flash, block) == FER_PORT_OK &&
           nv_image_ops.program(flash, block, 0, page, n) == FER_PORT_OK;
}

/* The public key is the checksum of the secret one, and costs a curve operation at each start. */
bool keys_read_own(nv_image *flash, fer_static_secret *secret, fer_static_public *own)
{
    own_page page;
    bool good = read_page(flash, OWN, &page, sizeof page) &&
                fer_static_get_public(&page.secret, own) == FER_OK &&
                memcmp(own, &page.own, sizeof *own) == 0;
    if (good) {
        *secret = page.secret;
    }
    explicit_bzero(&page, sizeof page);
    return good;
}

bool keys_make_own(nv_image *flash, fer_entropy entropy)
{
    own_page page;
    bool good = fer_static_generate(entropy, &page.secret, &page.own) == FER_OK &&
                write_page(flash, OWN, &page, sizeof page);
    explicit_bzero(&page, sizeof page);
    return good;
}

bool keys_read_gateway(nv_image *flash, fer_static_public *gateway)
{
    gateway_page page;
    uint8_t fingerprint[FER_STATIC_FINGERPRINT_BYTES];
    bool good = read_page(flash, GATEWAY, &page, sizeof page) &&
                fer_static_get_fingerprint(&page.gateway, fingerprint) == FER_OK &&
                memcmp(fingerprint, page.fingerprint, sizeof fingerprint) == 0;
    if (good) {
        *gateway = page.gateway;
    }
    return good;
}

bool keys_write_gateway(nv_image *flash, const fer_static_public *gateway)
{
    gateway_page page = {.gateway = *gateway};
    fer_static_public read_back;
    return fer_static_get_fingerprint(gateway, page.fingerprint) == FER_OK &&
           write_page(flash, GATEWAY, &page, sizeof page) && keys_read_gateway(flash, &read_back) &&
           memcmp(&read_back, gateway, sizeof read_back) == 0;
}
