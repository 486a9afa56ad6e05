/* Tests: constant time under valgrind (CONSTANT). Memcheck tracks bits that were never written and
 * reports each branch and address that depends on one: mark a secret as never written, run the
 * code, and a report is a leak through time. It sees this machine's code only.
 *
 * The count of reports is taken around each test, so that one may provoke a report on purpose. */
#ifndef FERRULE_TESTS_CT_SECRET_H
#define FERRULE_TESTS_CT_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include <valgrind/memcheck.h>

/* From here on nothing may branch or index on these bytes. */
static inline void ct_secret(void *bytes, size_t n)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, n);
}

/* These bytes may be known: they are sent, or they are the verdict that the caller acts on. */
static inline void ct_public(void *bytes, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, n);
}

/* Reports so far, repetitions included. */
static inline unsigned long ct_reports(void)
{
    return (unsigned long)VALGRIND_COUNT_ERRORS;
}

/* True if any of the bytes depends on a secret: shows that a test did not lose its secrets on the
 * way and then found nothing. Reports nothing itself. */
static inline bool ct_is_tainted(const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char bits = 0;
        (void)VALGRIND_GET_VBITS((const unsigned char *)bytes + i, &bits, 1);
        if (bits != 0) {
            return true;
        }
    }
    return false;
}

#endif
