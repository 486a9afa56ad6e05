#include "wrong_driver.h"

#include <string.h>

enum { WORD = 4, FENCE = 0x7E, LAG = 40, LITTLE_LAG = 6, COARSE = 16 };

static uint32_t region(const wrong_driver *driver)
{
    return driver->geometry.block_size * driver->geometry.block_count;
}

void wrong_driver_make(wrong_driver *driver, wrong kind, const fer_nv_geometry *geometry)
{
    memset(driver, 0, sizeof *driver);
    driver->kind = kind;
    driver->geometry = *geometry;
    driver->failing = -1;
    memset(driver->bytes, FENCE, sizeof driver->bytes);
    for (uint32_t i = 0; i < region(driver); i++) {
        driver->bytes[i] = (uint8_t)(i * 13 + 5);
    }
    memcpy(driver->before, driver->bytes, sizeof driver->before);
}

bool wrong_driver_fence_holds(const wrong_driver *driver)
{
    for (uint32_t i = region(driver); i < sizeof driver->bytes; i++) {
        if (driver->bytes[i] != FENCE) {
            return false;
        }
    }
    return true;
}

static uint32_t place(const wrong_driver *driver, uint32_t block, uint32_t offset)
{
    uint32_t size = driver->geometry.block_size;

    if (driver->kind == WRONG_BLOCK_ARITHMETIC) {
        size /= 2;
    }
    if (driver->kind == WRONG_ADDRESS_LINE) {
        offset &= ~128u;
    }
    return block * size + offset;
}

static bool is_inside(const wrong_driver *driver, uint32_t block, uint32_t offset, size_t n)
{
    uint32_t size = driver->geometry.block_size;

    return block < driver->geometry.block_count && offset <= size && n <= size - offset;
}

static bool ends_block(const wrong_driver *driver, uint32_t offset, size_t n)
{
    return offset + n == driver->geometry.block_size;
}

/* Whether this call is the one that fails, or finds the memory busy. */
static bool fails(wrong_driver *driver, fer_conformance_operation operation)
{
    bool now = driver->failing == (int)operation;

    driver->calls++;
    driver->failing = now ? -1 : driver->failing;
    return now || (driver->kind == WRONG_BUSY && driver->calls % 7 == 0);
}

static int failed(const wrong_driver *driver)
{
    if (driver->kind == WRONG_BUSY) {
        return FER_PORT_NOT_NOW;
    }
    return driver->kind == WRONG_FAILURE_SWALLOWED ? FER_PORT_OK : FER_PORT_FAILED;
}

/* ---- read ------------------------------------------------------------------------------- */

static int wrong_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    wrong_driver *driver = context;
    uint32_t at = place(driver, block, offset);

    if (fails(driver, FER_CONFORMANCE_READ)) {
        return failed(driver);
    }
    if (!is_inside(driver, block, offset, n)) {
        return driver->kind == WRONG_OUTSIDE_READ ? FER_PORT_OK : FER_PORT_FAILED;
    }
    if (driver->kind == WRONG_READ_REFUSES && ends_block(driver, offset, n)) {
        return FER_PORT_FAILED;
    }
    if (driver->kind == WRONG_READ_ALIGNS) {
        at -= at % WORD;
    }
    if (driver->kind == WRONG_READ_SHORT && n > 32) {
        n = 32;
    }
    memcpy(out, driver->bytes + at, n);
    if (driver->kind == WRONG_READ_OVERRUN && n % WORD != 0) {
        memcpy(out + n, driver->bytes + at + n, WORD - n % WORD);
    }
    return driver->kind == WRONG_READ_POSITIVE ? (int)n : FER_PORT_OK;
}

/* ---- program ---------------------------------------------------------------------------- */

static bool is_erased(const wrong_driver *driver, uint32_t at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (driver->bytes[at + i] != driver->geometry.erased) {
            return false;
        }
    }
    return true;
}

/* Flash clears (or sets) bits; EEPROM takes what it is given. */
static void put(wrong_driver *driver, uint32_t at, uint8_t in)
{
    if ((driver->geometry.flags & (unsigned)FER_NV_REWRITE) != 0) {
        driver->bytes[at] = in;
    } else if (driver->geometry.erased == 0xFF) {
        driver->bytes[at] &= in;
    } else {
        driver->bytes[at] |= in;
    }
}

static void put_granule(wrong_driver *driver, uint32_t at, const uint8_t *in)
{
    uint32_t granule = driver->geometry.granule;
    bool swaps = driver->kind == WRONG_PROGRAM_SWAPS;
    bool first = is_erased(driver, at, granule);

    if (driver->kind == WRONG_OVERWRITE_IGNORED && !first) {
        return;
    }
    for (uint32_t i = 0; i < granule; i++) {
        bool coupled =
            driver->kind == WRONG_BIT_COUPLED && i > 0 && in[i] == 0x55 && in[i - 1] == 0xAA;

        put(driver, at + i, coupled ? 0x54 : in[swaps ? i ^ 1u : i]);
    }
    if (driver->kind == WRONG_OVERWRITE_LAZY && first) {
        memcpy(driver->before + at, driver->bytes + at, granule);
    }
}

/* How many changes may not be durable yet. */
static uint32_t lag(const wrong_driver *driver)
{
    return driver->kind == WRONG_ROLLBACK          ? LAG
           : driver->kind == WRONG_ROLLBACK_LITTLE ? LITTLE_LAG
                                                   : 1;
}

/* What was changed before becomes durable; now and then only, with a rollback. */
static void begin_change(wrong_driver *driver)
{
    bool due = driver->changes % lag(driver) == 0 && driver->kind != WRONG_OVERWRITE_LAZY;

    if (due) {
        memcpy(driver->before, driver->bytes, sizeof driver->before);
    }
    driver->changes++;
}

/* Durable, unless drivers of this kind are lazy about it. */
static void end_change(wrong_driver *driver, wrong lazy)
{
    if (driver->kind != lazy && lag(driver) == 1 && driver->kind != WRONG_OVERWRITE_LAZY) {
        memcpy(driver->before, driver->bytes, sizeof driver->before);
    }
}

static void program(wrong_driver *driver, uint32_t at, const uint8_t *in, size_t n)
{
    static const uint8_t zeros[512];
    uint32_t granule = driver->geometry.granule;

    for (size_t i = 0; i < n; i += granule) {
        put_granule(driver, at + (uint32_t)i, in + i);
        if (driver->kind == WRONG_PROGRAM_ONE) {
            break;
        }
    }
    if (driver->kind == WRONG_PROGRAM_ACROSS && (at + n) / granule % 2 == 1) {
        put_granule(driver, at + (uint32_t)n, zeros);
    }
    if (driver->kind == WRONG_PROGRAM_BEFORE && at / granule % 2 == 1) {
        put_granule(driver, at - granule, zeros);
    }
}

static int wrong_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                         size_t n)
{
    wrong_driver *driver = context;
    uint32_t granule = driver->geometry.granule;

    if (fails(driver, FER_CONFORMANCE_PROGRAM)) {
        driver->programs[block]++;
        return failed(driver);
    }
    if (!is_inside(driver, block, offset, n)) {
        if (driver->kind == WRONG_OUTSIDE_PROGRAM) {
            memset(driver->bytes + region(driver), 0, granule);
            return FER_PORT_OK;
        }
        return FER_PORT_FAILED;
    }
    if (offset % granule != 0 || n % granule != 0) {
        return driver->kind == WRONG_MISALIGNED ? FER_PORT_OK : FER_PORT_FAILED;
    }
    driver->programs[block]++;
    if (driver->kind == WRONG_PROGRAM_REFUSES && ends_block(driver, offset, n)) {
        return FER_PORT_FAILED;
    }
    begin_change(driver);
    if (driver->kind != WRONG_PROGRAM_DROPS || !ends_block(driver, offset, n)) {
        program(driver, place(driver, block, offset), in, n);
    }
    end_change(driver, WRONG_PROGRAM_LAZY);
    return driver->kind == WRONG_PROGRAM_POSITIVE ? (int)n : FER_PORT_OK;
}

/* ---- erase ------------------------------------------------------------------------------ */

static void erase(wrong_driver *driver, uint32_t block)
{
    uint32_t size = driver->geometry.block_size;
    uint32_t other = (block + 1) % driver->geometry.block_count;
    uint32_t victim = driver->kind == WRONG_ERASE_OTHER ? other : block;
    uint32_t n = driver->kind == WRONG_ERASE_BYTE ? size - 1 : size;

    memset(driver->bytes + place(driver, victim, 0), driver->geometry.erased, n);
    if (driver->kind == WRONG_ERASE_NEXT) {
        driver->bytes[place(driver, other, 0)] = driver->geometry.erased;
    }
    if (driver->kind == WRONG_OVERWRITE_LAZY) {
        memset(driver->before + block * size, driver->geometry.erased, size);
    }
}

static int wrong_erase(void *context, uint32_t block)
{
    wrong_driver *driver = context;

    if (fails(driver, FER_CONFORMANCE_ERASE)) {
        driver->erases[block]++;
        return failed(driver);
    }
    if (!is_inside(driver, block, 0, driver->geometry.block_size)) {
        return FER_PORT_FAILED;
    }
    driver->erases[block]++;
    if (driver->kind == WRONG_ERASE_REFUSES && block == driver->geometry.block_count - 1) {
        return FER_PORT_FAILED;
    }
    begin_change(driver);
    erase(driver, block);
    end_change(driver, WRONG_ERASE_LAZY);
    return FER_PORT_OK;
}

/* ---- blank check ------------------------------------------------------------------------ */

static bool is_uniform(const wrong_driver *driver, uint32_t at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (driver->bytes[at + i] != driver->bytes[at]) {
            return false;
        }
    }
    return true;
}

static int wrong_is_blank(void *context, uint32_t block, uint32_t offset, size_t n)
{
    wrong_driver *driver = context;
    uint32_t at = place(driver, block, offset);

    driver->calls++;
    if (!is_inside(driver, block, offset, n)) {
        return FER_PORT_FAILED;
    }
    switch (driver->kind) {
    case WRONG_BLANK_ODD:
        return is_erased(driver, at, n) ? (int)n : 0;
    case WRONG_BLANK_ALWAYS:
        return 1;
    case WRONG_BLANK_NEVER:
        return 0;
    case WRONG_BLANK_FIRST:
        return is_erased(driver, at, driver->geometry.granule);
    case WRONG_BLANK_LAST:
        return is_erased(driver, at + (uint32_t)n - driver->geometry.granule,
                         driver->geometry.granule);
    case WRONG_BLANK_COARSE:
        return ends_block(driver, offset, n) ? is_erased(driver, at, n)
                                             : is_erased(driver, at, n / COARSE * COARSE);
    case WRONG_BLANK_UNIFORM:
        return is_uniform(driver, at, n);
    default:
        return is_erased(driver, at, n);
    }
}

fer_nv wrong_driver_nv(wrong_driver *driver, bool has_erase, bool has_is_blank)
{
    static const struct fer_nv_ops all = {wrong_read, wrong_program, wrong_erase, wrong_is_blank};
    static const struct fer_nv_ops no_blank = {wrong_read, wrong_program, wrong_erase, NULL};
    static const struct fer_nv_ops no_erase = {wrong_read, wrong_program, NULL, NULL};

    return (fer_nv){!has_erase     ? &no_erase
                    : has_is_blank ? &all
                                   : &no_blank,
                    &driver->geometry, driver};
}

/* ---- reopen ----------------------------------------------------------------------------- */

bool wrong_driver_reopen(wrong_driver *driver)
{
    driver->reopens++;
    switch (driver->kind) {
    case WRONG_REOPEN:
        return false;
    case WRONG_ERASE_LAZY:
    case WRONG_PROGRAM_LAZY:
    case WRONG_OVERWRITE_LAZY:
        memcpy(driver->bytes, driver->before, region(driver));
        break;
    case WRONG_ROLLBACK:
    case WRONG_ROLLBACK_LITTLE:
        if (driver->reopens > 20) {
            memcpy(driver->bytes, driver->before, region(driver));
        }
        break;
    case WRONG_FORGETS:
        if (driver->reopens == 20) {
            memset(driver->bytes, driver->geometry.erased, region(driver));
        }
        break;
    case WRONG_MIXED_UP:
        if (driver->reopens == 20) {
            memcpy(driver->bytes, driver->other, region(driver));
        }
        break;
    default:
        break;
    }
    return true;
}
