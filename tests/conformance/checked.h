/* A driver put to the conformance kit by a cmocka test: whatever is found fails the test, and says
 * what and where. */
#ifndef FERRULE_TESTS_CONFORMANCE_CHECKED_H
#define FERRULE_TESTS_CONFORMANCE_CHECKED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferrule/conformance.h"

#ifdef FERRULE_QUICK
enum { CHECKED_LIVES = 40 };
#else
enum { CHECKED_LIVES = 250 };
#endif

static void print_finding(void *context, const fer_conformance_finding *finding)
{
    (void)context;
    print_error("%s: %s block %d offset %d, expected %d, got %d; cut %d, second %d\n",
                finding->name, finding->sentence, (int)finding->block, (int)finding->offset,
                (int)finding->expected, (int)finding->got, (int)finding->cut,
                (int)finding->second_cut);
}

static fer_conformance_config checked_config(const fer_nv *nv,
                                             const struct fer_conformance_ops *ops, void *context,
                                             uint32_t lives)
{
    FER_CONFORMANCE_MEMORY(memory, 9, 512);
    fer_conformance_config config = {.nv = *nv,
                                     .destroy = FER_CONFORMANCE_DESTROY_THE_REGION,
                                     .erases = 1000000,
                                     .programs = 100000000,
                                     .lives = lives,
                                     .seed = 1,
                                     .ops = ops,
                                     .context = context,
                                     .memory = memory,
                                     .cells = sizeof memory / sizeof memory[0]};

    return config;
}

static void check_driver(const fer_conformance_config *config)
{
    fer_conformance_result result;

    assert_int_equal(FER_OK, fer_conformance_check_driver(config, &result));
    assert_true(result.complete);
}

/* Answers how many power cuts were survived, if it was every one that there is; else 0. */
static uint32_t check_store(const fer_conformance_config *config, fer_store_policy policy)
{
    fer_conformance_result result;

    assert_int_equal(FER_OK, fer_conformance_check_store(config, policy, &result));
    assert_true(result.cuts > 20);
    return result.complete ? result.cuts : 0;
}

#endif
