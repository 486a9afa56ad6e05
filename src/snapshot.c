/* Ferrule: gateway, snapshots (floor 5): a context's receive state as bytes and back. Everything is
 * checked before anything is changed (TOTAL); what comes back is what receiving can have made. All
 * little-endian; layout in docs/WIRE.md, section snapshot:
 *
 *     0  "Fs"            8  window bits32     32  floor32       108  the windows of cur: next32 and
 *     2  version8 = 1   12  revision32        36  cur32              words, live lane, backlog lane
 *     3  flags8         16  fingerprint       40  down next32   then each slot: generation32, its
 *     4  route length8  24  route, 8 bytes,   44  claim key          windows as above
 *     5  zero8              zero filled       76  chain key     last 8: check, the first of SHA-256
 *     6  slots16                                                       of all before */
#include <string.h>

#include "internal/bytes.h"
#include "internal/gateway.h"
#include "internal/replay.h"

enum {
    MAGIC_0 = 'F',
    MAGIC_1 = 's',
    VERSION = 1,
    FLAG_HEARD = 1,
    HEAD_BYTES = 108,
    CHECK_BYTES = 8
};

/* The fixed part as read; spans point into the snapshot. */
struct snapshot {
    uint8_t flags;
    uint8_t route_length;
    uint16_t slots;
    uint32_t bits;
    uint32_t revision;
    uint32_t floor;
    uint32_t cur;
    uint32_t down_next;
    uint32_t next[2];
    const uint8_t *fingerprint;
    const uint8_t *route;
    const uint8_t *claim;
    const uint8_t *chain;
    fer_reader windows;
};

static size_t measure(uint32_t bits, uint32_t slots)
{
    size_t windows = 2u * (4u + bits / 8u);

    return HEAD_BYTES + windows + slots * (4u + windows) + CHECK_BYTES;
}

_Static_assert(FER_SNAPSHOT_SIZE(0, 64) >= HEAD_BYTES + 2u * (4u + 8u) + CHECK_BYTES,
               "FER_SNAPSHOT_SIZE is too small");
_Static_assert(FER_SNAPSHOT_SIZE(1, 64) - FER_SNAPSHOT_SIZE(0, 64) == 4u + 2u * (4u + 8u),
               "FER_SNAPSHOT_SIZE is not what a slot takes");

/* ---- out -------------------------------------------------------------------------------- */

static void write_windows(fer_writer *writer, const uint32_t *cells, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fer_write_u32(writer, cells[i]);
    }
}

static void write_head(fer_writer *writer, const fer_gateway *gateway,
                       const struct fer_context *context)
{
    fer_write_u8(writer, MAGIC_0);
    fer_write_u8(writer, MAGIC_1);
    fer_write_u8(writer, VERSION);
    fer_write_u8(writer, (context->flags & FER_CONTEXT_HEARD) != 0 ? FLAG_HEARD : 0);
    fer_write_u8(writer, context->route_length);
    fer_write_u8(writer, 0);
    fer_write_u16(writer, context->earlier);
    fer_write_u32(writer, gateway->config.window_bits);
    fer_write_u32(writer, context->revision);
    fer_write_bytes(writer, context->fingerprint, FER_FINGERPRINT_BYTES);
    fer_write_bytes(writer, context->route, FER_ROUTE_MAX);
    fer_write_u32(writer, context->floor);
    fer_write_u32(writer, context->cur);
    fer_write_u32(writer, context->down_next);
    fer_write_bytes(writer, context->claim.secret.bytes, FER_SECRET_BYTES);
    fer_write_bytes(writer, context->chain.secret.bytes, FER_SECRET_BYTES);
}

fer_status fer_gateway_export(const fer_gateway *gateway, uint32_t context, uint8_t *out,
                              size_t capacity, size_t *length)
{
    const struct fer_context *of;
    uint8_t check[FER_HASH_BYTES];
    fer_writer writer;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    of = fer_gateway_get_context(gateway, context);
    if (of == NULL || out == NULL || length == NULL) {
        return FER_ERR_ARGUMENT;
    }
    if (capacity < measure(gateway->config.window_bits, of->earlier)) {
        return FER_ERR_CAPACITY;
    }
    writer = fer_writer_over(out, measure(gateway->config.window_bits, of->earlier));
    write_head(&writer, gateway, of);
    write_windows(&writer, fer_gateway_get_windows(gateway, context),
                  2u * fer_gateway_lane_cells(gateway));
    for (uint32_t i = 0; i < of->earlier; i++) {
        write_windows(&writer, fer_gateway_get_slot(gateway, context, i),
                      fer_gateway_slot_cells(gateway));
    }
    fer_crypto_hash(out, writer.at, check);
    fer_write_bytes(&writer, check, CHECK_BYTES);
    *length = writer.at;
    return FER_OK;
}

/* ---- in: reading ------------------------------------------------------------------------ */

/* Whether the snapshot is intact, whatever its version. */
static bool is_intact(const uint8_t *in, size_t n)
{
    uint8_t check[FER_HASH_BYTES];

    if (n < HEAD_BYTES + CHECK_BYTES || in[0] != MAGIC_0 || in[1] != MAGIC_1) {
        return false;
    }
    fer_crypto_hash(in, n - CHECK_BYTES, check);
    return fer_crypto_equal(check, in + n - CHECK_BYTES, CHECK_BYTES);
}

static void read_head(fer_reader *reader, struct snapshot *snapshot, uint8_t *zero)
{
    (void)fer_read_span(reader, 3);
    snapshot->flags = fer_read_u8(reader);
    snapshot->route_length = fer_read_u8(reader);
    *zero = fer_read_u8(reader);
    snapshot->slots = fer_read_u16(reader);
    snapshot->bits = fer_read_u32(reader);
    snapshot->revision = fer_read_u32(reader);
    snapshot->fingerprint = fer_read_span(reader, FER_FINGERPRINT_BYTES);
    snapshot->route = fer_read_span(reader, FER_ROUTE_MAX);
    snapshot->floor = fer_read_u32(reader);
    snapshot->cur = fer_read_u32(reader);
    snapshot->down_next = fer_read_u32(reader);
    snapshot->claim = fer_read_span(reader, FER_SECRET_BYTES);
    snapshot->chain = fer_read_span(reader, FER_SECRET_BYTES);
    snapshot->windows = *reader;
}

static bool is_route(const uint8_t *route, uint8_t length)
{
    static const uint8_t zeros[FER_ROUTE_MAX];

    return (length == 0 || length == 2 || length == 4 || length == 8) &&
           memcmp(route + length, zeros, (size_t)FER_ROUTE_MAX - length) == 0;
}

static bool is_head(const struct snapshot *snapshot, uint8_t zero)
{
    bool heard = (snapshot->flags & FLAG_HEARD) != 0;

    if (snapshot->flags > FLAG_HEARD || zero != 0 || snapshot->cur == FER_SEQUENCE_END ||
        snapshot->floor > snapshot->cur || snapshot->cur - snapshot->floor > FER_REACH_MAX ||
        !fer_window_bits_are_valid(snapshot->bits) ||
        !is_route(snapshot->route, snapshot->route_length)) {
        return false;
    }
    /* Before anything was heard there is nothing behind, and nothing was sent. */
    return heard ||
           (snapshot->floor == snapshot->cur && snapshot->slots == 0 && snapshot->down_next == 0);
}

/* Reads one window; false where no sequence of accepted numbers leaves it like this: the top's bit
 * is set, and no bit that is not reached yet. */
static bool read_window(fer_reader *reader, uint32_t bits, uint32_t *next)
{
    uint32_t top = 0;
    bool clean = true;

    *next = fer_read_u32(reader);
    for (uint32_t at = 0; at < bits; at += 32u) {
        uint32_t word = fer_read_u32(reader);
        uint32_t reached = *next > at ? *next - at : 0;

        if (reached < 32u && word >> reached != 0) {
            clean = false;
        }
        if (*next != 0 && ((*next - 1u) & (bits - 1u)) / 32u == at / 32u) {
            top = word >> (*next - 1u) % 32u & 1u;
        }
    }
    return clean && top == (*next != 0);
}

/* Reads the windows of one generation; true where they are valid, and `used` where one is. */
static bool read_pair(fer_reader *reader, uint32_t bits, uint32_t next[2], bool *used)
{
    bool valid = read_window(reader, bits, &next[0]);

    valid = read_window(reader, bits, &next[1]) && valid;
    *used = next[0] != 0 || next[1] != 0;
    return valid;
}

/* Those of the current generation: used only where it was heard, which a session may have shown
 * without a record of it. */
static bool read_current(fer_reader *reader, struct snapshot *snapshot)
{
    bool used;

    return read_pair(reader, snapshot->bits, snapshot->next, &used) &&
           (!used || (snapshot->flags & FLAG_HEARD) != 0);
}

static bool read_slots(fer_reader *reader, const struct snapshot *snapshot)
{
    uint32_t least = snapshot->floor;
    uint32_t next[2];
    bool used;

    for (uint32_t i = 0; i < snapshot->slots; i++) {
        uint32_t generation = fer_read_u32(reader);

        if (generation < least || generation >= snapshot->cur ||
            !read_pair(reader, snapshot->bits, next, &used) || !used) {
            return false;
        }
        least = generation + 1u;
    }
    return true;
}

static fer_status parse(const uint8_t *in, size_t n, struct snapshot *snapshot)
{
    fer_reader reader;
    uint8_t zero;

    if (!is_intact(in, n)) {
        return FER_DROP_MALFORMED;
    }
    if (in[2] != VERSION) {
        return FER_DROP_VERSION;
    }
    reader = fer_reader_over(in, n - CHECK_BYTES);
    read_head(&reader, snapshot, &zero);
    if (!is_head(snapshot, zero) || n != measure(snapshot->bits, snapshot->slots) ||
        !read_current(&reader, snapshot) || !read_slots(&reader, snapshot) || reader.failed ||
        fer_reader_left(&reader) != 0) {
        return FER_DROP_MALFORMED;
    }
    return FER_OK;
}

/* ---- in: applying ----------------------------------------------------------------------- */

/* Whether a snapshot is not older than the context it would replace. Revisions wrap; what can only
 * grow is looked at too (ONCE). */
static bool is_forward(const fer_gateway *gateway, uint32_t number, const struct snapshot *snapshot)
{
    const struct fer_context *context = &gateway->contexts[number];
    const uint32_t *windows = fer_gateway_get_windows(gateway, number);

    if (snapshot->revision - context->revision > (uint32_t)INT32_MAX ||
        snapshot->cur < context->cur || snapshot->floor < context->floor) {
        return false;
    }
    return snapshot->cur > context->cur ||
           (snapshot->next[0] >= windows[0] &&
            snapshot->next[1] >= windows[fer_gateway_lane_cells(gateway)] &&
            snapshot->down_next >= context->down_next);
}

/* Finds the context to fill, or takes a new one. */
static fer_status place(fer_gateway *gateway, const struct snapshot *snapshot, uint32_t *number)
{
    uint32_t at;

    if (!fer_gateway_find_route(gateway, snapshot->route, snapshot->route_length, number, &at)) {
        return fer_gateway_take_context(gateway, snapshot->route, snapshot->route_length, number)
                   ? FER_OK
                   : FER_ERR_ARENA;
    }
    if (memcmp(snapshot->fingerprint, gateway->contexts[*number].fingerprint,
               FER_FINGERPRINT_BYTES) != 0) {
        return FER_ERR_ORDER;
    }
    return is_forward(gateway, *number, snapshot) ? FER_OK : FER_DROP_OLD;
}

static void fill_windows(fer_gateway *gateway, uint32_t number, const struct snapshot *snapshot)
{
    uint32_t *cells = fer_gateway_get_windows(gateway, number);
    size_t filled = 2u * fer_gateway_lane_cells(gateway) +
                    (size_t)snapshot->slots * fer_gateway_slot_cells(gateway);
    fer_reader reader = snapshot->windows;

    memset(cells, 0, fer_gateway_context_cells(gateway) * sizeof cells[0]);
    for (size_t i = 0; i < filled; i++) {
        cells[i] = fer_read_u32(&reader);
    }
}

static void fill(fer_gateway *gateway, uint32_t number, const struct snapshot *snapshot)
{
    struct fer_context *context = &gateway->contexts[number];
    uint32_t reach = gateway->config.reach;

    memcpy(context->fingerprint, snapshot->fingerprint, FER_FINGERPRINT_BYTES);
    memcpy(context->claim.secret.bytes, snapshot->claim, FER_SECRET_BYTES);
    memcpy(context->chain.secret.bytes, snapshot->chain, FER_SECRET_BYTES);
    context->floor = snapshot->floor;
    context->cur = snapshot->cur;
    context->down_next = snapshot->down_next;
    context->revision = snapshot->revision;
    context->earlier = snapshot->slots;
    context->flags = FER_CONTEXT_USED;
    context->flags |= (snapshot->flags & FLAG_HEARD) != 0 ? FER_CONTEXT_HEARD : 0;
    fill_windows(gateway, number, snapshot);
    fer_gateway_forget_keys(gateway, number, UINT32_MAX);
    fer_gateway_settle_live(gateway, number);
    /* A gateway of shorter reach keeps less behind it, so that a forgery costs what it should. */
    if (context->cur - context->floor > reach) {
        fer_gateway_raise_floor(gateway, number, context->cur - reach);
        context->revision++;
    }
}

fer_status fer_gateway_import(fer_gateway *gateway, const uint8_t *snapshot, size_t n,
                              uint32_t *context)
{
    struct snapshot parsed;
    uint32_t number;
    fer_status status;

    if (!fer_gateway_is_open(gateway)) {
        return FER_ERR_HANDLE;
    }
    if (snapshot == NULL || context == NULL) {
        return FER_ERR_ARGUMENT;
    }
    status = parse(snapshot, n, &parsed);
    if (status != FER_OK) {
        return status;
    }
    if (parsed.bits != gateway->config.window_bits || parsed.slots > gateway->config.earlier) {
        return FER_ERR_ARGUMENT;
    }
    status = place(gateway, &parsed, &number);
    if (status != FER_OK) {
        return status;
    }
    fill(gateway, number, &parsed);
    *context = number;
    return FER_OK;
}
