#include "greeting_explain.h"

#include <inttypes.h>
#include <string.h>

#include "entropy.h"
#include "sessions.h"
#include "text.h"

static void tell_packet(const fer_greeting *greeting, size_t n)
{
    static const char *const types[] = {
        [FER_GREETING_FIRST] = "first packet of a greeting, up: a device asks for a session",
        [FER_GREETING_SECOND] = "second packet of a greeting, down: a gateway's answer",
        [FER_GREETING_COOKIE] = "cookie, down: a gateway under load asks the device to come again",
    };
    char route[2 * FER_ROUTE_MAX + 1];
    text_to_hex(greeting->route, greeting->route_length, route);
    printf("1 header: %s, route %s\n", types[greeting->type], route[0] != '\0' ? route : "(none)");
    if (greeting->type == FER_GREETING_FIRST) {
        printf("  generation %" PRIu32 ", attempt %" PRIu32 "\n", greeting->generation,
               greeting->attempt);
    } else if (greeting->type == FER_GREETING_SECOND) {
        printf("  in answer to attempt %" PRIu32 "\n", greeting->attempt);
    }
    printf("  %zu bytes of header, %zu of message, %zu of checks\n", greeting->header_length,
           greeting->message_length, n - greeting->header_length - greeting->message_length);
}

/* The device whose provisioned route this is; null: there is none, and it was told. */
static const struct device *tell_device(const struct contexts *contexts,
                                        const fer_greeting *greeting)
{
    for (size_t i = 0; i < contexts->count; i++) {
        const struct device *device = &contexts->devices[i];
        const struct registry_device *registered = &device->registered;
        if (registered->route_length != greeting->route_length ||
            memcmp(registered->route, greeting->route, greeting->route_length) != 0) {
            continue;
        }
        printf("2 context: route of device %s, epoch %" PRIu32 "%s\n", registered->id,
               registered->epoch,
               !registered->has_static ? "; the registry has no static key of it: it may not greet"
               : !device->open         ? "; it is closed"
                                       : "");
        return device;
    }
    printf("2 context: no device of the registry has this route\n");
    return NULL;
}

static void tell_mark(const struct device *device, const fer_greeting *greeting)
{
    const fer_greeted last = device->greeted;
    const bool newer =
        greeting->generation > last.generation ||
        (greeting->generation == last.generation && greeting->attempt > last.attempt);
    printf("3 mark: its last greeting was of generation %" PRIu32 ", attempt %" PRIu32
           "; this one is %s\n",
           last.generation, last.attempt, newer ? "newer" : "not newer: it starts nothing");
}

/* The responder's own word, over a copy of what is stored; its answer goes nowhere. */
static bool tell_verdict(const struct view *view, const char *key, const uint8_t *packet, size_t n)
{
    struct sessions sessions;
    struct fault fault = {""};
    uint8_t answer[FER_GREETING_SECOND_SIZE(FER_ROUTE_MAX, FER_ROUTE_MAX)];
    size_t length = 0;
    uint32_t context = 0;
    fer_greeted mark;
    if (!sessions_load(&sessions, key, &view->contexts, host_entropy(), &fault)) {
        SAY("%s", fault.text);
        return false;
    }
    printf("4 check: %s\n", fer_greeting_check(packet, n, &sessions.own) == FER_OK
                                ? "made with this gateway's public key"
                                : "not made with this gateway's public key");
    const fer_status status = fer_responder_greet(sessions.responder, packet, n, answer,
                                                  sizeof answer, &length, &context, &mark);
    explicit_bzero(answer, sizeof answer);
    sessions_free(&sessions);
    if (status == FER_OK) {
        printf("5 verdict: ANSWERED, unless the gateway is under load: then with a cookie first\n");
    } else {
        printf("5 verdict: REJECTED: %s\n", fer_status_text(status));
    }
    return status == FER_OK;
}

bool greeting_explain(const struct view *view, const char *key, const uint8_t *packet, size_t n,
                      const fer_greeting *greeting)
{
    tell_packet(greeting, n);
    const struct device *device = tell_device(&view->contexts, greeting);
    if (greeting->type != FER_GREETING_FIRST) {
        printf("5 verdict: REJECTED: a gateway sends these and takes none\n");
        return false;
    }
    if (device != NULL) {
        tell_mark(device, greeting);
    }
    if (key == NULL) {
        printf("5 verdict: UNKNOWN: give the gateway's --key\n");
        return false;
    }
    return tell_verdict(view, key, packet, n);
}
