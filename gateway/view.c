#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "entropy.h"
#include "ferrule/frame.h"
#include "server.h"

bool view_open(struct view *view, const char *registry, const char *database, struct fault *fault)
{
    memset(view, 0, sizeof *view);
    if (!database_open(&view->db, database, DATABASE_READ, fault)) {
        return false;
    }
    if (!registry_load(registry, &view->registry, fault) ||
        !contexts_load(&view->contexts, &view->registry, &view->db, CONTEXTS_MAX_SKIP,
                       host_entropy(), fault)) {
        view_close(view);
        return false;
    }
    return true;
}

void view_close(struct view *view)
{
    contexts_free(&view->contexts);
    registry_free(&view->registry);
    database_close(&view->db);
}

static bool each_datagram(const uint8_t *bytes, size_t n,
                          void (*call)(void *context, const uint8_t *record, size_t n),
                          void *context)
{
    size_t at = 0;
    while (n - at >= 2) {
        const size_t length = bytes[at] | (size_t)bytes[at + 1] << 8;
        if (n - at - 2 < length) {
            break;
        }
        call(context, bytes + at + 2, length);
        at += 2 + length;
    }
    if (at < n) {
        SAY("the capture ends inside a datagram, %zu bytes are left", n - at);
    }
    return at == n;
}

static bool each_frame(fer_frame_decoder *decoder, const uint8_t *bytes, size_t n,
                       void (*call)(void *context, const uint8_t *record, size_t n), void *context)
{
    fer_frame_counts counts = {0};
    uint8_t *frame = NULL;
    size_t length = 0;
    size_t used = 0;
    for (size_t at = 0; at < n; at += used) {
        const fer_status status =
            fer_frame_decoder_feed(decoder, bytes + at, n - at, &used, &frame, &length);
        if (status == FER_OK) {
            call(context, frame, length);
        } else if (status != FER_EMPTY) {
            SAY("%s", fer_status_text(status));
            return false;
        }
    }
    if (fer_frame_decoder_get_counts(decoder, &counts) == FER_OK && counts.bytes > 0) {
        SAY("skipped %u bytes: %u frames oversized, %u broken", counts.bytes, counts.oversized,
            counts.malformed);
    }
    return counts.bytes == 0;
}

bool view_each(const uint8_t *bytes, size_t n, bool datagrams,
               void (*call)(void *context, const uint8_t *record, size_t n), void *context)
{
    const size_t cells = FER_FRAME_DECODER_SIZE(RECORD_MAX) / FER_ARENA_ALIGN;
    fer_frame_decoder *decoder = NULL;
    fer_arena arena;
    if (datagrams) {
        return each_datagram(bytes, n, call, context);
    }
    fer_arena_cell *storage = calloc(cells, sizeof *storage);
    bool whole = false;
    if (storage == NULL || fer_arena_init(&arena, storage, cells) != FER_OK ||
        fer_frame_decoder_create(&arena, RECORD_MAX, &decoder) != FER_OK) {
        SAY("out of memory");
    } else {
        whole = each_frame(decoder, bytes, n, call, context);
        fer_frame_decoder_close(&decoder);
    }
    free(storage);
    return whole;
}
