/* Bench: the link between both ends of a DTLS peer. */
#include "wire.h"

#include <string.h>

struct wire wire_up, wire_down;

enum { STEPS_MAX = 64 };

struct heap wire_heap;

bool wire_connect(bool (*make)(enum wire_end end), enum wire_step (*step)(enum wire_end end))
{
    bool done[WIRE_ENDS] = {false, false};
    bool good = true;

    memset(&wire_up, 0, sizeof wire_up);
    memset(&wire_down, 0, sizeof wire_down);
    wire_heap = (struct heap){0};
    for (enum wire_end end = 0; good && end < WIRE_ENDS; end++) {
        (void)heap_charge(end == WIRE_UP_END ? &wire_heap : NULL);
        good = make(end);
    }
    for (unsigned i = 0; good && i < STEPS_MAX && !(done[0] && done[1]); i++) {
        const enum wire_end end = i % WIRE_ENDS;

        (void)heap_charge(end == WIRE_UP_END ? &wire_heap : NULL);
        const enum wire_step taken = done[end] ? WIRE_DONE : step(end);
        done[end] = taken == WIRE_DONE;
        good = taken != WIRE_BROKEN;
    }
    (void)heap_charge(NULL);
    return good && done[0] && done[1];
}

void wire_through(struct wire *wire, uint8_t *record, size_t capacity, size_t length)
{
    wire->record = record;
    wire->capacity = capacity;
    wire->length = length;
}

void wire_queue(struct wire *wire)
{
    wire_through(wire, NULL, 0, 0);
}

int wire_send(struct wire *wire, const void *bytes, size_t n)
{
    const size_t last = (wire->first + wire->count) % WIRE_QUEUE;

    if (wire->record != NULL) {
        if (n > wire->capacity || wire->length != 0) {
            return -1;
        }
        memcpy(wire->record, bytes, n);
        wire->length = n;
        return (int)n;
    }
    if (n > WIRE_DATAGRAM || wire->count == WIRE_QUEUE) {
        return -1;
    }
    memcpy(wire->waiting[last], bytes, n);
    wire->lengths[last] = n;
    wire->count++;
    return (int)n;
}

int wire_receive(struct wire *wire, void *out, size_t capacity)
{
    const uint8_t *from = wire->record;
    size_t n = wire->length;

    if (from == NULL) {
        if (wire->count == 0) {
            return -1;
        }
        from = wire->waiting[wire->first];
        n = wire->lengths[wire->first];
        wire->first = (wire->first + 1) % WIRE_QUEUE;
        wire->count--;
    }
    wire->length = 0;
    if (n == 0 || n > capacity) {
        return -1;
    }
    memcpy(out, from, n);
    return (int)n;
}
