/* Device: sessions, with the responder as the peer. Records come once, whatever becomes of the
 * packets, of the gateway, and of the device's power. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "device_session_kit.h"
#include "ferrule/replay.h"
#include "internal/poison.h"

/* While the device has it still. ASan would see the use: here it is the tag that does. */
static void close_greeter(void)
{
    fer_greeter *closed = greeter;
    fer_greeter_close(&greeter);
    FER_UNPOISON(closed, FER_GREETER_SIZE(BITS));
}

/* ---- a session comes up ----------------------------------------------------------------- */

static void a_greeting_goes_first(void **state)
{
    struct packet packet;
    (void)state;
    assert_int_equal(FER_EMPTY, take_packet(PACKET, &packet)); /* nothing to say: no burn, none */
    assert_int_equal(nv_changes, 0);
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_OK, take_packet(PACKET, &packet));
    assert_int_equal(kind_of(&packet), FER_KIND_HANDSHAKE);
    assert_int_equal(packet.length, FER_GREETING_FIRST_SIZE(ROUTE, 0));
    assert_int_equal(FER_OK, hear(&packet));
    assert_int_equal(FER_EMPTY, feed_packet(&answer_packet));
    assert_int_equal(FER_OK, take_packet(PACKET, &packet));
    assert_int_equal(kind_of(&packet), FER_KIND_SESSION);
    assert_int_equal(FER_OK, hear(&packet));
    assert_int_equal(last_form, FER_FORM_FULL);
    assert_int_equal(FER_DROP_REPLAY, hear(&packet)); /* once */
    assert_int_equal(health_now().inbound_rejected, 0);
}

static void the_short_form_follows_a_downlink(void **state)
{
    (void)state;
    come_up();
    acknowledge_session();
    assert_int_equal(send_reading(), 1);
    assert_int_equal(last_kind, FER_KIND_SESSION);
    assert_int_equal(last_form, FER_FORM_SHORT);
}

/* No answer yet: what waits does not wait for it. */
static void without_a_session_the_chain_carries(void **state)
{
    struct packet packet;
    (void)state;
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_OK, take_packet(PACKET, &packet)); /* lost */
    assert_int_equal(FER_OK, take_packet(PACKET, &packet));
    assert_int_equal(kind_of(&packet), FER_KIND_PROVISIONED);
    assert_int_equal(FER_OK, hear(&packet));
    assert_int_equal(send_reading(), 1);
    assert_int_equal(last_kind, FER_KIND_PROVISIONED);
    clock_ms += 2u * RETRY_MS;
    come_up();
}

static void a_required_session_is_waited_for(void **state)
{
    struct packet packet;
    (void)state;
    joined.required = true;
    reboot();
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_OK, take_packet(PACKET, &packet));
    assert_int_equal(kind_of(&packet), FER_KIND_HANDSHAKE);
    assert_int_equal(FER_NOT_NOW, take_packet(PACKET, &packet));
    for (unsigned i = 0; i < READINGS + 3u; i++) {
        fer_device_record(device, 1, i);
    }
    assert_int_equal(health_now().readings_dropped, 4); /* HONEST */
    assert_int_equal(FER_NOT_NOW, take_packet(PACKET, &packet));
    clock_ms += 2u * RETRY_MS;
    come_up();
    assert_int_equal(got.count + got.healths != 0, 1);
    for (size_t i = 0; i < name_count; i++) {
        assert_int_equal(names[i].bytes[0], FER_KIND_SESSION);
    }
}

static fer_status join_anew(void)
{
    fer_device_close(&device);
    boot();
    return fer_device_join(device, joined.greeter, true);
}

static void what_cannot_be_joined(void **state)
{
    fer_device *closed = NULL;
    (void)state;
    assert_int_equal(FER_ERR_HANDLE, fer_device_join(closed, greeter, false));
    assert_int_equal(FER_ERR_HANDLE, fer_device_join(device, NULL, true));
    config.inbound = FER_GREETING_SECOND_SIZE(FER_ROUTE_MAX, FER_ROUTE_MAX) - 1u;
    assert_int_equal(join_anew(), FER_ERR_ARGUMENT);
    config.inbound = INBOUND;
    config.way = FER_ONE_WAY;
    assert_int_equal(join_anew(), FER_ERR_ARGUMENT);
    config.way = FER_TWO_WAY;
    config.clock.ops = NULL;
    assert_int_equal(join_anew(), FER_ERR_ARGUMENT);
    config.clock.ops = &clock_ops;
    assert_int_equal(join_anew(), FER_OK);
    assert_true(send_reading() != 0);
    assert_int_equal(FER_ERR_ORDER, fer_device_join(device, greeter, false)); /* it has burned */
    close_greeter();
    assert_int_equal(join_anew(), FER_ERR_HANDLE);
}

static void small_buffers_carry_records(void **state)
{
    struct packet packet;
    (void)state;
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_OK, take_packet(100, &packet)); /* no room for a greeting */
    assert_int_equal(kind_of(&packet), FER_KIND_PROVISIONED);
    fer_device_close(&device);
    joined.required = true;
    reboot();
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_ERR_CAPACITY, take_packet(100, &packet));
    come_up();
}

static void backlog_stays_on_the_chain(void **state)
{
    struct packet packet;
    (void)state;
    come_up();
    fer_device_record(device, 1, 1.5);
    assert_int_equal(
        FER_OK, fer_device_take_backlog(device, packet.bytes, sizeof packet.bytes, &packet.length));
    remember(&packet);
    assert_int_equal(FER_OK, hear(&packet));
    assert_int_equal(last_kind, FER_KIND_PROVISIONED);
    assert_int_equal(opened.lane, FER_LANE_BACKLOG);
}

static void without_entropy_no_session_is_made(void **state)
{
    struct packet packet;
    (void)state;
    device_entropy.fails = 1;
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_OK, take_packet(PACKET, &packet));
    assert_int_equal(kind_of(&packet), FER_KIND_PROVISIONED);
    joined.required = true;
    reboot();
    device_entropy.fails = 1;
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_TROUBLE_ENTROPY, take_packet(PACKET, &packet));
    come_up();
}

/* ---- its life --------------------------------------------------------------------------- */

static void a_session_is_renewed(void **state)
{
    (void)state;
    come_up();
    acknowledge_session();
    const unsigned before = greetings;
    clock_ms += RENEW_MS - 1u;
    acknowledge_session();
    assert_int_equal(send_reading(), 1);
    assert_int_equal(greetings, before);
    clock_ms += 1;
    assert_int_equal(send_reading(), 2); /* health first, which makes the new one current */
    assert_int_equal(greetings, before + 1);
    assert_int_equal(last_kind, FER_KIND_SESSION);
}

/* Times of the one before say nothing of its numbers. */
static void a_new_session_is_marked_anew(void **state)
{
    (void)state;
    come_up();
    clock_ms += RENEW_MS - 1u;
    acknowledge_session();
    assert_int_equal(send_reading(), 1);
    assert_int_equal(send_reading(), 1);
    clock_ms += 1;
    assert_int_equal(send_reading(), 2);
    assert_int_equal(FER_OK, command_in(true, 1, 0, opened.sequence));
}

static void a_session_without_numbers_is_left(void **state)
{
    (void)state;
    come_up();
    acknowledge_session();
    const unsigned before = greetings;
    assert_int_equal(FER_OK, fer_sealer_advance(fer_greeter_get_sealer(greeter), FER_SEQUENCE_END));
    clock_ms += 2u * RETRY_MS;
    assert_int_equal(send_reading(), 2);
    assert_int_equal(greetings, before + 1);
    assert_int_equal(last_kind, FER_KIND_SESSION);
}

/* It tells 0, which is before everything: nothing is old for that. */
static void a_failing_clock_ends_no_session(void **state)
{
    (void)state;
    clock_ms = 10000000;
    come_up();
    const unsigned before = greetings;
    clock_answer = FER_PORT_FAILED;
    assert_int_equal(send_reading(), 1);
    assert_int_equal(last_kind, FER_KIND_SESSION);
    clock_answer = FER_PORT_OK;
    assert_int_equal(send_reading(), 1);
    assert_int_equal(greetings, before);
}

/* Closed before its device: nothing goes up that should not. */
static void a_closed_greeter_fails_closed(void **state)
{
    struct packet packet;
    (void)state;
    joined.required = true;
    reboot();
    come_up();
    close_greeter();
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_NOT_NOW, take_packet(PACKET, &packet));
}

static void a_burn_leaves_the_session(void **state)
{
    (void)state;
    config.burn_records = 4;
    reboot();
    come_up();
    const uint32_t generation = health_now().generation;
    const unsigned before = greetings;
    for (unsigned i = 0; i < 8; i++) {
        assert_true(send_reading() != 0);
        assert_int_equal(last_kind, FER_KIND_SESSION);
    }
    assert_true(health_now().generation > generation);
    assert_int_equal(greetings, before);
    clock_ms += RENEW_MS; /* by the new generation's keys */
    assert_true(send_reading() != 0);
    assert_int_equal(greetings, before + 1);
    assert_int_equal(durable.generation, health_now().generation);
}

/* The gateway has lost its sessions: it drops what comes in them, and says nothing. The device asks
 * after half of the silence that it bears, and greets after the whole. */
static void a_restarted_gateway_is_met_anew(void **state)
{
    (void)state;
    come_up();
    acknowledge_session();
    assert_int_equal(send_reading(), 1);
    assert_int_equal(last_form, FER_FORM_SHORT);
    start_responder();
    const unsigned before = greetings;
    assert_int_equal(send_reading(), 0); /* short: asks nothing */
    clock_ms += 2u * SILENCE_MS;
    assert_int_equal(send_reading(), 0); /* full: asks */
    assert_int_equal(greetings, before);
    clock_ms += SILENCE_MS - 1u;
    assert_int_equal(send_reading(), 0);
    assert_int_equal(greetings, before);
    clock_ms += SILENCE_MS / 2u + 1u;
    assert_true(send_reading() != 0);
    assert_int_equal(greetings, before + 1);
    assert_int_equal(last_kind, FER_KIND_SESSION);
}

/* Nobody answers any more: the chain carries on, or what must have a session waits. */
static void silence_ends_the_session(void **state)
{
    struct packet packet;
    (void)state;
    for (unsigned required = 0; required < 2; required++) {
        joined.required = required != 0;
        reboot();
        come_up();
        clock_ms += SILENCE_MS + SILENCE_MS / 2u;
        fer_device_record(device, 1, 1.5);
        assert_int_equal(FER_OK, take_packet(PACKET, &packet));
        assert_int_equal(kind_of(&packet), FER_KIND_HANDSHAKE);
        fer_status status = take_packet(PACKET, &packet);
        assert_int_equal(status, required ? FER_NOT_NOW : FER_OK);
        assert_true(required || kind_of(&packet) == FER_KIND_PROVISIONED);
        acknowledge_session(); /* it was only slow */
        fer_device_record(device, 1, 1.5);
        assert_int_equal(FER_OK, take_packet(PACKET, &packet));
        assert_int_equal(kind_of(&packet), FER_KIND_SESSION);
        assert_int_equal(FER_OK, hear(&packet));
    }
}

static void a_heard_gateway_is_not_greeted(void **state)
{
    (void)state;
    come_up();
    acknowledge_session();
    const unsigned before = greetings;
    for (unsigned i = 0; i < 12; i++) {
        clock_ms += SILENCE_MS / 2u;
        assert_int_equal(send_reading(), 1);
        assert_int_equal(last_form, FER_FORM_FULL); /* asks, after so long */
        acknowledge_session();
        assert_int_equal(send_reading(), 1);
        assert_int_equal(last_form, FER_FORM_SHORT);
    }
    assert_int_equal(greetings, before);
}

static void a_reboot_ends_the_session(void **state)
{
    struct packet down;
    (void)state;
    come_up();
    assert_int_equal(FER_OK, say_in_session(NULL, 0, &down));
    reboot();
    assert_int_equal(FER_EMPTY, feed_packet(&down));
    assert_int_equal(health_now().inbound_rejected, 1);
    come_up();
    assert_int_equal(FER_EMPTY, feed_packet(&down));
    acknowledge_session();
}

/* ---- commands --------------------------------------------------------------------------- */

static void a_command_refers_to_its_own_context(void **state)
{
    (void)state;
    come_up();
    const uint32_t last = opened.sequence;
    assert_int_equal(opened.generation, 0);
    assert_int_equal(FER_EMPTY, command_in(true, 1, 0, last + 1u)); /* never sealed */
    assert_int_equal(FER_EMPTY, command_in(true, 1, 1, last));
    assert_int_equal(health_now().commands_stale, 2);
    assert_int_equal(FER_OK, command_in(true, 1, 0, last));
    assert_int_equal(FER_EMPTY, command_in(true, 1, 0, last));
    assert_int_equal(health_now().commands_repeated, 1);
}

static void withheld_commands_are_stale(void **state)
{
    (void)state;
    come_up();
    acknowledge_session();
    const uint32_t last = opened.sequence;
    clock_ms += config.stale_ms + 1u;
    assert_int_equal(FER_EMPTY, command_in(true, 1, 0, last));
    assert_true(send_reading() != 0);
    const uint32_t fresh = opened.sequence;
    assert_int_equal(FER_OK, command_in(true, 1, 0, fresh));
    for (unsigned i = 0; i <= config.stale_records; i++) {
        assert_true(send_reading() != 0);
        acknowledge_session();
    }
    assert_int_equal(FER_EMPTY, command_in(true, 2, 0, fresh));
    assert_int_equal(FER_OK, command_in(true, 2, 0, opened.sequence));
}

/* What was sealed on the chain before the session says nothing of the time since. */
static void outside_the_session_commands_are_stale(void **state)
{
    struct packet packet;
    (void)state;
    fer_device_record(device, 1, 1.5);
    assert_int_equal(FER_OK, take_packet(PACKET, &packet));
    assert_int_equal(FER_OK, hear(&packet));
    assert_int_equal(FER_OK, take_packet(PACKET, &packet));
    assert_int_equal(FER_OK, hear(&packet));
    const fer_opened reference = opened;
    assert_int_equal(reference.kind, FER_KIND_PROVISIONED);
    assert_int_equal(FER_OK, command_in(false, 1, reference.generation, reference.sequence));
    assert_int_equal(FER_EMPTY, feed_packet(&answer_packet));
    assert_int_equal(FER_EMPTY, command_in(false, 2, reference.generation, reference.sequence));
    assert_int_equal(health_now().commands_stale, 1);
    assert_true(send_reading() != 0); /* the result goes in the session, which is current now */
    assert_int_equal(last_kind, FER_KIND_SESSION);
    assert_int_equal(FER_OK, command_in(true, 2, 0, opened.sequence));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATAGRAM(a_greeting_goes_first),
        STREAM(a_greeting_goes_first),
        DATAGRAM(the_short_form_follows_a_downlink),
        DATAGRAM(without_a_session_the_chain_carries),
        DATAGRAM(a_required_session_is_waited_for),
        DATAGRAM(what_cannot_be_joined),
        DATAGRAM(small_buffers_carry_records),
        STREAM(small_buffers_carry_records),
        DATAGRAM(backlog_stays_on_the_chain),
        DATAGRAM(without_entropy_no_session_is_made),
        DATAGRAM(a_session_is_renewed),
        DATAGRAM(a_new_session_is_marked_anew),
        DATAGRAM(a_session_without_numbers_is_left),
        DATAGRAM(a_failing_clock_ends_no_session),
        DATAGRAM(a_closed_greeter_fails_closed),
        DATAGRAM(a_burn_leaves_the_session),
        DATAGRAM(a_restarted_gateway_is_met_anew),
        DATAGRAM(silence_ends_the_session),
        DATAGRAM(a_heard_gateway_is_not_greeted),
        DATAGRAM(a_reboot_ends_the_session),
        DATAGRAM(a_command_refers_to_its_own_context),
        DATAGRAM(withheld_commands_are_stale),
        DATAGRAM(outside_the_session_commands_are_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
