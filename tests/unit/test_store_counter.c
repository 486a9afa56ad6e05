/* Tests: store with a hardware counter. An image of the memory that is put back is refused (NONCE).
 */
#include "store_kit.h"

static const flash_shape two = {"two", {BLOCK, 4, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true};

static int with_counter(void **state)
{
    (void)state;
    counted = true;
    counter = 0;
    counter_answer = FER_PORT_OK;
    return 0;
}

static void test_the_counter_stands_at_the_next_generation(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 0);

    (void)state;
    assert_int_equal(0, counter);
    for (uint32_t generation = 0; generation < 8; generation++) {
        assert_int_equal(generation, burned(store));
        assert_int_equal(generation + 1, counter);
    }
}

static void put_back(const flash_shape *shape)
{
    static uint8_t image[FLASH_BYTES];
    fer_store *store = used(shape, FER_STORE_STRICT, 2);
    fer_credential credential;
    fer_credential_info info;

    memcpy(image, model.bytes, sizeof image);
    assert_int_equal(2, burned(store));
    memcpy(model.bytes, image, sizeof image);
    store = reopen(FER_STORE_STRICT);
    uint32_t changes = model.changes;
    assert_int_equal(FER_TROUBLE_ROLLBACK, fer_store_get_info(store, &info));
    assert_int_equal(FER_TROUBLE_ROLLBACK, fer_store_burn(store, &credential));
    assert_int_equal(FER_TROUBLE_ROLLBACK, fer_store_maintain(store));
    assert_int_equal(changes, model.changes);
}

static void test_an_older_image_is_refused(void **state)
{
    (void)state;
    put_back(&nor);
    counter = 0;
    put_back(&two);
}

/* A cut between the entry and the counter: the counter lags, and that is no roll-back. */
static void test_a_counter_that_lags_is_no_trouble(void **state)
{
    fer_store *store = used(&nor, FER_STORE_STRICT, 3);

    (void)state;
    counter = 2;
    store = reopen(FER_STORE_STRICT);
    assert_int_equal(3, burned(store));
    assert_int_equal(4, counter);
}

static void test_a_counter_that_fails_yields_nothing(void **state)
{
    static const fer_credential zero;
    static const struct {
        int answer;
        fer_status status;
    } cases[] = {{FER_PORT_FAILED, FER_TROUBLE_STORAGE}, {FER_PORT_NOT_NOW, FER_NOT_NOW}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        fer_store *store = used(&nor, FER_STORE_STRICT, 1);
        fer_credential credential = credential_of(0);
        uint32_t changes = model.changes;

        counter_answer = cases[i].answer;
        assert_int_equal(cases[i].status, fer_store_burn(store, &credential));
        assert_memory_equal(&credential, &zero, sizeof zero);
        assert_int_equal(changes, model.changes);
        counter_answer = FER_PORT_OK;
        assert_int_equal(1, burned(store));
        counter = 0;
    }
}

static int raise_fails(void *context, uint32_t value)
{
    (void)context, (void)value;
    return FER_PORT_FAILED;
}

/* The generation is durable as used by then: it is lost, not repeated. */
static void test_a_counter_that_cannot_be_raised_yields_nothing(void **state)
{
    static const struct fer_counter_ops ops = {counter_read, raise_fails};
    static const fer_counter hardware = {&ops, NULL};
    fer_store *store = used(&nor, FER_STORE_STRICT, 1);
    fer_store_config config = {flash_nv(&model), FER_STORE_STRICT, &hardware, NULL};
    fer_credential credential;

    (void)state;
    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]));
    assert_int_equal(FER_OK, fer_store_create(&arena, &config, &store));
    assert_int_equal(FER_TROUBLE_STORAGE, fer_store_burn(store, &credential));
    assert_int_equal(2, burned(reopen(FER_STORE_STRICT)));
}

static void test_install_is_not_below_the_counter(void **state)
{
    fer_store *store = blank(&nor, FER_STORE_STRICT);
    fer_credential credential = credential_of(4);

    (void)state;
    counter = 5;
    assert_int_equal(FER_TROUBLE_ROLLBACK, fer_store_install(store, &credential));
    assert_int_equal(0, model.changes);
    counter = 4;
    assert_int_equal(FER_OK, fer_store_install(store, &credential));
    assert_int_equal(4, burned(store));
    assert_int_equal(5, counter);
}

static void test_half_a_counter_is_refused(void **state)
{
    static const struct fer_counter_ops no_raise = {counter_read, NULL};
    static const struct fer_counter_ops no_read = {NULL, counter_raise};
    static const fer_counter halves[] = {{&no_raise, NULL}, {&no_read, NULL}, {NULL, NULL}};
    fer_store_config config = {flash_nv(&model), FER_STORE_STRICT, NULL, NULL};
    fer_store *store = NULL;

    (void)state;
    assert_int_equal(FER_OK, fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]));
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        config.counter = &halves[i];
        assert_int_equal(FER_ERR_ARGUMENT, fer_store_create(&arena, &config, &store));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_counter_stands_at_the_next_generation, with_counter),
        cmocka_unit_test_setup(test_an_older_image_is_refused, with_counter),
        cmocka_unit_test_setup(test_a_counter_that_lags_is_no_trouble, with_counter),
        cmocka_unit_test_setup(test_a_counter_that_fails_yields_nothing, with_counter),
        cmocka_unit_test_setup(test_a_counter_that_cannot_be_raised_yields_nothing, with_counter),
        cmocka_unit_test_setup(test_install_is_not_below_the_counter, with_counter),
        cmocka_unit_test_setup(test_half_a_counter_is_refused, with_counter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
