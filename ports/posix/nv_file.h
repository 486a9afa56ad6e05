/* Ferrule port: non-volatile memory in a file. Every change is synced before the call returns. The
 * file is locked while it is open: two processes on one state would use its generations twice
 * (NONCE).
 *
 * Concurrency: one thread a file; blocks for the disk, but never for another process.
 *
 * Not defended: whoever copies the file and puts the copy back, and media that copy behind our back
 * (SSD, wear-levelling, snapshots): a spent key may survive there. */
#ifndef FERRULE_PORTS_NV_FILE_H
#define FERRULE_PORTS_NV_FILE_H

#include <stdbool.h>

#include "ferrule/port.h"

/* The geometry of every such file: bytes in a block, blocks, bytes in a granule. */
#define NV_FILE_BLOCK 1024u
#define NV_FILE_BLOCKS 2u
#define NV_FILE_GRANULE 16u

/* A file that is open. */
typedef struct nv_file {
    int fd; /* its descriptor */
} nv_file;

/* Makes a new, erased file that only its owner may read; false, with errno, where it exists. */
bool nv_file_create(const char *path);

/* Opens and locks it: false, with errno (EWOULDBLOCK: another process has it; EINVAL: it is not
 * such a file). A missing file is never invented (CLOSED). */
bool nv_file_open(nv_file *file, const char *path);

/* The port; the nv_file must outlive whatever uses it. */
fer_nv nv_file_port(nv_file *file);

/* Closes and unlocks it. */
void nv_file_close(nv_file *file);

#endif
