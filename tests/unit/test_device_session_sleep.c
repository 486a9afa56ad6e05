/* Device: sessions and deep sleep, which they do not survive; nor do attempts. */
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
    boot_joined();
}

/* Attempts are no part of an image: each session after a sleep has a generation of its own, so that
 * no (generation, attempt) comes twice, and the gateway answers the first greeting. */
static void a_session_after_a_sleep_burns(void **state)
{
    (void)state;
    come_up();
    for (uint32_t i = 1; i < 5; i++) {
        const uint32_t generation = health_now().generation;
        suspend();
        assert_int_equal(FER_OK, fer_device_resume(device, image));
        assert_true(send_reading() != 0); /* on the chain, and it tells what is missing */
        assert_false(is_up());
        come_up();
        assert_int_equal(health_now().generation, generation + 1u);
        assert_int_equal(durable.generation, generation + 1u);
        assert_int_equal(durable.attempt, 1);
    }
}

/* The same greeter, which lived through the sleep in retained RAM: it has forgotten its keys. */
static void a_greeter_that_was_kept_burns(void **state)
{
    (void)state;
    come_up();
    const uint32_t generation = health_now().generation;
    assert_int_equal(FER_OK, fer_device_suspend(&device, image));
    boot_joined();
    assert_int_equal(FER_OK, fer_device_resume(device, image));
    clock_ms += RENEW_MS; /* beyond the wait after the last attempt */
    assert_true(send_reading() != 0);
    come_up();
    assert_int_equal(durable.generation, generation + 1u);
    assert_int_equal(durable.attempt, 1);
}

/* An image of a life without greeter has no keys for greetings: a burn brings them. */
static void an_image_without_keys_burns(void **state)
{
    struct packet packet;
    (void)state;
    fer_device_close(&device);
    joined.greeter = NULL;
    boot_joined();
    fer_device_record(device, 1, 1.5);
    while (take_packet(PACKET, &packet) == FER_OK) {
    }
    const uint32_t generation = health_now().generation;
    assert_int_equal(FER_OK, fer_device_suspend(&device, image));
    make_greeter();
    joined.required = true;
    boot_joined();
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
    image[100] ^= 1u;
    assert_int_equal(FER_DROP_FORGED, fer_device_resume(device, image));
    come_up();
    assert_int_equal(health_now().generation, generation + 1u);
    assert_int_equal(durable.attempt, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATAGRAM(a_session_after_a_sleep_burns), DATAGRAM(a_greeter_that_was_kept_burns),
        DATAGRAM(an_image_without_keys_burns),   DATAGRAM(attempts_without_numbers_burn),
        DATAGRAM(a_broken_image_burns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
