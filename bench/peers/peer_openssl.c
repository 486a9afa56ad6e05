/* Bench: OpenSSL's DTLS 1.2, PSK-CHACHA20-POLY1305, over a BIO of our own in memory. */
#include <openssl/ssl.h>
#include <string.h>

#include "peer.h"
#include "wire.h"

enum { MTU = 1400 };

static SSL_CTX *contexts[WIRE_ENDS];
static SSL *ends[WIRE_ENDS];
static BIO_METHOD *method;

static const char *version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static int send_datagram(BIO *bio, const char *bytes, int n)
{
    return wire_send(BIO_get_data(bio) == &ends[WIRE_UP_END] ? &wire_up : &wire_down, bytes,
                     (size_t)n);
}

static int receive_datagram(BIO *bio, char *out, int capacity)
{
    const int n = wire_receive(BIO_get_data(bio) == &ends[WIRE_UP_END] ? &wire_down : &wire_up, out,
                               (size_t)capacity);
    BIO_clear_retry_flags(bio);
    if (n < 0) {
        BIO_set_retry_read(bio);
    }
    return n;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static unsigned client_psk(SSL *ssl, const char *hint, char *identity, unsigned identity_max,
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

static unsigned server_psk(SSL *ssl, const char *identity, unsigned char *psk, unsigned psk_max)
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
    bool good = true;

    method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "memory");
    good = method != NULL && BIO_meth_set_write(method, send_datagram) == 1 &&
           BIO_meth_set_read(method, receive_datagram) == 1 &&
           BIO_meth_set_ctrl(method, control) == 1;
    contexts[WIRE_UP_END] = SSL_CTX_new(DTLS_client_method());
    contexts[WIRE_DOWN_END] = SSL_CTX_new(DTLS_server_method());
    for (size_t i = 0; good && i < WIRE_ENDS; i++) {
        good = contexts[i] != NULL &&
               SSL_CTX_set_min_proto_version(contexts[i], DTLS1_2_VERSION) == 1 &&
               SSL_CTX_set_cipher_list(contexts[i], "PSK-CHACHA20-POLY1305") == 1;
        SSL_CTX_set_session_cache_mode(contexts[i], SSL_SESS_CACHE_OFF);
        (void)SSL_CTX_set_options(contexts[i], SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
        SSL_CTX_set_psk_client_callback(contexts[i], client_psk);
        SSL_CTX_set_psk_server_callback(contexts[i], server_psk);
    }
    return good;
}

static bool make_end(enum wire_end end)
{
    BIO *bio = BIO_new(method);

    ends[end] = SSL_new(contexts[end]);
    if (bio == NULL || ends[end] == NULL) {
        return false;
    }
    BIO_set_data(bio, &ends[end]);
    BIO_set_init(bio, 1);
    SSL_set_bio(ends[end], bio, bio);
    (void)SSL_set_mtu(ends[end], MTU);
    if (end == WIRE_UP_END) {
        SSL_set_connect_state(ends[end]);
    } else {
        SSL_set_accept_state(ends[end]);
    }
    return true;
}

static enum wire_step step(enum wire_end end)
{
    const int status = SSL_do_handshake(ends[end]);

    if (status == 1) {
        return WIRE_DONE;
    }
    return SSL_get_error(ends[end], status) == SSL_ERROR_WANT_READ ? WIRE_MORE : WIRE_BROKEN;
}

static bool start(void)
{
    return (method != NULL || make_contexts()) && wire_connect(make_end, step);
}

static bool seal(const uint8_t *text, size_t n, uint8_t *record, size_t *length)
{
    wire_through(&wire_up, record, PEER_RECORD_MAX, 0);
    const int written = SSL_write(ends[WIRE_UP_END], text, (int)n);
    *length = wire_up.length;
    return written == (int)n;
}

static bool open_record(uint8_t *record, size_t length, uint8_t *out, size_t *n)
{
    wire_through(&wire_up, record, PEER_RECORD_MAX, length);
    const int got = SSL_read(ends[WIRE_DOWN_END], out, PEER_RECORD_MAX);
    *n = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static void stop(void)
{
    for (size_t i = 0; i < WIRE_ENDS; i++) {
        SSL_free(ends[i]);
        ends[i] = NULL;
    }
}

const struct peer peer_openssl = {.name = "OpenSSL, DTLS 1.2",
                                  .version = version,
                                  .start = start,
                                  .seal = seal,
                                  .open = open_record,
                                  .stop = stop};
