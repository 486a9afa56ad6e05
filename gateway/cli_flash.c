/* ferrule flash. Builds the image of a device's memory with its credential installed by the library
 * itself, in RAM, and writes it as one new file: block after block, nothing before or between. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "ferrule/provision.h"
#include "ferrule/store.h"
#include "files.h"
#include "nv_file.h"
#include "option.h"
#include "text.h"

#define IMAGE_MAX (64u << 20)

enum {
    KEY_BLOCK_SIZE = 256,
    KEY_BLOCKS,
    KEY_GRANULE,
    KEY_ERASED,
    KEY_REWRITE,
    KEY_ONCE,
    KEY_POLICY,
    KEY_HARDWARE
};

struct flash {
    const char *blob;
    const char *image;
    fer_nv_geometry geometry;
    fer_store_policy policy;
    uint8_t hardware[FER_HARDWARE_MAX];
    size_t hardware_length; /* 0: the device has no id */
    uint8_t *bytes;
};

static const struct argp_option argp_options[] = {
    {"blob", 'b', "FILE", 0, "The credential, from 'ferrule provision'", 0},
    {"image", 'o', "FILE", 0, "The image to make (never overwritten)", 0},
    {"port", 'p', "NAME", 0,
     "Geometry of one of Ferrule's ports: cortex-m (as given if nothing is) or posix", 0},
    {"block-size", KEY_BLOCK_SIZE, "N", 0, "Bytes in an erase block (1024)", 0},
    {"blocks", KEY_BLOCKS, "N", 0, "How many blocks (2)", 0},
    {"granule", KEY_GRANULE, "N", 0, "Bytes programmed at once, 1 to 512 (4)", 0},
    {"erased", KEY_ERASED, "HEX", 0, "What erased bytes read as: ff or 00 (ff)", 0},
    {"rewrite", KEY_REWRITE, 0, 0, "Any byte may be written over any other: EEPROM, FRAM, files",
     0},
    {"program-once", KEY_ONCE, 0, 0, "What is programmed cannot be zeroed without an erase", 0},
    {"policy", KEY_POLICY, "NAME", 0, "strict or block, as the firmware is built (strict)", 0},
    {"hardware", KEY_HARDWARE, "HEX", 0,
     "The unique id of the device's chip; the blob must be bound to it", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Install a credential in a new image of a device's memory."
    "\vThe geometry must be the one that the firmware's port tells the library; options after "
    "--port "
    "change what it sets.\n"
    "Examples:\n"
    "  ferrule flash --blob pump-7.blob --image flash.img\n"
    "  ferrule flash --blob pump-7.blob --image pump-7.state --port posix\n"
    "  ferrule flash --blob pump-7.blob --image eeprom.bin --rewrite --granule 1\n"
    "Erase the blob afterwards: a credential is for one device.";

static error_t parse_geometry(int key, const char *text, struct flash *flash,
                              struct argp_state *state)
{
    size_t length = 0;
    switch (key) {
    case KEY_BLOCK_SIZE:
        flash->geometry.block_size = option_number(text, 1, IMAGE_MAX, "block-size", state);
        return 0;
    case KEY_BLOCKS:
        flash->geometry.block_count = option_number(text, 2, 65536, "blocks", state);
        return 0;
    case KEY_GRANULE:
        flash->geometry.granule = (uint16_t)option_number(text, 1, 512, "granule", state);
        return 0;
    case KEY_ERASED:
        if (!text_from_hex(text, strlen(text), &flash->geometry.erased, 1, &length) ||
            length != 1 || (flash->geometry.erased != 0 && flash->geometry.erased != 0xFF)) {
            argp_error(state, "--erased: must be ff or 00");
        }
        return 0;
    case KEY_REWRITE:
        flash->geometry.flags = FER_NV_OVERWRITE | FER_NV_REWRITE;
        return 0;
    case KEY_ONCE:
        flash->geometry.flags = 0;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What ports/cortex-m (nv_image) and ports/posix (nv_file) tell the library. */
static void set_port(const char *name, struct flash *flash, struct argp_state *state)
{
    static const fer_nv_geometry cortex_m = {.block_size = 1024,
                                             .block_count = 2,
                                             .granule = 4,
                                             .erased = 0xFF,
                                             .flags = FER_NV_OVERWRITE};
    if (strcmp(name, "cortex-m") == 0) {
        flash->geometry = cortex_m;
    } else if (strcmp(name, "posix") == 0) {
        flash->geometry = *nv_file_port(NULL).geometry;
    } else {
        argp_error(state, "--port: must be cortex-m or posix");
    }
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct flash *flash = state->input;
    switch (key) {
    case 'b':
        flash->blob = text;
        return 0;
    case 'o':
        flash->image = text;
        return 0;
    case 'p':
        set_port(text, flash, state);
        return 0;
    case KEY_POLICY:
        flash->policy = strcmp(text, "block") == 0 ? FER_STORE_BLOCK : FER_STORE_STRICT;
        if (flash->policy == FER_STORE_STRICT && strcmp(text, "strict") != 0) {
            argp_error(state, "--policy: must be strict or block");
        }
        return 0;
    case KEY_HARDWARE:
        option_bytes(text, flash->hardware, sizeof flash->hardware, &flash->hardware_length,
                     "hardware", state);
        return 0;
    case ARGP_KEY_END:
        if (flash->blob == NULL || flash->image == NULL) {
            argp_error(state, "--blob and --image are needed");
        }
        return 0;
    default:
        return parse_geometry(key, text, flash, state);
    }
}

/* ---- the memory, in RAM ---- */

static uint8_t *place(const struct flash *flash, uint32_t block, uint32_t offset)
{
    return flash->bytes + (size_t)block * flash->geometry.block_size + offset;
}

static int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    memcpy(out, place(context, block, offset), n);
    return FER_PORT_OK;
}

static int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    const struct flash *flash = context;
    uint8_t *out = place(flash, block, offset);
    for (size_t i = 0; i < n; i++) {
        if ((flash->geometry.flags & FER_NV_REWRITE) != 0) {
            out[i] = in[i];
        } else {
            out[i] = (uint8_t)(flash->geometry.erased == 0xFF ? out[i] & in[i] : out[i] | in[i]);
        }
    }
    return FER_PORT_OK;
}

static int nv_erase(void *context, uint32_t block)
{
    const struct flash *flash = context;
    memset(place(flash, block, 0), flash->geometry.erased, flash->geometry.block_size);
    return FER_PORT_OK;
}

/* ---- the command ---- */

/* Why the library did not take the blob, and what to do. */
static void explain(const struct flash *flash, fer_status status, struct fault *fault)
{
    switch (status) {
    case FER_ERR_ARGUMENT:
        FAULT(fault, "no store fits this geometry: see the rules in docs/PORTING.md");
        break;
    case FER_DROP_FORGED:
        FAULT(fault,
              "%.200s: is bound to other hardware: take the blob that was issued for this id",
              flash->blob);
        break;
    case FER_DROP_BINDING:
        FAULT(fault, "%.200s: %s", flash->blob,
              flash->hardware_length == 0
                  ? "is bound: give the id of its hardware with --hardware"
                  : "is bound to no hardware: issue one with 'ferrule provision --hardware'");
        break;
    default:
        FAULT(fault, "%.200s: is not installed: %s", flash->blob, fer_status_text(status));
        break;
    }
}

static fer_status provision(struct flash *flash, uint8_t *blob, size_t n)
{
    static const struct fer_nv_ops ops = {nv_read, nv_program, nv_erase, NULL};
    fer_arena_cell cells[FER_STORE_SIZE(512u) / FER_ARENA_ALIGN];
    const fer_store_config config = {.nv = {&ops, &flash->geometry, flash},
                                     .policy = flash->policy};
    const bool has_id = flash->hardware_length > 0;
    const fer_provision_config hardware = {has_id ? flash->hardware : NULL, flash->hardware_length,
                                           has_id};
    fer_store *store = NULL;
    fer_arena arena;
    fer_status status = fer_arena_init(&arena, cells, sizeof cells / sizeof *cells);
    if (status == FER_OK) {
        status = fer_store_create(&arena, &config, &store);
    }
    if (status == FER_OK) {
        status = fer_provision(store, &hardware, blob, n);
    }
    fer_store_close(&store);
    explicit_bzero(cells, sizeof cells);
    return status;
}

/* Reads the blob and installs it into the memory. */
static bool install(struct flash *flash, struct fault *fault)
{
    uint8_t *blob = NULL;
    size_t n = 0;
    if (!files_check_private(flash->blob, fault) ||
        !files_read(flash->blob, FER_BLOB_BYTES, &blob, &n, fault)) {
        return false;
    }
    const fer_status status = provision(flash, blob, n);
    explicit_bzero(blob, n);
    free(blob);
    if (status != FER_OK) {
        explain(flash, status, fault);
    }
    return status == FER_OK;
}

static bool make_image(struct flash *flash, struct fault *fault)
{
    const size_t size = (size_t)flash->geometry.block_size * flash->geometry.block_count;
    int fd = -1;
    if (size > IMAGE_MAX) {
        FAULT(fault, "an image of %zu bytes is more than %u", size, IMAGE_MAX);
        return false;
    }
    flash->bytes = malloc(size);
    bool done = flash->bytes != NULL;
    if (!done) {
        FAULT(fault, "out of memory");
    } else {
        memset(flash->bytes, flash->geometry.erased, size);
        done = install(flash, fault) && files_create(flash->image, &fd, fault) &&
               files_finish(flash->image, fd, flash->bytes, size, fault);
        explicit_bzero(flash->bytes, size);
    }
    free(flash->bytes);
    return done;
}

int cli_flash(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct flash flash = {.geometry = {.block_size = 1024,
                                       .block_count = 2,
                                       .granule = 4,
                                       .erased = 0xFF,
                                       .flags = FER_NV_OVERWRITE}};
    struct fault fault = {""};
    cli_parse(&argp, argc, argv, &flash);
    if (!make_image(&flash, &fault)) {
        SAY("%s", fault.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
