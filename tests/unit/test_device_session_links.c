/* Device: sessions over links that lose, repeat and reorder, under restarts of both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "device_session_kit.h"

static uint8_t image[FER_IMAGE_BYTES];

enum { HELD = 4, STEPS = 3000 };

static struct packet ups[HELD], downs_held[HELD];
static unsigned in_sessions;

/* What becomes of a packet that goes up: its answer, or now and then a word, goes down. */
static void arrive(const struct packet *up, struct packet *down, bool answers)
{
    if (up->length == 0 || hear(up) != FER_OK) {
        return;
    }
    if (kind_of(up) == FER_KIND_HANDSHAKE) {
        *down = answer_packet;
    } else if (kind_of(up) == FER_KIND_SESSION) {
        in_sessions++;
        if (answers && say_in_session(NULL, 0, down) != FER_OK) {
            down->length = 0;
        }
    }
}

static void sleep_and_wake(void)
{
    if (fer_device_suspend(&device, image) == FER_OK) {
        make_greeter();
        boot_joined();
        assert_int_equal(FER_OK, fer_device_resume(device, image));
    }
}

/* A link that loses, repeats and reorders, in both directions, under restarts of both sides. The
 * kit fails on a number that comes or is accepted twice; here it is counted that much arrives. */
static void hostile_links_repeat_no_number(void **state)
{
    test_random random = test_random_start("device_session");
    (void)state;
    memset(ups, 0, sizeof ups);
    memset(downs_held, 0, sizeof downs_held);
    in_sessions = 0;
    config.burn_records = 500;
    reboot();
    for (unsigned i = 0; i < STEPS; i++) {
        struct packet packet;
        clock_ms += test_random_below(&random, 400);
        fer_device_record(device, 1, i);
        if (take_packet(PACKET, &packet) == FER_OK) {
            ups[test_random_below(&random, HELD)] = packet; /* what was there is lost */
        }
        arrive(&ups[test_random_below(&random, HELD)],
               &downs_held[test_random_below(&random, HELD)], test_random_below(&random, 3) == 0);
        const struct packet *down = &downs_held[test_random_below(&random, HELD)];
        if (down->length != 0) {
            (void)!feed_packet(down);
        }
        switch (test_random_below(&random, 200)) {
        case 0:
            reboot();
            break;
        case 1:
            start_responder();
            break;
        case 2:
        case 3:
            sleep_and_wake();
            break;
        default:
            break;
        }
    }
    print_message("%u records in sessions, %u greetings answered\n", in_sessions, greetings);
    assert_true(in_sessions > STEPS / 8u);
    assert_true(greetings > STEPS / 200u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATAGRAM(hostile_links_repeat_no_number),
        STREAM(hostile_links_repeat_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
