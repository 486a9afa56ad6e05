/* Ferrule: store, the medium: bytes, slots and cells over the nv port. Nothing is believed to be
 * written before it was read back. */
#include <string.h>

#include "ferrule/port.h"
#include "internal/bytes.h"
#include "internal/store.h"
#include "internal/wipe.h"

enum { CHUNK = 32, MARK = 8, UNREADABLE = 0xA5 };

static fer_status translate(int answer)
{
    if (answer == FER_PORT_OK) {
        return FER_OK;
    }
    return answer == FER_PORT_NOT_NOW ? FER_NOT_NOW : FER_TROUBLE_STORAGE;
}

fer_status fer_store_read(const fer_store *store, uint32_t block, uint32_t offset, uint8_t *out,
                          size_t n)
{
    int answer = store->nv.ops->read(store->nv.context, block, offset, out, n);

    if (answer == FER_PORT_UNCORRECTABLE) {
        memset(out, UNREADABLE, n);
        answer = FER_PORT_OK;
    }
    return translate(answer);
}

/* Whether n bytes are those expected or, where expected is null, all `value`. Stops at the first
 * chunk that differs: that tells of the medium's faults, not of what it holds. */
static fer_status compare(const fer_store *store, uint32_t block, uint32_t offset, size_t n,
                          const uint8_t *expected, uint8_t value, bool *same)
{
    uint8_t chunk[CHUNK];
    unsigned differ = 0;
    fer_status status = FER_OK;

    for (size_t at = 0; at < n && differ == 0 && status == FER_OK; at += CHUNK) {
        size_t size = n - at < CHUNK ? n - at : CHUNK;
        status = fer_store_read(store, block, offset + (uint32_t)at, chunk, size);
        for (size_t i = 0; i < size && status == FER_OK; i++) {
            differ |= (unsigned)(chunk[i] ^ (expected != 0 ? expected[at + i] : value));
        }
    }
    fer_wipe(chunk, sizeof chunk);
    *same = status == FER_OK && differ == 0;
    return status;
}

fer_status fer_store_holds(const fer_store *store, uint32_t block, uint32_t offset, size_t n,
                           uint8_t value, bool *yes)
{
    return compare(store, block, offset, n, 0, value, yes);
}

fer_status fer_store_is_blank(const fer_store *store, uint32_t block, uint32_t offset, size_t n,
                              bool *yes)
{
    if (store->nv.ops->is_blank == 0) {
        return fer_store_holds(store, block, offset, n, store->nv.geometry->erased, yes);
    }
    int answer = store->nv.ops->is_blank(store->nv.context, block, offset, n);
    *yes = answer == 1;
    return answer == 0 || answer == 1 || answer == FER_PORT_UNCORRECTABLE ? FER_OK
                                                                          : translate(answer);
}

fer_status fer_store_put(fer_store *store, uint32_t block, uint32_t offset, size_t n)
{
    bool same = false;
    fer_status status =
        translate(store->nv.ops->program(store->nv.context, block, offset, store->page, n));

    if (status == FER_OK) {
        status = compare(store, block, offset, n, store->page, 0, &same);
    }
    return status == FER_OK && !same ? FER_TROUBLE_STORAGE : status;
}

fer_status fer_store_fill(fer_store *store, uint32_t block, uint32_t offset, size_t n,
                          uint8_t value)
{
    fer_status status = FER_OK;

    memset(store->page, value, store->body);
    for (size_t at = 0; at < n && status == FER_OK; at += store->body) {
        size_t size = n - at < store->body ? n - at : store->body;
        status = fer_store_put(store, block, offset + (uint32_t)at, size);
    }
    return status;
}

fer_status fer_store_erase(fer_store *store, uint32_t block)
{
    uint32_t size = store->nv.geometry->block_size;
    bool blank = false;
    fer_status status;

    if (store->nv.ops->erase == 0) {
        status = fer_store_fill(store, block, 0, size, store->nv.geometry->erased);
    } else {
        status = translate(store->nv.ops->erase(store->nv.context, block));
    }
    if (status == FER_OK) {
        status = fer_store_is_blank(store, block, 0, size, &blank);
    }
    return status == FER_OK && !blank ? FER_TROUBLE_STORAGE : status;
}

uint32_t fer_store_slot_size(const fer_store *store)
{
    return (uint32_t)store->body + 2u * store->cell;
}

uint32_t fer_store_offset(const fer_store *store, fer_place at)
{
    return at.slot * fer_store_slot_size(store);
}

uint8_t fer_store_destroyed(const fer_store *store)
{
    return (uint8_t)~store->nv.geometry->erased;
}

uint32_t fer_store_next_block(const fer_store *store, uint32_t block)
{
    return block + 1u < store->nv.geometry->block_count ? block + 1u : 0;
}

bool fer_store_is_last(const fer_store *store, fer_place at)
{
    return at.slot + 1u == store->slots;
}

fer_place fer_store_next(const fer_store *store, fer_place at)
{
    if (fer_store_is_last(store, at)) {
        return (fer_place){fer_store_next_block(store, at.block), 0};
    }
    return (fer_place){at.block, at.slot + 1u};
}

static uint32_t cell_offset(const fer_store *store, fer_place at, fer_cell cell)
{
    return fer_store_offset(store, at) + store->body + (cell == FER_CELL_D ? store->cell : 0u);
}

fer_status fer_store_slot_is_blank(const fer_store *store, fer_place at, bool *yes)
{
    return fer_store_is_blank(store, at.block, fer_store_offset(store, at),
                              fer_store_slot_size(store), yes);
}

fer_status fer_store_cell_is_blank(const fer_store *store, fer_place at, fer_cell cell, bool *yes)
{
    return fer_store_is_blank(store, at.block, cell_offset(store, at, cell), store->cell, yes);
}

static void write_mark(uint8_t *out, char letter)
{
    memcpy(out, "Ferrule", MARK - 1);
    out[MARK - 1] = (uint8_t)letter;
}

fer_status fer_store_cell_is(const fer_store *store, fer_place at, fer_cell cell, char letter,
                             bool *yes)
{
    uint8_t mark[MARK];

    write_mark(mark, letter);
    return compare(store, at.block, cell_offset(store, at, cell), MARK, mark, 0, yes);
}

fer_status fer_store_mark(fer_store *store, fer_place at, fer_cell cell, char letter)
{
    memset(store->page, store->nv.geometry->erased, store->cell);
    write_mark(store->page, letter);
    return fer_store_put(store, at.block, cell_offset(store, at, cell), store->cell);
}
