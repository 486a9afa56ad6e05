/* Bench: what the programs say that seal and open beside each other on an emulated core:
 *     record  PEER  FIGURE  BYTES  VALUE  UNIT
 * one line a figure, separated by tabs; see bench/README.md. */
#ifndef FERRULE_BENCH_RECORD_REPORT_H
#define FERRULE_BENCH_RECORD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "counting.h"

#ifdef BENCH_SMALL /* a board with little RAM leaves the longest record out */
enum { RECORD_TEXT_MAX = 256 };
#else
enum { RECORD_TEXT_MAX = 1024 };
#endif
enum { RECORD_MAX = RECORD_TEXT_MAX + 64, RECORD_SEALS = 8 };

/* Two ends of one link: the calls that are measured. */
struct link {
    const char *name;
    bool (*prepare)(void); /* not measured */
    bool (*seal)(const uint8_t *text, size_t n, uint8_t *record, size_t *length);
    bool (*open)(uint8_t *record, size_t length, uint8_t *out, size_t *n);
};

static inline void report_record(const char *peer, const char *figure, size_t size, uint32_t value,
                                 const char *unit)
{
    printf("record\t%s\t%s\t%lu\t%lu\t%s\n", peer, figure, (unsigned long)size,
           (unsigned long)value, unit);
}

/* The most that one of some calls takes, of the instructions and of the stack. */
struct cost {
    uint32_t count;
    uint32_t stack;
};

static inline void take_most(struct cost *cost, uint32_t count, uint32_t stack)
{
    cost->count = count > cost->count ? count : cost->count;
    cost->stack = stack > cost->stack ? stack : cost->stack;
}

/* One record, sealed and opened; false where it is not what was sealed. */
static __attribute__((noinline)) bool measure_once(const struct link *link, const uint8_t *text,
                                                   size_t size, struct cost *seal,
                                                   struct cost *open, size_t *length)
{
    static uint8_t record[RECORD_MAX], out[RECORD_MAX];
    uint8_t *top = stack_top();
    size_t n = 0;

    if (!link->prepare()) {
        return false;
    }
    paint(top);
    uint32_t start = now();
    bool good = link->seal(text, size, record, length);
    uint32_t count = instructions(start);
    take_most(seal, count, depth(top));
    paint(top);
    start = now();
    good = link->open(record, *length, out, &n) && good;
    count = instructions(start);
    take_most(open, count, depth(top));
    return good && n == size && memcmp(out, text, size) == 0 && memcmp(record, text, size) != 0;
}

/* All sizes. False where a record was not opened as it was sealed. */
static inline bool measure_link(const struct link *link)
{
    static const size_t sizes[] = {32, 64, 256, 1024};
    static uint8_t text[RECORD_TEXT_MAX];
    bool good = true;

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)(i * 7u + 1u);
    }
    struct cost first = {0}; /* what a link does once, with its first record, does not count */
    size_t unused;
    good = measure_once(link, text, sizes[0], &first, &first, &unused);
    for (size_t s = 0; good && s < sizeof sizes / sizeof sizes[0] && sizes[s] <= sizeof text; s++) {
        struct cost seal = {0}, open = {0};
        size_t length = 0;
        for (int i = 0; good && i < RECORD_SEALS; i++) {
            good = measure_once(link, text, sizes[s], &seal, &open, &length);
        }
        report_record(link->name, "seal", sizes[s], seal.count, "instructions");
        report_record(link->name, "open", sizes[s], open.count, "instructions");
        report_record(link->name, "stack of seal", sizes[s], seal.stack, "bytes");
        report_record(link->name, "stack of open", sizes[s], open.stack, "bytes");
        report_record(link->name, "bytes on the wire", sizes[s], (uint32_t)length, "bytes");
    }
    return good;
}

#endif
