#include "durable.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH = 4096 };

/* The name in its folder, durable too. */
static bool sync_folder(const char *path)
{
    char copy[PATH];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) {
        (void)close(folder);
    }
    return good;
}

bool durable_write(const char *path, const void *bytes, size_t n)
{
    char fresh[PATH];
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh) {
        errno = ENAMETOOLONG;
        return false;
    }
    /* What a former try left may have another mode: it goes first. */
    (void)unlink(fresh);
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        return false;
    }
    bool good = write(file, bytes, n) == (ssize_t)n && fsync(file) == 0;
    good = close(file) == 0 && good;
    return good && rename(fresh, path) == 0 && sync_folder(path);
}
