#include "port.h"

/* ---- entropy: needed by handshakes alone ------------------------------------------------ */

/* FILL IN: read the board's hardware generator until out holds n bytes. Answer FER_PORT_OK only if
 * its health tests passed. Never fall back on rand, a timer, an ADC pin or the unique id. */
static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    (void)out;
    (void)n;
    return FER_PORT_FAILED;
}

/* ---- clock ------------------------------------------------------------------------------ */

/* FILL IN: milliseconds since start. Extend a 32-bit tick to 64 bits here, with interrupts masked,
 * if callers include interrupts. It must not go back before the next reset. */
static int monotonic_ms(void *context, uint64_t *ms)
{
    (void)context;
    (void)ms;
    return FER_PORT_FAILED;
}

/* FILL IN, or set to null in the table below: UTC from a battery-backed clock, GNSS or the network.
 * Until it was set since power-on, answer FER_PORT_UNKNOWN. */
static int unix_ms(void *context, int64_t *ms)
{
    (void)context;
    (void)ms;
    return FER_PORT_UNKNOWN;
}

/* ---- lock ------------------------------------------------------------------------------- */

/* FILL IN, if interrupts or tasks call fer_device_record, and return the table from template_lock:
 *
 *     mask     save PRIMASK or BASEPRI, mask, and return what was saved; must nest
 *     unmask   restore it
 *     take     lock a mutex of your kernel
 *     give     unlock it
 *
 * Without a table nothing is locked, which is right only where one context makes all calls. A lock
 * that only pretends to lock would be worse than none, so there is none here. */

/* ---- non-volatile memory ---------------------------------------------------------------- */

/* FILL IN from the data sheet. Give Ferrule blocks that nothing else writes, the linker script and
 * the firmware updater included. */
static const fer_nv_geometry geometry = {
    4096, /* block_size: the smallest range that one erase covers */
    2,    /* block_count: two at least; more of them wear more slowly */
    8,    /* granule: the smallest unit that one program operation writes, with its ECC */
    0xFF, /* erased: what erased bytes read as */
    0     /* flags: FER_NV_OVERWRITE only if programmed granules may be programmed to all zeros */
};

/* FILL IN: copy n bytes. Where ECC reports an uncorrectable error, answer FER_PORT_UNCORRECTABLE
 * instead of faulting: the handler must step over the load. */
static int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    (void)context;
    (void)block;
    (void)offset;
    (void)out;
    (void)n;
    return FER_PORT_FAILED;
}

/* FILL IN: program n bytes, wait until the controller is idle, check its error flags, invalidate
 * caches over the range. Supply too low to finish: FER_PORT_NOT_NOW before anything is touched. */
static int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    (void)context;
    (void)block;
    (void)offset;
    (void)in;
    (void)n;
    return FER_PORT_FAILED;
}

/* FILL IN: erase one block, with the same waits and checks. */
static int nv_erase(void *context, uint32_t block)
{
    (void)context;
    (void)block;
    return FER_PORT_FAILED;
}

/* ---- tables ----------------------------------------------------------------------------- */

fer_entropy template_entropy(void)
{
    static const struct fer_entropy_ops ops = {fill};
    const fer_entropy entropy = {&ops, NULL};
    return entropy;
}

fer_clock template_clock(void)
{
    static const struct fer_clock_ops ops = {monotonic_ms, unix_ms};
    const fer_clock clock = {&ops, NULL};
    return clock;
}

fer_lock template_lock(void)
{
    const fer_lock lock = {NULL, NULL};
    return lock;
}

/* The last member may be a function that reads with the margin of an erase check, if the controller
 * has one: it lets the store trust a block that reads as erased, and so saves erases. */
fer_nv template_nv(void)
{
    static const struct fer_nv_ops ops = {nv_read, nv_program, nv_erase, NULL};
    const fer_nv nv = {&ops, &geometry, NULL};
    return nv;
}
