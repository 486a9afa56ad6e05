/* The world of one device: the flash model, a clock, RAM that is kept in sleep, a gateway that
 * hears all that leaves, and what must hold whatever happens.
 *
 * Each record that leaves is checked twice. By its header, against the order of sealing: it carries
 * the number after the last one of its generation and lane, and no generation comes after a later
 * one, so that no (key, nonce) is there twice (NONCE). And by a gateway: it opens, once, and holds
 * what was recorded and waits longest (ONCE, HONEST).
 *
 * Every port call can be made to fail, or be the one at which power goes. Calls return to the
 * test, failing from then on, or (gone_at_once) never return. */
#ifndef FERRULE_TESTS_POWERCUT_DEVICE_WORLD_H
#define FERRULE_TESTS_POWERCUT_DEVICE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "ferrule/ferrule.h"
#include "powercut/flash_model.h"

typedef struct world_plan {
    const char *name;
    flash_shape shape;
    fer_store_policy policy;
    fer_link link;
    fer_way way;
    uint16_t inbound;
    uint32_t burn_records; /* or 0 */
    bool has_counter;      /* that nobody can turn back */
} world_plan;

enum {
    WORLD_READINGS = 8,    /* the intake */
    WORLD_MESSAGES = 64,   /* bytes */
    WORLD_INBOUND = 64,    /* longest downlink */
    WORLD_BURN_MS = 60000, /* age of a generation */
    WORLD_BACKOFF = 1000,
    WORLD_GRANULE = 16, /* the largest */
    WORLD_CAPACITY = 200,
    WORLD_SPOOL = 12,
    WORLD_NEVER = 0x7FFFFFFF
};

typedef enum port_kind {
    PORT_READ,
    PORT_PROGRAM,
    PORT_ERASE,
    PORT_BLANK,
    PORT_COUNT, /* the counter is read */
    PORT_RAISE,
    PORT_MONOTONIC,
    PORT_UNIX,
    PORT_ENTROPY,
    PORT_KINDS
} port_kind;

/* The at-th call of a kind answers so: once, or from then on. */
typedef struct world_fault {
    port_kind kind;
    uint32_t at; /* or WORLD_NEVER */
    int answer;
    bool for_good;
    bool midway; /* a change is done by half first */
} world_fault;

typedef struct spooled {
    size_t length;
    size_t plain_length;
    uint8_t bytes[WORLD_CAPACITY];
    uint8_t plain[WORLD_CAPACITY];
} spooled;

typedef struct device_world {
    const world_plan *plan;
    uint8_t who;
    flash flash;
    world_fault fault;
    uint32_t calls[PORT_KINDS]; /* since power came */
    uint32_t all_calls;
    uint32_t cut_call; /* number of the port call at which power goes, or WORLD_NEVER */
    bool gone_at_once;
    bool failed;    /* the fault was met since this was last cleared */
    uint32_t fails; /* how often it was met */

    uint64_t clock_ms;
    int64_t unix_ms;
    uint8_t entropy;
    uint32_t counter;               /* in hardware */
    bool installed;                 /* install returned FER_OK, or the store tells that it did */
    uint8_t image[FER_IMAGE_BYTES]; /* RAM that is kept in sleep */

    int64_t highest;   /* newest generation that anything left in; -1: none */
    uint32_t next[2];  /* of it: number after the last that left, by lane */
    uint32_t chances;  /* burns that may have been begun: bounds what is lost */
    uint32_t departed; /* records */

    uint32_t serial; /* of what is recorded: its value, or in its text */
    uint32_t readings[WORLD_READINGS];
    uint32_t readings_waiting;
    uint32_t messages[WORLD_MESSAGES];
    uint32_t messages_waiting;
    uint32_t dropped;  /* readings of this uptime */
    uint32_t sealed;   /* records of this uptime */
    uint32_t delayed;  /* takes of this uptime that met the back-off */
    uint32_t rejected; /* downlinks of this uptime that did not open */
    bool blind;        /* the clock failed in this uptime: how long it lasts is not known */

    spooled spool[WORLD_SPOOL];
    uint32_t spool_used;
    uint8_t down[128]; /* the last downlink */
    size_t down_length;
} device_world;

extern device_world world;
extern fer_device *world_device;
extern fer_gateway *world_gateway;

/* A link that takes what leaves, in place of world_gateway, which then hears nothing. The oldest
 * readings that wait are in the record, and nothing else: there must be no events. */
typedef struct world_packet {
    uint32_t generation;
    fer_lane lane;
    uint32_t number;
    uint32_t count; /* of readings */
    uint32_t readings[WORLD_READINGS];
    size_t length;
    uint8_t bytes[WORLD_CAPACITY];
} world_packet;
extern void (*world_link)(const world_packet *packet);

/* What to say when a check fails. */
extern void (*world_explain)(const char *what);
#define WORLD_CHECK(condition)      \
    do {                            \
        if (!(condition)) {         \
            world_fail(#condition); \
        }                           \
    } while (0)
void world_fail(const char *what);

/* ---- time and power ----------------------------------------------------------------------- */

/* A blank medium, a gateway that knows the device, power on. */
void world_begin(const world_plan *plan, uint64_t seed);
/* The same for another device: with other keys. */
void world_begin_as(uint8_t who, const world_plan *plan, uint64_t seed);
/* Power returns: nothing of the device is left but flash, and the image as it is. */
void world_power_on(flash_look look);
/* Does it until it ends or power goes; whether there is power still. */
bool world_live(void (*what)(void));
void world_wait(uint32_t ms);
/* A gateway that knows nothing. */
void world_restart_gateway(void);

/* The world, RAM and gateway included, to be gone back to. */
enum { WORLD_SAVES = 9 };
typedef struct world_save world_save;
world_save *world_get_save(unsigned place);
void world_keep(world_save *save);
void world_go_back(const world_save *save);

/* ---- the device --------------------------------------------------------------------------- */

fer_nv world_nv(void);
/* Two copies where there is room. */
const struct fer_store_mirror *world_mirror(void);
const fer_counter *world_counter(void);
fer_device_config world_config(void);
fer_status world_install(void);
/* An install that was cut short is done again, as provisioning would: whether there is a credential
 * now. False with power: it was cut twice, and the store stays closed. */
bool world_provision(void);
/* RAM as a reset leaves it, and a device in it. */
fer_status world_create(void);
void world_record(void);
void world_event(void);
/* One record; the checks of one that leaves, and of a call that fails. A spooled one stays with the
 * application until world_send_spool. */
fer_status world_take(fer_lane lane);
/* Does all that can wait; true unless a fault for good or a power cut kept it from ending. */
bool world_maintain(void);
/* All that waits, through back-off and failures that were ordered; gives up after some. */
fer_status world_drain(fer_lane lane);
void world_send_spool(void);
/* The gateway answers, and the device opens it once. */
void world_answer(void);
/* What was answered before is never opened again. */
void world_replay_answer(void);
fer_status world_suspend(void);
/* With any image in place of the world's, which it was copied to. */
fer_status world_resume(void);

/* Whether n bytes hold nothing that was not there before (0xA5) or wiped. */
bool world_is_clean(const uint8_t *bytes, size_t n);
/* Whether a failed call says what to do about this fault, in the right group. */
bool world_is_told(fer_status status);

#endif
