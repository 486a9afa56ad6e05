/* Bench: wolfSSL's DTLS 1.2, PSK with ChaCha20-Poly1305, over callbacks of our own. Debian's build
 * has no DTLS 1.3, and its ChaCha20 is C. */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>
#include <wolfssl/version.h>

#include <string.h>

#include "peer.h"
#include "wire.h"

static WOLFSSL_CTX *contexts[WIRE_ENDS];
static WOLFSSL *ends[WIRE_ENDS];

static const char *version(void)
{
    return LIBWOLFSSL_VERSION_STRING;
}

static int send_datagram(WOLFSSL *ssl, char *bytes, int n, void *context)
{
    (void)ssl;
    const int sent =
        wire_send(context == &ends[WIRE_UP_END] ? &wire_up : &wire_down, bytes, (size_t)n);
    return sent < 0 ? WOLFSSL_CBIO_ERR_WANT_WRITE : sent;
}

static int receive_datagram(WOLFSSL *ssl, char *out, int capacity, void *context)
{
    (void)ssl;
    const int n =
        wire_receive(context == &ends[WIRE_UP_END] ? &wire_down : &wire_up, out, (size_t)capacity);
    return n < 0 ? WOLFSSL_CBIO_ERR_WANT_READ : n;
}

/* The server's cookie stands for an address, which this link has not. */
static int make_cookie(WOLFSSL *ssl, unsigned char *cookie, int n, void *context)
{
    (void)ssl, (void)context;
    memset(cookie, 0x3C, (size_t)n);
    return n;
}

static unsigned client_psk(WOLFSSL *ssl, const char *hint, char *identity, unsigned identity_max,
                           unsigned char *psk, unsigned psk_max)
{
    (void)ssl, (void)hint;
    if (strlen(peer_identity) >= identity_max || psk_max < PEER_KEY_BYTES) {
        return 0;
    }
    memcpy(identity, peer_identity, strlen(peer_identity) + 1);
    memcpy(psk, peer_key, PEER_KEY_BYTES);
    return PEER_KEY_BYTES;
}

static unsigned server_psk(WOLFSSL *ssl, const char *identity, unsigned char *psk, unsigned psk_max)
{
    (void)ssl;
    if (strcmp(identity, peer_identity) != 0 || psk_max < PEER_KEY_BYTES) {
        return 0;
    }
    memcpy(psk, peer_key, PEER_KEY_BYTES);
    return PEER_KEY_BYTES;
}

static bool make_contexts(void)
{
    bool good = wolfSSL_Init() == WOLFSSL_SUCCESS;

    contexts[WIRE_UP_END] = wolfSSL_CTX_new(wolfDTLSv1_2_client_method());
    contexts[WIRE_DOWN_END] = wolfSSL_CTX_new(wolfDTLSv1_2_server_method());
    for (size_t i = 0; good && i < WIRE_ENDS; i++) {
        if (contexts[i] == NULL) {
            return false;
        }
        good = wolfSSL_CTX_set_cipher_list(contexts[i], "PSK-CHACHA20-POLY1305") == WOLFSSL_SUCCESS;
        wolfSSL_CTX_set_psk_client_callback(contexts[i], client_psk);
        wolfSSL_CTX_set_psk_server_callback(contexts[i], server_psk);
        wolfSSL_CTX_SetIOSend(contexts[i], send_datagram);
        wolfSSL_CTX_SetIORecv(contexts[i], receive_datagram);
        wolfSSL_CTX_SetGenCookie(contexts[i], make_cookie);
    }
    return good;
}

static bool make_end(enum wire_end end)
{
    ends[end] = wolfSSL_new(contexts[end]);
    if (ends[end] == NULL) {
        return false;
    }
    wolfSSL_dtls_set_using_nonblock(ends[end], 1);
    wolfSSL_SetIOReadCtx(ends[end], &ends[end]);
    wolfSSL_SetIOWriteCtx(ends[end], &ends[end]);
    return true;
}

static enum wire_step step(enum wire_end end)
{
    const int status = end == WIRE_UP_END ? wolfSSL_connect(ends[end]) : wolfSSL_accept(ends[end]);

    if (status == WOLFSSL_SUCCESS) {
        return WIRE_DONE;
    }
    return wolfSSL_get_error(ends[end], status) == WOLFSSL_ERROR_WANT_READ ? WIRE_MORE
                                                                           : WIRE_BROKEN;
}

static bool start(void)
{
    return (contexts[0] != NULL || make_contexts()) && wire_connect(make_end, step);
}

static bool seal(const uint8_t *text, size_t n, uint8_t *record, size_t *length)
{
    wire_through(&wire_up, record, PEER_RECORD_MAX, 0);
    const int written = wolfSSL_write(ends[WIRE_UP_END], text, (int)n);
    *length = wire_up.length;
    return written == (int)n;
}

static bool open_record(uint8_t *record, size_t length, uint8_t *out, size_t *n)
{
    wire_through(&wire_up, record, PEER_RECORD_MAX, length);
    const int got = wolfSSL_read(ends[WIRE_DOWN_END], out, PEER_RECORD_MAX);
    *n = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static void stop(void)
{
    for (size_t i = 0; i < WIRE_ENDS; i++) {
        wolfSSL_free(ends[i]);
        ends[i] = NULL;
    }
}

const struct peer peer_wolfssl = {.name = "wolfSSL, DTLS 1.2",
                                  .version = version,
                                  .start = start,
                                  .seal = seal,
                                  .open = open_record,
                                  .stop = stop};
