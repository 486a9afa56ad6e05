/* Tests: the POSIX port. A file as non-volatile memory: what it keeps, whom it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ferrule/store.h"
#include "internal/credential.h"
#include "nv_file.h"
#include "posix.h"

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/ferrule-posix-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/state", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static fer_nv opened(nv_file *file)
{
    assert_true(nv_file_open(file, path));
    return nv_file_port(file);
}

static void test_a_new_file_is_erased_and_private(void **state)
{
    nv_file file;
    struct stat found;
    uint8_t bytes[NV_FILE_BLOCK];

    (void)state;
    assert_true(nv_file_create(path));
    assert_int_equal(0, stat(path, &found));
    assert_int_equal(S_IRUSR | S_IWUSR, found.st_mode & 0777);
    fer_nv nv = opened(&file);
    for (uint32_t block = 0; block < NV_FILE_BLOCKS; block++) {
        assert_int_equal(FER_PORT_OK, nv.ops->read(nv.context, block, 0, bytes, sizeof bytes));
        for (size_t i = 0; i < sizeof bytes; i++) {
            assert_int_equal(nv.geometry->erased, bytes[i]);
        }
    }
    nv_file_close(&file);
}

static void test_creating_never_overwrites(void **state)
{
    (void)state;
    assert_true(nv_file_create(path));
    assert_false(nv_file_create(path));
    assert_int_equal(EEXIST, errno);
}

static void test_a_missing_file_is_never_invented(void **state)
{
    nv_file file;

    (void)state;
    assert_false(nv_file_open(&file, path));
    assert_int_equal(ENOENT, errno);
    assert_int_equal(-1, access(path, F_OK));
}

static void test_a_file_of_another_geometry_is_refused(void **state)
{
    nv_file file;

    (void)state;
    assert_true(nv_file_create(path));
    assert_int_equal(0, truncate(path, NV_FILE_BLOCK * NV_FILE_BLOCKS - 1));
    assert_false(nv_file_open(&file, path));
    assert_int_equal(EINVAL, errno);
    assert_int_equal(0, truncate(path, NV_FILE_BLOCK * NV_FILE_BLOCKS + 1));
    assert_false(nv_file_open(&file, path));
    assert_int_equal(EINVAL, errno);
}

static void test_a_second_opener_is_refused(void **state)
{
    nv_file first;
    nv_file second;
    int status = 0;

    (void)state;
    assert_true(nv_file_create(path));
    (void)opened(&first);
    assert_false(nv_file_open(&second, path));
    assert_int_equal(EWOULDBLOCK, errno);
    pid_t child = fork();
    if (child == 0) {
        _exit(nv_file_open(&second, path) ? 1 : 0);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    nv_file_close(&first);
    (void)opened(&second);
    nv_file_close(&second);
}

static void test_what_was_programmed_is_there_after_reopening(void **state)
{
    nv_file file;
    uint8_t in[2 * NV_FILE_GRANULE];
    uint8_t out[sizeof in];

    (void)state;
    memset(in, 0x3C, sizeof in);
    assert_true(nv_file_create(path));
    fer_nv nv = opened(&file);
    assert_int_equal(FER_PORT_OK, nv.ops->program(nv.context, 1, NV_FILE_GRANULE, in, sizeof in));
    nv_file_close(&file);
    nv = opened(&file);
    assert_int_equal(FER_PORT_OK, nv.ops->read(nv.context, 1, NV_FILE_GRANULE, out, sizeof out));
    assert_memory_equal(in, out, sizeof in);
    assert_int_equal(FER_PORT_OK, nv.ops->erase(nv.context, 1));
    assert_int_equal(FER_PORT_OK, nv.ops->read(nv.context, 1, NV_FILE_GRANULE, out, sizeof out));
    assert_int_equal(nv.geometry->erased, out[0]);
    nv_file_close(&file);
}

static void test_what_lies_outside_is_refused(void **state)
{
    nv_file file;
    uint8_t bytes[NV_FILE_GRANULE] = {0};

    (void)state;
    assert_true(nv_file_create(path));
    fer_nv nv = opened(&file);
    assert_int_equal(FER_PORT_FAILED, nv.ops->read(nv.context, NV_FILE_BLOCKS, 0, bytes, 1));
    assert_int_equal(FER_PORT_FAILED, nv.ops->read(nv.context, 0, NV_FILE_BLOCK, bytes, 1));
    assert_int_equal(FER_PORT_FAILED,
                     nv.ops->program(nv.context, 0, NV_FILE_BLOCK, bytes, sizeof bytes));
    assert_int_equal(FER_PORT_FAILED, nv.ops->program(nv.context, 0, 1, bytes, sizeof bytes));
    assert_int_equal(FER_PORT_FAILED, nv.ops->program(nv.context, 0, 0, bytes, 1));
    assert_int_equal(FER_PORT_FAILED, nv.ops->erase(nv.context, NV_FILE_BLOCKS));
    nv_file_close(&file);
}

/* A file that shrinks under us reads as a failure, never as zeros. */
static void test_a_file_cut_short_while_open_fails(void **state)
{
    nv_file file;
    uint8_t bytes[16];

    (void)state;
    assert_true(nv_file_create(path));
    fer_nv nv = opened(&file);
    assert_int_equal(0, truncate(path, NV_FILE_BLOCK + 8));
    assert_int_equal(FER_PORT_FAILED, nv.ops->read(nv.context, 1, 0, bytes, sizeof bytes));
    nv_file_close(&file);
}

static void test_a_store_on_a_file_outlives_its_process(void **state)
{
    FER_ARENA(arena, FER_STORE_SIZE(NV_FILE_GRANULE));
    fer_credential_info info = {.identity = "posix", .identity_length = 5};
    fer_claim_key claim;
    fer_chain chain;
    fer_credential credential;
    fer_store *store = NULL;
    nv_file file;

    (void)state;
    memset(&claim, 1, sizeof claim);
    memset(&chain, 2, sizeof chain);
    assert_int_equal(FER_OK, fer_credential_build(&info, &claim, &chain, &credential));
    assert_true(nv_file_create(path));
    for (uint32_t generation = 0; generation < 20; generation++) {
        fer_store_config config = {.nv = opened(&file)};
        fer_arena_position start;
        assert_int_equal(FER_OK, fer_arena_mark(&arena, &start));
        assert_int_equal(FER_OK, fer_store_create(&arena, &config, &store));
        if (generation == 0) {
            assert_int_equal(FER_OK, fer_store_install(store, &credential));
        }
        assert_int_equal(FER_OK, fer_store_burn(store, &credential));
        assert_int_equal(FER_OK, fer_credential_get_info(&credential, &info));
        assert_int_equal(generation, info.generation);
        fer_store_close(&store);
        assert_int_equal(FER_OK, fer_arena_rewind(&arena, start));
        nv_file_close(&file);
    }
}

static void test_entropy_fills_every_byte(void **state)
{
    fer_entropy entropy = posix_entropy();
    uint8_t seen[700] = {0};
    uint8_t bytes[700];

    (void)state;
    for (int i = 0; i < 16; i++) {
        memset(bytes, 0, sizeof bytes);
        assert_int_equal(FER_PORT_OK, entropy.ops->fill(entropy.context, bytes, sizeof bytes));
        for (size_t at = 0; at < sizeof bytes; at++) {
            seen[at] |= bytes[at];
        }
    }
    for (size_t at = 0; at < sizeof seen; at++) {
        assert_int_not_equal(0, seen[at]); /* by chance once in 2^118 */
    }
}

static void test_clocks_run(void **state)
{
    fer_clock clock = posix_clock();
    uint64_t before = 0;
    uint64_t after = 0;
    int64_t unix_time = 0;

    (void)state;
    assert_int_equal(FER_PORT_OK, clock.ops->monotonic_ms(clock.context, &before));
    assert_int_equal(0, usleep(20000));
    assert_int_equal(FER_PORT_OK, clock.ops->monotonic_ms(clock.context, &after));
    assert_true(after >= before + 19 && after < before + 60000);
    assert_int_equal(FER_PORT_OK, clock.ops->unix_ms(clock.context, &unix_time));
    assert_true(unix_time > 1577836800000);
}

static uint32_t shared;

static void *add_many(void *context)
{
    fer_lock *lock = context;

    for (int i = 0; i < 100000; i++) {
        lock->ops->take(lock->context);
        shared++;
        lock->ops->give(lock->context);
    }
    return NULL;
}

static void test_the_mutex_excludes(void **state)
{
    posix_lock mutexes;
    fer_lock lock = posix_lock_port(&mutexes);
    pthread_t other;

    (void)state;
    shared = 0;
    assert_int_equal(0, pthread_create(&other, NULL, add_many, &lock));
    (void)add_many(&lock);
    assert_int_equal(0, pthread_join(other, NULL));
    assert_int_equal(200000, shared);
}

static void test_the_mask_nests(void **state)
{
    posix_lock mutexes;
    fer_lock lock = posix_lock_port(&mutexes);
    uintptr_t outer, inner;

    (void)state;
    outer = lock.ops->mask(lock.context);
    inner = lock.ops->mask(lock.context);
    lock.ops->unmask(lock.context, inner);
    lock.ops->unmask(lock.context, outer);
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_a_new_file_is_erased_and_private),
        WITH_FOLDER(test_creating_never_overwrites),
        WITH_FOLDER(test_a_missing_file_is_never_invented),
        WITH_FOLDER(test_a_file_of_another_geometry_is_refused),
        WITH_FOLDER(test_a_second_opener_is_refused),
        WITH_FOLDER(test_what_was_programmed_is_there_after_reopening),
        WITH_FOLDER(test_what_lies_outside_is_refused),
        WITH_FOLDER(test_a_file_cut_short_while_open_fails),
        WITH_FOLDER(test_a_store_on_a_file_outlives_its_process),
        cmocka_unit_test(test_entropy_fills_every_byte),
        cmocka_unit_test(test_clocks_run),
        cmocka_unit_test(test_the_mutex_excludes),
        cmocka_unit_test(test_the_mask_nests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
