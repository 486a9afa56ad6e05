/* Bench: Mbed TLS's DTLS 1.2 on an emulated core, both ends in one program, after their handshake.
 */
#include <stdlib.h>

#include "mbedtls_end.h"
#include "record_report.h"
#include "wire.h"

static mbedtls_ssl_context ends[WIRE_ENDS];
static mbedtls_ssl_config configs[WIRE_ENDS];

/* ---- the heap, counted ------------------------------------------------------------------ */

union block {
    size_t n;
    max_align_t aligned;
};
static bool charged;
static uint32_t live, peak, calls;

struct heap *heap_charge(struct heap *heap)
{
    charged = heap != NULL;
    return NULL;
}

void *bench_calloc(size_t count, size_t n)
{
    union block *block = calloc(1, sizeof *block + count * n);

    if (block == NULL) {
        return NULL;
    }
    block->n = count * n;
    if (charged) {
        live += block->n;
        peak = live > peak ? live : peak;
        calls++;
    }
    return block + 1;
}

void bench_free(void *bytes)
{
    if (bytes == NULL) {
        return;
    }
    union block *block = (union block *)bytes - 1;
    if (charged) {
        live -= block->n;
        calls++;
    }
    free(block);
}

/* ---- the link --------------------------------------------------------------------------- */

/* Any numbers do: nothing here is a secret. */
static int make_numbers(void *context, unsigned char *out, size_t n)
{
    static uint32_t state = 1;

    (void)context;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (unsigned char)(state >> 24);
    }
    return 0;
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

static bool make_end(enum wire_end end)
{
    const int role = end == WIRE_UP_END ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER;

    return configure_end(&configs[end], role, make_numbers) &&
           set_up_end(&ends[end], &configs[end], send_datagram, receive_datagram);
}

static enum wire_step step(enum wire_end end)
{
    const int status = mbedtls_ssl_handshake(&ends[end]);

    if (status == 0) {
        return WIRE_DONE;
    }
    return status == MBEDTLS_ERR_SSL_WANT_READ ? WIRE_MORE : WIRE_BROKEN;
}

static bool prepare_nothing(void)
{
    return true;
}

static bool seal(const uint8_t *text, size_t n, uint8_t *record, size_t *length)
{
    wire_through(&wire_up, record, RECORD_MAX, 0);
    const int written = mbedtls_ssl_write(&ends[WIRE_UP_END], text, n);
    *length = wire_up.length;
    return written == (int)n;
}

static bool open_record(uint8_t *record, size_t length, uint8_t *out, size_t *n)
{
    wire_through(&wire_up, record, RECORD_MAX, length);
    const int got = mbedtls_ssl_read(&ends[WIRE_DOWN_END], out, RECORD_MAX);
    *n = got > 0 ? (size_t)got : 0;
    return got > 0;
}

int main(void)
{
    const struct link link = {"Mbed TLS, DTLS 1.2", prepare_nothing, seal, open_record};

    start_counting();
    if (!wire_connect(make_end, step) || !measure_link(&link)) {
        printf("measure_mbedtls: a call failed\n");
        return 1;
    }
    report_record(link.name, "RAM of a session", 0, sizeof ends[0] + live, "bytes");
    report_record(link.name, "heap of a session", 0, live, "bytes");
    report_record(link.name, "most heap of a session", 0, peak, "bytes");
    report_record(link.name, "heap calls of a session", 0, calls, "calls");
    return 0;
}
