/* Bench: the link between both ends of a DTLS peer: whole datagrams, in memory. */
#ifndef FERRULE_BENCH_PEERS_WIRE_H
#define FERRULE_BENCH_PEERS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap.h"

enum { WIRE_DATAGRAM = 2048, WIRE_QUEUE = 16 };

/* What is on its way to one end. Either datagrams that wait in turn, as in a handshake, or, where a
 * record is sealed or opened, the caller's one record. */
struct wire {
    uint8_t waiting[WIRE_QUEUE][WIRE_DATAGRAM];
    size_t lengths[WIRE_QUEUE];
    size_t first;
    size_t count;
    uint8_t *record; /* null: they wait in turn */
    size_t capacity;
    size_t length; /* 0: none */
};

extern struct wire wire_up, wire_down;

/* The ends. What UP takes from the heap until hands are shaken counts in wire_heap. */
enum wire_end { WIRE_UP_END, WIRE_DOWN_END, WIRE_ENDS };
extern struct heap wire_heap;

enum wire_step { WIRE_DONE, WIRE_MORE, WIRE_BROKEN };

/* Makes both ends, then lets them take steps in turn, until both are done. */
bool wire_connect(bool (*make)(enum wire_end end), enum wire_step (*step)(enum wire_end end));

/* From now on one record goes through the caller's buffer; wire_queue ends that. */
void wire_through(struct wire *wire, uint8_t *record, size_t capacity, size_t length);
void wire_queue(struct wire *wire);

/* Bytes that went, -1 where there is no room, or nothing to be had. */
int wire_send(struct wire *wire, const void *bytes, size_t n);
int wire_receive(struct wire *wire, void *out, size_t capacity);

#endif
