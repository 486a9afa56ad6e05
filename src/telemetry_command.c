/* Ferrule: telemetry, encoding of commands and their results: numbers, then bytes. A file of its
 * own, which firmware that only seals does not link. */
#include <pb_encode.h>

#include "ferrule/telemetry.h"
#include "proto/telemetry.pb.h"

/* Fields 1 to `count` are numbers; the next one is bytes. What is 0 or empty takes no byte. */
typedef struct fer_plain_message {
    const uint32_t *numbers;
    uint32_t count;
    const fer_slice *bytes;
} fer_plain_message;

static bool put_body(pb_ostream_t *stream, const fer_plain_message *message)
{
    bool good = true;
    for (uint32_t i = 0; i < message->count; i++) {
        if (message->numbers[i] != 0) {
            good = good && pb_encode_tag(stream, PB_WT_VARINT, i + 1u) &&
                   pb_encode_varint(stream, message->numbers[i]);
        }
    }
    if (message->bytes->length != 0) {
        good = good && pb_encode_tag(stream, PB_WT_STRING, message->count + 1u) &&
               pb_encode_string(stream, message->bytes->bytes, message->bytes->length);
    }
    return good;
}

static bool put_arm(pb_ostream_t *stream, uint32_t arm, const fer_plain_message *message)
{
    pb_ostream_t size = PB_OSTREAM_SIZING;
    return put_body(&size, message) && pb_encode_tag(stream, PB_WT_STRING, arm) &&
           pb_encode_varint(stream, size.bytes_written) && put_body(stream, message);
}

/* Nothing is written before its size is known to fit. */
static fer_status encode(uint32_t arm, const fer_plain_message *message, uint8_t *out,
                         size_t capacity, size_t *length)
{
    pb_ostream_t size = PB_OSTREAM_SIZING;

    if ((out == NULL && capacity > 0) || length == NULL || message->numbers[0] == 0 ||
        message->bytes->length > FER_COMMAND_MAX ||
        (message->bytes->bytes == NULL && message->bytes->length != 0) ||
        !put_arm(&size, arm, message)) {
        return FER_ERR_ARGUMENT;
    }
    *length = size.bytes_written;
    if (*length > capacity) {
        return FER_ERR_CAPACITY;
    }
    pb_ostream_t stream = pb_ostream_from_buffer(out, capacity);
    return put_arm(&stream, arm, message) ? FER_OK : FER_ERR_CAPACITY;
}

fer_status fer_telemetry_encode_command(const fer_command *command, uint8_t *out, size_t capacity,
                                        size_t *length)
{
    if (command == NULL) {
        return FER_ERR_ARGUMENT;
    }
    const uint32_t numbers[] = {command->id, command->generation, command->sequence};
    const fer_plain_message message = {numbers, 3, &command->body};
    return encode(ferrule_Envelope_command_tag, &message, out, capacity, length);
}

fer_status fer_telemetry_encode_result(const fer_result *result, uint8_t *out, size_t capacity,
                                       size_t *length)
{
    if (result == NULL || (unsigned)result->code > FER_RESULT_UNKNOWN) {
        return FER_ERR_ARGUMENT;
    }
    const uint32_t numbers[] = {result->id, (uint32_t)result->code};
    const fer_plain_message message = {numbers, 2, &result->text};
    return encode(ferrule_Envelope_result_tag, &message, out, capacity, length);
}

_Static_assert(ferrule_Command_id_tag == 1 && ferrule_Command_generation_tag == 2 &&
                   ferrule_Command_sequence_tag == 3 && ferrule_Command_body_tag == 4,
               "a command's fields stand in the order in which they are written here");
_Static_assert(ferrule_Result_id_tag == 1 && ferrule_Result_code_tag == 2 &&
                   ferrule_Result_text_tag == 3,
               "a result's fields stand in the order in which they are written here");
