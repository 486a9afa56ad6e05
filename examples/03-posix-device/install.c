#include "install.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nv_file.h"

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "posix-device: %s: %s\n", what, why);
    return false;
}

static bool read_blob(const char *path, uint8_t blob[FER_BLOB_BYTES + 1], size_t *n)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return complain(path, strerror(errno));
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of the secret in a buffer */
    *n = fread(blob, 1, FER_BLOB_BYTES + 1, file);
    (void)fclose(file);
    return true;
}

/* What to do about a blob that was refused. */
static bool refuse(const struct install *install, const char *source, fer_status status)
{
    switch (status) {
    case FER_ERR_ORDER:
        return complain(install->state, "holds a credential already: leave out --blob");
    case FER_DROP_FORGED:
        return complain(source, "is bound to other hardware than --hardware says");
    case FER_DROP_BINDING:
        return complain(source, install->hardware_length != 0
                                    ? "is bound to no hardware: issue one that is"
                                    : "is bound: give this machine's id with --hardware");
    default:
        return complain(source, fer_status_text(status));
    }
}

static fer_status open_store(const struct install *install, fer_arena *arena, fer_store **store)
{
    static fer_arena_cell cells[FER_STORE_SIZE(NV_FILE_GRANULE) / FER_ARENA_ALIGN];
    const fer_store_config config = {.nv = install->nv, .policy = FER_STORE_STRICT};
    fer_status status = fer_arena_init(arena, cells, sizeof cells / sizeof *cells);
    return status == FER_OK ? fer_store_create(arena, &config, store) : status;
}

bool install_is_possible(const struct install *install)
{
    fer_credential_info info;
    fer_store *store;
    fer_arena arena;
    fer_status status = open_store(install, &arena, &store);
    if (status == FER_OK) {
        status = fer_store_get_info(store, &info);
        fer_store_close(&store);
    }
    fer_arena_close(&arena);
    return status == FER_RENEW_MISSING || status == FER_TROUBLE_STATE ||
           refuse(install, install->state, status == FER_OK ? FER_ERR_ORDER : status);
}

bool install_blob(const struct install *install, const char *source, uint8_t *blob, size_t n)
{
    const bool has_id = install->hardware_length != 0;
    const fer_provision_config hardware = {has_id ? install->hardware : NULL,
                                           install->hardware_length, has_id};
    fer_store *store;
    fer_arena arena;
    fer_status status = open_store(install, &arena, &store);
    if (status == FER_OK) {
        status = fer_provision(store, &hardware, blob, n);
        fer_store_close(&store);
    }
    fer_arena_close(&arena);
    return status == FER_OK || refuse(install, source, status);
}

bool install_file(const struct install *install, const char *path)
{
    uint8_t blob[FER_BLOB_BYTES + 1];
    size_t n;
    if (!read_blob(path, blob, &n)) {
        return false;
    }
    const bool good = install_blob(install, path, blob, n);
    explicit_bzero(blob, sizeof blob); /* also where it was refused */
    if (good) {
        fprintf(stderr, "posix-device: installed; destroy %s now, it must not be installed twice\n",
                path);
    }
    return good;
}
