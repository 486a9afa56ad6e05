/* Ferrule: entropy (floor 0). The samples are keys to be: nothing but the verdict depends on them
 * in a branch (CONSTANT). */
#include "ferrule/entropy.h"

#include <string.h>

#include "internal/arena.h"
#include "internal/draw.h"
#include "internal/entropy.h"
#include "internal/wipe.h"

_Static_assert(sizeof(struct fer_entropy_test) <= FER_ENTROPY_TEST_SIZE,
               "FER_ENTROPY_TEST_SIZE is too small");
_Static_assert(FER_ENTROPY_TEST_SIZE < sizeof(struct fer_entropy_test) + 16u,
               "FER_ENTROPY_TEST_SIZE is wasteful");

enum { ALPHA = 30 /* a good source fails once in 2^30 */, PIECE = 32 };

static bool is_open(const fer_entropy_test *test)
{
    return fer_tag_is((const fer_tag *)test, FER_TAG_ENTROPY_TEST);
}

/* ---- the tests -------------------------------------------------------------------------- */

uint32_t fer_entropy_run_cutoff(unsigned min_entropy)
{
    return 1u + (ALPHA + min_entropy - 1u) / min_entropy;
}

/* 1 + CRITBINOM(512, 2^-H, 1 - 2^-30); a test computes them. */
uint32_t fer_entropy_window_cutoff(unsigned min_entropy)
{
    static const uint16_t cutoff[] = {325, 190, 114, 71, 46, 31, 22, 16};

    return cutoff[min_entropy - 1u];
}

/* 1 where they are equal, else 0. */
static uint32_t equal(uint8_t a, uint8_t b)
{
    return ((uint32_t)(a ^ b) - 1u) >> 31;
}

/* 1 where value is at least `least`, for numbers far below 2^31. */
static uint32_t reaches(uint32_t value, uint32_t least)
{
    return (least - 1u - value) >> 31;
}

void fer_entropy_take_sample(fer_entropy_test *test, uint8_t sample)
{
    test->run = (test->run & (0u - equal(sample, test->last))) + 1u;
    test->last = sample;
    if (test->at == 0) {
        test->first = sample;
        test->hits = 0;
    }
    test->hits += equal(sample, test->first);
    test->at = (uint16_t)((test->at + 1u) % FER_ENTROPY_WINDOW);
    test->bad |= reaches(test->run, fer_entropy_run_cutoff(test->min_entropy)) |
                 reaches(test->hits, fer_entropy_window_cutoff(test->min_entropy));
}

/* Draws n bytes and looks at them; zeros where they are not to be used. */
static int draw(fer_entropy_test *test, uint8_t *out, size_t n)
{
    int answer = test->source.ops->fill(test->source.context, out, n);

    for (size_t i = 0; i < n && answer == FER_PORT_OK; i++) {
        fer_entropy_take_sample(test, out[i]);
    }
    if (answer == FER_PORT_OK && test->bad != 0) {
        answer = FER_PORT_FAILED;
    }
    if (answer != FER_PORT_OK) {
        fer_wipe(out, n);
    }
    return answer;
}

/* ---- the handle ------------------------------------------------------------------------- */

fer_status fer_entropy_test_create(fer_arena *arena, const fer_entropy_test_config *config,
                                   fer_entropy_test **test)
{
    if (config == NULL || test == NULL || !fer_can_draw(config->source) ||
        config->min_entropy < 1 || config->min_entropy > 8) {
        return FER_ERR_ARGUMENT;
    }
    fer_entropy_test *made = fer_arena_carve(arena, sizeof *made);
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    made->source = config->source;
    made->min_entropy = config->min_entropy;
    made->tag = fer_tag_make(made, FER_TAG_ENTROPY_TEST);
    *test = made;
    return FER_OK;
}

void fer_entropy_test_close(fer_entropy_test **test)
{
    if (test != NULL && is_open(*test)) {
        fer_arena_retire(*test, sizeof **test);
        *test = NULL;
    }
}

/* ---- start and port --------------------------------------------------------------------- */

/* What was drawn before the source said "later" counts: it goes on from there. */
static int start(fer_entropy_test *test)
{
    uint8_t piece[PIECE];
    int answer = FER_PORT_OK;

    while (!test->started && answer == FER_PORT_OK) {
        answer = draw(test, piece, sizeof piece);
        test->drawn = (uint16_t)(test->drawn + (answer == FER_PORT_OK ? PIECE : 0));
        test->started = test->drawn >= FER_ENTROPY_START;
    }
    fer_wipe(piece, sizeof piece);
    return answer;
}

fer_status fer_entropy_test_start(fer_entropy_test *test)
{
    if (!is_open(test)) {
        return FER_ERR_HANDLE;
    }
    return fer_draw_status(test->bad != 0 ? FER_PORT_FAILED : start(test));
}

static int fill_tested(void *context, uint8_t *out, size_t n)
{
    fer_entropy_test *test = context;
    int answer = is_open(test) && test->bad == 0 ? start(test) : FER_PORT_FAILED;

    if (answer != FER_PORT_OK) {
        fer_wipe(out, n);
        return answer;
    }
    return draw(test, out, n);
}

fer_entropy fer_entropy_test_get_port(fer_entropy_test *test)
{
    static const struct fer_entropy_ops ops = {fill_tested};

    return is_open(test) ? (fer_entropy){&ops, test} : (fer_entropy){NULL, NULL};
}
