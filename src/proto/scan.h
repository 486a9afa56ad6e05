/* Ferrule: the fields of a protobuf message, one after another, with nanopb's primitives
 * (Protocol Buffers encoding specification). Internal to telemetry's decoder (floor 4).
 *
 * A scan that met something malformed is bad and yields nothing more: read on, check once at the
 * end. Nothing is copied; slices point into the caller's bytes. TOTAL: every input ends. */
#ifndef FERRULE_PROTO_SCAN_H
#define FERRULE_PROTO_SCAN_H

#include <pb_decode.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferrule/telemetry.h"

typedef struct fer_scan {
    const uint8_t *end;
    pb_istream_t stream;
    bool bad;
} fer_scan;

typedef struct fer_field {
    uint32_t number;
    pb_wire_type_t type;
    uint64_t value;  /* of numeric types, as on the wire */
    fer_slice slice; /* of the length-delimited type */
} fer_field;

fer_scan fer_scan_over(fer_slice slice);

/* The next field; false at the end of the message and where it is malformed. */
bool fer_scan_next(fer_scan *scan, fer_field *field);

/* What a field holds. Another wire type, or a value above the limit, makes the scan bad. */
uint64_t fer_scan_uint(fer_scan *scan, const fer_field *field, uint64_t limit);
uint64_t fer_scan_sint(fer_scan *scan, const fer_field *field); /* two's complement */
fer_slice fer_scan_slice(fer_scan *scan, const fer_field *field, size_t limit);

/* Zigzag to two's complement. */
uint64_t fer_scan_unzigzag(uint64_t value);

/* The elements of one repeated numeric field: packed, unpacked, or both, in order. */
typedef struct fer_elements {
    fer_scan message;
    fer_scan packed;
    uint32_t number;
    pb_wire_type_t type;
} fer_elements;

fer_elements fer_elements_of(fer_slice message, uint32_t number, pb_wire_type_t type);
bool fer_elements_next(fer_elements *elements, uint64_t *value);

/* How many there are; false where the message is malformed. */
bool fer_elements_count(fer_elements elements, size_t *count);

#endif
