/* Tests: store, a cut and rot together. What a cut has torn may read differently at each boot; if
 * then the newest entry rots as well, what is left must not lead back (NONCE), whatever else it
 * costs. Cuts alone: tests/powercut/powercut_store.c; rot alone: powercut_rot.c. */
#include <stdlib.h>

#include "store_kit.h"

static const flash_shape one_slot = {"one slot", {SLOT, 2, 8, 0xFF, 0}, true, false, true};
static const flash_shape three = {"three", {SLOT, 3, 8, 0xFF, 0}, true, false, true};
static const flash_shape rewritten = {
    "eeprom", {BLOCK, 2, 8, 0xFF, FER_NV_REWRITE}, false, false, false};

/* With FERRULE_QUICK, and on an emulated target, one pair of looks: a D that reads as written, then
 * as blank. */
static int first_looks, step = 1;

static void choose_looks(void)
{
#if defined(__linux__)
    if (getenv("FERRULE_QUICK") == NULL) {
        return;
    }
#endif
    first_looks = FLASH_NEW * FLASH_LOOKS + FLASH_OLD;
    step = FLASH_LOOKS * FLASH_LOOKS;
}

/* A life of one cut: what it yielded last, and how often it went on afterwards. */
typedef struct course {
    const flash_shape *shape;
    fer_store_policy policy;
    flash_look first; /* how torn granules read after the cut, */
    flash_look then;  /* and after the rot */
    uint32_t yielded;
} course;

static bool burn(fer_store *store, int64_t *highest)
{
    fer_credential credential;
    fer_credential_info info;

    if (fer_store_burn(store, &credential) != FER_OK) {
        return false;
    }
    assert_int_equal(FER_OK, fer_credential_get_info(&credential, &info));
    assert_true(info.generation > *highest);
    *highest = info.generation;
    return true;
}

/* The slot with the highest entry. */
static uint32_t find_newest(int64_t highest)
{
    uint32_t slots = flash_size(&model) / SLOT;

    for (uint32_t slot = 0; slot < slots; slot++) {
        if (memcmp(model.bytes + slot * SLOT, "Fr", 2) == 0 &&
            model.bytes[slot * SLOT + 4] == highest + 1) {
            return slot * SLOT;
        }
    }
    return slots * SLOT;
}

/* Burns, is cut at a change, burns once more, loses a granule of the newest slot. False where the
 * cut lies beyond the burn. */
static bool live(course *way, uint32_t burns, uint32_t cut_at, uint32_t granule)
{
    static const flash_rot rots[] = {FLASH_NOISE, FLASH_ZEROS, FLASH_LOST};
    int64_t highest = (int64_t)burns - 1;
    fer_store *store = used(way->shape, way->policy, burns);

    flash_boot(&model, FLASH_OLD);
    model.cut_at = cut_at;
    model.cut_moment = FLASH_MIDWAY;
    model.cut_prefix = granule;
    store = reopen(way->policy);
    if (burn(store, &highest)) {
        return false;
    }
    flash_boot(&model, way->first);
    if (burn(reopen(way->policy), &highest)) {
        uint32_t at = find_newest(highest);
        if (at < flash_size(&model)) {
            flash_damage(&model, at + 8 * granule, 8, rots[(burns + cut_at) % 3]);
        }
    }
    flash_boot(&model, way->then);
    store = reopen(way->policy);
    for (int i = 0; i < 3; i++) {
        way->yielded += burn(store, &highest);
    }
    return true;
}

static void live_all(const flash_shape *shape, fer_store_policy policy)
{
    course way = {shape, policy, FLASH_OLD, FLASH_OLD, 0};
    uint32_t turn = 2 * shape->geometry.block_count * (shape->geometry.block_size / SLOT) + 2;

    for (int looks = first_looks; looks < FLASH_LOOKS * FLASH_LOOKS; looks += step) {
        way.first = (flash_look)(looks / FLASH_LOOKS);
        way.then = (flash_look)(looks % FLASH_LOOKS);
        for (uint32_t burns = 0; burns < turn; burns++) {
            for (uint32_t granule = 0; granule < SLOT / 8; granule += 1 + burns % 3) {
                for (uint32_t at = 0; live(&way, burns, at, granule); at++) {
                }
            }
        }
    }
    assert_in_range(way.yielded, 20, UINT32_MAX);
}

static void test_a_cut_and_rot_never_lead_back(void **state)
{
    (void)state;
    live_all(&once, FER_STORE_BLOCK);
    live_all(&one_slot, FER_STORE_BLOCK);
    live_all(&three, FER_STORE_BLOCK);
    live_all(&rewritten, FER_STORE_BLOCK);
    live_all(&one_slot, FER_STORE_STRICT);
    live_all(&nor, FER_STORE_STRICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cut_and_rot_never_lead_back),
    };

    choose_looks();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
