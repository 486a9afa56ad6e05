/* What the tests of commands share. Include cmocka.h first. */
#ifndef COMMAND_KIT_H
#define COMMAND_KIT_H

#include "device_kit.h"

/* The reference is the newest record that the peer has opened: what an honest gateway says. */
static inline fer_status command_of(uint32_t id, uint32_t generation, uint32_t sequence)
{
    static const uint8_t body[] = {'g', 'o'};
    const fer_command command = {id, generation, sequence, {body, sizeof body}};
    uint8_t envelope[64];
    size_t n;
    assert_int_equal(fer_telemetry_encode_command(&command, envelope, sizeof envelope, &n), FER_OK);
    n = answer(envelope, n);
    fer_status status = feed(down_bytes, n);
    assert_int_equal(fed_used, n);
    if (status == FER_OK) {
        assert_int_equal(decode(fed, fed_length), FER_OK);
        assert_int_equal(got.commands, 1);
        assert_int_equal(got.command.id, id);
        assert_int_equal(got.command.body.length, sizeof body);
    } else {
        assert_int_equal(fed_length, 0);
    }
    return status;
}

static inline fer_status command(uint32_t id)
{
    return command_of(id, opened.generation, opened.sequence);
}

static inline void send_one(void)
{
    fer_device_record(device, 1, 1.0);
    take_ok();
    while (take_up_to(200) == FER_OK) {
    }
}

/* The one record that waits must be a result. */
static inline void assert_result(uint32_t id, fer_result_code code)
{
    take_ok();
    assert_int_equal(got.results, 1);
    assert_int_equal(got.result.id, id);
    assert_int_equal(got.result.code, code);
    assert_int_equal(take_up_to(200), FER_EMPTY);
}

static inline void assert_stale(uint32_t id, uint32_t generation, uint32_t sequence)
{
    uint32_t before = health_now().commands_stale;
    assert_int_equal(command_of(id, generation, sequence), FER_EMPTY);
    assert_int_equal(health_now().commands_stale, before + 1);
    take_ok(); /* though nothing waited: a fresh reference */
    assert_int_equal(got.healths, 1);
    assert_int_equal(got.health.commands_stale, before + 1);
    assert_result(id, FER_RESULT_STALE);
}

#define STREAM(test) cmocka_unit_test_setup_teardown(test, start_stream, stop)
#define DATAGRAM(test) cmocka_unit_test_setup_teardown(test, start_datagram, stop)

#endif
