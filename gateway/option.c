#include "option.h"

#include <string.h>

#include "text.h"

uint32_t option_number(const char *text, uint32_t least, uint32_t most, const char *name,
                       struct argp_state *state)
{
    uint32_t value = 0;
    if (!text_to_u32(text, most, &value) || value < least) {
        argp_error(state, "--%s %s: must be a number from %u to %u", name, text, least, most);
    }
    return value;
}

void option_bytes(const char *text, uint8_t *out, size_t capacity, size_t *length, const char *name,
                  struct argp_state *state)
{
    if (!text_from_hex(text, strlen(text), out, capacity, length) || *length == 0) {
        argp_error(state, "--%s %.200s: must be 1 to %zu bytes in hex", name, text, capacity);
    }
}
