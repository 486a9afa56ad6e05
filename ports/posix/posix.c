#include "posix.h"

#include <time.h>
#include <unistd.h>

#ifdef CLOCK_BOOTTIME
#define STEADY_CLOCK CLOCK_BOOTTIME
#else
#define STEADY_CLOCK CLOCK_MONOTONIC
#endif

enum { MOST_AT_ONCE = 256 }; /* what getentropy yields in one call */

static const time_t year_2020 = 1577836800;

static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    while (n > 0) {
        size_t part = n < MOST_AT_ONCE ? n : MOST_AT_ONCE;
        if (getentropy(out, part) != 0) {
            return FER_PORT_FAILED;
        }
        out += part;
        n -= part;
    }
    return FER_PORT_OK;
}

fer_entropy posix_entropy(void)
{
    static const struct fer_entropy_ops ops = {fill};
    const fer_entropy entropy = {&ops, NULL};
    return entropy;
}

static int monotonic_ms(void *context, uint64_t *ms)
{
    struct timespec now;
    (void)context;
    if (clock_gettime(STEADY_CLOCK, &now) != 0) {
        return FER_PORT_FAILED;
    }
    *ms = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
    return FER_PORT_OK;
}

static int unix_ms(void *context, int64_t *ms)
{
    struct timespec now;
    (void)context;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return FER_PORT_FAILED;
    }
    *ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return now.tv_sec < year_2020 ? FER_PORT_UNKNOWN : FER_PORT_OK;
}

fer_clock posix_clock(void)
{
    static const struct fer_clock_ops ops = {monotonic_ms, unix_ms};
    const fer_clock clock = {&ops, NULL};
    return clock;
}

static uintptr_t mask(void *context)
{
    posix_lock *lock = context;
    (void)pthread_mutex_lock(&lock->mask);
    return 0;
}

static void unmask(void *context, uintptr_t state)
{
    posix_lock *lock = context;
    (void)state;
    (void)pthread_mutex_unlock(&lock->mask);
}

static void take(void *context)
{
    posix_lock *lock = context;
    (void)pthread_mutex_lock(&lock->mutex);
}

static void give(void *context)
{
    posix_lock *lock = context;
    (void)pthread_mutex_unlock(&lock->mutex);
}

static int ready(posix_lock *lock)
{
    pthread_mutexattr_t nesting;
    int error = pthread_mutexattr_init(&nesting);
    if (error == 0) {
        error = pthread_mutexattr_settype(&nesting, PTHREAD_MUTEX_RECURSIVE);
        error = error == 0 ? pthread_mutex_init(&lock->mask, &nesting) : error;
        (void)pthread_mutexattr_destroy(&nesting);
    }
    return error == 0 ? pthread_mutex_init(&lock->mutex, NULL) : error;
}

fer_lock posix_lock_port(posix_lock *lock)
{
    static const struct fer_lock_ops ops = {mask, unmask, take, give};
    const fer_lock port = {ready(lock) == 0 ? &ops : NULL, lock};
    return port;
}
