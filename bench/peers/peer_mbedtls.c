/* Bench: Mbed TLS's DTLS 1.2, PSK with ChaCha20-Poly1305, over callbacks of our own. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/timing.h>
#include <mbedtls/version.h>
#include <string.h>

#include "peer.h"
#include "wire.h"

struct end {
    mbedtls_ssl_context ssl;
    mbedtls_timing_delay_context timer;
};

static struct end ends[WIRE_ENDS];
static mbedtls_ssl_config configs[WIRE_ENDS];
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_source;
static bool has_configs;

static const char *version(void)
{
    return MBEDTLS_VERSION_STRING;
}

static int send_datagram(void *end, const unsigned char *bytes, size_t n)
{
    const int sent = wire_send(end == &ends[WIRE_UP_END] ? &wire_up : &wire_down, bytes, n);

    return sent < 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : sent;
}

static int receive_datagram(void *end, unsigned char *out, size_t capacity)
{
    const int n = wire_receive(end == &ends[WIRE_UP_END] ? &wire_down : &wire_up, out, capacity);

    return n < 0 ? MBEDTLS_ERR_SSL_WANT_READ : n;
}

static bool make_config(enum wire_end end)
{
    static const int suites[] = {MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, 0};
    mbedtls_ssl_config *config = &configs[end];

    mbedtls_ssl_config_init(config);
    if (mbedtls_ssl_config_defaults(
            config, end == WIRE_UP_END ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
            MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return false;
    }
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &random_source);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_dtls_cookies(config, NULL, NULL, NULL);
    return mbedtls_ssl_conf_psk(config, peer_key, PEER_KEY_BYTES,
                                (const unsigned char *)peer_identity, strlen(peer_identity)) == 0;
}

static bool make_configs(void)
{
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_source);
    has_configs =
        mbedtls_ctr_drbg_seed(&random_source, mbedtls_entropy_func, &entropy, NULL, 0) == 0 &&
        make_config(WIRE_UP_END) && make_config(WIRE_DOWN_END);
    return has_configs;
}

static bool make_end(enum wire_end which)
{
    struct end *end = &ends[which];

    mbedtls_ssl_init(&end->ssl);
    if (mbedtls_ssl_setup(&end->ssl, &configs[which]) != 0) {
        return false;
    }
    mbedtls_ssl_set_bio(&end->ssl, end, send_datagram, receive_datagram, NULL);
    mbedtls_ssl_set_timer_cb(&end->ssl, &end->timer, mbedtls_timing_set_delay,
                             mbedtls_timing_get_delay);
    return true;
}

static enum wire_step step(enum wire_end end)
{
    const int status = mbedtls_ssl_handshake(&ends[end].ssl);

    if (status == 0) {
        return WIRE_DONE;
    }
    return status == MBEDTLS_ERR_SSL_WANT_READ ? WIRE_MORE : WIRE_BROKEN;
}

static bool start(void)
{
    return (has_configs || make_configs()) && wire_connect(make_end, step);
}

static bool seal(const uint8_t *text, size_t n, uint8_t *record, size_t *length)
{
    wire_through(&wire_up, record, PEER_RECORD_MAX, 0);
    const int written = mbedtls_ssl_write(&ends[WIRE_UP_END].ssl, text, n);
    *length = wire_up.length;
    return written == (int)n;
}

static bool open_record(uint8_t *record, size_t length, uint8_t *out, size_t *n)
{
    wire_through(&wire_up, record, PEER_RECORD_MAX, length);
    const int got = mbedtls_ssl_read(&ends[WIRE_DOWN_END].ssl, out, PEER_RECORD_MAX);
    *n = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static void stop(void)
{
    mbedtls_ssl_free(&ends[WIRE_UP_END].ssl);
    mbedtls_ssl_free(&ends[WIRE_DOWN_END].ssl);
}

const struct peer peer_mbedtls = {.name = "Mbed TLS, DTLS 1.2",
                                  .version = version,
                                  .kept = sizeof(struct end),
                                  .start = start,
                                  .seal = seal,
                                  .open = open_record,
                                  .stop = stop};
