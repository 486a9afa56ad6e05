/* Our own ports pass the conformance kit: nv_file, closed and opened again from its file, and
 * nv_ram. Over the file's bytes other geometries are checked too, as far as they suit it. */
#include "checked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nv_file.h"
#include "nv_ram.h"

/* Each change of a file waits for its disk, where it has one: in RAM it is as much a file. */
enum { FILE_PROGRAMS = 1000, FILE_LIVES = 60, QUICK = 1000, EXHAUSTIVE = 1000000 };

static nv_file file;
static char path[64];

static int make_file(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/ferrule-nv-%ld",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    return nv_file_create(path) && nv_file_open(&file, path) ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    nv_file_close(&file);
    return unlink(path);
}

static bool reopen_file(void *context)
{
    nv_file_close(context);
    return nv_file_open(context, path);
}

static const struct fer_conformance_ops file_hooks = {print_finding, reopen_file, NULL};

static void test_a_file(void **state)
{
    fer_nv nv = nv_file_port(&file);
    fer_conformance_config config = checked_config(&nv, &file_hooks, &file, FILE_LIVES);

    (void)state;
    config.flags = FER_CONFORMANCE_ASK_OUTSIDE;
    check_driver(&config);
    config.programs = FILE_PROGRAMS;
    (void)check_store(&config, FER_STORE_STRICT);
    (void)check_store(&config, FER_STORE_BLOCK);
}

static void test_a_file_as_other_memory(void **state)
{
    static const fer_nv_geometry geometries[] = {
        {NV_FILE_BLOCK, NV_FILE_BLOCKS, 32, 0xFF, FER_NV_OVERWRITE},
        {NV_FILE_BLOCK, NV_FILE_BLOCKS, 64, 0xFF, 0},
        {NV_FILE_BLOCK, NV_FILE_BLOCKS, 256, 0xFF, FER_NV_REWRITE},
    };
    fer_nv nv = nv_file_port(&file);
    const struct fer_nv_ops no_erase = {nv.ops->read, nv.ops->program, NULL, NULL};

    (void)state;
    for (size_t i = 0; i < sizeof geometries / sizeof geometries[0]; i++) {
        fer_conformance_config config = checked_config(&nv, &file_hooks, &file, FILE_LIVES);

        config.nv.geometry = &geometries[i];
        config.programs = FILE_PROGRAMS;
        check_driver(&config);
        (void)check_store(&config, FER_STORE_STRICT);
        if ((geometries[i].flags & (unsigned)FER_NV_REWRITE) != 0) {
            config.nv.ops = &no_erase;
            check_driver(&config);
            (void)check_store(&config, FER_STORE_BLOCK);
        }
    }
}

static const struct fer_conformance_ops ram_hooks = {print_finding, NULL, NULL};

static uint32_t lives_to_try(void)
{
#ifdef FERRULE_QUICK
    return QUICK;
#else
    return getenv("FERRULE_QUICK") != NULL ? QUICK : EXHAUSTIVE;
#endif
}

/* Every cut, and every second cut, unless in a hurry. */
static void test_ram(void **state)
{
    static nv_ram ram;
    fer_nv nv = nv_ram_start(&ram);
    fer_conformance_config config = checked_config(&nv, &ram_hooks, NULL, lives_to_try());

    (void)state;
    config.flags = FER_CONFORMANCE_ASK_OUTSIDE;
    check_driver(&config);
    uint32_t cuts = check_store(&config, FER_STORE_STRICT);
    print_message("nv_ram: %u cuts\n", (unsigned)cuts);
    assert_true(config.lives == QUICK || cuts > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_file, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_a_file_as_other_memory, make_file, remove_file),
        cmocka_unit_test(test_ram),
    };
    return cmocka_run_group_tests_name("conformance_ports", tests, NULL, NULL);
}
