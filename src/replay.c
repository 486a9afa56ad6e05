/* Ferrule: replay (floor 1). Invariant ONCE: a number is accepted once, if newer than top - W. */
#include "ferrule/replay.h"

#include "internal/arena.h"
#include "internal/handle.h"
#include "internal/replay.h"

struct fer_replay {
    fer_tag tag;
    uint32_t next;
    uint32_t bits;
    uint32_t words[];
};

_Static_assert(sizeof(struct fer_replay) + FER_REPLAY_BITS_MIN / 8u <=
                   FER_REPLAY_SIZE(FER_REPLAY_BITS_MIN),
               "FER_REPLAY_SIZE is too small");
_Static_assert(FER_REPLAY_SIZE(FER_REPLAY_BITS_MIN) <
                   sizeof(struct fer_replay) + FER_REPLAY_BITS_MIN / 8u + 24u,
               "FER_REPLAY_SIZE is wasteful");

/*@ assigns \nothing;
    ensures \result <==> window_bits(bits);
 */
bool fer_window_bits_are_valid(uint32_t bits)
{
    uint32_t size = FER_REPLAY_BITS_MIN;

    /*@ loop invariant window_bits(size);
        loop invariant window_bits(bits) ==> size <= bits;
        loop assigns size;
        loop variant FER_REPLAY_BITS_MAX - size;
     */
    while (size < bits && size < FER_REPLAY_BITS_MAX) {
        size *= 2u;
    }
    return size == bits;
}

/* Forgets `count` numbers from `first` on, word by word. */
/*@ requires window_bits(bits) && \valid(words + (0 .. bits / 32 - 1)) && count <= bits;
    assigns words[0 .. bits / 32 - 1];
 */
static void forget(uint32_t *words, uint32_t bits, uint32_t first, uint32_t count)
{
    /*@ loop invariant count <= \at(count, Pre);
        loop assigns first, count, words[0 .. bits / 32 - 1];
        loop variant count;
     */
    while (count > 0) {
        uint32_t bit = first % 32u;
        uint32_t n = count < 32u - bit ? count : 32u - bit;

        /* cppcheck-suppress shiftTooManyBits ; n is 1 to 32 */
        words[first % bits / 32u] &= ~(UINT32_MAX >> (32u - n) << bit);
        first += n;
        count -= n;
    }
}

/* Marks a number that is newer than the next: the bits of those between, and its own, stood for
 * older numbers. */
/*@ requires window_bits(bits) && \valid(next) && \valid(words + (0 .. bits / 32 - 1));
    requires \separated(next, words + (0 .. bits / 32 - 1));
    requires *next < sequence < FER_SEQUENCE_END;
    assigns *next, words[0 .. bits / 32 - 1];
    ensures \result == FER_OK && *next == sequence + 1;
    ensures answer(*next, words, bits, sequence) == FER_DROP_REPLAY;
 */
static FER_COLD fer_status skip(uint32_t *next, uint32_t *words, uint32_t bits, uint32_t sequence)
{
    uint32_t between = sequence - *next;

    forget(words, bits, *next, between < bits ? between : bits);
    *next = sequence + 1u;
    words[sequence % bits / 32u] |= (uint32_t)1 << sequence % 32u;
    return FER_OK;
}

/*@ requires window_bits(bits) && \valid(next) && \valid(words + (0 .. bits / 32 - 1));
    requires \separated(next, words + (0 .. bits / 32 - 1));
    assigns *next, words[0 .. bits / 32 - 1];
    ensures check_is_mark: \result == \old(answer(*next, words, bits, sequence));
    ensures \result != FER_OK ==> *next == \old(*next) &&
              \forall integer i; 0 <= i < bits / 32 ==> words[i] == \old(words[i]);
    ensures \result == FER_OK ==> *next == \max(\old(*next), sequence + 1);
    ensures once: \result == FER_OK ==> answer(*next, words, bits, sequence) == FER_DROP_REPLAY;
 */
fer_status fer_window_mark(uint32_t *next, uint32_t *words, uint32_t bits, uint32_t sequence)
{
    fer_status status = fer_window_check(*next, words, bits, sequence);

    if (status != FER_OK) {
        return status;
    }
    if (sequence > *next) {
        return skip(next, words, bits, sequence);
    }
    if (sequence == *next) {
        *next = sequence + 1u;
    }
    words[sequence % bits / 32u] |= (uint32_t)1 << sequence % 32u;
    return FER_OK;
}

static bool is_open(const fer_replay *window)
{
    return window != NULL && fer_tag_is(&window->tag, FER_TAG_REPLAY);
}

fer_status fer_replay_create(fer_arena *arena, uint32_t bits, fer_replay **window)
{
    fer_replay *made;

    if (window == NULL || !fer_window_bits_are_valid(bits)) {
        return FER_ERR_ARGUMENT;
    }
    made = fer_arena_carve(arena, sizeof *made + bits / 8u);
    if (made == NULL) {
        return FER_ERR_ARENA;
    }
    made->bits = bits;
    made->tag = fer_tag_make(made, FER_TAG_REPLAY);
    *window = made;
    return FER_OK;
}

fer_status fer_replay_check(const fer_replay *window, uint32_t sequence)
{
    if (!is_open(window)) {
        return FER_ERR_HANDLE;
    }
    return fer_window_check(window->next, window->words, window->bits, sequence);
}

fer_status fer_replay_mark(fer_replay *window, uint32_t sequence)
{
    if (!is_open(window)) {
        return FER_ERR_HANDLE;
    }
    return fer_window_mark(&window->next, window->words, window->bits, sequence);
}

fer_status fer_replay_get_next(const fer_replay *window, uint32_t *next)
{
    if (!is_open(window)) {
        return FER_ERR_HANDLE;
    }
    if (next == NULL) {
        return FER_ERR_ARGUMENT;
    }
    *next = window->next;
    return FER_OK;
}

void fer_replay_close(fer_replay **window)
{
    if (window == NULL || !is_open(*window)) {
        return;
    }
    fer_arena_retire(*window, sizeof **window + (*window)->bits / 8u);
    *window = NULL;
}
