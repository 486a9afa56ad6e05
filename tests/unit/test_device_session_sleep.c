/* Device: sessions and deep sleep, which they do not survive; and attempts, which go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "device_session_kit.h"
#include "ferrule/replay.h"
#include "internal/greeter.h"

static uint8_t image[FER_IMAGE_BYTES];

static void suspend(void)
{
    assert_int_equal(FER_OK, fer_device_suspend(&device, image));
    assert_null(fer_greeter_get_sealer(greeter)); /* WIPE */
    assert_null(fer_greeter_get_opener(greeter));
    make_greeter();
    boot();
}

/* The generation goes on without a burn, and its attempts too: the gateway, which has marked them,
 * answers the first greeting after each sleep. */
static void attempts_go_on_after_a_sleep(void **state)
{
    (void)state;
    come_up();
    const uint32_t generation = health_now().generation;
    for (uint32_t i = 2; i < 6; i++) {
        suspend();
        assert_int_equal(FER_OK, fer_device_resume(device, image));
        const unsigned changes = nv_changes;
        come_up();
        assert_int_equal(nv_changes, changes);
        assert_int_equal(health_now().generation, generation);
        assert_int_equal(durable.generation, generation);
        assert_int_equal(durable.attempt, i);
    }
}

/* An image of a life without greeter has no keys for greetings: a burn brings them. */
static void an_image_without_keys_burns(void **state)
{
    struct packet packet;
    (void)state;
    fer_device_close(&device);
    config.greeter = NULL;
    boot();
    fer_device_record(device, 1, 1.5);
    while (take_packet(PACKET, &packet) == FER_OK) {
    }
    const uint32_t generation = health_now().generation;
    assert_int_equal(FER_OK, fer_device_suspend(&device, image));
    make_greeter();
    config.session_required = true;
    boot();
    assert_int_equal(FER_OK, fer_device_resume(device, image));
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_NOT_NOW, take_packet(PACKET, &packet));
    come_up();
    assert_int_equal(health_now().generation, generation + 1u);
}

/* The last number is never used. */
static void attempts_without_numbers_burn(void **state)
{
    (void)state;
    come_up();
    const uint32_t generation = health_now().generation;
    greeter->attempt = FER_SEQUENCE_END - 1u;
    clock_ms += RENEW_MS;
    assert_true(send_reading() != 0);
    assert_true(send_reading() != 0);
    assert_int_equal(health_now().generation, generation + 1u);
    assert_int_equal(durable.generation, generation + 1u);
    assert_int_equal(durable.attempt, 1);
}

static void a_broken_image_burns(void **state)
{
    (void)state;
    come_up();
    const uint32_t generation = health_now().generation;
    suspend();
    image[130] ^= 1u; /* within the keys for greetings */
    assert_int_equal(FER_DROP_FORGED, fer_device_resume(device, image));
    come_up();
    assert_int_equal(health_now().generation, generation + 1u);
    assert_int_equal(durable.attempt, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATAGRAM(attempts_go_on_after_a_sleep),
        DATAGRAM(an_image_without_keys_burns),
        DATAGRAM(attempts_without_numbers_burn),
        DATAGRAM(a_broken_image_burns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
