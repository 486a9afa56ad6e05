/* What rots or wears out takes one copy of the chain, never the device: on media of four blocks and
 * more, any granule or block of one ring is damaged at any moment of a store's life, or a block
 * begins to fail at any of its operations.
 *
 * Whatever happened:   what powercut/store_life.h says holds at each burn (NONCE, WIPE);
 *                      one ring rotten: the store yields on, and is whole again afterwards, for
 * then the other ring may rot too; both rotten: it is closed (CLOSED); one block worn out: it
 * yields on; only a block that can neither be erased nor overwritten, with an entry in it that
 * still verifies, may close it. */
#include "powercut/store_life.h"

#include <string.h>

/* clang-format off */
static const subject subjects[] = {
    {SHAPE("nor, strict",            288, 4,   4, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, true},
    {SHAPE("ecc, zeros over, strict",432, 5,   8, 0xFF, FER_NV_OVERWRITE, 1, 0, 1), FER_STORE_STRICT, true},
    {SHAPE("write once, strict",     160, 6,   8, 0xFF, 0,                1, 1, 1), FER_STORE_STRICT, true},
    {SHAPE("write once, block",      432, 4,   8, 0xFF, 0,                1, 0, 1), FER_STORE_BLOCK, true},
    {SHAPE("erased to zero, block",  320, 4,  16, 0x00, 0,                1, 0, 0), FER_STORE_BLOCK, true},
    {SHAPE("erased to zero, strict", 288, 4,   4, 0x00, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, true},
    {SHAPE("eeprom, strict",         288, 4,   1, 0xFF, FER_NV_REWRITE,   0, 0, 0), FER_STORE_STRICT, true},
    {SHAPE("page of 512, strict",   1536, 4, 512, 0xFF, FER_NV_OVERWRITE, 1, 0, 0), FER_STORE_STRICT, true},
    {SHAPE("many blocks, block",     144, 9,   8, 0xFF, 0,                1, 1, 1), FER_STORE_BLOCK, true},
};
/* clang-format on */

static life sound;

static uint32_t block_size(void)
{
    return run.subject->shape.geometry.block_size;
}

/* The ring's first block, and that after its last. */
static uint32_t ring_begins(uint32_t ring)
{
    return ring * (run.subject->shape.geometry.block_count / 2);
}

static uint32_t ring_ends(uint32_t ring)
{
    return ring == 0 ? ring_begins(1) : run.subject->shape.geometry.block_count;
}

static void damage_ring(uint32_t ring, flash_rot rot)
{
    for (uint32_t block = ring_begins(ring); block < ring_ends(ring); block++) {
        flash_damage(&run.model, block * block_size(), block_size(), rot);
    }
}

static void live_for(const subject *chosen, uint32_t burns, bool maintains)
{
    begin(chosen, maintains);
    CHECK(install() == FER_OK);
    for (uint32_t i = 0; i < burns; i++) {
        CHECK(burn() == FER_OK);
        maintain();
    }
    sound = run;
}

/* ---- rot -------------------------------------------------------------------------------- */

/* A new boot yields; a read that is different each time may cost a call, but is only reported. */
static void yields_on(flash_rot rot)
{
    uint32_t failed = 0;

    flash_boot(&run.model, FLASH_OLD);
    open_store();
    for (uint32_t yielded = 0; yielded < 2;) {
        fer_status status = burn();

        failed += status != FER_OK;
        yielded += status == FER_OK;
        CHECK(failed <= (rot == FLASH_FLAKY ? 3u : 0u));
        if (status == FER_OK) {
            maintain();
        }
    }
}

/* The damage in one ring; then the other is lost; then both. */
static void damage(uint32_t ring, uint32_t at, uint32_t n, flash_rot rot)
{
    run = sound;
    cut_points++;
    flash_damage(&run.model, at, n, rot);
    yields_on(rot);
    damage_ring(1 - ring, rot);
    yields_on(rot);
    damage_ring(0, rot);
    damage_ring(1, rot);
    flash_boot(&run.model, FLASH_OLD);
    open_store();
    CHECK(burn() != FER_OK);
}

static void damage_each_place(uint32_t ring, flash_rot rot, uint32_t step)
{
    uint32_t granule = run.subject->shape.geometry.granule;

    for (uint32_t block = ring_begins(ring); block < ring_ends(ring); block++) {
        damage(ring, block * block_size(), block_size(), rot);
        for (uint32_t at = flash_random(&sound.model, step) * granule; at < block_size();
             at += step * granule) {
            damage(ring, block * block_size() + at, granule, rot);
        }
    }
    run = sound;
    damage_ring(ring, rot);
    yields_on(rot);
}

static void test_rot(void **state)
{
    const subject *chosen = *state;
    uint32_t granules = chosen->shape.geometry.block_size / chosen->shape.geometry.granule;
    uint32_t step = 1 + granules / (quick ? 3 : 12);
    uint64_t before = cut_points;

    begin(chosen, false);
    for (uint32_t burns = 0, all = burns_of_life(); burns < all; burns += quick ? 3 : 1) {
        live_for(chosen, burns, burns % 2 == 1);
        for (int rot = 0; rot < FLASH_ROTS; rot++) {
            damage_each_place(0, (flash_rot)rot, step);
            run = sound;
            damage_each_place(1, (flash_rot)rot, step);
            run = sound;
        }
    }
    print_message("%s: %llu damages\n", chosen->shape.name,
                  (unsigned long long)(cut_points - before));
}

/* Damage in both rings: whatever it leaves, no generation is yielded twice. */
static void test_rot_in_both(void **state)
{
    const subject *chosen = *state;
    uint32_t size = chosen->shape.geometry.block_size * chosen->shape.geometry.block_count;
    uint32_t granule = chosen->shape.geometry.granule;
    uint32_t yielded = 0;

    for (uint32_t i = 0; i < (quick ? 50u : 2000u); i++) {
        begin(chosen, false);
        run.model.random += i;
        live_for(chosen, i % burns_of_life(), i % 3 == 0);
        for (uint32_t damages = 2 + i % 5; damages > 0; damages--) {
            flash_damage(&run.model, flash_random(&run.model, size / granule) * granule, granule,
                         (flash_rot)flash_random(&run.model, FLASH_ROTS));
            cut_points++;
        }
        run.chances += 100; /* what rot stands for is lost */
        for (uint32_t boot = 0; boot < 3; boot++) {
            flash_boot(&run.model, any_look());
            open_store();
            yielded += burn() == FER_OK;
            yielded += burn() == FER_OK;
        }
    }
    CHECK(yielded > 0);
}

/* ---- wear ------------------------------------------------------------------------------- */

typedef struct toll {
    uint32_t lives;
    uint32_t closed;
} toll;

/* A block begins to fail at a change: what it held may be found unreadable, then that it does not
 * take more, but no three calls in a row fail, or the store is closed for good. The ring that still
 * works is lost in the end, which leaves nothing that leads back (NONCE). */
static void wear_out(const subject *chosen, uint32_t block, uint32_t from, flash_wear wear,
                     toll *sum)
{
    uint32_t failed = 0;

    begin(chosen, from % 2 == 1);
    CHECK(install() == FER_OK);
    run.model.wear = wear;
    run.model.worn_block = block;
    run.model.worn_from = run.model.age + from;
    cut_points++;
    for (uint32_t i = 0; i < burns_of_life() + 3; i++) {
        if (i % 4 == 3) {
            flash_boot(&run.model, FLASH_OLD);
            open_store();
            failed = 0; /* RAM forgets that the port failed */
        }
        fer_status status = burn();
        failed = status != FER_OK ? failed + 1 : 0;
        if (failed > 2) {
            CHECK(burn() != FER_OK);
            break;
        }
    }
    sum->lives++;
    sum->closed += failed > 2;
    damage_ring(block < ring_begins(1) ? 1 : 0, FLASH_NOISE);
    flash_boot(&run.model, FLASH_OLD);
    open_store();
    (void)!burn();
    (void)!burn();
}

static void test_wear(void **state)
{
    const subject *chosen = *state;
    toll tolls[FLASH_WEARS] = {{0, 0}};

    begin(chosen, false);
    live_for(chosen, burns_of_life(), false);
    const uint32_t changes = run.model.age;
    for (uint32_t from = 0; from < changes; from += quick ? 5 : 1) {
        for (uint32_t block = 0; block < chosen->shape.geometry.block_count; block++) {
            for (int wear = FLASH_DEAD; wear < FLASH_WEARS; wear++) {
                wear_out(chosen, block, from, (flash_wear)wear, &tolls[wear]);
            }
        }
    }
    print_message("%s: of %u lives each, closed: dead %u, half %u, stuck low %u, high %u\n",
                  chosen->shape.name, (unsigned)tolls[FLASH_DEAD].lives,
                  (unsigned)tolls[FLASH_DEAD].closed, (unsigned)tolls[FLASH_HALF].closed,
                  (unsigned)tolls[FLASH_STUCK_LOW].closed,
                  (unsigned)tolls[FLASH_STUCK_HIGH].closed);
    CHECK(tolls[FLASH_HALF].closed == 0);
    CHECK(tolls[FLASH_STUCK_LOW].closed == 0);
    CHECK(tolls[FLASH_STUCK_HIGH].closed == 0);
}

int main(void)
{
    static const kind kinds[] = {
        {"rot in one ring", test_rot}, {"rot in both", test_rot_in_both}, {"wear", test_wear}};

    return run_matrix("powercut_rot", subjects, sizeof subjects / sizeof subjects[0], kinds,
                      sizeof kinds / sizeof kinds[0]);
}
