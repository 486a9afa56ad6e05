/* Ferrule: conformance, power cuts in front of the driver. */
#include "power.h"

void fer_conformance_power_on(kit_power *power, uint32_t at, kit_moment moment, bool keeps)
{
    power->changes = 0;
    power->calls = 0;
    power->at = at;
    power->moment = moment;
    power->keeps = keeps;
    power->off = false;
}

uint32_t fer_conformance_random(kit_power *power, uint32_t below)
{
    power->random = power->random * 1664525u + 1013904223u;
    return (power->random >> 8) % below;
}

/* ---- what a change leaves midway -------------------------------------------------------- */

static bool is_programmable(const kit_trial *kit, const uint8_t *bytes)
{
    if ((kit->geometry->flags & (unsigned)FER_NV_REWRITE) != 0) {
        return true;
    }
    for (uint32_t i = 0; i < kit->geometry->granule; i++) {
        if (bytes[i] != kit->geometry->erased) {
            return false;
        }
    }
    return true;
}

/* Each bit of a granule that was to change, either. Where the granule may be programmed only once,
 * or only to be destroyed, it stays as it was. */
static void tear_granule(kit_power *power, kit_place at, const uint8_t *in)
{
    kit_trial *kit = power->kit;
    uint8_t *run = kit->run + KIT_GUARD;

    if (!fer_conformance_read(kit, at, run, kit->geometry->granule) || !is_programmable(kit, run)) {
        return;
    }
    for (uint32_t i = 0; i < kit->geometry->granule; i++) {
        unsigned mask = fer_conformance_random(power, 256);
        run[i] = (uint8_t)((run[i] & mask) | (in[i] & ~mask));
    }
    (void)fer_conformance_program(kit, at, run, kit->geometry->granule);
}

static void tear_program(kit_power *power, kit_place at, const uint8_t *in, uint32_t n)
{
    uint32_t granule = power->kit->geometry->granule;
    uint32_t done = fer_conformance_random(power, n / granule) * granule;
    kit_place torn = {at.block, at.offset + done};

    if (done == 0 || fer_conformance_program(power->kit, at, in, done)) {
        tear_granule(power, torn, in + done);
    }
}

static void tear_erase(kit_power *power, uint32_t block)
{
    kit_trial *kit = power->kit;
    uint8_t *run = kit->run + KIT_GUARD;
    uint32_t granule = kit->geometry->granule;
    uint32_t most =
        kit->run_size < kit->geometry->block_size ? kit->run_size : kit->geometry->block_size;
    uint32_t n = (fer_conformance_random(power, most / granule) + 1u) * granule;
    kit_place at = {block, 0};

    if (fer_conformance_random(power, 2) == 0 || !fer_conformance_erase(kit, block)) {
        return;
    }
    at.offset =
        fer_conformance_random(power, (kit->geometry->block_size - n) / granule + 1u) * granule;
    for (uint32_t i = 0; i < n; i++) {
        run[i] = (uint8_t)fer_conformance_random(power, 256);
    }
    (void)fer_conformance_program(kit, at, run, n);
}

/* ---- the port --------------------------------------------------------------------------- */

/* Whether the store asks for what port.h lets it ask; nothing else reaches the driver. */
static bool is_right(kit_power *power, kit_place at, size_t n, uint32_t unit)
{
    const fer_nv_geometry *geometry = power->kit->geometry;

    fer_conformance_cover(power->kit, FER_CONFORMANCE_STORE_ASKS_RIGHT);
    if (at.block < geometry->block_count && n > 0 && at.offset <= geometry->block_size &&
        n <= geometry->block_size - at.offset && at.offset % unit == 0 && n % unit == 0) {
        return true;
    }
    fer_conformance_find_at(power->kit, FER_CONFORMANCE_STORE_ASKS_RIGHT, at, 0, (int32_t)n,
                            "The store asked for a range that port.h forbids: a fault of Ferrule.");
    return false;
}

/* The driver's answer to the store; a positive one is a finding all the same. */
static int pass_on(kit_power *power, kit_place at, int answer)
{
    if (answer > 0) {
        fer_conformance_find_at(power->kit, FER_CONFORMANCE_POSITIVE_ANSWER, at, FER_PORT_OK,
                                answer, "A call answered a positive number.");
    }
    return answer;
}

/* in: null for an erase. */
static int forward(kit_power *power, kit_place at, const uint8_t *in, uint32_t n)
{
    return pass_on(power, at,
                   in == 0 ? fer_conformance_ask_erase(power->kit, at.block)
                           : fer_conformance_ask_program(power->kit, at, in, n));
}

static int change(kit_power *power, kit_place at, const uint8_t *in, uint32_t n)
{
    bool now = power->changes == power->at;

    power->changes++;
    if (!now) {
        return forward(power, at, in, n);
    }
    if (power->moment == KIT_MIDWAY && in != 0) {
        tear_program(power, at, in, n);
    } else if (power->moment == KIT_MIDWAY) {
        tear_erase(power, at.block);
    } else if (power->moment == KIT_AFTER) {
        (void)forward(power, at, in, n);
    }
    power->off = !power->keeps;
    return FER_PORT_FAILED;
}

static int power_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    kit_power *power = context;
    kit_place at = {block, offset};

    power->calls++;
    if (!is_right(power, at, n, 1) || power->off) {
        return FER_PORT_FAILED;
    }
    return pass_on(power, at, fer_conformance_ask_read(power->kit, at, out, n));
}

static int power_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                         size_t n)
{
    kit_power *power = context;
    kit_place at = {block, offset};

    power->calls++;
    if (!is_right(power, at, n, power->kit->geometry->granule) || power->off) {
        return FER_PORT_FAILED;
    }
    return change(power, at, in, (uint32_t)n);
}

static int power_erase(void *context, uint32_t block)
{
    kit_power *power = context;
    kit_place at = {block, 0};

    power->calls++;
    if (!is_right(power, at, power->kit->geometry->block_size, 1) || power->off) {
        return FER_PORT_FAILED;
    }
    return change(power, at, 0, 0);
}

static int power_is_blank(void *context, uint32_t block, uint32_t offset, size_t n)
{
    kit_power *power = context;
    kit_place at = {block, offset};

    power->calls++;
    if (!is_right(power, at, n, 1) || power->off) {
        return FER_PORT_FAILED;
    }
    return fer_conformance_ask_blank(power->kit, at, n);
}

/* Has what the driver has: the store does otherwise without erase or blank check. */
fer_nv fer_conformance_power_nv(kit_power *power)
{
    static const struct fer_nv_ops tables[] = {
        {power_read, power_program, 0, 0},
        {power_read, power_program, power_erase, 0},
        {power_read, power_program, 0, power_is_blank},
        {power_read, power_program, power_erase, power_is_blank},
    };
    const fer_nv *nv = &power->kit->nv;
    unsigned table = (nv->ops->erase != 0 ? 1u : 0u) + (nv->ops->is_blank != 0 ? 2u : 0u);
    const fer_nv port = {&tables[table], nv->geometry, power};

    return port;
}
