#include "files.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(FILE *file, size_t max, uint8_t **bytes, size_t *n)
{
    size_t capacity = 4096;
    uint8_t *all = malloc(capacity + 1);
    *n = 0;
    while (all != NULL) {
        *n += fread(all + *n, 1, capacity - *n, file);
        if (*n < capacity || *n > max) {
            break;
        }
        capacity *= 2;
        uint8_t *more = realloc(all, capacity + 1);
        if (more == NULL) {
            free(all);
        }
        all = more;
    }
    if (all != NULL) {
        all[*n] = '\0';
    }
    *bytes = all;
    return all != NULL && !ferror(file);
}

bool files_read(const char *path, size_t max, uint8_t **bytes, size_t *n, struct fault *fault)
{
    *bytes = NULL;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        FAULT(fault, "%s: %s", path, strerror(errno));
        return false;
    }
    errno = 0;
    const bool read = read_all(file, max, bytes, n);
    const int cause = errno != 0 ? errno : EIO;
    fclose(file);
    if (!read) {
        FAULT(fault, "%s: %s", path, strerror(cause));
    } else if (*n > max) {
        FAULT(fault, "%s: longer than the %zu bytes such a file may have", path, max);
    } else {
        return true;
    }
    free(*bytes);
    *bytes = NULL;
    return false;
}

bool files_check_private(const char *path, struct fault *fault)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        FAULT(fault, "%s: %s", path, strerror(errno));
        return false;
    }
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        FAULT(fault, "%s: holds secrets but others may use it (mode %03o): run chmod 600 on it",
              path, (unsigned)about.st_mode & 0777u);
        return false;
    }
    return true;
}

bool files_create(const char *path, int *fd, struct fault *fault)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (*fd < 0) {
        FAULT(fault, "%s: %s%s", path, strerror(errno),
              errno == EEXIST ? " already: it is never overwritten, choose another name" : "");
        return false;
    }
    return true;
}

/* A new name is durable once its folder is. */
static bool sync_folder(const char *path)
{
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof copy) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(copy, path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool done = fsync(fd) == 0 || errno == EINVAL; /* some file systems have no such call */
    close(fd);
    return done;
}

static bool write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

bool files_finish(const char *path, int fd, const uint8_t *bytes, size_t n, struct fault *fault)
{
    bool done = write_all(fd, bytes, n) && fsync(fd) == 0;
    if (!done) {
        FAULT(fault, "%s: %s", path, strerror(errno));
    }
    if (close(fd) != 0 && done) {
        FAULT(fault, "%s: %s", path, strerror(errno));
        done = false;
    }
    if (done && !sync_folder(path)) {
        FAULT(fault, "%s: the folder cannot be made durable: %s", path, strerror(errno));
        done = false;
    }
    return done;
}

bool files_replace(const char *path, const char *text, struct fault *fault)
{
    char fresh[PATH_MAX];
    struct stat about;
    int fd = -1;
    const int length = snprintf(fresh, sizeof fresh, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof fresh) {
        FAULT(fault, "%s: the name is too long", path);
        return false;
    }
    (void)unlink(fresh); /* left by a run that was cut short; the callers hold a lock */
    if (!files_create(fresh, &fd, fault)) {
        return false;
    }
    if (stat(path, &about) == 0) {
        (void)fchmod(fd, about.st_mode & 0777u);
    }
    if (!files_finish(fresh, fd, (const uint8_t *)text, strlen(text), fault)) {
        (void)unlink(fresh);
        return false;
    }
    if (rename(fresh, path) != 0 || !sync_folder(path)) {
        FAULT(fault, "%s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

bool files_lock(const char *path, const char *suffix, bool wait, int *fd, bool *busy,
                struct fault *fault)
{
    char name[PATH_MAX];
    const int length = snprintf(name, sizeof name, "%s.%s", path, suffix);
    *busy = false;
    if (length < 0 || (size_t)length >= sizeof name) {
        FAULT(fault, "%s: the name is too long", path);
        return false;
    }
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (*fd < 0) {
        FAULT(fault, "%.400s: %s", name, strerror(errno));
        return false;
    }
    if (flock(*fd, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
        *busy = errno == EWOULDBLOCK;
        FAULT(fault, "%.400s: %s", name, strerror(errno));
        close(*fd);
        *fd = -1;
        return false;
    }
    return true;
}
