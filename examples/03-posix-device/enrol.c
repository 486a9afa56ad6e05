#include "enrol.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "posix.h"
#include "posix_link.h"
#include "session.h"

enum { RETRY_MS = 2000, TICK_MS = 100 };

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "posix-device: %s: %s\n", what, why);
    return false;
}

int enrol_listen(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        (void)complain(path, "the name is too long for a socket");
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = -1;
    if (listener >= 0 && bind(listener, (const struct sockaddr *)&address, sizeof address) == 0) {
        fd = listen(listener, 1) == 0 ? accept(listener, NULL, NULL) : -1;
        (void)unlink(path);
    }
    if (fd < 0) {
        (void)complain(path, strerror(errno));
    }
    if (listener >= 0) {
        (void)close(listener);
    }
    return fd;
}

static uint64_t now_ms(void)
{
    const fer_clock clock = posix_clock();
    uint64_t now = 0;
    (void)clock.ops->monotonic_ms(clock.context, &now);
    return now;
}

/* ---- people ----------------------------------------------------------------------------- */

static void show(const char *whose, const fer_static_public *key)
{
    char text[FER_STATIC_FINGERPRINT_TEXT];
    if (fer_static_get_fingerprint_text(key, text) == FER_OK) {
        fprintf(stderr, "posix-device: %s %s\n", whose, text);
    }
}

/* Nothing that came over the line vouches for the gateway's key. */
static bool approve(const struct enrol *want, const fer_static_public *gateway)
{
    char text[FER_STATIC_FINGERPRINT_TEXT];
    char reply[16] = "";
    show("the gateway ", gateway);
    if (want->expect != NULL) {
        return (fer_static_get_fingerprint_text(gateway, text) == FER_OK &&
                strcasecmp(text, want->expect) == 0) ||
               complain("enrolment", "that is not the gateway which is expected");
    }
    fputs("Does `ferrule enroll` show the same two? Type yes: ", stderr);
    return (fgets(reply, sizeof reply, stdin) != NULL && strcmp(reply, "yes\n") == 0) ||
           complain("enrolment", "not approved; nothing is kept");
}

/* ---- the exchange ----------------------------------------------------------------------- */

static bool send_due(int fd, fer_enrolee *enrolee)
{
    uint8_t frame[FER_ENROLEE_FRAME];
    size_t n = 0;
    const fer_status status = fer_enrolee_take(enrolee, now_ms(), frame, sizeof frame, &n);
    if (status == FER_OK) {
        return posix_send_all(fd, frame, n) || complain("line", strerror(errno));
    }
    return status == FER_EMPTY || status == FER_NOT_NOW ||
           complain("enrolment", fer_status_text(status));
}

/* What does not verify is left out; the enrolee begins again by itself. */
static bool hear(int fd, fer_enrolee *enrolee)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint8_t in[256];
    if (poll(&ready, 1, TICK_MS) <= 0) {
        return true;
    }
    const ssize_t got = read(fd, in, sizeof in);
    if (got <= 0) {
        return complain("line", got == 0 ? "closed by the other side" : strerror(errno));
    }
    size_t used = 0;
    for (size_t at = 0; at < (size_t)got; at += used) {
        const fer_status status = fer_enrolee_feed(enrolee, in + at, (size_t)got - at, &used);
        if (fer_status_get_group(status) == FER_GROUP_DROP_INPUT) {
            (void)complain("line", fer_status_text(status));
        }
    }
    return true;
}

/* Goes on until the stage is over. */
static bool pass(int fd, fer_enrolee *enrolee, fer_enrolee_stage stage)
{
    bool good = true;
    while (good && fer_enrolee_get_stage(enrolee) <= stage) {
        good = send_due(fd, enrolee) && hear(fd, enrolee);
    }
    return good;
}

/* The gateway's key first: with the credential the device counts as installed, and takes no other.
 * A device that has one is handed another by mistake, and keeps the gateway that it knows. */
static bool keep(const struct enrol *want, fer_enrolee *enrolee, const fer_static_public *gateway)
{
    uint8_t *blob = NULL;
    size_t n = 0;
    return fer_enrolee_get_blob(enrolee, &blob, &n) == FER_OK &&
           (n == 0 || install_is_possible(want->install)) &&
           session_keep_gateway(want->gateway_file, gateway) &&
           (n == 0 || install_blob(want->install, "what the gateway handed over", blob, n));
}

/* The third message goes out before anybody is asked: the gateway's people compare meanwhile. */
static bool exchange(int fd, fer_enrolee *enrolee, const struct enrol *want)
{
    fer_static_public gateway;
    return pass(fd, enrolee, FER_ENROLEE_GREETS) && send_due(fd, enrolee) &&
           fer_enrolee_get_gateway(enrolee, &gateway) == FER_OK && approve(want, &gateway) &&
           pass(fd, enrolee, FER_ENROLEE_MET) && keep(want, enrolee, &gateway) &&
           fer_enrolee_confirm(enrolee) == FER_OK && send_due(fd, enrolee);
}

bool enrol_prepare(const struct enrol *want)
{
    fer_static_secret secret;
    fer_static_public own;
    const bool good =
        session_make_key(want->key_file) && session_read_key(want->key_file, &secret, &own);
    if (good) {
        show("this device ", &own);
    }
    explicit_bzero(&secret, sizeof secret);
    return good;
}

bool enrol_over(int fd, const struct enrol *want)
{
    static fer_arena_cell cells[FER_ENROLEE_SIZE / FER_ARENA_ALIGN];
    fer_enrolee_config config = {.retry_ms = RETRY_MS, .entropy = posix_entropy()};
    fer_enrolee *enrolee = NULL;
    fer_arena arena;
    bool good = session_read_key(want->key_file, &config.secret, &config.own);
    if (good) {
        fer_status status = fer_arena_init(&arena, cells, sizeof cells / sizeof *cells);
        if (status == FER_OK) {
            status = fer_enrolee_create(&arena, &config, &enrolee);
        }
        good = status == FER_OK || complain("enrolment", fer_status_text(status));
    }
    explicit_bzero(&config, sizeof config);
    good = good && exchange(fd, enrolee, want);
    fer_enrolee_close(&enrolee);
    if (good) {
        fprintf(stderr, "posix-device: enrolled; start it with --key now, without --enroll\n");
    }
    return good;
}
