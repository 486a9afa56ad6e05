#include "nv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERASED = 0xFF, SIZE = NV_FILE_BLOCK * NV_FILE_BLOCKS };

static const fer_nv_geometry geometry = {NV_FILE_BLOCK, NV_FILE_BLOCKS, NV_FILE_GRANULE, ERASED,
                                         FER_NV_OVERWRITE | FER_NV_REWRITE};

/* Whole or not at all: an interrupted transfer goes on, a short one fails. */
static bool write_all(int fd, const uint8_t *bytes, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, bytes, n, at);
        if (done <= 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
            at += done;
        }
    }
    return fdatasync(fd) == 0;
}

static bool read_all(int fd, uint8_t *bytes, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t done = pread(fd, bytes, n, at);
        if (done == 0 || (done < 0 && errno != EINTR)) {
            return false;
        }
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
            at += done;
        }
    }
    return true;
}

/* A new file is durable only once its folder is. */
static bool sync_folder(const char *path)
{
    char folder[4096] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        if (n >= sizeof folder) {
            errno = ENAMETOOLONG;
            return false;
        }
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return synced;
}

bool nv_file_create(const char *path)
{
    uint8_t blank[SIZE];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return false;
    }
    memset(blank, ERASED, sizeof blank);
    bool good = write_all(fd, blank, sizeof blank, 0) && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    return good && sync_folder(path);
}

bool nv_file_open(nv_file *file, const char *path)
{
    struct stat found;
    file->fd = open(path, O_RDWR | O_CLOEXEC);
    if (file->fd < 0) {
        return false;
    }
    if (flock(file->fd, LOCK_EX | LOCK_NB) == 0 && fstat(file->fd, &found) == 0) {
        if (S_ISREG(found.st_mode) && found.st_size == SIZE) {
            return true;
        }
        errno = EINVAL;
    }
    int cause = errno;
    nv_file_close(file);
    errno = cause;
    return false;
}

void nv_file_close(nv_file *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd);
        file->fd = -1;
    }
}

static bool is_inside(uint32_t block, uint32_t offset, size_t n)
{
    return block < NV_FILE_BLOCKS && offset <= NV_FILE_BLOCK && n <= NV_FILE_BLOCK - offset;
}

static int file_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    const nv_file *file = context;
    off_t at = (off_t)block * NV_FILE_BLOCK + offset;
    return is_inside(block, offset, n) && read_all(file->fd, out, n, at) ? FER_PORT_OK
                                                                         : FER_PORT_FAILED;
}

static int file_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    const nv_file *file = context;
    off_t at = (off_t)block * NV_FILE_BLOCK + offset;
    if (!is_inside(block, offset, n) || offset % NV_FILE_GRANULE != 0 || n % NV_FILE_GRANULE != 0) {
        return FER_PORT_FAILED;
    }
    return write_all(file->fd, in, n, at) ? FER_PORT_OK : FER_PORT_FAILED;
}

static int file_erase(void *context, uint32_t block)
{
    uint8_t blank[NV_FILE_BLOCK];
    memset(blank, ERASED, sizeof blank);
    return file_program(context, block, 0, blank, sizeof blank);
}

fer_nv nv_file_port(nv_file *file)
{
    static const struct fer_nv_ops ops = {file_read, file_program, file_erase, NULL};
    const fer_nv nv = {&ops, &geometry, file};
    return nv;
}
