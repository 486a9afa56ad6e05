#include "powercut/flash_model.h"

#include <stddef.h>
#include <string.h>

enum { FLAKY = 2 };

static const fer_nv_geometry *geometry_of(const flash *model)
{
    return &model->shape->geometry;
}

uint32_t flash_size(const flash *model)
{
    return geometry_of(model)->block_size * geometry_of(model)->block_count;
}

uint32_t flash_random(flash *model, uint32_t below)
{
    model->random = model->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(model->random >> 33) % below;
}

void flash_make(flash *model, const flash_shape *shape, uint64_t seed)
{
    memset(model, 0, sizeof *model);
    model->shape = shape;
    model->random = seed;
    model->cut_at = FLASH_NEVER;
    model->fail_at = FLASH_NEVER;
    memset(model->bytes, shape->geometry.erased, sizeof model->bytes);
}

static uint8_t torn_byte(flash *model, uint32_t at, flash_look look)
{
    uint8_t mask = (uint8_t)flash_random(model, 256);

    switch (look) {
    case FLASH_OLD:
        return model->old[at];
    case FLASH_NEW:
        return model->target[at];
    case FLASH_MIXED:
        return (uint8_t)((model->old[at] & mask) | (model->target[at] & ~mask));
    default:
        return mask;
    }
}

/* Draws what one torn granule reads as. */
static void draw(flash *model, uint32_t granule, flash_look look)
{
    uint32_t size = geometry_of(model)->granule;

    for (uint32_t at = granule * size; at < (granule + 1) * size; at++) {
        model->bytes[at] = torn_byte(model, at, look);
    }
    model->unreadable[granule] = look == FLASH_UNREADABLE && model->shape->has_ecc;
}

void flash_boot(flash *model, flash_look look)
{
    for (uint32_t granule = 0; granule < flash_size(model) / geometry_of(model)->granule;
         granule++) {
        if (model->torn[granule]) {
            draw(model, granule, look);
            model->torn[granule] = !model->settles;
        }
    }
    model->off = false;
    model->changes = 0;
    model->calls = 0;
    model->touched = 0;
    model->cut_at = FLASH_NEVER;
    model->fail_at = FLASH_NEVER;
}

static bool holds(const flash *model, uint32_t at, uint32_t n, uint8_t value)
{
    for (uint32_t i = 0; i < n; i++) {
        if (model->bytes[at + i] != value) {
            return false;
        }
    }
    return true;
}

/* Whether the medium lets this granule be programmed with these bytes. */
static bool is_allowed(const flash *model, uint32_t at, const uint8_t *in)
{
    const fer_nv_geometry *geometry = geometry_of(model);
    uint8_t opposite = (uint8_t)~geometry->erased;

    if ((geometry->flags & (unsigned)FER_NV_REWRITE) != 0 ||
        (!model->unreadable[at / geometry->granule] &&
         holds(model, at, geometry->granule, geometry->erased))) {
        return true;
    }
    for (uint32_t i = 0; i < geometry->granule; i++) {
        if (in[i] != opposite) {
            return false;
        }
    }
    return (geometry->flags & (unsigned)FER_NV_OVERWRITE) != 0;
}

static uint8_t combine(const flash *model, uint8_t before, uint8_t in)
{
    if ((geometry_of(model)->flags & (unsigned)FER_NV_REWRITE) != 0) {
        return in;
    }
    return geometry_of(model)->erased == 0xFF ? before & in : before | in;
}

/* One granule from what it is to in (or erased, where in is null): completely, or torn. */
static void change_granule(flash *model, uint32_t at, const uint8_t *in, bool completely)
{
    const fer_nv_geometry *geometry = geometry_of(model);
    uint32_t granule = at / geometry->granule;

    for (uint32_t i = 0; i < geometry->granule; i++) {
        uint8_t after = in != NULL ? combine(model, model->bytes[at + i], in[i]) : geometry->erased;
        model->old[at + i] = model->bytes[at + i];
        model->target[at + i] = after;
        model->bytes[at + i] = after;
    }
    model->unreadable[granule] = false;
    model->torn[granule] = !completely;
    if (!completely) {
        draw(model, granule, FLASH_MIXED);
    }
}

/* Applies a change of n bytes from `at`, wholly or up to and into granule `stop`. */
static void apply(flash *model, uint32_t at, const uint8_t *in, uint32_t n, uint32_t stop)
{
    uint32_t size = geometry_of(model)->granule;

    for (uint32_t i = 0; i < n / size && i <= stop; i++) {
        change_granule(model, at + i * size, in != NULL ? in + i * size : NULL, i != stop);
    }
}

/* An erase stops everywhere at once as often as at one place. */
static void tear_erase(flash *model, uint32_t at, uint32_t n, uint32_t prefix)
{
    uint32_t size = geometry_of(model)->granule;

    if (prefix % 2 == 1) {
        apply(model, at, NULL, n, prefix / 2 % (n / size));
        return;
    }
    for (uint32_t i = 0; i < n; i += size) {
        change_granule(model, at + i, NULL, false);
    }
}

static void tear(flash *model, uint32_t at, const uint8_t *in, uint32_t n)
{
    if (in == NULL) {
        tear_erase(model, at, n, model->cut_prefix);
    } else {
        apply(model, at, in, n, model->cut_prefix % (n / geometry_of(model)->granule));
    }
}

/* True where this call is the one that fails. */
static bool fails_now(flash *model)
{
    return model->calls++ == model->fail_at;
}

static bool is_worn(const flash *model, uint32_t at)
{
    return model->wear != FLASH_SOUND && model->age >= model->worn_from &&
           at / geometry_of(model)->block_size == model->worn_block;
}

/* A byte as reads see it. */
static uint8_t see(flash *model, uint32_t at)
{
    uint8_t stuck = at % geometry_of(model)->granule == 0 && is_worn(model, at) ? 0x10 : 0;

    if (model->unreadable[at / geometry_of(model)->granule] == FLAKY) {
        return (uint8_t)flash_random(model, 256);
    }
    if (model->wear == FLASH_STUCK_LOW) {
        return (uint8_t)(model->bytes[at] & ~stuck);
    }
    return model->wear == FLASH_STUCK_HIGH ? model->bytes[at] | stuck : model->bytes[at];
}

void flash_damage(flash *model, uint32_t at, uint32_t n, flash_rot rot)
{
    uint32_t granule = geometry_of(model)->granule;

    for (uint32_t i = at; i < at + n; i++) {
        uint8_t noise = (uint8_t)flash_random(model, 256);

        model->bytes[i] = rot == FLASH_ZEROS ? 0x00 : rot == FLASH_ONES ? 0xFF : noise;
        model->unreadable[i / granule] = rot == FLASH_LOST ? 1 : rot == FLASH_FLAKY ? FLAKY : 0;
        model->torn[i / granule] = false;
    }
    model->damaged |= rot == FLASH_FLAKY;
}

static int violate(flash *model)
{
    model->violations++;
    return FER_PORT_FAILED;
}

/* What a worn-out block is left with stays as it is. */
static int wear_out(flash *model, uint32_t at, const uint8_t *in, uint32_t n)
{
    if (model->wear == FLASH_HALF) {
        tear(model, at, in, n);
        memset(model->torn + at / geometry_of(model)->granule, 0, n / geometry_of(model)->granule);
    }
    return FER_PORT_FAILED;
}

static int change(flash *model, uint32_t at, const uint8_t *in, uint32_t n)
{
    bool cut = model->changes == model->cut_at;

    model->age++;
    if (in == NULL) {
        model->erases[at / geometry_of(model)->block_size]++;
    } else {
        model->programs++;
    }
    if (is_worn(model, at) && (model->wear == FLASH_DEAD || model->wear == FLASH_HALF)) {
        return wear_out(model, at, in, n);
    }

    if (fails_now(model)) {
        if (model->fail_midway) {
            model->touched++;
            tear(model, at, in, n);
        }
        return model->fail_answer;
    }
    model->changes++;
    model->off = cut;
    if (cut && model->cut_moment == FLASH_BEFORE) {
        return FER_PORT_FAILED;
    }
    model->touched++;
    if (cut && model->cut_moment == FLASH_MIDWAY) {
        tear(model, at, in, n);
        return FER_PORT_FAILED;
    }
    apply(model, at, in, n, FLASH_NEVER);
    return cut ? FER_PORT_FAILED : FER_PORT_OK;
}

static bool is_inside(const flash *model, uint32_t block, uint32_t offset, size_t n)
{
    const fer_nv_geometry *geometry = geometry_of(model);

    return block < geometry->block_count && n > 0 && offset <= geometry->block_size &&
           n <= geometry->block_size - offset;
}

static int model_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    flash *model = context;
    uint32_t at = block * geometry_of(model)->block_size + offset;

    if (!is_inside(model, block, offset, n)) {
        return violate(model);
    }
    if (model->off || fails_now(model)) {
        return model->off ? FER_PORT_FAILED : model->fail_answer;
    }
    memset(out, 0x5A, n); /* undefined where the answer is not 0 */
    const uint32_t size = geometry_of(model)->granule;
    for (uint32_t granule = at / size; granule <= (at + (uint32_t)n - 1) / size; granule++) {
        if (model->unreadable[granule] == 1) {
            return FER_PORT_UNCORRECTABLE;
        }
    }
    memcpy(out, model->bytes + at, n);
    for (uint32_t i = 0; i < n && (model->damaged || model->wear != FLASH_SOUND); i++) {
        out[i] = see(model, at + i);
    }
    return FER_PORT_OK;
}

static int model_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in,
                         size_t n)
{
    flash *model = context;
    uint32_t size = geometry_of(model)->granule;
    uint32_t at = block * geometry_of(model)->block_size + offset;

    if (!is_inside(model, block, offset, n) || offset % size != 0 || n % size != 0) {
        return violate(model);
    }
    if (model->off) {
        return FER_PORT_FAILED;
    }
    for (uint32_t i = 0; i < n; i += size) {
        if (!is_allowed(model, at + i, in + i)) {
            return violate(model);
        }
    }
    return change(model, at, in, (uint32_t)n);
}

static int model_erase(void *context, uint32_t block)
{
    flash *model = context;
    uint32_t size = geometry_of(model)->block_size;

    if (block >= geometry_of(model)->block_count) {
        return violate(model);
    }
    return model->off ? FER_PORT_FAILED : change(model, block * size, NULL, size);
}

static int model_is_blank(void *context, uint32_t block, uint32_t offset, size_t n)
{
    flash *model = context;
    uint32_t at = block * geometry_of(model)->block_size + offset;

    if (!is_inside(model, block, offset, n)) {
        return violate(model);
    }
    if (model->off || fails_now(model)) {
        return model->off ? FER_PORT_FAILED : model->fail_answer;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t granule = (at + i) / geometry_of(model)->granule;

        if (model->torn[granule] || model->unreadable[granule] ||
            see(model, at + i) != geometry_of(model)->erased) {
            return 0;
        }
    }
    return 1;
}

fer_nv flash_nv(flash *model)
{
    static const struct fer_nv_ops all = {model_read, model_program, model_erase, model_is_blank};
    static const struct fer_nv_ops no_blank = {model_read, model_program, model_erase, NULL};
    static const struct fer_nv_ops no_erase = {model_read, model_program, NULL, NULL};
    const flash_shape *shape = model->shape;
    const struct fer_nv_ops *ops = !shape->has_erase     ? &no_erase
                                   : shape->has_is_blank ? &all
                                                         : &no_blank;

    return (fer_nv){ops, &shape->geometry, model};
}
