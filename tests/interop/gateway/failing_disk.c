/* Preloaded into the gateway by tests: calls to the disk that fail, as FERRULE_FAIL says:
 *     flush N      the Nth flush fails (EIO), and those after it; what was written to that file
 *                  since it was last flushed is gone
 *     write N M    from the Nth write on, M of them find the disk full (ENOSPC)
 *     slow N       each flush takes N milliseconds
 * The gateway is one thread, and SQLite in it uses these calls alone. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANGES_MAX 8192u

typedef ssize_t write_call(int fd, const void *bytes, size_t n, off64_t at);
typedef int flush_call(int fd);

/* Written and not flushed. */
static struct {
    int fd;
    off64_t at;
    size_t n;
} ranges[RANGES_MAX];
static size_t range_count;
static long writes;
static long flushes;

static int asked(const char *what, long *from, long *count)
{
    const char *text = getenv("FERRULE_FAIL");
    const size_t n = strlen(what);
    *count = 0;
    return text != NULL && strncmp(text, what, n) == 0 &&
           sscanf(text + n, "%ld %ld", from, count) >= 1;
}

static ssize_t real_write(int fd, const void *bytes, size_t n, off64_t at)
{
    write_call *real = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
    return real(fd, bytes, n, at);
}

/* Forgets what was written to a file; zeroes it first where it is lost. */
static void settle(int fd, int lost)
{
    static const char zeros[65536];
    size_t kept = 0;
    for (size_t i = 0; i < range_count; i++) {
        if (ranges[i].fd != fd) {
            ranges[kept++] = ranges[i];
        } else if (lost) {
            (void)!real_write(fd, zeros, ranges[i].n, ranges[i].at);
        }
    }
    range_count = kept;
}

static int flush(int fd, const char *name)
{
    long from = 0;
    long count = 0;
    flush_call *real = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, name);
    if (asked("flush", &from, &count) && ++flushes >= from) {
        settle(fd, 1);
        errno = EIO;
        return -1;
    }
    if (asked("slow", &from, &count)) {
        (void)usleep((useconds_t)from * 1000);
    }
    settle(fd, 0);
    return real(fd);
}

int fsync(int fd)
{
    return flush(fd, "fsync");
}

int fdatasync(int fd)
{
    return flush(fd, "fdatasync");
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    long from = 0;
    long count = 0;
    /* SQLite makes room for shared memory by single bytes, most of them before it begins. */
    if (n > 1 && asked("write", &from, &count) && ++writes >= from && writes < from + count) {
        errno = ENOSPC;
        return -1;
    }
    if (range_count < RANGES_MAX && n <= 65536) {
        ranges[range_count].fd = fd;
        ranges[range_count].at = at;
        ranges[range_count++].n = n;
    }
    return real_write(fd, bytes, n, at);
}
