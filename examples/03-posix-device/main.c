/* Ferrule example 03: a Linux machine as a device. Reports what its sensors say, sealed, over UDP,
 * a unix socket or a serial line, and hears what the gateway has kept. The device's code is the
 * same as on a microcontroller; only the ports differ. */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "enrol.h"
#include "ferrule/ferrule.h"
#include "install.h"
#include "nv_file.h"
#include "posix.h"
#include "posix_link.h"
#include "sensors.h"
#include "session.h"

enum { KEY_SILENCE = 256, KEY_EXPECT, KEY_REQUIRED };

enum {
    READINGS = 256,
    MESSAGES = 4096,
    INBOUND = FER_COMMAND_MAX + 128,
    DATAGRAM = 1200,
    LINGER_MS = 1000
};

struct options {
    const char *blob, *state, *udp, *unix_path, *serial, *gateway, *key, *expect;
    struct install install;
    unsigned long interval_ms, count, silence_ms;
    bool enroll, required;
    char gateway_file[4096]; /* what enrolment keeps of the gateway */
};

struct end {
    fer_device *device;
    int fd;
    uint8_t unsent[DATAGRAM]; /* a failed link gets the same bytes again, never a new seal */
    size_t unsent_length;
    struct commands commands;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

/* ---- options ---------------------------------------------------------------------------- */

static const struct argp_option option_list[] = {
    {"state", 's', "FILE", 0, "Where the device keeps its keys (required)", 0},
    {"blob", 'b', "FILE", 0, "Install this credential first, once; destroy the file afterwards", 0},
    {"hardware", 'w', "HEX", 0, "This machine's unique id: the credential must be bound to it", 0},
    {"udp", 'u', "HOST:PORT", 0, "Send datagrams there", 0},
    {"unix", 'x', "PATH", 0, "Connect to this unix stream socket", 0},
    {"serial", 't', "DEV", 0, "Use this serial line, 115200 8N1", 0},
    {"key", 'k', "FILE", 0,
     "This device's own static key: greet the gateway that --enroll has kept, and report in a "
     "session",
     0},
    {"session", 'g', "HEX", 0, "With --key: greet the gateway of this public key instead", 0},
    {"required", KEY_REQUIRED, 0, 0, "With --key: report in sessions alone, and wait for one", 0},
    {"silence", KEY_SILENCE, "MS", 0, "Time without an answer that ends a session (60000)", 0},
    {"enroll", 'e', 0, 0,
     "Do no more than enrol, with 'ferrule enroll' at the other end of the serial line, or of the "
     "unix socket, which is made and listened on; makes --key where there is none",
     0},
    {"expect", KEY_EXPECT, "FINGERPRINT", 0,
     "With --enroll: the gateway's; else it is asked for your yes", 0},
    {"interval", 'i', "MS", 0, "Time between samples (1000)", 0},
    {"count", 'n', "N", 0, "Stop after N samples (0: never)", 0},
    {0}};

static unsigned long parse_number(const char *text, struct argp_state *state)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > 86400000ul) {
        argp_error(state, "%s: a number up to 86400000 is wanted", text);
    }
    return number;
}

static void parse_hardware(const char *text, struct options *options, struct argp_state *state)
{
    const size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n && i < FER_HARDWARE_MAX; i++) {
        char digits[] = {text[2 * i], text[2 * i + 1], '\0'};
        options->install.hardware[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    if (n == 0 || n > FER_HARDWARE_MAX || strspn(text, "0123456789abcdefABCDEF") != 2 * n ||
        text[2 * n] != '\0') {
        argp_error(state, "%s: 1 to %u bytes in hex are wanted", text, FER_HARDWARE_MAX);
    }
    options->install.hardware_length = n;
}

static void check_whole(struct options *options, struct argp_state *state)
{
    if (options->state == NULL) {
        argp_error(state, "--state is wanted");
    } else if ((options->udp != NULL) + (options->unix_path != NULL) + (options->serial != NULL) !=
               1) {
        argp_error(state, "one of --udp, --unix and --serial is wanted");
    } else if (options->key == NULL &&
               (options->gateway != NULL || options->enroll || options->required)) {
        argp_error(state, "--session, --required and --enroll need --key");
    } else if (options->enroll && (options->udp != NULL || options->blob != NULL)) {
        argp_error(state, "--enroll is over a serial line or a unix socket, and brings the blob");
    } else if (snprintf(options->gateway_file, sizeof options->gateway_file, "%s.gateway",
                        options->state) >= (int)sizeof options->gateway_file) {
        argp_error(state, "%s: the name is too long", options->state);
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 's':
        options->state = text;
        return 0;
    case 'b':
        options->blob = text;
        return 0;
    case 'w':
        parse_hardware(text, options, state);
        return 0;
    case 'u':
        options->udp = text;
        return 0;
    case 'x':
        options->unix_path = text;
        return 0;
    case 't':
        options->serial = text;
        return 0;
    case 'g':
        options->gateway = text;
        return 0;
    case 'k':
        options->key = text;
        return 0;
    case 'i':
        options->interval_ms = parse_number(text, state);
        return 0;
    case 'n':
        options->count = parse_number(text, state);
        return 0;
    case 'e':
        options->enroll = true;
        return 0;
    case KEY_EXPECT:
        options->expect = text;
        return 0;
    case KEY_REQUIRED:
        options->required = true;
        return 0;
    case KEY_SILENCE:
        options->silence_ms = parse_number(text, state);
        return 0;
    case ARGP_KEY_END:
        check_whole(options, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- keys ------------------------------------------------------------------------------- */

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "posix-device: %s: %s\n", what, why);
    return false;
}

static bool open_state(struct options *options, nv_file *file)
{
    if ((options->blob != NULL || options->enroll) && !nv_file_create(options->state) &&
        errno != EEXIST) {
        return complain(options->state, strerror(errno));
    }
    if (!nv_file_open(file, options->state)) {
        return complain(options->state, errno == EWOULDBLOCK ? "another process uses it"
                                        : errno == EINVAL    ? "is no state of a device"
                                                             : strerror(errno));
    }
    options->install.state = options->state;
    options->install.nv = nv_file_port(file);
    return options->blob == NULL || install_file(&options->install, options->blob);
}

static bool open_session(fer_arena *arena, const struct options *options, fer_greeter **greeter)
{
    fer_static_public gateway;
    return (options->gateway != NULL ? session_parse_gateway(options->gateway, &gateway)
                                     : session_read_gateway(options->gateway_file, &gateway)) &&
           session_open(arena, &gateway, options->key, (uint32_t)options->silence_ms, greeter);
}

/* ---- out and back ----------------------------------------------------------------------- */

/* Sends all that waits. False: the device cannot seal any more, which it said why. */
static bool drain(struct end *end)
{
    fer_status status = FER_OK;
    while (status == FER_OK) {
        if (end->unsent_length == 0) {
            status =
                fer_device_take(end->device, end->unsent, sizeof end->unsent, &end->unsent_length);
        }
        if (end->unsent_length != 0) {
            if (!posix_send_all(end->fd, end->unsent, end->unsent_length)) {
                return true; /* the link is down: later */
            }
            end->unsent_length = 0;
        }
    }
    return !fer_status_is_fatal(status) || complain("stopped", fer_status_text(status));
}

static void on_receipt(void *context, const fer_receipt *receipt)
{
    (void)context;
    fprintf(stderr, "posix-device: the gateway keeps all up to record %u of generation %u\n",
            (unsigned)receipt->sequence, (unsigned)receipt->generation);
}

static void on_command(void *context, const fer_command *command)
{
    struct end *end = context;
    commands_run(&end->commands, end->device, command);
}

static bool hear(struct end *end)
{
    const fer_telemetry_visitor visitor = {
        .on_receipt = on_receipt, .on_command = on_command, .context = end};
    uint8_t in[1500], out[INBOUND];
    ssize_t got = read(end->fd, in, sizeof in);
    if (got == 0) {
        return complain("link", "closed by the other side");
    }
    size_t used = 0;
    for (size_t at = 0; got > 0 && at < (size_t)got; at += used) {
        size_t n = 0;
        fer_status status =
            fer_device_feed(end->device, in + at, (size_t)got - at, &used, out, sizeof out, &n);
        if (status == FER_OK && fer_telemetry_decode(out, n, &visitor) != FER_OK) {
            complain("downlink", "is no envelope that this version knows");
        }
        if (status != FER_OK) {
            break;
        }
    }
    return drain(end); /* what was asked is answered at once */
}

/* ---- the loop --------------------------------------------------------------------------- */

static bool introduce(fer_device *device, const struct sensors *sensors)
{
    fer_status status = fer_device_event(device, FER_INFO, "posix-device starts");
    if (status == FER_OK && sensors->temperatures == 0) {
        status = fer_device_event(device, FER_WARNING, "no temperature can be read here");
    }
    for (size_t i = 0; i < sensors->count && status == FER_OK; i++) {
        const struct sensor *sensor = &sensors->each[i];
        status = fer_device_describe(device, sensor->series, sensor->name, sensor->unit);
    }
    return status == FER_OK || complain("describing the sensors", fer_status_text(status));
}

static uint64_t now_ms(void)
{
    const fer_clock clock = posix_clock();
    uint64_t now = 0;
    (void)clock.ops->monotonic_ms(clock.context, &now);
    return now;
}

/* Listens until `until`, or until it must stop. */
static bool wait_until(struct end *end, uint64_t until, const sigset_t *mask)
{
    for (uint64_t now = now_ms(); now < until && stopping == 0; now = now_ms()) {
        struct pollfd ready = {.fd = end->fd, .events = POLLIN};
        const struct timespec left = {(time_t)((until - now) / 1000),
                                      (long)((until - now) % 1000) * 1000000L};
        if (ppoll(&ready, 1, &left, mask) > 0 && !hear(end)) {
            return false;
        }
    }
    return true;
}

static bool run(struct end *end, const struct sensors *sensors, const struct options *options,
                const sigset_t *mask)
{
    uint64_t next = now_ms();
    bool good = introduce(end->device, sensors);
    commands_report(&end->commands, end->device);
    for (unsigned long i = 0; good && stopping == 0; i++) {
        for (size_t k = 0; k < sensors->count; k++) {
            double value;
            if (sensor_read(&sensors->each[k], &value)) {
                fer_device_record(end->device, sensors->each[k].series, value);
            }
        }
        good = drain(end);
        if (options->count != 0 && i + 1 == options->count) {
            return good && wait_until(end, now_ms() + LINGER_MS, mask);
        }
        next += end->commands.interval_ms;
        good = good && wait_until(end, next, mask);
    }
    return good && drain(end);
}

static int open_link(const struct options *options)
{
    const char *where = options->udp;
    const char *why = "";
    int fd;
    if (options->udp != NULL) {
        fd = posix_connect_udp(where, &why);
    } else if (options->serial != NULL) {
        where = options->serial;
        fd = posix_open_serial(where, 115200, &why);
    } else if (options->enroll) {
        return enrol_listen(options->unix_path);
    } else {
        where = options->unix_path;
        fd = posix_connect_unix(where, &why);
    }
    if (fd < 0) {
        (void)complain(where, why);
    }
    return fd;
}

static bool enrol(const struct options *options)
{
    const struct enrol want = {options->key, options->gateway_file, options->expect,
                               &options->install};
    int fd = -1;
    return enrol_prepare(&want) && (fd = open_link(options)) >= 0 && enrol_over(fd, &want);
}

/* Signals are let in only where the program waits, so that none is missed. */
static void catch_signals(sigset_t *mask)
{
    const struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &blocked, mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    FER_ARENA(arena, FER_DEVICE_SIZE(READINGS, MESSAGES, INBOUND, NV_FILE_GRANULE) +
                         FER_GREETER_SIZE(SESSION_WINDOW));
    static posix_lock lock;
    static const struct argp argp = {
        option_list, parse, NULL, "Reports this machine's sensors, sealed by Ferrule.",
        NULL,        NULL,  NULL};
    struct options options = {.interval_ms = 1000, .silence_ms = 60000};
    struct end end = {.fd = -1};
    struct sensors sensors;
    sigset_t mask;
    nv_file file;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (!open_state(&options, &file) || !commands_load(&end.commands, options.state)) {
        return EXIT_FAILURE;
    }
    if (options.enroll) {
        return enrol(&options) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if ((end.fd = open_link(&options)) < 0) {
        return EXIT_FAILURE;
    }
    fer_device_config config = fer_device_config_default();
    fer_greeter *greeter = NULL;
    if (options.key != NULL && !open_session(&arena, &options, &greeter)) {
        return EXIT_FAILURE;
    }
    config.nv = nv_file_port(&file);
    config.clock = posix_clock();
    config.lock = posix_lock_port(&lock);
    config.link = options.udp != NULL ? FER_LINK_DATAGRAM : FER_LINK_STREAM;
    config.readings = READINGS;
    config.messages = MESSAGES;
    config.inbound = INBOUND;
    config.commands_done = end.commands.id;
    end.commands.interval_ms = options.interval_ms;
    fer_status status = fer_device_create(&arena, &config, &end.device);
    if (status == FER_OK && greeter != NULL) {
        status = fer_device_join(end.device, greeter, options.required);
    }
    if (status != FER_OK) {
        complain("device", fer_status_text(status));
        return EXIT_FAILURE;
    }
    sensors_find(&sensors);
    catch_signals(&mask);
    bool good = run(&end, &sensors, &options, &mask);
    fer_device_close(&end.device);
    fer_greeter_close(&greeter); /* after the device, which uses it */
    nv_file_close(&file);
    (void)close(end.fd);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
