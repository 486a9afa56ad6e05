/* Ferrule: device, commands. What was opened is authentic and came once; here it is judged whether
 * it came in time, and whether its id is new. A file of its own, which firmware that only seals
 * does not link. */
#include "internal/device_command.h"
#include "ferrule/device.h"
#include "ferrule/replay.h"

_Static_assert(sizeof(fer_commands) <= FER_DEVICE_COMMANDS_SIZE(1) &&
                   FER_DEVICE_COMMANDS_SIZE(1) < sizeof(fer_commands) + 16u,
               "FER_DEVICE_COMMANDS_SIZE is not what commands take");

/* They lie before the messages. */
fer_commands *fer_device_get_commands(const fer_device *device)
{
    void *commands = device->messages - FER_DEVICE_COMMANDS_SIZE(1);
    return (fer_commands *)commands;
}

/* ---- time ------------------------------------------------------------------------------- */

fer_device_context fer_device_get_context(const fer_device *device)
{
    const fer_device_context context = {device->sealers[FER_LANE_LIVE],
                                        &fer_device_get_commands(device)->marks, device->burned_ms,
                                        device->health.generation};
    return context;
}

/* Every record of a context was sealed after its start. A clock that fails tells 0, so that a
 * record looks older than it is, never younger. */
static bool has_marks(const fer_device_context *context)
{
    return context->marks->of == context->generation + 1u;
}

void fer_device_mark_time(const fer_device *device, const fer_device_context *context)
{
    fer_marks *marks = context->marks;
    const uint64_t now = fer_device_get_uptime(device);
    const bool known = has_marks(context);

    if (known && now - marks->ms[0] < device->config.stale_ms / 2u) {
        return;
    }
    marks->ms[1] = known ? marks->ms[0] : context->began_ms;
    marks->first[1] = known ? marks->first[0] : 0;
    marks->ms[0] = now;
    marks->first[0] = FER_SEQUENCE_END; /* proves nothing, unless a sealer says better */
    (void)!fer_sealer_get_next(context->sealer, &marks->first[0]);
    marks->of = context->generation + 1u;
}

fer_status fer_device_seal_marked(fer_device *device, const fer_slot *slot, size_t *length)
{
    const fer_device_context context = fer_device_get_context(device);

    fer_device_mark_time(device, &context);
    return fer_device_seal_next(device, slot, length);
}

void fer_device_mark_waking(fer_device *device)
{
    const fer_device_context context = fer_device_get_context(device);

    fer_device_mark_time(device, &context);
    context.marks->first[1] = context.marks->first[0];
    if (device->seal == NULL) {
        device->seal = fer_device_seal_marked;
    }
}

/* Whether something proves that the record was sealed at most stale_ms ago. */
static bool is_young(const fer_device *device, const fer_device_context *context, uint32_t sequence)
{
    const fer_marks *marks = context->marks;
    const uint64_t now = fer_device_get_uptime(device);
    const uint32_t most = device->config.stale_ms;

    if (most == 0 || device->config.clock.ops == NULL) {
        return true;
    }
    if (now == 0) {
        return false;
    }
    if (!has_marks(context)) {
        return now - context->began_ms <= most;
    }
    return (sequence >= marks->first[0] && now - marks->ms[0] <= most) ||
           (sequence >= marks->first[1] && now - marks->ms[1] <= most);
}

static bool is_fresh(const fer_device *device, const fer_device_context *context,
                     const fer_command *command)
{
    const uint32_t most = device->config.stale_records;
    uint32_t next = 0;

    if (fer_sealer_get_next(context->sealer, &next) != FER_OK ||
        command->generation != context->generation || command->sequence >= next) {
        return false;
    }
    return (most == 0 || next - command->sequence <= most) &&
           is_young(device, context, command->sequence);
}

/* ---- results ---------------------------------------------------------------------------- */

/* What the application says is remembered. */
static fer_status queue_result(fer_device *device, const fer_result *result, bool remember)
{
    fer_commands *commands = fer_device_get_commands(device);
    size_t capacity;
    size_t length = 0;
    uint8_t *out = fer_device_begin_message(device, &capacity);
    fer_status status = fer_telemetry_encode_result(result, out, capacity, &length);

    if (status == FER_OK && remember) {
        commands->answered = result->id;
        commands->answer_code = (uint32_t)result->code;
    }
    return fer_device_end_message(device, status, length);
}

fer_status fer_device_answer(fer_device *device, uint32_t id, fer_result_code code,
                             const uint8_t *text, size_t n)
{
    const fer_result result = {id, code, {text, n}};

    if (!fer_device_is_open(device)) {
        return FER_ERR_HANDLE;
    }
    if (code == FER_RESULT_STALE) {
        return FER_ERR_ARGUMENT;
    }
    return device->config.inbound == 0 ? FER_ERR_ORDER : queue_result(device, &result, true);
}

/* Also a fresh record, though nothing else waits: the gateway can issue the command again. Where
 * the queue is full, others wait, and do as well; it is counted. */
static void answer_stale(fer_device *device, uint32_t id)
{
    const fer_result result = {id, FER_RESULT_STALE, {NULL, 0}};

    device->health_due = true;
    (void)!queue_result(device, &result, false);
}

/* What is known of a command that was delivered before. Of the newest of this life nothing may be
 * known yet: the application is at it, and will answer. */
static void answer_again(fer_device *device, uint32_t id)
{
    const fer_commands *commands = fer_device_get_commands(device);
    fer_result result = {id, FER_RESULT_UNKNOWN, {NULL, 0}};

    fer_device_lock(device);
    const bool known = commands->answered == id;
    if (known) {
        result.code = (fer_result_code)commands->answer_code;
    }
    fer_device_unlock(device);
    if (known || id != commands->highest) {
        (void)!queue_result(device, &result,
                            false); /* a full queue counts it; the gateway asks again */
    }
}

/* ---- the judgement ---------------------------------------------------------------------- */

uint32_t fer_device_get_highest_command(const fer_device *device)
{
    const uint32_t done = device->config.commands_done;
    const uint32_t highest =
        device->config.inbound == 0 ? 0 : fer_device_get_commands(device)->highest;

    return highest > done ? highest : done;
}

typedef struct fer_judgement {
    fer_device *device;
    const fer_device_context *context;
    bool refused;
} fer_judgement;

static void judge(void *context, const fer_command *command)
{
    fer_judgement *judgement = (fer_judgement *)context;
    fer_device *device = judgement->device;

    judgement->refused = true;
    if (command->id <= fer_device_get_highest_command(device)) {
        fer_device_count(device, &device->health.commands_repeated);
        answer_again(device, command->id);
    } else if (!is_fresh(device, judgement->context, command)) {
        fer_device_count(device, &device->health.commands_stale);
        answer_stale(device, command->id);
    } else {
        fer_device_get_commands(device)->highest = command->id;
        judgement->refused = false;
    }
}

/* What does not decode is no command; the application hears it, and what its decoder says. */
bool fer_device_admits(fer_device *device, const fer_device_context *context,
                       const uint8_t *plaintext, size_t n)
{
    fer_judgement judgement = {device, context, false};
    fer_telemetry_visitor visitor = {0};

    visitor.on_command = judge;
    visitor.context = &judgement;
    return fer_telemetry_decode(plaintext, n, &visitor) != FER_OK || !judgement.refused;
}
