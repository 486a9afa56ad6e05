/* Ferrule: status. What every function answers, grouped by what the caller does next.
 *
 * A status is for the local caller alone. What a peer can observe never depends on which check
 * failed: every FER_DROP_… ends in the same silence. */
#ifndef FERRULE_STATUS_H
#define FERRULE_STATUS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function answers. Each group below says what the caller does next. */
typedef enum fer_status {
    FER_OK = 0, /* done, as asked */

    /* Call again: nothing is wrong, there is nothing yet. */
    FER_EMPTY = 0x10,   /* nothing to hand out, or more input is needed */
    FER_NOT_NOW = 0x11, /* the port asked to be called later (supply low, bus busy, back-off) */

    /* Fix the call: a bug in the calling program. Nothing changed. */
    FER_ERR_ARGUMENT = 0x20, /* a null pointer, or a value outside its documented range */
    FER_ERR_HANDLE = 0x21,   /* a handle that is closed, copied, corrupt, or of another type */
    FER_ERR_ARENA = 0x22,    /* the arena has too little room left: use the FER_…_SIZE macro */
    FER_ERR_CAPACITY = 0x23, /* the output buffer is too small: see the function's bound */
    FER_ERR_ORDER = 0x24,    /* called out of turn: a consumed key, a second install, … */

    /* Drop this input: it is not ours, not intact, not new, or not understood. State is as it
     * was before the call. */
    FER_DROP_MALFORMED = 0x30, /* no valid encoding: length, reserved bit, field out of range */
    FER_DROP_ROUTE = 0x31,     /* no context has this kind, direction and route */
    FER_DROP_OLD = 0x32,       /* generation below the floor, or number behind the window */
    FER_DROP_FAR = 0x33,       /* generation further ahead than max_skip: needs a resync */
    FER_DROP_REPLAY = 0x34,    /* this number was accepted before */
    FER_DROP_FORGED = 0x35,    /* the claim or the tag did not verify */
    FER_DROP_VERSION = 0x36,   /* intact, but of a format version this build does not know */
    FER_DROP_BINDING = 0x37,   /* a blob that is unbound where it must not be, or the reverse */

    /* Renew keys: this identity can seal no more until it is provisioned or rekeyed. */
    FER_RENEW_MISSING = 0x40,   /* the device holds no credential: provision it */
    FER_RENEW_EXHAUSTED = 0x41, /* generations or sequence numbers are used up */

    /* Device trouble: sealing stops (invariant CLOSED); nothing restarts from zero. */
    FER_TROUBLE_ENTROPY = 0x50, /* the entropy port failed */
    FER_TROUBLE_STORAGE = 0x51, /* the nv port failed, or did not read back what was programmed */
    FER_TROUBLE_STATE = 0x52,   /* stored state is there but does not verify */
    FER_TROUBLE_CRYPTO = 0x53,  /* the crypto backend failed to start or to compute */
    FER_TROUBLE_ROLLBACK = 0x54 /* stored state is older than the hardware counter: put back */
} fer_status;

/* What the caller does next. */
typedef enum fer_status_group {
    FER_GROUP_OK = 0,            /* go on */
    FER_GROUP_CALL_AGAIN = 1,    /* nothing is wrong: call again later */
    FER_GROUP_FIX_CALL = 2,      /* a bug in the calling program */
    FER_GROUP_DROP_INPUT = 3,    /* what came in is not to be used */
    FER_GROUP_RENEW_KEYS = 4,    /* provision the device anew */
    FER_GROUP_DEVICE_TROUBLE = 5 /* sealing has stopped: look at the device */
} fer_status_group;

/* The group of a status: what the caller does next. Pure; any thread or ISR. */
static inline fer_status_group fer_status_get_group(fer_status status)
{
    return (fer_status_group)((unsigned)status >> 4);
}

/* True when calling again cannot help: keys must be renewed or the device looked at.
 * Pure; any thread or ISR. */
static inline bool fer_status_is_fatal(fer_status status)
{
    return fer_status_get_group(status) >= FER_GROUP_RENEW_KEYS;
}

/* One English sentence: what happened and what to do. Static storage, never null; an unknown
 * value gets a sentence too. Linked only if called. Pure; any thread or ISR. */
const char *fer_status_text(fer_status status);

#ifdef __cplusplus
}
#endif
#endif
