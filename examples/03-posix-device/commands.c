#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "durable.h"

static bool complain(const char *what)
{
    fprintf(stderr, "posix-device: %s: %s\n", what, strerror(errno));
    return false;
}

/* ---- on disk ---------------------------------------------------------------------------- */

/* A line: the id, then the code and text of its outcome, or -1 while it runs. */
static bool parse(struct commands *commands, FILE *file)
{
    int code = -1;
    int n = fscanf(file, "%" SCNu32 " %d %119[^\n]", &commands->id, &code, commands->text);
    if (n < 2 || commands->id == 0 || code > FER_RESULT_UNKNOWN) {
        errno = EINVAL;
        return false;
    }
    commands->finished = code >= 0;
    commands->code = code >= 0 ? (fer_result_code)code : FER_RESULT_UNKNOWN;
    return true;
}

bool commands_load(struct commands *commands, const char *state)
{
    if (snprintf(commands->path, sizeof commands->path, "%s.commands", state) >=
        (int)sizeof commands->path) {
        errno = ENAMETOOLONG;
        return complain(state);
    }
    FILE *file = fopen(commands->path, "re");
    if (file == NULL) {
        return errno == ENOENT || complain(commands->path);
    }
    bool good = parse(commands, file);
    (void)fclose(file);
    return good || complain(commands->path);
}

static bool save(const struct commands *commands)
{
    char line[sizeof commands->text + 32];
    const int n = snprintf(line, sizeof line, "%" PRIu32 " %d %s\n", commands->id,
                           commands->finished ? (int)commands->code : -1, commands->text);
    return durable_write(commands->path, line, (size_t)n) || complain(commands->path);
}

/* ---- what can be asked ------------------------------------------------------------------ */

static void set_outcome(struct commands *commands, fer_result_code code, const char *text)
{
    commands->finished = true;
    commands->code = code;
    (void)snprintf(commands->text, sizeof commands->text, "%s", text);
}

static void set_interval(struct commands *commands, const char *number)
{
    char *end;
    errno = 0;
    unsigned long ms = strtoul(number, &end, 10);
    if (*number < '0' || *number > '9' || *end != '\0' || errno != 0 || ms == 0 || ms > 86400000) {
        set_outcome(commands, FER_RESULT_REFUSED, "an interval is 1 to 86400000 ms");
        return;
    }
    commands->interval_ms = ms;
    set_outcome(commands, FER_RESULT_DONE, "the interval is set");
}

static void act(struct commands *commands, const char *text)
{
    if (strncmp(text, "interval ", 9) == 0) {
        set_interval(commands, text + 9);
    } else if (strcmp(text, "ping") == 0) {
        set_outcome(commands, FER_RESULT_DONE, "pong");
    } else {
        set_outcome(commands, FER_RESULT_REFUSED, "no such command");
    }
}

static void tell(const struct commands *commands, fer_device *device)
{
    fer_status status = fer_device_answer(device, commands->id, commands->code,
                                          (const uint8_t *)commands->text, strlen(commands->text));
    if (status != FER_OK) {
        fprintf(stderr, "posix-device: the outcome of command %" PRIu32 ": %s\n", commands->id,
                fer_status_text(status));
    }
}

void commands_report(const struct commands *commands, fer_device *device)
{
    if (commands->id != 0 && commands->finished) {
        tell(commands, device);
    }
}

/* At most once: a crash between the two writes leaves a command whose end nobody knows, which the
 * library reports so. One that can be repeated without harm would rather be recorded after it. */
void commands_run(struct commands *commands, fer_device *device, const fer_command *command)
{
    char text[COMMANDS_TEXT] = "";
    size_t n = command->body.length < sizeof text ? command->body.length : sizeof text - 1;
    memcpy(text, command->body.bytes, n);
    commands->id = command->id;
    commands->finished = false;
    commands->text[0] = '\0';
    if (!save(commands)) {
        set_outcome(commands, FER_RESULT_FAILED, "its id cannot be recorded");
    } else {
        act(commands, text);
        (void)save(commands);
        fprintf(stderr, "posix-device: ran command %" PRIu32 ": %s\n", commands->id,
                commands->text);
    }
    tell(commands, device);
}
