/* Ferrule: replay. A sliding window over sequence numbers (compare RFC 4303 section 3.4.3 and
 * RFC 6479): a number is accepted once, if it is newer than top - W. Invariant ONCE.
 *
 * Checking and marking are apart, because state may move only after authentication: check, open
 * the record, mark. Concurrency: a window belongs to one thread. Nothing blocks or is secret. */
#ifndef FERRULE_REPLAY_H
#define FERRULE_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Smallest and largest window. */
#define FER_REPLAY_BITS_MIN 64u
#define FER_REPLAY_BITS_MAX 8192u

/* 2^32-1 is never a sequence number: it is where counting stops. */
#define FER_SEQUENCE_END 0xFFFFFFFFu

/* A window over sequence numbers. */
typedef struct fer_replay fer_replay;

/* Arena bytes of a window of `bits` numbers. */
#define FER_REPLAY_SIZE(bits) (FER_ARENA_SIZEOF(1, 8) + FER_ARENA_ROUND((bits) / 8u))

/* `bits` is a power of two from 64 to 8192, else FER_ERR_ARGUMENT. */
FER_MUST_USE fer_status fer_replay_create(fer_arena *arena, uint32_t bits, fer_replay **window);

/* FER_OK: the number would be accepted. FER_DROP_REPLAY: it was. FER_DROP_OLD: it lies behind the
 * window. FER_DROP_MALFORMED: it is FER_SEQUENCE_END. Changes nothing. */
FER_MUST_USE fer_status fer_replay_check(const fer_replay *window, uint32_t sequence);

/* Accepts the number: the answers of fer_replay_check, and on FER_OK it is marked. Time is at
 * most linear in bits / 32. */
FER_MUST_USE fer_status fer_replay_mark(fer_replay *window, uint32_t sequence);

/* Tells in *next one more than the highest number accepted; 0 when there is none. FER_ERR_HANDLE:
 * no window. */
FER_MUST_USE fer_status fer_replay_get_next(const fer_replay *window, uint32_t *next);

/* Clears the window and sets the caller's pointer to null. Null or closed: no effect. */
void fer_replay_close(fer_replay **window);

#ifdef __cplusplus
}
#endif
#endif
