/* Ferrule: telemetry. The plaintext of a record: one protobuf envelope (src/proto/telemetry.proto;
 * Protocol Buffers encoding specification, proto3). Encoding streams straight into the caller's
 * buffer; decoding hands each item to a visitor and allocates nothing.
 *
 * Needs no <pb.h>. Concurrency: pure functions on the caller's memory; any thread; not for ISRs. */
#ifndef FERRULE_TELEMETRY_H
#define FERRULE_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/attributes.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One value of a numeric series. The double travels bit for bit, as a float where that loses
 * nothing. */
typedef struct fer_reading {
    int64_t time_ms; /* milliseconds: see fer_time_base; |time_ms| < FER_TIME_LIMIT */
    double value;    /* in the unit of its series */
    uint16_t series; /* the application's own number */
} fer_reading;

/* What times count from. */
typedef enum fer_time_base {
    FER_TIME_UNIX = 0, /* 1970-01-01 UTC */
    FER_TIME_BOOT = 1  /* the device's start, which the gateway places by arrival. The time 0 of
                          FER_TIME_BOOT takes no byte: it is what a device without clock says. */
} fer_time_base;

/* Times lie strictly between -FER_TIME_LIMIT and FER_TIME_LIMIT: 2229 years either way. */
#define FER_TIME_LIMIT ((int64_t)1 << 46)

/* How much an event matters. */
typedef enum fer_severity {
    FER_DEBUG = 0,   /* to developers */
    FER_INFO = 1,    /* for the record */
    FER_WARNING = 2, /* somebody should look when there is time */
    FER_ERROR = 3    /* also what a severity is decoded as that this build does not know */
} fer_severity;

/* Longest text, in bytes of UTF-8. */
#define FER_TEXT_MAX 1024u
/* Longest body of a command, and longest text of its result, in bytes. */
#define FER_COMMAND_MAX 1024u
/* Longest raw plaintext of the application's own, in bytes. */
#define FER_RAW_MAX 64000u

/* A piece of text or bytes that someone else owns; not terminated. */
typedef struct fer_slice {
    const uint8_t *bytes; /* null only where length is 0 */
    size_t length;        /* in bytes */
} fer_slice;

/* Something that happened, in words. */
typedef struct fer_event {
    int64_t time_ms;       /* as of a reading */
    fer_time_base base;    /* what it counts from */
    fer_severity severity; /* how much it matters */
    fer_slice text;        /* UTF-8 by convention; a reader must not trust it */
} fer_event;

/* The device's own counts (HONEST): what was lost, and where, since it was created. 0 in uptime_ms,
 * generation and records_sealed also means "not told": small datagrams have no room for them. */
typedef struct fer_health {
    uint64_t uptime_ms;        /* since the device was created */
    uint32_t generation;       /* that the record was sealed under */
    uint32_t readings_dropped; /* the intake was full */
    uint32_t messages_dropped; /* the message queue was full */
    uint32_t inbound_rejected; /* downlink that did not authenticate, or was old or malformed */
    uint32_t inbound_frames_dropped; /* frames oversized or malformed */
    uint32_t records_sealed;         /* on both lanes */
    uint32_t burns_delayed;          /* takes refused by the back-off between burns */
    uint32_t commands_stale;         /* came too late, and were not delivered */
    uint32_t commands_repeated;      /* delivered before, and not again */
} fer_health;

/* What a series is called. */
typedef struct fer_series {
    uint16_t series; /* its number */
    fer_slice name;  /* UTF-8 by convention */
    fer_slice unit;  /* UTF-8 by convention */
} fer_series;

/* The newest uplink that the gateway has durably accepted. Travels down. */
typedef struct fer_receipt {
    uint32_t generation; /* of that record */
    uint32_t sequence;   /* of that record, live lane */
} fer_receipt;

/* Something for the device to do. Travels down. Generation and sequence are those of the newest
 * live record that the gateway had durably accepted: a command that is withheld grows stale by
 * them. */
typedef struct fer_command {
    uint32_t id;         /* from 1, rising per identity; never used again */
    uint32_t generation; /* of that record */
    uint32_t sequence;   /* of that record */
    fer_slice body;      /* the application's own, up to FER_COMMAND_MAX */
} fer_command;

/* How a command ended. */
typedef enum fer_result_code {
    FER_RESULT_DONE = 0,    /* carried out */
    FER_RESULT_REFUSED = 1, /* understood, and not carried out */
    FER_RESULT_FAILED = 2,  /* also what a code is decoded as that this build does not know */
    FER_RESULT_STALE = 3,   /* came too late, was not delivered; it may be issued again */
    FER_RESULT_UNKNOWN = 4  /* delivered before a restart, and nobody knows how it ended */
} fer_result_code;

/* How the command of this id ended. Travels up. */
typedef struct fer_result {
    uint32_t id;          /* of the command */
    fer_result_code code; /* how it ended */
    fer_slice text; /* the application's own, up to FER_COMMAND_MAX; a reader must not trust it */
} fer_result;

/* ---- encoding --------------------------------------------------------------------------- */

/* A reading as it waits in a queue, with its time base: 16 bytes. Contents are the library's. */
typedef struct fer_queued_reading {
    uint32_t words[4]; /* packed */
} fer_queued_reading;

/* Packs a reading whose time counts from `base` into *queued; FER_ERR_ARGUMENT where its time is
 * out of range. Integer work only, tens of instructions; any thread or ISR. */
FER_MUST_USE fer_status fer_reading_pack(const fer_reading *reading, fer_time_base base,
                                         fer_queued_reading *queued);

/* Unpacks *queued again into *reading and *base; the double is the same, bit for bit. Null
 * pointers: no effect. */
void fer_reading_unpack(const fer_queued_reading *queued, fer_reading *reading,
                        fer_time_base *base);

/* Queued readings in a ring that someone else owns: `count` of them, from index `first`, wrapping
 * at `capacity`. For a plain array: first 0, capacity = count. */
typedef struct fer_reading_ring {
    const fer_queued_reading *base; /* the array */
    size_t capacity;                /* its length */
    size_t first;                   /* index of the oldest */
    size_t count;                   /* how many wait */
} fer_reading_ring;

/* Most readings in one envelope. More would save nothing (their bytes outweigh the record's), and
 * grouping takes time proportional to readings times series. */
#define FER_READINGS_MAX 256u

/* Encodes as many of the first readings as fit in out, and share a time base, grouped by series;
 * sets *taken and *length. Within a series the order is kept.
 * FER_ERR_CAPACITY if not even one fits (*length says what one needs); FER_EMPTY for an empty
 * ring. One reading that is a float without loss, without time, of a series below 16384, takes at
 * most 12 bytes: what the smallest datagram carries in short form. */
FER_MUST_USE fer_status fer_telemetry_encode_readings(const fer_reading_ring *ring, uint8_t *out,
                                                      size_t capacity, size_t *taken,
                                                      size_t *length);

/* These encode one envelope whole and set *length, or answer FER_ERR_CAPACITY and set *length to
 * what they need. FER_ERR_ARGUMENT: a text, name or unit above FER_TEXT_MAX, a time or severity out
 * of range. On failure nothing is written. With capacity 0, out may be null: that asks the size. */
FER_MUST_USE fer_status fer_telemetry_encode_event(const fer_event *event, uint8_t *out,
                                                   size_t capacity, size_t *length);
FER_MUST_USE fer_status fer_telemetry_encode_health(const fer_health *health, uint8_t *out,
                                                    size_t capacity, size_t *length);
FER_MUST_USE fer_status fer_telemetry_encode_raw(fer_slice raw, uint8_t *out, size_t capacity,
                                                 size_t *length);
FER_MUST_USE fer_status fer_telemetry_encode_series(const fer_series *series, uint8_t *out,
                                                    size_t capacity, size_t *length);
FER_MUST_USE fer_status fer_telemetry_encode_receipt(const fer_receipt *receipt, uint8_t *out,
                                                     size_t capacity, size_t *length);
/* As the encoders above. FER_ERR_ARGUMENT: an id 0, a body or text above FER_COMMAND_MAX, a code
 * out of range. */
FER_MUST_USE fer_status fer_telemetry_encode_command(const fer_command *command, uint8_t *out,
                                                     size_t capacity, size_t *length);
FER_MUST_USE fer_status fer_telemetry_encode_result(const fer_result *result, uint8_t *out,
                                                    size_t capacity, size_t *length);

/* ---- decoding --------------------------------------------------------------------------- */

/* Called for each item of an envelope, in order. Null members are skipped. Slices point into the
 * input and live as long as it does. */
typedef struct fer_telemetry_visitor {
    /* One item each; context is the one below. */
    void (*on_reading)(void *context, const fer_reading *reading, fer_time_base base);
    void (*on_event)(void *context, const fer_event *event);
    void (*on_health)(void *context, const fer_health *health);
    void (*on_raw)(void *context, fer_slice raw);
    void (*on_series)(void *context, const fer_series *series);
    void (*on_receipt)(void *context, const fer_receipt *receipt);
    void (*on_command)(void *context, const fer_command *command);
    void (*on_result)(void *context, const fer_result *result);
    /* An arm that this build does not know: a later schema. */
    void (*on_unknown)(void *context, uint32_t field);
    void *context; /* handed back untouched */
} fer_telemetry_visitor;

/* Decodes an authenticated plaintext. It is validated whole before the first callback, so that a
 * malformed one delivers nothing: FER_DROP_MALFORMED. An empty envelope is valid and empty.
 * Stricter than protobuf asks where laxity has no use: a known field of another wire type, a
 * number outside its documented range, two arms in one envelope, and array lengths that do not
 * match are malformed. Unknown fields are skipped. Time linear in n. TOTAL. */
FER_MUST_USE fer_status fer_telemetry_decode(const uint8_t *plaintext, size_t n,
                                             const fer_telemetry_visitor *visitor);

#ifdef __cplusplus
}
#endif
#endif
