/* Ferrule: device. The facade that firmware links: put readings in from anywhere, take sealed
 * records out for whatever link has room today, feed in what arrived.
 *
 * It is driven, never drives: no callback into the application, no thread, no timer. A failed
 * link resends the bytes it has; nothing is ever sealed twice (NONCE).
 * Concurrency: what puts messages and readings in says from where it may be called. Everything else
 *              belongs to the one thread that takes. */
#ifndef FERRULE_DEVICE_H
#define FERRULE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/config.h"
#include "ferrule/frame.h"
#include "ferrule/greeter.h"
#include "ferrule/port.h"
#include "ferrule/record.h"
#include "ferrule/status.h"
#include "ferrule/store.h"
#include "ferrule/telemetry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A device: store, sealers, opener and queues. */
typedef struct fer_device fer_device;

/* What carries the records. */
typedef enum fer_link {
    FER_LINK_STREAM = 0,  /* serial lines, pipes: take yields whole COBS frames */
    FER_LINK_DATAGRAM = 1 /* UDP, MQTT payloads, BLE: take yields bare records */
} fer_link;

/* What a device is made of; copied. */
typedef struct fer_device_config {
    fer_nv nv;                /* holds the credential: see store.h */
    fer_store_policy policy;  /* of the store */
    fer_clock clock;          /* ops null: readings carry the time 0 of FER_TIME_BOOT */
    fer_lock lock;            /* ops null: nothing runs concurrently */
    fer_link link;            /* stream or datagrams */
    fer_way way;              /* whether the gateway can answer */
    uint16_t readings;        /* intake capacity: a power of two up to 32768, or 0 */
    uint16_t messages;        /* bytes of queue for events, raw and series: encoded, 2 more each */
    uint16_t inbound;         /* longest downlink record in bytes; 0: none is ever opened */
    uint16_t health_every;    /* records between health envelopes; 0: only the first of a burn */
    uint32_t burn_records;    /* records under one generation before the next is burned; 0: never */
    uint32_t burn_ms;         /* age of a generation before the next is burned; 0: never */
    uint32_t burn_backoff_ms; /* least time between two burns of one uptime, failed ones too, as
                                 long as the clock tells the time */
    uint32_t
        stale_records; /* live records since a command's reference that make it stale; 0: off */
    uint32_t stale_ms; /* age of the reference that does; needs the clock; 0: off */
    uint32_t commands_done; /* highest command id the application has recorded; 0: none */
    const fer_counter
        *counter; /* must outlive the device; null: none. Refuses an older image of nv */
    const struct fer_store_mirror *mirror; /* &fer_store_mirror: two copies in nv; null: one */
    fer_greeter *greeter;                  /* must outlive the device; null: none. See sessions */
} fer_device_config;

/* Good defaults; nv (and clock) remain to be set. */
static inline fer_device_config fer_device_config_default(void)
{
    fer_device_config config;
    memset(&config, 0, sizeof config);
    config.policy = FER_STORE_STRICT;
    config.link = FER_LINK_STREAM;
    config.way = FER_TWO_WAY;
    config.readings = 32;
    config.messages = 128;
    config.inbound = 64;
    config.health_every = 256;
    config.burn_backoff_ms = 1000;
    config.stale_records = 256;
    config.stale_ms = 60000;
    return config;
}

/* Arena bytes of a device. `granule` as in fer_nv_geometry, the rest as in fer_device_config. With
 * a mirror FER_STORE_MIRROR_SIZE more. */
#define FER_DEVICE_SIZE(readings, messages, inbound, granule)                             \
    (FER_DEVICE_BODY_SIZE + FER_ARENA_ROUND((readings)*16u) + FER_ARENA_ROUND(messages) + \
     FER_DEVICE_COMMANDS_SIZE(inbound) + FER_DEVICE_GENERATION_SIZE(inbound) +            \
     ((inbound) == 0 ? 0u : FER_FRAME_DECODER_SIZE(inbound)) + FER_STORE_SIZE(granule))

/* Of these, the device itself. Where enums are as wide as pointers, one unit more. */
#define FER_DEVICE_BODY_SIZE \
    (FER_ARENA_SIZEOF(29, 112) + (sizeof(fer_link) == sizeof(void *) ? FER_ARENA_ALIGN : 0u))

/* Of these, what a device that hears keeps of its commands. */
#define FER_DEVICE_COMMANDS_SIZE(inbound) ((inbound) == 0 ? 0u : FER_ARENA_ROUND(48u))

/* Of these, what holds the keys of one generation: wiped and made anew at each burn. */
#define FER_DEVICE_GENERATION_SIZE(inbound) \
    (2u * FER_SEALER_SIZE + ((inbound) == 0 ? 0u : FER_OPENER_SIZE(FER_CONFIG_DEVICE_WINDOW)))

/* Touches RAM only: a reset loop that never sends costs no flash. The first take that has something
 * to send burns a generation. FER_ERR_ARGUMENT: the configuration cannot work. FER_ERR_ARENA: see
 * FER_DEVICE_SIZE. */
FER_MUST_USE fer_status fer_device_create(fer_arena *arena, const fer_device_config *config,
                                          fer_device **device);

/* ---- in: from anywhere ------------------------------------------------------------------ */

/* Queues one reading, stamped now. Any thread or ISR, as far as the lock's mask reaches; never
 * blocks. When the intake is full the reading is dropped and counted, and the count travels
 * (HONEST). */
void fer_device_record(fer_device *device, uint16_t series, double value);

/* The same, from anywhere an interrupt may too, with the reading's own time, in milliseconds since
 * 1970-01-01 UTC, |time| < 2^47. */
void fer_device_record_at(fer_device *device, uint16_t series, int64_t unix_ms, double value);

/* Readings that fit right now; for callers that can make a sensor wait. Any thread or ISR. */
size_t fer_device_get_room(const fer_device *device);

/* Queue one message. Threads only. FER_NOT_NOW: the queue is full, try after a take (counted).
 * FER_ERR_CAPACITY: it can never fit (counted). FER_ERR_ARGUMENT: text above FER_TEXT_MAX, raw
 * above FER_RAW_MAX. The mutex of the lock is held while the message is encoded. */
FER_MUST_USE fer_status fer_device_event(fer_device *device, fer_severity severity,
                                         const char *text);
FER_MUST_USE fer_status fer_device_raw(fer_device *device, const uint8_t *bytes, size_t n);
/* Names a series: kept by the application, sent again whenever it likes. As fer_device_event;
 * FER_ERR_ARGUMENT: name or unit above FER_TEXT_MAX. */
FER_MUST_USE fer_status fer_device_describe(fer_device *device, uint16_t series, const char *name,
                                            const char *unit);

/* ---- out -------------------------------------------------------------------------------- */

/* Yields the next frame or record: as much of what waits as fits in `capacity` bytes. What waits
 * goes in this order: the health envelope where one is due (the first record of a generation, then
 * every health_every), messages, readings; what does not fit lets the next pass.
 * May block for nv (a burn) as long as the port does. One thread at a time. The record is made in
 * `out` itself; bytes behind *length may hold ciphertext, never plaintext.
 *
 * On a link so small that what waits fits a record of short form only, an empty envelope in full
 * form goes first: it asks the gateway for the sign of life that allows the short form.
 *
 * FER_EMPTY: nothing waits. FER_NOT_NOW: back-off, or the port asked for later.
 * FER_ERR_CAPACITY: nothing that waits fits, or not before the gateway is heard; nothing is lost.
 * FER_RENEW_…, FER_TROUBLE_…: sealing has stopped (CLOSED); what waits stays queued. */
FER_MUST_USE fer_status fer_device_take(fer_device *device, uint8_t *out, size_t capacity,
                                        size_t *length);

/* The same on the backlog lane: for records to be stored now and sent later. Always full form,
 * never framed. Statuses as for fer_device_take. */
FER_MUST_USE fer_status fer_device_take_backlog(fer_device *device, uint8_t *out, size_t capacity,
                                                size_t *length);

/* Does what nv needs and can wait: call it when there is time, best after the takes of an uptime,
 * and again while it answers FER_OK. As fer_store_maintain; FER_EMPTY: nothing is to be done. The
 * same thread as take; blocks for nv. */
FER_MUST_USE fer_status fer_device_maintain(fer_device *device);

/* ---- back ------------------------------------------------------------------------------- */

/* Takes what arrived: on a stream any piece of it, on a datagram link one datagram. Sets *used.
 * FER_OK: a downlink opened; its plaintext (a telemetry envelope) is in out, *length bytes; call
 * again with the rest of a stream. FER_EMPTY: all is consumed. Whatever does not authenticate is
 * counted and skipped, with inbound 0 all that comes; so is a command that came too late or was
 * delivered before (see commands). Out needs `inbound` bytes, else FER_ERR_CAPACITY and nothing is
 * consumed. The same thread as take. */
FER_MUST_USE fer_status fer_device_feed(fer_device *device, const uint8_t *in, size_t n,
                                        size_t *used, uint8_t *out, size_t capacity,
                                        size_t *length);

/* ---- commands --------------------------------------------------------------------------- */

/* A command is an envelope that feed yields like any other; the telemetry decoder hands it to
 * on_command. The library sees to it that feed yields
 *
 *   - none of a former generation: recorded downlink is dead after a reboot;
 *   - none that is stale: the record that it refers to was sealed longer ago than stale_ms, or more
 *     than stale_records live records ago, or under another generation. Time is known by two
 *     marks, so one older than half of stale_ms may be refused as well, and one older than stale_ms
 *     never passes (before anything was fed, the generation's start is the only mark). The device
 *     queues a result FER_RESULT_STALE, a fresh record by which the gateway can issue it again;
 *   - no id twice, nor one below an id that was yielded: its result is queued again instead, as far
 *     as it is known (the last one is, without its text).
 *
 * Across reboots the application decides. Where it records the id durably before it acts, a command
 * runs at most once; where after, at least once. Either way it passes the highest recorded id as
 * commands_done at create; ids up to it are answered with FER_RESULT_UNKNOWN unless the application
 * answers them itself, as it should after a start where it recorded the outcome too. With
 * commands_done 0, a command that was not answered before a reboot may run again after it.
 * Suspend and resume keep the highest id, and forget the marks and the last result. */

/* Queues how a command ended, n bytes of text of the application's own with it. Results wait among
 * the messages, of which there must be enough. Threads only; statuses as for fer_device_event.
 * FER_ERR_ORDER: with inbound 0 there is no command. FER_ERR_ARGUMENT: id 0, a code out of range or
 * FER_RESULT_STALE, n above FER_COMMAND_MAX. */
FER_MUST_USE fer_status fer_device_answer(fer_device *device, uint32_t id, fer_result_code code,
                                          const uint8_t *text, size_t n);

/* ---- sessions --------------------------------------------------------------------------- */

/* Has the device keep sessions with its gateway; directly after create, before take and resume. The
 * greeter (greeter.h) must outlive the device. It greets where something waits to be sent and it
 * has no session, or an old one, or one in which nobody answers. Take then yields the greeting,
 * before records; what feed takes of the answer it keeps to itself. While a session is up live
 * records go in it; without one they go on the provisioned chain, unless session_required is set:
 * then take answers FER_NOT_NOW for them (FER_ERR_CAPACITY where the greeting does not fit,
 * FER_TROUBLE_ENTROPY) until one is. Backlog always goes on the chain.
 *
 * Take needs FER_GREETING_FIRST_SIZE(route, 0) bytes for a greeting, and what framing adds; in
 * less, records pass it by. FER_ERR_ARGUMENT: the device has no clock, or a link without a way
 * back, or inbound is below an answer's FER_GREETING_SECOND_SIZE(8, 8) bytes. FER_ERR_ORDER: a
 * generation was opened or tried before. FER_ERR_HANDLE: device or greeter is none.
 *
 * Records in sessions count for burn_records; a burn leaves the session. Sessions end with suspend
 * (the next one needs a burn) and with the greeter; the device's curve operations block take and
 * feed: five for each session. */
FER_MUST_USE fer_status fer_device_join(fer_device *device, fer_greeter *greeter,
                                        bool session_required);

/* ---- sleep ------------------------------------------------------------------------------ */

/* Longest suspended image, in bytes. */
#define FER_IMAGE_BYTES 128u

/* For deep sleep with retained RAM: writes the state of the generation into image, closes the
 * device and nulls the pointer. Queued readings and messages are not part of it: take them first,
 * else FER_ERR_ORDER. FER_EMPTY: no generation is open, so there is nothing to keep. Unless it
 * answers FER_OK the device stays as it was. What an interrupt
 * records during the call is lost: mask those first. Reads nv; the image is as secret as the keys
 * in it. */
FER_MUST_USE fer_status fer_device_suspend(fer_device **device, uint8_t image[FER_IMAGE_BYTES]);

/* Directly after create: goes on where the image stopped, without a burn. The image is single
 * use: it is overwritten and read back before anything else, also on failure; its memory must not
 * lie behind a write-back cache (docs/PORTING.md, retained RAM). FER_DROP_…: it is not valid, or
 * not of the store's newest generation; FER_TROUBLE_STATE: its memory keeps what it held;
 * FER_TROUBLE_STORAGE, FER_NOT_NOW: nv could not be read. The device then burns a new one at its
 * first take. FER_ERR_ORDER: a generation was opened or tried before. Counts and the age of the
 * generation start anew; the count of its records goes on. */
FER_MUST_USE fer_status fer_device_resume(fer_device *device, uint8_t image[FER_IMAGE_BYTES]);

/* Tells the device's own counts. FER_ERR_HANDLE: no device. */
FER_MUST_USE fer_status fer_device_get_health(const fer_device *device, fer_health *health);

/* Wipes the device and sets the caller's pointer to null. Null or closed: no effect. */
void fer_device_close(fer_device **device);

#ifdef __cplusplus
}
#endif
#endif
