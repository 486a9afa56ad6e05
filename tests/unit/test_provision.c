/* Tests of provision: what installs, what each refusal leaves, and that a blob is taken once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ferrule/provision.h"
#include "powercut/flash_model.h"
#include "record_fixture.h"

enum { ROUTE = 4 };

static const flash_shape nor = {"nor", {432, 2, 8, 0xFF, FER_NV_OVERWRITE}, true, false, true};
static const uint8_t chip[] = {0x30, 0x00, 0x41, 0x00, 0x0C, 0x51,
                               0x36, 0x39, 0x34, 0x37, 0x32, 0x33};
static const uint8_t other[] = {0x30, 0x00, 0x41, 0x00, 0x0C, 0x51,
                                0x36, 0x39, 0x34, 0x37, 0x32, 0x34};
static const fer_provision_config plain = {NULL, 0, 0};
static const fer_provision_config known = {chip, sizeof chip, 0};
static const fer_provision_config strict = {chip, sizeof chip, 1};

static flash model;
static fer_arena_cell storage[FER_STORE_SIZE(8) / FER_ARENA_ALIGN];
static fer_store *store;

/* A blob, and the same for good. */
static uint8_t blob[FER_BLOB_BYTES + 1];
static uint8_t issued[FER_BLOB_BYTES + 1];

static int setup(void **state)
{
    fer_store_config config;
    fer_arena arena;

    (void)state;
    flash_make(&model, &nor, 1);
    config = (fer_store_config){.nv = flash_nv(&model), .policy = FER_STORE_STRICT};
    return fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]) != FER_OK ||
           fer_store_create(&arena, &config, &store) != FER_OK;
}

static int teardown(void **state)
{
    (void)state;
    fer_store_close(&store);
    return 0;
}

/* Issues a blob bound to this id, or to none. Returns its length. */
static size_t issue(const uint8_t *hardware, size_t n)
{
    fer_credential credential;

    memset(blob, 0, sizeof blob);
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    memcpy(blob, credential.bytes, sizeof credential.bytes);
    if (n != 0) {
        assert_int_equal(fer_provision_bind(&credential, hardware, n, blob), FER_OK);
    }
    memcpy(issued, blob, sizeof issued);
    return n != 0 ? FER_BLOB_BYTES : FER_CREDENTIAL_BYTES;
}

static void expect_installed(const fer_provision_config *config, size_t n)
{
    fer_credential_info info;

    assert_int_equal(fer_provision(store, config, blob, n), FER_OK);
    assert_true(fixture_is_all(blob, n, 0)); /* WIPE */
    assert_int_equal(fer_store_get_info(store, &info), FER_OK);
    assert_int_equal(info.generation, 0);
    assert_memory_equal(info.identity, "pump-7", 6);
}

/* Refused: the blob is left, no byte of the region was touched, nor anything installed. */
static void expect_refused(const fer_provision_config *config, size_t n, fer_status status)
{
    fer_credential_info info;
    uint32_t touched = model.touched;

    memcpy(issued, blob, sizeof issued);
    assert_int_equal(fer_provision(store, config, blob, n), status);
    assert_memory_equal(blob, issued, sizeof issued);
    assert_int_equal(model.touched, touched);
    assert_int_equal(fer_store_get_info(store, &info), FER_RENEW_MISSING);
}

/* ---- what installs ---- */

static void an_unbound_blob_installs_with_and_without_an_id(void **state)
{
    (void)state;
    expect_installed(&plain, issue(NULL, 0));
    (void)teardown(state);
    (void)setup(state);
    expect_installed(&known, issue(NULL, 0));
}

static void a_bound_blob_installs_on_its_hardware(void **state)
{
    (void)state;
    expect_installed(&strict, issue(chip, sizeof chip));
    (void)teardown(state);
    (void)setup(state);
    expect_installed(&known, issue(chip, sizeof chip));
}

static void ids_of_1_and_64_bytes_bind(void **state)
{
    uint8_t id[FER_HARDWARE_MAX];
    fer_provision_config config = {id, 1, 1};

    (void)state;
    memset(id, 0x5A, sizeof id);
    expect_installed(&config, issue(id, 1));
    (void)teardown(state);
    (void)setup(state);
    config.hardware_length = sizeof id;
    expect_refused(&config, issue(id, sizeof id - 1), FER_DROP_FORGED);
    expect_installed(&config, issue(id, sizeof id));
}

static void a_blob_is_taken_once(void **state)
{
    size_t n = issue(chip, sizeof chip);
    fer_credential burnt;

    (void)state;
    expect_installed(&known, n);
    memcpy(blob, issued, sizeof blob);
    assert_int_equal(fer_provision(store, &known, blob, n), FER_ERR_ORDER);
    assert_memory_equal(blob, issued, sizeof blob);
    assert_int_equal(fer_store_burn(store, &burnt), FER_OK);
    assert_int_equal(fer_provision(store, &known, blob, n), FER_ERR_ORDER);
}

static void a_port_that_fails_leaves_the_blob(void **state)
{
    size_t n = issue(chip, sizeof chip);

    (void)state;
    model.cut_at = model.changes;
    assert_int_equal(fer_provision(store, &known, blob, n), FER_TROUBLE_STORAGE);
    assert_memory_equal(blob, issued, sizeof blob);
    flash_boot(&model, FLASH_OLD);
    (void)teardown(state);
    {
        const fer_store_config config = {.nv = flash_nv(&model), .policy = FER_STORE_STRICT};
        fer_arena arena;

        assert_int_equal(fer_arena_init(&arena, storage, sizeof storage / sizeof storage[0]),
                         FER_OK);
        assert_int_equal(fer_store_create(&arena, &config, &store), FER_OK);
    }
    expect_installed(&known, n);
}

/* ---- what is refused ---- */

static void other_hardware_is_refused(void **state)
{
    (void)state;
    expect_refused(&known, issue(other, sizeof other), FER_DROP_FORGED);
    expect_refused(&strict, issue(other, sizeof other), FER_DROP_FORGED);
    expect_refused(&known, issue(chip, sizeof chip - 1), FER_DROP_FORGED);
}

static void every_bit_of_the_binding_counts(void **state)
{
    size_t n = issue(chip, sizeof chip);

    (void)state;
    for (size_t bit = 0; bit < 16u * 8u; bit++) {
        blob[FER_CREDENTIAL_BYTES + bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_refused(&known, n, FER_DROP_FORGED);
        blob[FER_CREDENTIAL_BYTES + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect_installed(&known, n);
}

/* The binding of one identity's blob does not fit another's: it is keyed. */
static void a_binding_cannot_be_moved(void **state)
{
    fer_credential stranger;

    (void)state;
    (void)issue(chip, sizeof chip);
    fixture_mint_as(&stranger, 1, "pump-8", fixture_route, ROUTE);
    memcpy(blob, stranger.bytes, sizeof stranger.bytes);
    expect_refused(&known, FER_BLOB_BYTES, FER_DROP_FORGED);
}

static void binding_and_configuration_must_agree(void **state)
{
    (void)state;
    expect_refused(&strict, issue(NULL, 0), FER_DROP_BINDING);
    expect_refused(&plain, issue(chip, sizeof chip), FER_DROP_BINDING);
    /* Cut off, so that it would pass for unbound. */
    (void)issue(chip, sizeof chip);
    expect_refused(&strict, FER_CREDENTIAL_BYTES, FER_DROP_BINDING);
}

static void what_is_no_blob_is_refused(void **state)
{
    size_t n = issue(chip, sizeof chip);

    (void)state;
    for (size_t wrong = 0; wrong <= sizeof blob; wrong++) {
        if (wrong != FER_CREDENTIAL_BYTES && wrong != n) {
            expect_refused(&known, wrong, FER_DROP_MALFORMED);
        }
    }
    for (size_t at = 0; at < FER_CREDENTIAL_BYTES; at++) {
        blob[at] ^= 0x80;
        expect_refused(&known, n, FER_DROP_MALFORMED);
        blob[at] ^= 0x80;
    }
    expect_installed(&known, n);
}

static void a_later_version_is_told_apart(void **state)
{
    size_t n = issue(NULL, 0);
    uint8_t hash[FER_HASH_BYTES];

    (void)state;
    blob[2] = 2;
    fer_crypto_hash(blob, 120, hash);
    memcpy(blob + 120, hash, 8);
    expect_refused(&plain, n, FER_DROP_VERSION);
}

static void configurations_out_of_range_are_refused(void **state)
{
    static const uint8_t id[FER_HARDWARE_MAX + 1] = {1};
    const fer_provision_config bad[] = {
        {NULL, 1, 0}, {id, 0, 0}, {id, sizeof id, 0}, {NULL, 0, 1}, {id, SIZE_MAX, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_refused(&bad[i], issue(NULL, 0), FER_ERR_ARGUMENT);
    }
}

static void pointers_and_handles_are_checked(void **state)
{
    fer_credential credential;
    fer_store *closed = NULL;
    uint8_t out[FER_BLOB_BYTES];

    (void)state;
    (void)issue(NULL, 0);
    assert_int_equal(fer_provision(NULL, &plain, blob, FER_CREDENTIAL_BYTES), FER_ERR_HANDLE);
    assert_int_equal(fer_provision(closed, &plain, blob, FER_CREDENTIAL_BYTES), FER_ERR_HANDLE);
    assert_int_equal(fer_provision(store, NULL, blob, FER_CREDENTIAL_BYTES), FER_ERR_ARGUMENT);
    assert_int_equal(fer_provision(store, &plain, NULL, FER_CREDENTIAL_BYTES), FER_ERR_ARGUMENT);
    memset(out, 0x77, sizeof out);
    fixture_mint(&credential, 0, fixture_route, ROUTE);
    assert_int_equal(fer_provision_bind(NULL, chip, 1, out), FER_ERR_ARGUMENT);
    assert_int_equal(fer_provision_bind(&credential, NULL, 1, out), FER_ERR_ARGUMENT);
    assert_int_equal(fer_provision_bind(&credential, chip, 0, out), FER_ERR_ARGUMENT);
    assert_int_equal(fer_provision_bind(&credential, blob, FER_HARDWARE_MAX + 1, out),
                     FER_ERR_ARGUMENT);
    assert_int_equal(fer_provision_bind(&credential, chip, 1, NULL), FER_ERR_ARGUMENT);
    credential.bytes[60] ^= 1;
    assert_int_equal(fer_provision_bind(&credential, chip, 1, out), FER_DROP_MALFORMED);
    assert_true(fixture_is_all(out, sizeof out, 0x77));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unbound_blob_installs_with_and_without_an_id, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_bound_blob_installs_on_its_hardware, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_of_1_and_64_bytes_bind, setup, teardown),
        cmocka_unit_test_setup_teardown(a_blob_is_taken_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_port_that_fails_leaves_the_blob, setup, teardown),
        cmocka_unit_test_setup_teardown(other_hardware_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(every_bit_of_the_binding_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_binding_cannot_be_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(binding_and_configuration_must_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_blob_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_later_version_is_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(configurations_out_of_range_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(pointers_and_handles_are_checked, setup, teardown),
    };

    return cmocka_run_group_tests_name("provision", tests, NULL, NULL);
}
