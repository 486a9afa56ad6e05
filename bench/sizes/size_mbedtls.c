/* A device's end of DTLS 1.2 by Mbed TLS: handshake with a shared key, then records up and down.
 * Linked for its size, never run: link, numbers and heap are the application's. */
#include "mbedtls_end.h"

volatile uint8_t link;
static mbedtls_ssl_context end;
static mbedtls_ssl_config config;

/* An application's allocator is its own, as it is its own not to need one. */
void *bench_calloc(size_t count, size_t n)
{
    static uint8_t main_heap[8192];
    (void)count, (void)n;
    return link != 0 ? main_heap : NULL;
}

void bench_free(void *block)
{
    (void)block;
}

static int make_numbers(void *context, unsigned char *out, size_t n)
{
    (void)context, (void)n;
    out[0] = link;
    return 0;
}

static int send_datagram(void *context, const unsigned char *bytes, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++) {
        link = bytes[i];
    }
    return (int)n;
}

static int receive_datagram(void *context, unsigned char *out, size_t capacity)
{
    (void)context, (void)capacity;
    out[0] = link;
    return 1;
}

int main(void)
{
    uint8_t text[64] = {0};
    if (!configure_end(&config, MBEDTLS_SSL_IS_CLIENT, make_numbers) ||
        !set_up_end(&end, &config, send_datagram, receive_datagram) ||
        mbedtls_ssl_handshake(&end) != 0) {
        return 1;
    }
    for (;;) {
        if (mbedtls_ssl_write(&end, text, sizeof text) > 0 &&
            mbedtls_ssl_read(&end, text, sizeof text) > 0) {
            link = text[0];
        }
    }
}
