/* Ferrule port: NOR flash in a file of the debugging host (semihosting). It behaves as the flash it
 * stands for: programming only clears bits, erasing sets a whole block. Every change is in the file
 * before the call returns, so killing the emulator is a power cut.
 *
 * Concurrency: one thread; blocks for the debugging host.
 *
 * For trying out reboots under QEMU or a debugger; real firmware has a driver for its flash. */
#ifndef FERRULE_PORTS_NV_IMAGE_H
#define FERRULE_PORTS_NV_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "ferrule/port.h"

/* The geometry of every image: bytes in a block, blocks, bytes in a granule. */
#define NV_IMAGE_BLOCK 1024u
#define NV_IMAGE_BLOCKS 2u
#define NV_IMAGE_GRANULE 4u

/* An image that is open. */
typedef struct nv_image {
    int file; /* handle of the host */
} nv_image;

/* The port: functions, whose context is an nv_image, and geometry. */
extern const struct fer_nv_ops nv_image_ops;
extern const fer_nv_geometry nv_image_geometry;

/* Opens the file `path` of the host, NV_IMAGE_BLOCK * NV_IMAGE_BLOCKS bytes long. False: it is
 * absent or too short; an image is never invented (CLOSED). */
bool nv_image_open(nv_image *image, const char *path);

#endif
