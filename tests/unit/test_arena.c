/* Ferrule tests: arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ferrule/arena.h"
#include "internal/arena.h"
#include "internal/handle.h"
#include "internal/poison.h"

enum { CELLS = 16, BYTES = CELLS * 8 };

typedef struct fixture {
    fer_arena_cell storage[CELLS];
    fer_arena arena;
} fixture;

static int set_up(void **state)
{
    static fixture made;

    memset(made.storage, 0xA5, sizeof made.storage);
    *state = &made;
    return fer_arena_init(&made.arena, made.storage, CELLS) == FER_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture *made = *state;

    fer_arena_close(&made->arena);
    FER_UNPOISON(made->storage, sizeof made->storage);
    return 0;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* ---- making -------------------------------------------------------------------------------- */

FER_ARENA(declared, 13);

static void declares_an_arena_in_whole_cells(void **state)
{
    (void)state;
    assert_int_equal(fer_arena_room(&declared), 16);
    assert_int_equal(sizeof declared_storage, 16);
    assert_non_null(fer_arena_carve(&declared, 13));
    assert_int_equal(fer_arena_room(&declared), 0);
}

static void rounds_up_to_cells(void **state)
{
    (void)state;
    assert_int_equal(FER_ARENA_ROUND(0), 0);
    assert_int_equal(FER_ARENA_ROUND(1), 8);
    assert_int_equal(FER_ARENA_ROUND(8), 8);
    assert_int_equal(FER_ARENA_ROUND(9), 16);
    assert_int_equal(FER_ARENA_SIZEOF(2, 1), FER_ARENA_ROUND(2 * sizeof(void *) + 1));
}

static void refuses_to_make_an_arena_of_nothing(void **state)
{
    fixture *f = *state;

    assert_int_equal(fer_arena_init(NULL, f->storage, CELLS), FER_ERR_ARGUMENT);
    assert_int_equal(fer_arena_init(&f->arena, NULL, CELLS), FER_ERR_ARGUMENT);
}

static void refuses_more_cells_than_memory_can_hold(void **state)
{
    fixture *f = *state;

    assert_int_equal(fer_arena_init(&f->arena, f->storage, SIZE_MAX / 8 + 1), FER_ERR_ARGUMENT);
}

static void refuses_another_configuration(void **state)
{
    static const unsigned char other = 1;
    fixture *f = *state;

    assert_int_equal(fer_arena_init_tagged(&f->arena, f->storage, CELLS, &other), FER_ERR_ARGUMENT);
    assert_int_equal(fer_arena_init_tagged(&f->arena, f->storage, CELLS, NULL), FER_ERR_ARGUMENT);
}

/* ---- carving ------------------------------------------------------------------------------- */

static void carves_zeroed_aligned_neighbours(void **state)
{
    fixture *f = *state;
    uint8_t *first = fer_arena_carve(&f->arena, 3);
    uint8_t *second = fer_arena_carve(&f->arena, 9);

    assert_ptr_equal(first, f->storage);
    assert_ptr_equal(second, first + 8);
    assert_true(is_zero(first, 3) && is_zero(second, 9));
    assert_int_equal(fer_arena_room(&f->arena), BYTES - 24);
}

static void carves_to_the_last_byte_and_no_further(void **state)
{
    fixture *f = *state;

    assert_non_null(fer_arena_carve(&f->arena, BYTES - 8));
    assert_null(fer_arena_carve(&f->arena, 9));
    assert_int_equal(fer_arena_room(&f->arena), 8);
    assert_non_null(fer_arena_carve(&f->arena, 8));
    assert_null(fer_arena_carve(&f->arena, 1));
}

static void sizes_near_the_end_of_memory_do_not_wrap(void **state)
{
    fixture *f = *state;

    assert_non_null(fer_arena_carve(&f->arena, 8));
    for (size_t i = 0; i < 20; i++) {
        assert_null(fer_arena_carve(&f->arena, SIZE_MAX - i));
    }
    assert_int_equal(fer_arena_room(&f->arena), BYTES - 8);
}

static void what_is_no_arena_carves_nothing(void **state)
{
    fixture *f = *state;
    fer_arena broken = f->arena;

    assert_null(fer_arena_carve(NULL, 1));
    broken.config = NULL;
    assert_null(fer_arena_carve(&broken, 1));
    broken = f->arena;
    broken.base = NULL;
    assert_null(fer_arena_carve(&broken, 0));
    broken = f->arena;
    broken.used = BYTES + 8;
    assert_null(fer_arena_carve(&broken, 1));
    assert_int_equal(fer_arena_room(&broken), 0);
    broken.used = 4;
    assert_null(fer_arena_carve(&broken, 1));
    assert_int_equal(fer_arena_room(NULL), 0);
}

/* ---- mark, rewind, close ------------------------------------------------------------------- */

static void rewinding_wipes_and_gives_back(void **state)
{
    fixture *f = *state;
    fer_arena_position position;
    uint8_t *kept = fer_arena_carve(&f->arena, 8);
    uint8_t *given;

    memset(kept, 0x11, 8);
    assert_int_equal(fer_arena_mark(&f->arena, &position), FER_OK);
    given = fer_arena_carve(&f->arena, 40);
    memset(given, 0x22, 40);
    assert_int_equal(fer_arena_rewind(&f->arena, position), FER_OK);
    assert_int_equal(fer_arena_room(&f->arena), BYTES - 8);
    FER_UNPOISON(given, 40);
    assert_true(is_zero(given, 40));
    assert_int_equal(kept[7], 0x11);
    assert_ptr_equal(fer_arena_carve(&f->arena, 1), given);
}

static void rewinding_does_not_go_forward(void **state)
{
    fixture *f = *state;
    fer_arena_position start;
    fer_arena_position position;

    assert_int_equal(fer_arena_mark(&f->arena, &start), FER_OK);
    assert_non_null(fer_arena_carve(&f->arena, 8));
    assert_int_equal(fer_arena_mark(&f->arena, &position), FER_OK);
    assert_int_equal(fer_arena_rewind(&f->arena, start), FER_OK);
    assert_int_equal(fer_arena_rewind(&f->arena, position), FER_ERR_ARGUMENT);
    position.used = 4;
    assert_non_null(fer_arena_carve(&f->arena, 8));
    assert_int_equal(fer_arena_rewind(&f->arena, position), FER_ERR_ARGUMENT);
}

static void mark_and_rewind_refuse_what_is_no_arena(void **state)
{
    fixture *f = *state;
    fer_arena_position position = {0};

    assert_int_equal(fer_arena_mark(NULL, &position), FER_ERR_ARGUMENT);
    assert_int_equal(fer_arena_mark(&f->arena, NULL), FER_ERR_ARGUMENT);
    assert_int_equal(fer_arena_rewind(NULL, position), FER_ERR_ARGUMENT);
    f->arena.config = NULL;
    assert_int_equal(fer_arena_mark(&f->arena, &position), FER_ERR_ARGUMENT);
    assert_int_equal(fer_arena_rewind(&f->arena, position), FER_ERR_ARGUMENT);
}

static void closing_wipes_and_ends_the_arena(void **state)
{
    fixture *f = *state;
    uint8_t *carved = fer_arena_carve(&f->arena, 24);

    memset(carved, 0x33, 24);
    fer_arena_close(&f->arena);
    assert_true(is_zero(carved, 24));
    assert_int_equal(fer_arena_room(&f->arena), 0);
    assert_null(fer_arena_carve(&f->arena, 8));
    memset(f->storage, 0x44, sizeof f->storage); /* the caller's again, ASan agrees */
    fer_arena_close(&f->arena);
    fer_arena_close(NULL);
    assert_int_equal(carved[0], 0x44);
}

static void retiring_wipes(void **state)
{
    fixture *f = *state;
    uint8_t *carved = fer_arena_carve(&f->arena, 24);
    uint8_t *after = fer_arena_carve(&f->arena, 8);

    memset(carved, 0x55, 24);
    memset(after, 0x66, 8);
    fer_arena_retire(carved, 24);
    FER_UNPOISON(carved, 24);
    assert_true(is_zero(carved, 24));
    assert_int_equal(after[0], 0x66);
}

/* ---- handles ------------------------------------------------------------------------------- */

static void a_tag_holds_for_one_address_and_one_type(void **state)
{
    fer_tag tags[2] = {0, 0};

    (void)state;
    tags[0] = fer_tag_make(&tags[0], FER_TAG_REPLAY);
    tags[1] = tags[0];
    assert_true(fer_tag_is(&tags[0], FER_TAG_REPLAY));
    assert_false(fer_tag_is(&tags[0], FER_TAG_STORE));
    assert_false(fer_tag_is(&tags[1], FER_TAG_REPLAY));
    assert_false(fer_tag_is(NULL, FER_TAG_REPLAY));
    tags[0] = 0;
    assert_false(fer_tag_is(&tags[0], FER_TAG_REPLAY));
}

/* ---- AddressSanitizer ---------------------------------------------------------------------- */

#ifdef FER_POISON_ON
static void asan_guards_what_is_not_carved_retired_or_rewound(void **state)
{
    fixture *f = *state;
    const uint8_t *bytes = (const uint8_t *)f->storage;
    fer_arena_position start;
    void *handle;

    assert_int_equal(fer_arena_mark(&f->arena, &start), FER_OK);
    assert_true(__asan_address_is_poisoned(bytes));
    handle = fer_arena_carve(&f->arena, 16);
    assert_false(__asan_address_is_poisoned(bytes + 15));
    assert_true(__asan_address_is_poisoned(bytes + 16));
    fer_arena_retire(handle, 16);
    assert_true(__asan_address_is_poisoned(bytes));
    assert_int_equal(fer_arena_rewind(&f->arena, start), FER_OK);
    assert_true(__asan_address_is_poisoned(bytes));
    assert_ptr_equal(fer_arena_carve(&f->arena, 8), bytes);
    assert_false(__asan_address_is_poisoned(bytes));
    fer_arena_close(&f->arena);
    assert_null(__asan_region_is_poisoned(f->storage, sizeof f->storage));
}
#endif

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(declares_an_arena_in_whole_cells),
        test(rounds_up_to_cells),
        test(refuses_to_make_an_arena_of_nothing),
        test(refuses_more_cells_than_memory_can_hold),
        test(refuses_another_configuration),
        test(carves_zeroed_aligned_neighbours),
        test(carves_to_the_last_byte_and_no_further),
        test(sizes_near_the_end_of_memory_do_not_wrap),
        test(what_is_no_arena_carves_nothing),
        test(rewinding_wipes_and_gives_back),
        test(rewinding_does_not_go_forward),
        test(mark_and_rewind_refuse_what_is_no_arena),
        test(closing_wipes_and_ends_the_arena),
        test(retiring_wipes),
        test(a_tag_holds_for_one_address_and_one_type),
#ifdef FER_POISON_ON
        test(asan_guards_what_is_not_carved_retired_or_rewound),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
