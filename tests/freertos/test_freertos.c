/* Tests: the FreeRTOS port over a kernel that the test plays: which critical section is entered
 * from where, wraps of the ticks, bytes that find no room, and a device over all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fake_kernel.h"
#include "ferrule/ferrule.h"
#include "freertos_port.h"
#include "nv_ram.h"

static int reset(void **state)
{
    (void)state;
    fake_kernel_reset();
    return 0;
}

static int check_no_misuse(void **state)
{
    (void)state;
    assert_int_equal(kernel.misuses, 0);
    assert_int_equal(kernel.task_sections, 0);
    assert_int_equal(kernel.isr_level, 0);
    assert_false(kernel.mutex_held);
    return 0;
}

/* ---- lock --------------------------------------------------------------------------------- */

static void test_mask_in_a_task_nests(void **state)
{
    (void)state;
    freertos_lock lock;
    fer_lock port = freertos_lock_start(&lock);
    uintptr_t outer = port.ops->mask(port.context);
    uintptr_t inner = port.ops->mask(port.context);

    assert_int_equal(kernel.task_sections, 2);
    port.ops->unmask(port.context, inner);
    assert_int_equal(kernel.task_sections, 1);
    port.ops->unmask(port.context, outer);
    assert_int_equal(kernel.isr_sections, 0);
}

static void test_mask_in_an_interrupt_gives_back_what_it_found(void **state)
{
    (void)state;
    freertos_lock lock;
    fer_lock port = freertos_lock_start(&lock);

    kernel.in_interrupt = true;
    uintptr_t outer = port.ops->mask(port.context);
    uintptr_t inner = port.ops->mask(port.context);
    assert_int_equal(kernel.isr_level, 2);
    port.ops->unmask(port.context, inner);
    port.ops->unmask(port.context, outer);
    assert_int_equal(kernel.isr_sections, 2);
    assert_int_equal(kernel.task_sections, 0);
}

static void test_take_waits_as_long_as_it_takes(void **state)
{
    (void)state;
    freertos_lock lock;
    fer_lock port = freertos_lock_start(&lock);

    kernel.give_ups = 3;
    port.ops->take(port.context);
    assert_true(kernel.mutex_held);
    assert_int_equal(kernel.give_ups, 0);
    port.ops->give(port.context);
}

/* ---- clock -------------------------------------------------------------------------------- */

static uint64_t read_ms(fer_clock port)
{
    uint64_t ms = 0;

    assert_int_equal(port.ops->monotonic_ms(port.context, &ms), FER_PORT_OK);
    return ms;
}

static uint64_t to_ms(uint64_t ticks)
{
    return ticks * 1000 / configTICK_RATE_HZ;
}

static void test_clock_goes_on_where_ticks_wrap(void **state)
{
    (void)state;
    freertos_clock clock;
    fer_clock port = freertos_clock_start(&clock);
    const uint64_t turn = UINT64_C(1) << 32;

    assert_int_equal(read_ms(port), 0);
    kernel.ticks = 0xFFFFFFF0u;
    assert_int_equal(read_ms(port), to_ms(0xFFFFFFF0u));
    kernel.ticks = 0x10;
    kernel.in_interrupt = true;
    assert_int_equal(read_ms(port), to_ms(turn + 0x10));
    kernel.in_interrupt = false;
    assert_int_equal(read_ms(port), to_ms(turn + 0x10));
    kernel.ticks = 0xFFFFFFFFu;
    assert_int_equal(read_ms(port), to_ms(turn + 0xFFFFFFFFu));
    kernel.ticks = 0;
    assert_int_equal(read_ms(port), to_ms(2 * turn));
    assert_null(port.ops->unix_ms);
}

static freertos_clock interrupted;

static void read_in_between(void)
{
    fer_clock port = {freertos_clock_start(&(freertos_clock){0, 0}).ops, &interrupted};

    kernel.ticks += 5;
    kernel.in_interrupt = true;
    (void)read_ms(port);
    kernel.in_interrupt = false;
}

/* An interrupt that reads the clock between a task's reading and noting would make time jump. */
static void test_clock_is_read_as_one(void **state)
{
    (void)state;
    fer_clock port = freertos_clock_start(&interrupted);

    kernel.ticks = 100;
    kernel.before_ticks_are_read = read_in_between;
    assert_int_equal(read_ms(port), to_ms(100));
    assert_int_equal(read_ms(port), to_ms(kernel.ticks));
    assert_int_equal(interrupted.wraps, 0);
}

/* ---- inbox -------------------------------------------------------------------------------- */

static void put(freertos_inbox *inbox, const char *text)
{
    kernel.in_interrupt = true;
    freertos_inbox_put(inbox, (const uint8_t *)text, strlen(text));
    kernel.in_interrupt = false;
}

static void test_inbox_keeps_order_and_counts_what_is_lost(void **state)
{
    (void)state;
    freertos_inbox inbox;
    uint8_t storage[8];
    uint8_t out[8];

    freertos_inbox_start(&inbox, storage, sizeof storage);
    put(&inbox, "abcde");
    assert_int_equal(freertos_inbox_get(&inbox, out, 3, 0), 3);
    assert_memory_equal(out, "abc", 3);
    put(&inbox, "fghijk"); /* d e are in: room for five */
    assert_int_equal(inbox.lost, 1);
    assert_int_equal(freertos_inbox_get(&inbox, out, sizeof out, 0), 7);
    assert_memory_equal(out, "defghij", 7);
    assert_int_equal(freertos_inbox_get(&inbox, out, sizeof out, 0), 0);
}

static void test_inbox_asks_for_a_switch_only_where_one_waits(void **state)
{
    (void)state;
    freertos_inbox inbox;
    uint8_t storage[8];

    freertos_inbox_start(&inbox, storage, sizeof storage);
    put(&inbox, "a");
    assert_int_equal(kernel.yields, 0);
    kernel.reader_waits = true;
    put(&inbox, "b");
    assert_int_equal(kernel.yields, 1);
}

static void test_inbox_waits_at_least_as_long_as_asked(void **state)
{
    (void)state;
    freertos_inbox inbox;
    uint8_t storage[8];
    uint8_t out[8];

    freertos_inbox_start(&inbox, storage, sizeof storage);
    (void)freertos_inbox_get(&inbox, out, sizeof out, 0);
    assert_int_equal(kernel.last_wait, 0);
    (void)freertos_inbox_get(&inbox, out, sizeof out, 1);
    assert_int_equal(kernel.last_wait, 1);
    (void)freertos_inbox_get(&inbox, out, sizeof out, 1000);
    assert_int_equal(kernel.last_wait, configTICK_RATE_HZ);
}

/* ---- a device over it --------------------------------------------------------------------- */

static const struct fer_nv_ops *memory_ops;

/* port.h: no port function is called with a lock held. */
static void check_nothing_is_held(void)
{
    assert_int_equal(kernel.task_sections, 0);
    assert_int_equal(kernel.isr_level, 0);
    assert_false(kernel.mutex_held);
}

static int nv_read(void *context, uint32_t block, uint32_t offset, uint8_t *out, size_t n)
{
    check_nothing_is_held();
    return memory_ops->read(context, block, offset, out, n);
}

static int nv_program(void *context, uint32_t block, uint32_t offset, const uint8_t *in, size_t n)
{
    check_nothing_is_held();
    return memory_ops->program(context, block, offset, in, n);
}

static int nv_erase(void *context, uint32_t block)
{
    check_nothing_is_held();
    return memory_ops->erase(context, block);
}

static const struct fer_nv_ops watched = {nv_read, nv_program, nv_erase, NULL};

FER_ARENA(arena, FER_STORE_SIZE(NV_RAM_GRANULE) + FER_DEVICE_SIZE(32, 128, 64, NV_RAM_GRANULE) +
                     FER_GATEWAY_SIZE(1, 8, 64, 8));
static double heard[4];
static unsigned heard_count;

static void on_reading(void *context, const fer_reading *reading, fer_time_base base)
{
    (void)context;
    (void)base;
    if (heard_count < 4) {
        heard[heard_count] = reading->value;
    }
    heard_count++;
}

static void provision(fer_nv nv, fer_gateway **gateway)
{
    const fer_identity identity = {.identity = (const uint8_t *)"board", .identity_length = 5};
    const fer_store_config store_config = {.nv = nv};
    const fer_gateway_config config = fer_gateway_config_default();
    fer_credential device, copy;
    fer_root_key root;
    fer_store *store;
    uint32_t number;

    memset(&root, 0x42, sizeof root);
    assert_int_equal(fer_keychain_mint(&root, &identity, &device), FER_OK);
    copy = device;
    assert_int_equal(fer_store_create(&arena, &store_config, &store), FER_OK);
    assert_int_equal(fer_store_install(store, &device), FER_OK);
    fer_store_close(&store);
    assert_int_equal(fer_gateway_create(&arena, &config, gateway), FER_OK);
    assert_int_equal(fer_gateway_add(*gateway, &copy, &number), FER_OK);
}

static void hear(fer_device *device, fer_gateway *gateway)
{
    static const fer_telemetry_visitor visitor = {.on_reading = on_reading};
    uint8_t record[256], plaintext[256];
    fer_opened opened;
    size_t n;

    while (fer_device_take(device, record, sizeof record, &n) == FER_OK) {
        assert_int_equal(
            fer_gateway_receive(gateway, record, n, plaintext, sizeof plaintext, &opened), FER_OK);
        assert_int_equal(fer_telemetry_decode(plaintext, opened.length, &visitor), FER_OK);
    }
}

static void test_device_takes_readings_of_tasks_and_interrupts(void **state)
{
    (void)state;
    static nv_ram memory;
    static freertos_lock lock;
    static freertos_clock clock;
    fer_device_config config = fer_device_config_default();
    fer_device *device;
    fer_gateway *gateway;

    config.nv = nv_ram_start(&memory);
    memory_ops = config.nv.ops;
    config.nv.ops = &watched;
    config.lock = freertos_lock_start(&lock);
    config.clock = freertos_clock_start(&clock);
    config.link = FER_LINK_DATAGRAM;
    provision(config.nv, &gateway);
    assert_int_equal(fer_device_create(&arena, &config, &device), FER_OK);

    fer_device_record(device, 1, 1.5);
    kernel.in_interrupt = true;
    fer_device_record(device, 2, 2.5);
    kernel.in_interrupt = false;
    assert_true(kernel.isr_sections > 0);
    assert_int_equal(fer_device_event(device, FER_INFO, "up"), FER_OK);
    hear(device, gateway);
    assert_int_equal(heard_count, 2);
    assert_true(heard[0] == 1.5 && heard[1] == 2.5);
    fer_device_close(&device);
    fer_gateway_close(&gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mask_in_a_task_nests, reset, check_no_misuse),
        cmocka_unit_test_setup_teardown(test_mask_in_an_interrupt_gives_back_what_it_found, reset,
                                        check_no_misuse),
        cmocka_unit_test_setup_teardown(test_take_waits_as_long_as_it_takes, reset,
                                        check_no_misuse),
        cmocka_unit_test_setup_teardown(test_clock_goes_on_where_ticks_wrap, reset,
                                        check_no_misuse),
        cmocka_unit_test_setup_teardown(test_clock_is_read_as_one, reset, check_no_misuse),
        cmocka_unit_test_setup_teardown(test_inbox_keeps_order_and_counts_what_is_lost, reset,
                                        check_no_misuse),
        cmocka_unit_test_setup_teardown(test_inbox_asks_for_a_switch_only_where_one_waits, reset,
                                        check_no_misuse),
        cmocka_unit_test_setup_teardown(test_inbox_waits_at_least_as_long_as_asked, reset,
                                        check_no_misuse),
        cmocka_unit_test_setup_teardown(test_device_takes_readings_of_tasks_and_interrupts, reset,
                                        check_no_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
