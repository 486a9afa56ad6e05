/* Ferrule: the body of fer_device, and what its files share (floor 5's own). */
#ifndef FERRULE_INTERNAL_DEVICE_H
#define FERRULE_INTERNAL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/device.h"
#include "internal/greeter_hooks.h"
#include "internal/handle.h"
#include "internal/keychain.h"

/* The two hooks of a device's lock, for clang's analysis: nothing of these types exists. */
struct FER_CAPABILITY("mutex") fer_device_mutex {
    char unused;
};
struct FER_CAPABILITY("role") fer_device_masked {
    char unused;
};
extern struct fer_device_mutex fer_device_mutex;
extern struct fer_device_masked fer_device_masked;

/* Where a record goes in the caller's buffer, how long it may be, and by what it is sealed. */
typedef struct fer_slot {
    uint8_t *record;
    size_t limit;
    fer_sealer *sealer;
    fer_lane lane;
} fer_slot;

/* What is touched most comes first: Thumb reaches it with its short loads and stores. */
struct fer_device {
    fer_tag tag;
    bool tried;      /* a burn was tried in this uptime */
    bool health_due; /* before anything else that fits */
    bool greeted;    /* the last record was an empty one, to ask for a sign of life */
    bool keyed;      /* no opener was made yet: its key lies last in the inner arena */
    /* Both count on past the capacity; their difference is what waits. */
    uint16_t head FER_GUARDED_BY(fer_device_masked);
    uint16_t tail FER_GUARDED_BY(fer_device_masked);
    uint16_t messages_used FER_GUARDED_BY(fer_device_mutex);
    uint32_t records;         /* sealed under the generation, both lanes */
    fer_device_config config; /* burn_records is never 0 here */
    fer_store *store;
    fer_sealer *sealers[2];     /* by lane; null: no generation is open */
    fer_opener *opener;         /* of that generation's downlink; null until it is needed */
    fer_frame_decoder *decoder; /* of a stream; null with inbound 0 */
    fer_queued_reading *ring;   /* written under the mask, up to head; read up to head by take */
    uint8_t *messages;          /* length16 ‖ envelope, one after another, under the mutex */
    fer_health health;          /* counts; what changes elsewhere is filled in when it is told */
    uint64_t created_ms;
    uint64_t burned_ms; /* when the generation was opened */
    uint64_t tried_ms;  /* when a burn was last tried */
    /* Instead of fer_device_seal_next: a greeter's, or, once something was fed, one that marks */
    fer_status (*seal)(fer_device *, const fer_slot *, size_t *);
    void (*begin)(fer_device *, const fer_credential *); /* a greeter's: a generation was burned */
    fer_greeter *greeter;                                /* null: none */
    bool session_required;
    fer_arena inner; /* holds sealers and opener; wiped whole at each burn (WIPE) */
};

static inline bool fer_device_is_open(const fer_device *device)
{
    return fer_tag_is((const fer_tag *)device, FER_TAG_DEVICE);
}

/* Milliseconds since some start; 0 without a clock. */
uint64_t fer_device_get_uptime(const fer_device *device);

/* The lock's hooks, where it has them. */
uintptr_t fer_device_mask(const fer_device *device) FER_ACQUIRES(fer_device_masked);
void fer_device_unmask(const fer_device *device, uintptr_t state) FER_RELEASES(fer_device_masked);
/* Adds 1 to a count of device->health, under the mask because any thread may read them; stays at
 * the top. */
void fer_device_count(const fer_device *device, uint32_t *count);
void fer_device_lock(const fer_device *device) FER_ACQUIRES(fer_device_mutex);
void fer_device_unlock(const fer_device *device) FER_RELEASES(fer_device_mutex);

/* Where the next message would be encoded, and how many bytes there are. Takes the mutex. */
uint8_t *fer_device_begin_message(fer_device *device, size_t *capacity)
    FER_ACQUIRES(fer_device_mutex);
/* Keeps what was encoded, or counts it. Gives the mutex. */
fer_status fer_device_end_message(fer_device *device, fer_status status, size_t length)
    FER_RELEASES(fer_device_mutex);

/* Readings that wait now; more may come at any moment, fewer only by take. */
uint16_t fer_device_count_readings(const fer_device *device);
bool fer_device_is_idle(const fer_device *device);
void fer_device_drop_readings(fer_device *device, size_t n);

/* Copies the first message into out if it fits: its length, or 0. */
size_t fer_device_copy_message(const fer_device *device, uint8_t *out, size_t capacity);
void fer_device_drop_message(fer_device *device);

/* What fer_device_get_health tells, of a device that is open. */
void fer_device_fill_health(const fer_device *device, fer_health *health);

/* Seals what is next into the slot. */
FER_MUST_USE fer_status fer_device_seal_next(fer_device *device, const fer_slot *slot,
                                             size_t *length);

/* ---- the generation (device.c) ---------------------------------------------------------- */

/* Makes sealers and opener from a generation, in place of those of the one before. */
FER_MUST_USE fer_status fer_device_open_generation(fer_device *device, fer_generation *generation);
void fer_device_close_generation(fer_device *device);

/* Makes the opener from the down key where none was made yet. FER_OK too where there is no key. */
FER_MUST_USE fer_status fer_device_ready_opener(fer_device *device);

/* Burns a generation if one is due. */
FER_MUST_USE fer_status fer_device_ready_generation(fer_device *device);

#endif
