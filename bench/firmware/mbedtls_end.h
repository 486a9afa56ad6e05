/* Bench: one end of a DTLS link by Mbed TLS, for the program that runs and the one that is linked
 * for its size. */
#ifndef FERRULE_BENCH_MBEDTLS_END_H
#define FERRULE_BENCH_MBEDTLS_END_H

#include <mbedtls/ssl.h>
#include <stdbool.h>

static const uint8_t end_key[32] = "0123456789abcdef0123456789abcde";

/* The delays of one end; nothing is lost on these links, so they need not end. */
static inline void set_timer(void *end, uint32_t intermediate, uint32_t final)
{
    (void)end, (void)intermediate, (void) final;
}

static inline int get_timer(void *end)
{
    (void)end;
    return 0;
}

static inline bool configure_end(mbedtls_ssl_config *config, int role,
                                 int (*random)(void *, unsigned char *, size_t))
{
    mbedtls_ssl_config_init(config);
    if (mbedtls_ssl_config_defaults(config, role, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return false;
    }
    mbedtls_ssl_conf_rng(config, random, NULL);
    return mbedtls_ssl_conf_psk(config, end_key, sizeof end_key, (const unsigned char *)"bench",
                                5) == 0;
}

static inline bool set_up_end(mbedtls_ssl_context *end, const mbedtls_ssl_config *config,
                              mbedtls_ssl_send_t *send, mbedtls_ssl_recv_t *receive)
{
    mbedtls_ssl_init(end);
    if (mbedtls_ssl_setup(end, config) != 0) {
        return false;
    }
    mbedtls_ssl_set_bio(end, end, send, receive, NULL);
    mbedtls_ssl_set_timer_cb(end, end, set_timer, get_timer);
    return true;
}

#endif
