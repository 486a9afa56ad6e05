/* Ferrule: entropy. Health tests of a noise source (NIST SP 800-90B, section 4.4), for ports that
 * want them: an entropy port around another one. A source that is stuck, or far less random than is
 * claimed for it, is found before the first key is drawn from it, and whenever it becomes so.
 *
 *     create                  around the port of the source
 *     start                   the start-up test, at a time of your own; else the first draw runs it
 *     get_port                what configurations are given in place of the source's port
 *
 * Best put around raw samples, before any conditioning: behind a hash or a cipher even a dead
 * source looks random, and only repetition of whole outputs is found.
 * Memory:      one handle from the arena. Concurrency: one thread at a time, no ISR; blocks as long
 *              as the source does, the start-up test for FER_ENTROPY_START bytes of it. */
#ifndef FERRULE_ENTROPY_H
#define FERRULE_ENTROPY_H

#include <stdint.h>

#include "ferrule/arena.h"
#include "ferrule/attributes.h"
#include "ferrule/port.h"
#include "ferrule/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A source under test. */
typedef struct fer_entropy_test fer_entropy_test;

/* Arena bytes. */
#define FER_ENTROPY_TEST_SIZE FER_ARENA_SIZEOF(3, 24)

/* Bytes that the start-up test draws and forgets. */
#define FER_ENTROPY_START 1024u

/* Which source, and what is claimed for it. */
typedef struct fer_entropy_test_config {
    fer_entropy source;  /* its table outlives the test */
    uint8_t min_entropy; /* bits that are claimed for each byte: 1 to 8. The more is claimed, the
                            sooner the tests fail */
} fer_entropy_test_config;

/* Touches RAM only. FER_ERR_ARGUMENT: no source, or a claim out of range. */
FER_MUST_USE fer_status fer_entropy_test_create(fer_arena *arena,
                                                const fer_entropy_test_config *config,
                                                fer_entropy_test **test);

/* The start-up test, where it has not been passed. FER_OK: it is passed now. FER_NOT_NOW: the
 * source asks for later; call again. FER_TROUBLE_ENTROPY: the source failed, or a test did. A test
 * that failed, now or later, stays so (CLOSED): close and create to try again. A good source fails
 * one about once in 2^30 bytes or windows. */
FER_MUST_USE fer_status fer_entropy_test_start(fer_entropy_test *test);

/* The port that passes the source's bytes on while the tests hold, and FER_PORT_FAILED with zeros
 * from the moment that one fails. Uses the handle: close it after all that was given the port. With
 * a handle that is none its ops are null, which no configuration accepts. */
fer_entropy fer_entropy_test_get_port(fer_entropy_test *test);

/* Wipes the handle and sets the caller's pointer to null. Null or closed: no effect. */
void fer_entropy_test_close(fer_entropy_test **test);

#ifdef __cplusplus
}
#endif
#endif
