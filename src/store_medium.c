/* Ferrule: store, the medium: bytes, slots and cells over the nv port. Nothing is believed to be
 * written before it was read back. */
#include <string.h>

#include "crypto/crypto.h"
#include "internal/store.h"
#include "internal/wipe.h"

enum { CHUNK = 32, MARK = 8, UNREADABLE = 0xA5 };

fer_status fer_store_judge(int answer)
{
    if (answer == FER_PORT_OK) {
        return FER_OK;
    }
    return answer == FER_PORT_NOT_NOW ? FER_NOT_NOW : FER_TROUBLE_STORAGE;
}

/* Whether the port did what it was asked. */
FER_COLD static bool check(fer_store *store, int answer)
{
    fer_store_fail(store, fer_store_judge(answer));
    return answer == FER_PORT_OK;
}

static uint32_t block_number(const fer_store *store, fer_address at)
{
    return at / store->block_size;
}

static uint32_t offset_of(const fer_store *store, fer_address at)
{
    return at % store->block_size;
}

bool fer_store_read(fer_store *store, fer_address at, uint8_t *out, size_t n)
{
    if (store->ring.status != FER_OK) {
        return false;
    }
    int answer = store->nv.ops->read(store->nv.context, block_number(store, at),
                                     offset_of(store, at), out, n);
    if (answer == FER_PORT_UNCORRECTABLE) {
        memset(out, UNREADABLE, n);
        return true;
    }
    return check(store, answer);
}

/* Whether n bytes are those of the page, which repeats. Stops at the first chunk that differs:
 * that tells of the medium's faults, not of what it holds. */
static bool is_page(fer_store *store, fer_address at, uint32_t n)
{
    uint8_t chunk[CHUNK];
    bool same = true;

    for (uint32_t i = 0; i < n && same; i += CHUNK) {
        uint32_t size = n - i < CHUNK ? n - i : CHUNK;
        const uint8_t *expected = store->page + (i & (store->body - 1u));

        same =
            fer_store_read(store, at + i, chunk, size) && fer_crypto_equal(chunk, expected, size);
    }
    fer_wipe(chunk, sizeof chunk);
    return same;
}

FER_COLD void fer_store_set_page(fer_store *store, uint8_t value)
{
    memset(store->page, value, store->body);
}

bool fer_store_holds(fer_store *store, fer_address at, uint32_t n, uint8_t value)
{
    fer_store_set_page(store, value);
    return is_page(store, at, n);
}

bool fer_store_is_blank(fer_store *store, fer_address at, uint32_t n)
{
    if (store->nv.ops->is_blank == 0) {
        return fer_store_holds(store, at, n, store->erased);
    }
    if (store->ring.status != FER_OK) {
        return false;
    }
    int answer = store->nv.ops->is_blank(store->nv.context, block_number(store, at),
                                         offset_of(store, at), n);
    if (answer != 0 && answer != 1 && answer != FER_PORT_UNCORRECTABLE) {
        (void)check(store, answer);
    }
    return answer == 1;
}

void fer_store_put(fer_store *store, fer_address at, uint32_t n)
{
    for (uint32_t i = 0; i < n && store->ring.status == FER_OK; i += store->body) {
        uint32_t size = n - i < store->body ? n - i : store->body;

        (void)check(store, store->nv.ops->program(store->nv.context, block_number(store, at + i),
                                                  offset_of(store, at + i), store->page, size));
    }
    if (!is_page(store, at, n)) {
        fer_store_fail(store, FER_TROUBLE_STORAGE);
    }
}

void fer_store_fill(fer_store *store, fer_address at, uint32_t n, uint8_t value)
{
    fer_store_set_page(store, value);
    fer_store_put(store, at, n);
}

void fer_store_erase(fer_store *store, fer_address block)
{
    uint32_t size = store->block_size;

    if (store->nv.ops->erase == 0) {
        fer_store_fill(store, block, size, store->erased);
    } else if (store->ring.status == FER_OK) {
        (void)check(store, store->nv.ops->erase(store->nv.context, block_number(store, block)));
    }
    if (!fer_store_is_blank(store, block, size)) {
        fer_store_fail(store, FER_TROUBLE_STORAGE);
    }
}

fer_address fer_store_block_of(const fer_store *store, fer_address at)
{
    return at - offset_of(store, at);
}

fer_address fer_store_next_block(const fer_store *store, fer_address at)
{
    fer_address next = fer_store_block_of(store, at) + store->block_size;

    return next == store->ring.limit ? store->ring.base : next;
}

bool fer_store_is_last(const fer_store *store, fer_address at)
{
    return offset_of(store, at) == store->end;
}

fer_address fer_store_next(const fer_store *store, fer_address at)
{
    return fer_store_is_last(store, at) ? fer_store_next_block(store, at) : at + store->slot;
}

fer_address fer_store_v(const fer_store *store, fer_address at)
{
    return at + store->body;
}

fer_address fer_store_d(const fer_store *store, fer_address at)
{
    return fer_store_v(store, at) + store->cell;
}

FER_COLD bool fer_store_has_d(fer_store *store, fer_address at)
{
    return !fer_store_is_blank(store, fer_store_d(store, at), store->cell);
}

/* A whole page, though a cell takes less of it. */
static void write_mark(fer_store *store, char letter)
{
    fer_store_set_page(store, store->erased);
    memcpy(store->page, "Ferrule", MARK - 1);
    store->page[MARK - 1] = (uint8_t)letter;
}

bool fer_store_is_marked(fer_store *store, fer_address cell, char letter)
{
    write_mark(store, letter);
    return is_page(store, cell, MARK);
}

void fer_store_mark(fer_store *store, fer_address cell, char letter)
{
    write_mark(store, letter);
    fer_store_put(store, cell, store->cell);
}
