/* Ferrule: the fields of a protobuf message; see scan.h. */
#include "scan.h"

#include <string.h>

fer_scan fer_scan_over(fer_slice slice)
{
    fer_scan scan;
    scan.end = slice.length == 0 ? slice.bytes : slice.bytes + slice.length;
    scan.stream = pb_istream_from_buffer(slice.bytes, slice.length);
    scan.bad = false;
    return scan;
}

static bool read_number(pb_istream_t *stream, pb_wire_type_t type, uint64_t *value)
{
    uint32_t word;
    switch (type) {
    case PB_WT_VARINT:
        return pb_decode_varint(stream, value);
    case PB_WT_64BIT:
        return pb_decode_fixed64(stream, value);
    case PB_WT_32BIT:
        if (!pb_decode_fixed32(stream, &word)) {
            return false;
        }
        *value = word;
        return true;
    default: /* groups, which proto3 does not have, and what no version has */
        return false;
    }
}

static bool read_slice(fer_scan *scan, fer_slice *slice)
{
    uint32_t length;
    if (!pb_decode_varint32(&scan->stream, &length) || length > scan->stream.bytes_left) {
        return false;
    }
    slice->bytes = scan->end - scan->stream.bytes_left;
    slice->length = length;
    return pb_read(&scan->stream, NULL, length);
}

bool fer_scan_next(fer_scan *scan, fer_field *field)
{
    bool end = false;
    if (scan->bad || scan->stream.bytes_left == 0) {
        return false;
    }
    memset(field, 0, sizeof *field);
    scan->bad =
        !pb_decode_tag(&scan->stream, &field->type, &field->number, &end) || field->number == 0;
    if (!scan->bad) {
        scan->bad = field->type == PB_WT_STRING
                        ? !read_slice(scan, &field->slice)
                        : !read_number(&scan->stream, field->type, &field->value);
    }
    return !scan->bad;
}

uint64_t fer_scan_uint(fer_scan *scan, const fer_field *field, uint64_t limit)
{
    if (field->type != PB_WT_VARINT || field->value > limit) {
        scan->bad = true;
        return 0;
    }
    return field->value;
}

uint64_t fer_scan_unzigzag(uint64_t value)
{
    return value >> 1 ^ (0u - (value & 1u));
}

uint64_t fer_scan_sint(fer_scan *scan, const fer_field *field)
{
    return fer_scan_unzigzag(fer_scan_uint(scan, field, UINT64_MAX));
}

fer_slice fer_scan_slice(fer_scan *scan, const fer_field *field, size_t limit)
{
    if (field->type != PB_WT_STRING || field->slice.length > limit) {
        scan->bad = true;
    }
    return field->slice;
}

fer_elements fer_elements_of(fer_slice message, uint32_t number, pb_wire_type_t type)
{
    fer_elements elements;
    elements.message = fer_scan_over(message);
    elements.packed = elements.message;
    elements.packed.stream.bytes_left = 0;
    elements.number = number;
    elements.type = type;
    return elements;
}

bool fer_elements_next(fer_elements *elements, uint64_t *value)
{
    fer_field field;
    while (elements->packed.stream.bytes_left == 0) {
        if (!fer_scan_next(&elements->message, &field)) {
            return false;
        }
        if (field.number != elements->number) {
            continue;
        }
        if (field.type == elements->type) {
            *value = field.value;
            return true;
        }
        if (field.type != PB_WT_STRING) {
            elements->message.bad = true;
            return false;
        }
        elements->packed = fer_scan_over(field.slice);
    }
    if (!read_number(&elements->packed.stream, elements->type, value)) {
        elements->message.bad = true;
        elements->packed.stream.bytes_left = 0;
        return false;
    }
    return true;
}

bool fer_elements_count(fer_elements elements, size_t *count)
{
    uint64_t value;
    *count = 0;
    while (fer_elements_next(&elements, &value)) {
        (*count)++;
    }
    return !elements.message.bad;
}
