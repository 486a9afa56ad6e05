/* Ferrule: what a device that hears keeps and judges (floor 5's own); firmware that only seals has
 * none of it. */
#ifndef FERRULE_INTERNAL_DEVICE_COMMAND_H
#define FERRULE_INTERNAL_DEVICE_COMMAND_H

#include "internal/device.h"
#include "internal/greeter.h"

/* What a device that hears keeps of its commands. */
typedef struct fer_commands {
    fer_marks marks;      /* of the generation's records */
    uint32_t highest;     /* id delivered last */
    uint32_t answered;    /* id answered last, and how; under the mutex */
    uint32_t answer_code; /* a fer_result_code */
} fer_commands;

/* Where live records are numbered, and what a command refers to: a generation, or a session. */
typedef struct fer_device_context {
    fer_sealer *sealer; /* of the live lane; null: nothing refers to it */
    fer_marks *marks;
    uint64_t began_ms;
    uint32_t generation; /* 0 of a session */
} fer_device_context;

/* Those of a device whose inbound is not 0. */
fer_commands *fer_device_get_commands(const fer_device *device);

/* The generation in use. */
fer_device_context fer_device_get_context(const fer_device *device);

/* Notes when the context's next live record is sealed, at most twice in stale_ms. */
void fer_device_mark_time(const fer_device *device, const fer_device_context *context);
/* fer_device_seal_next with such a note. */
FER_MUST_USE fer_status fer_device_seal_marked(fer_device *device, const fer_slot *slot,
                                               size_t *length);
/* After a sleep: how old the records from before it are, nobody knows. */
void fer_device_mark_waking(fer_device *device);

/* Whether what was opened may be delivered: true for all but stale and repeated commands, which are
 * counted and answered. */
bool fer_device_admits(fer_device *device, const fer_device_context *context,
                       const uint8_t *plaintext, size_t n);

/* Opens what came in the generation in use; out and opened as fer_opener_receive. */
FER_MUST_USE fer_status fer_device_open_provisioned(fer_device *device, const uint8_t *record,
                                                    size_t n, uint8_t *out, size_t capacity,
                                                    fer_opened *opened);

/* The highest id ever delivered, of former lives too as far as they are known. */
uint32_t fer_device_get_highest_command(const fer_device *device);

#endif
