#include "powercut/store_life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal/credential.h"
#include "powercut/true_chain.h"

enum { TESTS_MAX = 200 };

life run;
uint64_t seed = 1;
uint64_t cut_points;
bool quick;
bool whole;

static fer_arena_cell storage[(FER_STORE_SIZE(512) + FER_STORE_MIRROR_SIZE) / FER_ARENA_ALIGN];

void explain(const char *what)
{
    print_error("%s: %s, highest yielded %d; rerun with FERRULE_SEED=%llu\n",
                run.subject->shape.name, what, (int)run.highest, (unsigned long long)seed);
}

/* ---- WIPE ------------------------------------------------------------------------------- */

/* In what is read, and in what torn granules were and were to be, but for those of a block that is
 * worn out: nothing completes there. */
static void check_wiped(void)
{
    static uint8_t image[FLASH_BYTES];
    uint32_t granule = run.subject->shape.geometry.granule;
    uint32_t size = flash_size(&run.model);
    bool torn = false;

    memcpy(image, run.model.bytes, size);
    if (run.model.wear != FLASH_SOUND) {
        uint32_t block = run.subject->shape.geometry.block_size;
        memset(image + run.model.worn_block * block, 0, block);
    }
    CHECK(!true_chain_is_in(image, size, (uint32_t)run.highest));
    for (uint32_t at = 0; at < size; at += granule) {
        if (run.model.torn[at / granule] && run.model.wear == FLASH_SOUND) {
            memcpy(image + at, run.model.old + at, granule);
            torn = true;
        }
    }
    CHECK(!torn || !true_chain_is_in(image, size, (uint32_t)run.highest));
    for (uint32_t at = 0; torn && at < size; at += granule) {
        if (run.model.torn[at / granule]) {
            memcpy(image + at, run.model.target + at, granule);
        }
    }
    CHECK(!torn || !true_chain_is_in(image, size, (uint32_t)run.highest));
}

/* ---- one life --------------------------------------------------------------------------- */

static int counter_read(void *context, uint32_t *value)
{
    const life *one = context;

    *value = one->counter;
    return one->model.off ? FER_PORT_FAILED : FER_PORT_OK;
}

static int counter_raise(void *context, uint32_t value)
{
    life *one = context;

    if (one->model.off) {
        return FER_PORT_FAILED;
    }
    one->counter = value > one->counter ? value : one->counter;
    return FER_PORT_OK;
}

void open_store(void)
{
    static const struct fer_counter_ops counter_ops = {counter_read, counter_raise};
    static const fer_counter counter = {&counter_ops, &run};
    fer_store_config config = {flash_nv(&run.model), run.subject->policy,
                               run.maintains ? &counter : NULL,
                               run.subject->mirror ? &fer_store_mirror : NULL};

    assert_int_equal(FER_OK,
                     fer_arena_init(&run.arena, storage, sizeof storage / sizeof storage[0]));
    assert_int_equal(FER_OK, fer_store_create(&run.arena, &config, &run.store));
}

void begin(const subject *chosen, bool maintains)
{
    run.subject = chosen;
    run.installed = false;
    run.maintains = maintains;
    run.counter = 0;
    run.highest = -1;
    run.chances = 0;
    run.may_close = false;
    run.closed = false;
    flash_make(&run.model, &chosen->shape, seed);
    open_store();
}

uint32_t slots_in_block(void)
{
    const fer_nv_geometry *geometry = &run.subject->shape.geometry;
    uint32_t granule = geometry->granule;
    uint32_t slot = (granule > 128 ? granule : 128) + 2 * (granule > 8 ? granule : 8);

    return geometry->block_size / slot;
}

static uint32_t call_bound(void)
{
    const fer_nv_geometry *geometry = &run.subject->shape.geometry;

    return 8 * (geometry->block_size / 32 + 8) * geometry->block_count + 64;
}

fer_status burn(void)
{
    fer_credential credential;
    fer_credential_info info;
    uint32_t calls = run.model.calls;
    fer_status status = fer_store_burn(run.store, &credential);

    run.chances++;
    CHECK(run.model.calls - calls <= call_bound());
    CHECK(run.model.violations == 0);
    if (status != FER_OK) {
        for (size_t i = 0; i < sizeof credential.bytes; i++) {
            CHECK(credential.bytes[i] == 0);
        }
        return status;
    }
    CHECK(!run.model.off);
    CHECK(fer_credential_get_info(&credential, &info) == FER_OK);
    CHECK(info.generation > run.highest || run.highest < 0);
    CHECK(info.generation < TRUE_CHAIN_LENGTH - 1);
    CHECK(memcmp(&credential, &truth[info.generation], sizeof credential) == 0);
    run.highest = info.generation;
    CHECK(!run.maintains || run.counter == info.generation + 1);
    /* A burn that failed loses at most what garbage from an erase in a block may stand for. */
    CHECK(info.generation < run.chances * (slots_in_block() + 1));
    if (run.subject->policy == FER_STORE_STRICT) {
        check_wiped();
    }
    return status;
}

fer_status install(void)
{
    fer_credential credential = truth[0];
    fer_status status = fer_store_install(run.store, &credential);

    CHECK(run.model.violations == 0);
    CHECK((status == FER_OK) == (memcmp(&credential, &truth[0], sizeof credential) != 0));
    run.installed |= status == FER_OK;
    return status;
}

/* A store whose install was cut short works, or takes an install again, or (after a second cut)
 * says that it is in trouble; it never yields from nothing. True where it can go on. */
static bool resume_install(void)
{
    fer_credential_info info;
    fer_status status = fer_store_get_info(run.store, &info);

    if (run.model.off || status == FER_OK) {
        return !run.model.off;
    }
    CHECK(status == FER_RENEW_MISSING || status == FER_TROUBLE_STATE);
    CHECK(burn() == status);
    fer_status again = install();
    CHECK(run.model.off || again == FER_OK ||
          (again == FER_ERR_ORDER && status == FER_TROUBLE_STATE));
    return again == FER_OK;
}

void maintain(void)
{
    uint32_t calls = run.model.calls;
    fer_status status = FER_OK;

    for (int i = 0; run.maintains && status == FER_OK; i++) {
        CHECK(i < 4);
        status = fer_store_maintain(run.store);
        CHECK(run.model.calls - calls <= 2 * call_bound());
        CHECK(run.model.off || status == FER_OK || status == FER_EMPTY ||
              (run.closed && status == FER_TROUBLE_STATE));
    }
    CHECK(run.model.violations == 0);
}

void live(flash_look look, uint32_t burns, uint32_t cut_at, flash_moment moment)
{
    flash_boot(&run.model, look);
    run.model.cut_at = cut_at;
    run.model.cut_moment = moment;
    run.model.cut_prefix = flash_random(&run.model, 1000);
    open_store();
    if (!run.installed && !resume_install()) {
        return;
    }
    for (uint32_t i = 0; i < burns; i++) {
        fer_status status = burn();
        run.closed = run.may_close && status == FER_TROUBLE_STATE;
        CHECK(run.model.off || run.closed ? status != FER_OK : status == FER_OK);
        maintain();
        if (run.model.off || run.closed) {
            return;
        }
    }
}

uint32_t burns_of_life(void)
{
    uint32_t blocks = run.subject->shape.geometry.block_count;

    return slots_in_block() * (run.subject->mirror ? blocks - blocks / 2 : blocks) + 2;
}

/* Installs and burns through every block, power cut once. */
flash_look any_look(void)
{
    return (flash_look)flash_random(&run.model, FLASH_LOOKS);
}

/* ---- the matrix ------------------------------------------------------------------------- */

static int make_truth(void **state)
{
    (void)state;
    return true_chain_make() ? 0 : -1;
}

static void read_environment(void)
{
#if defined(FERRULE_QUICK) || !defined(__linux__)
    quick = true;
#else
    quick = getenv("FERRULE_QUICK") != NULL;
    whole = !quick && getenv("FERRULE_WHOLE") != NULL;
    if (getenv("FERRULE_SEED") != NULL) {
        seed = strtoull(getenv("FERRULE_SEED"), NULL, 0);
    }
#endif
}

static void write_evidence(const char *name)
{
#if defined(__linux__)
    const char *folder = getenv("FERRULE_EVIDENCE");
    char path[512];

    if (folder != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "w");
        if (file == NULL || fprintf(file, "%llu\n", (unsigned long long)cut_points) < 0 ||
            fclose(file) != 0) {
            print_error("%s: %s cannot be written\n", name, path);
        }
    }
#else
    (void)name;
#endif
}

int run_matrix(const char *name, const subject *subjects, size_t count, const kind *kinds,
               size_t kind_count)
{
    static struct CMUnitTest tests[TESTS_MAX];
    static char labels[TESTS_MAX][64];
    static subject chosen[TESTS_MAX];
    size_t made = 0;

    read_environment();
    for (size_t i = 0; i < count; i += quick ? 3 : 1) {
        chosen[i] = subjects[i];
        for (size_t k = 0; k < kind_count && made < TESTS_MAX; k++) {
            (void)snprintf(labels[made], sizeof labels[made], "%s: %s", subjects[i].shape.name,
                           kinds[k].name);
            tests[made] =
                (struct CMUnitTest){labels[made], kinds[k].function, NULL, NULL, &chosen[i]};
            made++;
        }
    }
    int failed = _cmocka_run_group_tests(name, tests, made, make_truth, NULL);
    print_message("%s: %llu cut points, seed %llu%s\n", name, (unsigned long long)cut_points,
                  (unsigned long long)seed,
                  quick   ? ", quick"
                  : whole ? ", whole"
                          : "");
    write_evidence(name);
    return failed;
}
