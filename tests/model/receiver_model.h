/* The receiver against a model of sets. A device seals, reboots and jumps ahead; a link loses,
 * reorders, repeats and damages; the gateway opens, commits late or never, and is now and then
 * exported, restored or crashed back to its last snapshot. After every step its state and every
 * answer must be the model's, and no record is ever committed twice (ONCE).
 *
 * The model is written from docs/WIRE.md for plainness: it keeps every accepted number in lists and
 * finds generations and numbers by search. Include after cmocka.h. */
#ifndef FERRULE_TESTS_MODEL_RECEIVER_MODEL_H
#define FERRULE_TESTS_MODEL_RECEIVER_MODEL_H

#include <stdbool.h>
#include <string.h>

#include "ferrule/gateway.h"
#include "internal/credential.h"
#include "internal/record.h"
#include "random.h"
#include "record_fixture.h"

enum { MODEL_FLIGHT = 48, MODEL_PENDING = 8, MODEL_TEXT = 12, MODEL_ROUTE = 2 };

/* The native model is larger than the one that an emulated microcontroller runs. */
#ifndef MODEL_GENERATIONS
#define MODEL_GENERATIONS 4096
#endif
#ifndef MODEL_NUMBERS
#define MODEL_NUMBERS 8192
#endif

typedef struct model_shape {
    uint32_t earlier;
    uint32_t reach;
    uint32_t window;
    uint32_t cache;
    uint32_t max_skip;
} model_shape;

#define MODEL_EARLIER_MAX 8u
#define MODEL_WINDOW_MAX 128u

/* ---- the model ---------------------------------------------------------------------------- */

struct model_generation {
    bool open; /* something was accepted, and it was not given up */
    uint32_t next[2];
    uint32_t head[2]; /* list of accepted numbers; 0 ends it */
};

static struct model {
    uint32_t cur;
    uint32_t floor;
    bool heard;
    uint32_t numbers; /* cells of the lists in use */
    struct model_generation generations[MODEL_GENERATIONS];
} model, model_stored;

static struct {
    uint32_t number;
    uint32_t rest;
} model_cells[MODEL_NUMBERS + 1];

static bool model_has(uint32_t generation, uint32_t lane, uint32_t number)
{
    for (uint32_t at = model.generations[generation].head[lane]; at != 0;
         at = model_cells[at].rest) {
        if (model_cells[at].number == number) {
            return true;
        }
    }
    return false;
}

static void model_add(uint32_t generation, uint32_t lane, uint32_t number)
{
    struct model_generation *in = &model.generations[generation];
    uint32_t at = ++model.numbers;

    model_cells[at].number = number;
    model_cells[at].rest = in->head[lane];
    in->head[lane] = at;
    in->open = true;
    if (number >= in->next[lane]) {
        in->next[lane] = number + 1;
    }
}

/* Earlier generations that are open, and the oldest of them. */
static uint32_t model_count(uint32_t *oldest)
{
    uint32_t count = 0;

    for (uint32_t g = model.cur; g-- > model.floor;) {
        if (model.generations[g].open) {
            count++;
            *oldest = g;
        }
    }
    return count;
}

static bool model_has_room(const model_shape *shape, uint32_t generation)
{
    uint32_t oldest = 0;
    uint32_t count = model_count(&oldest);

    return count < shape->earlier || (count > 0 && generation > oldest);
}

/* Gives up the oldest while there are more open than the shape allows. */
static void model_evict(uint32_t allowed)
{
    uint32_t oldest = 0;

    while (model_count(&oldest) > allowed) {
        model.floor = oldest + 1;
    }
}

static fer_status model_check(const model_shape *shape, uint32_t generation, uint32_t lane,
                              uint32_t number)
{
    uint32_t next = model.generations[generation].next[lane];

    if (number < next && next - number > shape->window) {
        return FER_DROP_OLD;
    }
    return model_has(generation, lane, number) ? FER_DROP_REPLAY : FER_OK;
}

/* What a short form's generation means: the only one of these 256. False: there is none. */
static bool model_find_generation(uint32_t low, uint32_t *generation)
{
    for (int64_t g = (int64_t)model.cur - 247; g <= (int64_t)model.cur + 8; g++) {
        if (g >= 0 && (g & 255) == low) {
            *generation = (uint32_t)g;
            return true;
        }
    }
    return false;
}

static uint32_t model_find_number(uint32_t next, uint32_t low)
{
    uint32_t ahead = next;
    uint32_t behind = next;

    while ((ahead & 0xFFFFu) != low) {
        ahead++;
    }
    while (behind > 0 && (behind & 0xFFFFu) != low) {
        behind--;
    }
    return (behind & 0xFFFFu) == low && next - behind < ahead - next ? behind : ahead;
}

struct model_record {
    uint32_t generation;
    uint32_t lane;
    uint32_t sequence;
    bool is_short;
    size_t length;
    uint8_t text[MODEL_TEXT];
    uint8_t bytes[MODEL_TEXT + FER_OVERHEAD_MAX];
};

/* What opening a genuine record must answer. */
static fer_status model_open(const model_shape *shape, const struct model_record *record)
{
    uint32_t generation = record->generation;
    uint32_t number = record->sequence;
    fer_status status;

    if (record->is_short && !model_find_generation(generation & 255u, &generation)) {
        return FER_DROP_OLD;
    }
    if (generation < model.floor) {
        return FER_DROP_OLD;
    }
    if (!record->is_short && generation > model.cur && generation - model.cur > shape->max_skip) {
        return FER_DROP_FAR;
    }
    if (generation < model.cur && !model.generations[generation].open &&
        !model_has_room(shape, generation)) {
        return FER_DROP_OLD;
    }
    if (record->is_short) {
        number =
            model_find_number(model.generations[generation].next[record->lane], number & 0xFFFFu);
    }
    status = model_check(shape, generation, record->lane, number);
    if (status != FER_OK) {
        return status;
    }
    return generation == record->generation && number == record->sequence ? FER_OK
                                                                          : FER_DROP_FORGED;
}

/* What committing must answer, and what it does. */
static fer_status model_commit(const model_shape *shape, const struct model_record *record)
{
    uint32_t generation = record->generation;
    fer_status status;

    if (generation < model.floor) {
        return FER_DROP_OLD;
    }
    if (generation > model.cur) {
        if (generation - model.cur > shape->max_skip) {
            return FER_DROP_FAR;
        }
        if (generation > shape->reach && generation - shape->reach > model.floor) {
            model.floor = generation - shape->reach;
        }
        if (shape->earlier == 0) {
            model.floor = generation;
        }
        model.cur = generation;
        model_evict(shape->earlier);
    } else if (generation < model.cur && !model.generations[generation].open) {
        if (!model_has_room(shape, generation)) {
            return FER_DROP_OLD;
        }
        model_evict(shape->earlier - 1);
    }
    status = model_check(shape, generation, record->lane, record->sequence);
    if (status == FER_OK) {
        model_add(generation, record->lane, record->sequence);
        model.heard = true;
    }
    return status;
}

#endif
