/* Tests: a cmocka test during which memcheck reports nothing, and a program of such tests that
 * skips itself where it does not run under valgrind. Include after cmocka.h. */
#ifndef FERRULE_TESTS_CT_QUIET_H
#define FERRULE_TESTS_CT_QUIET_H

#include <stdio.h>

#include "ct/secret.h"

enum { CT_SKIPPED = 77 };

/* Reports at the start of the running test. */
static inline int ct_remember(void **state)
{
    static unsigned long before;

    before = ct_reports();
    *state = &before;
    return 0;
}

static inline int ct_expect_none(void **state)
{
    const unsigned long *before = *state;
    unsigned long reports = ct_reports() - *before;

    if (reports != 0) {
        print_error("%lu branches or addresses depend on a secret: see valgrind's report\n",
                    reports);
    }
    return reports == 0 ? 0 : 1;
}

#define CT_TEST(f) cmocka_unit_test_setup_teardown(f, ct_remember, ct_expect_none)

static inline bool ct_can_see(void)
{
    if (RUNNING_ON_VALGRIND == 0) {
        (void)printf("SKIPPED: not running under valgrind, which finds what this provokes\n");
    }
    return RUNNING_ON_VALGRIND != 0;
}

#endif
